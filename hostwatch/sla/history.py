"""The histories of devices, uplinks and supplies: when in service, silent, or not spoken for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from hostwatch.core import facts, supply
from hostwatch.core.signal import Signal
from hostwatch.core.timeline import Span, Timeline
from hostwatch.core.uplink import PREFIX
from hostwatch.sla.gathered import Gathered
from hostwatch.sla.records import (
    DeviceHistory,
    EmergencyRecord,
    Hanging,
    History,
    Reach,
    ServiceHistory,
    SupplyHistory,
    Tenure,
    UplinkHistory,
)
from hostwatch.sla.version import thing_in

LASTING: tuple[type[facts.Fact], ...] = (
    facts.PopulationChanged,
    facts.ClockStepped,
    facts.EmergencyOpened,
    facts.UplinkEmergencyOpened,
    facts.SupplyEmergencyOpened,
    facts.SwitchEmergencyOpened,
    facts.EmergencyJoined,
    facts.EmergencyEnded,
    facts.EmergencyReported,
    facts.ReportEnded,
    facts.EmergencyCorrected,
    facts.CauseFound,
    facts.CauseStated,
    facts.PowerSeen,
)
"""Facts that may matter however old they are."""

ENDING: tuple[type[facts.Fact], ...] = (
    facts.SilenceEnded,
    facts.SilenceCut,
    facts.Unspoken,
    facts.BlindEnded,
)
"""Facts dated at the end of what they tell: one from before a period says nothing about it."""


def fold(
    happened: Iterable[facts.Fact],
    signals: Mapping[str, Signal],
    blind: Mapping[str, datetime],
    now: datetime,
) -> History:
    """The history that recorded facts and the present signals tell.

    `LASTING` facts must come in the order of the record, and all of them; `ENDING` facts may be
    left out if they are dated before what is asked for, and may come in any order.
    """
    gathered = Gathered(now=now)
    for fact in happened:
        gathered.take(fact)
    gathered.present(signals, blind)
    return _Histories(gathered).history()


class _Histories:
    """The history of each thing, out of what was gathered."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._shared: dict[str, list[EmergencyRecord]] = defaultdict(list)
        """By device, the emergencies of what it hangs on under which it was told of; by supply, its own."""

    def history(self) -> History:
        """The finished value."""
        told: dict[tuple[str, str], list[EmergencyRecord]] = defaultdict(list)
        for emergency in self._gathered.emergencies.values():
            if emergency.report is not None:
                for device in emergency.report.devices:
                    self._shared[device].append(emergency)
            elif emergency.is_shared:
                for signal in (emergency.signal, *emergency.joined):
                    self._shared[thing_in(signal)].append(emergency)
            else:
                told[emergency.customer, emergency.device or PREFIX + emergency.uplink].append(emergency)
                for member in emergency.joined if emergency.uplink else ():
                    told[emergency.customer, thing_in(member)].append(emergency)
        uplinks = {
            thing.removeprefix(PREFIX): self._uplink(thing, tenures, told[customer, thing])
            for (customer, thing), tenures in sorted(self._gathered.tenures.items())
            if thing.startswith(PREFIX)
        }
        supplies = {
            thing.removeprefix(supply.PREFIX): self._supply(thing, tenures, self._all([], thing))
            for (_, thing), tenures in sorted(self._gathered.tenures.items())
            if thing.startswith(supply.PREFIX)
        }
        devices = tuple(
            self._device(customer, thing, tenures, self._all(told[customer, thing], thing), uplinks, supplies)
            for (customer, thing), tenures in sorted(self._gathered.tenures.items())
            if not thing.startswith((PREFIX, supply.PREFIX))
        )
        return History(
            now=self._gathered.now,
            devices=devices,
            uplinks=tuple(uplinks.values()),
            supplies=tuple(supplies.values()),
            blind=tuple(sorted(self._gathered.blind, key=lambda record: (record.since, record.why))),
            customers=frozenset(self._gathered.customers),
        )

    def _all(self, own: list[EmergencyRecord], device: str) -> list[EmergencyRecord]:
        """A thing's own emergencies, and those of what it hangs on under which it was told of."""
        every = {one.reference: one for one in (*own, *self._shared.get(device, ()))}
        return sorted(every.values(), key=lambda one: (one.opened_at, one.reference))

    def _uplink(self, thing: str, tenures: list[Tenure], told: list[EmergencyRecord]) -> UplinkHistory:
        names = sorted({tenure.signal for tenure in tenures})
        return UplinkHistory(
            uplink=thing.removeprefix(PREFIX),
            name=self._gathered.names[thing],
            service=Timeline.of(tenure.span for tenure in tenures),
            unknown=Timeline.of(self._gathered.unknown(names, tenures)),
            silences=self._gathered.silences_of(names),
            emergencies=tuple(told),
        )

    def _supply(self, thing: str, tenures: list[Tenure], told: list[EmergencyRecord]) -> SupplyHistory:
        names = sorted({tenure.signal for tenure in tenures})
        return SupplyHistory(
            supply=thing.removeprefix(supply.PREFIX),
            measured_at=self._gathered.points[thing],
            service=Timeline.of(tenure.span for tenure in tenures),
            unknown=Timeline.of(self._gathered.unknown(names, tenures)),
            silences=self._gathered.silences_of(names),
            emergencies=tuple(told),
            doubts=tuple(one for name in names for one in self._gathered.overheard.doubts(name)),
        )

    def _device(
        self,
        customer: str,
        device: str,
        tenures: list[Tenure],
        told: list[EmergencyRecord],
        uplinks: Mapping[str, UplinkHistory],
        supplies: Mapping[str, SupplyHistory],
    ) -> DeviceHistory:
        names = sorted({tenure.signal for tenure in tenures})
        served = sorted(self._gathered.served[customer, device].items())
        return DeviceHistory(
            customer=customer,
            device=device,
            tenures=tuple(sorted(tenures, key=lambda tenure: tenure.span)),
            unknown=Timeline.of(self._gathered.unknown(names, tenures)),
            silences=self._gathered.silences_of(names),
            emergencies=tuple(one for one in told if one.covers(names)),
            reaches=tuple(_reaches(tenures, uplinks)),
            power_alone=Timeline.of(self._gathered.agreed[customer]),
            hanging=tuple(_hanging(tenures, supplies)),
            services=tuple(self._service(name, mine, told) for name, mine in served),
        )

    def _service(self, name: str, tenures: list[Tenure], told: list[EmergencyRecord]) -> ServiceHistory:
        signals = sorted({tenure.signal for tenure in tenures})
        return ServiceHistory(
            name=name,
            tenures=tuple(sorted(tenures, key=lambda tenure: tenure.span)),
            unknown=Timeline.of(self._gathered.unknown(signals, tenures)),
            silences=self._gathered.silences_of(signals),
            emergencies=tuple(one for one in told if one.covers(signals)),
        )


def _reaches(tenures: Iterable[Tenure], uplinks: Mapping[str, UplinkHistory]) -> Iterator[Reach]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for tenure in tenures:
        if tenure.uplink is not None and tenure.uplink in uplinks:
            spans[tenure.uplink].append(tenure.span)
    for name, found in sorted(spans.items()):
        uplink = uplinks[name]
        yield Reach(uplink=uplink, span=Timeline.of(found) & uplink.service)


def _hanging(tenures: Iterable[Tenure], supplies: Mapping[str, SupplyHistory]) -> Iterator[Hanging]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for tenure in tenures:
        if tenure.supply is not None and tenure.supply in supplies:
            spans[tenure.supply].append(tenure.span)
    for name, found in sorted(spans.items()):
        mine = supplies[name]
        yield Hanging(supply=mine, span=Timeline.of(found) & mine.service)
