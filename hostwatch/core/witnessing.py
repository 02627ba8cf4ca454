"""What all witnesses say of one outage at one moment: the scene out of which its cause is found.

    port, switch, others behind it ─┐
    sources of power ───────────────┼──▶ scene ──▶ rules (`core.topology`) ──▶ cause, confidence
    gateway, uplink, services ──────┘      └─▶ evidence: who said what, and when

The beginnings of two silences may be one moment when their bounds overlap, from the last answer to the first
miss; also if one of them is over by now. Who answered after that moment speaks for what it answered by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from hostwatch.core import supply as supplies
from hostwatch.core import switch as switches
from hostwatch.core.bygones import Bygone, Lately
from hostwatch.core.cause import Evidence, Slot
from hostwatch.core.device import Device
from hostwatch.core.hanging import way
from hostwatch.core.parents import ASKED_MAX, Ways
from hostwatch.core.population import Population
from hostwatch.core.porting import port_of
from hostwatch.core.poweredness import Found, Poweredness
from hostwatch.core.scene import Port, Power, Scene, Stand, What, heavier
from hostwatch.core.service import is_service
from hostwatch.core.signal import Signal, Silence
from hostwatch.core.together import Known, answering
from hostwatch.core.uplink import Uplink, parsed, signal_of
from hostwatch.core.warned import Planned, Planning
from hostwatch.core.wiring import AT_SOURCE
from hostwatch.core.world import Heard

WAS: Final = {Power.INTERRUPTED: "was interrupted", Power.LOST: "was lost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """When a signal fell silent: after its last answer, and before its first miss."""

    signal: str
    last_answer: datetime
    first_miss: datetime
    last_miss: datetime

    def began_with(self, theirs: Silence | Bygone) -> bool:
        """Whether another silence may have begun in the same moment."""
        return theirs.first_miss > self.last_answer and theirs.last_answer < self.first_miss

    def began_during(self, theirs: Bygone) -> bool:
        """Whether it may have begun while another was silent."""
        return theirs.last_answer < self.first_miss and theirs.first_answer > self.last_answer

    def is_outlived_by(self, other: Signal) -> bool:
        """Whether another has answered since."""
        if other.last_answer is None or other.last_answer < self.first_miss:
            return False
        return other.blind_since is None


@dataclass(slots=True, kw_only=True)
class _Seen:
    """A scene while it is put together."""

    scene: dict[str, object] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)


class Witnessing:
    """What is known in one deed. What many outages ask for is found once."""

    def __init__(
        self,
        people: Population,
        known: Known,
        said: Callable[[str], Heard | None],
        now: datetime,
        bygones: Lately,
        *,
        planning: Planning,
        is_blind: bool,
    ) -> None:
        self._people = people
        self._known = known
        self._said = said
        self._bygones = bygones
        self._planned = planning.planned
        self._sees_gateway = planning.sees_gateway
        self._gateway_said = "lets us out" if planning.sees_beyond else "answers"
        self._is_blind = is_blind
        self._ways = Ways(people)
        self._power = Poweredness(people, known, said, now)
        self._others: dict[str, list[Signal]] = {}

    def of(self, outage: Outage) -> tuple[Scene, tuple[Evidence, ...]]:
        """The scene of an outage, and the evidence for it."""
        seen = _Seen()
        if self._sees_gateway and not self._is_blind and self._people.supply_of(outage.signal) is None:
            self._say(
                seen,
                Slot.GATEWAY,
                Stand.ANSWERS,
                Evidence(Slot.GATEWAY, "", self._gateway_said, outage.last_miss),
            )
        what = self._look(outage, seen)
        return Scene(of=what, **seen.scene), tuple(seen.evidence)  # type: ignore[arg-type]

    def _look(self, outage: Outage, seen: _Seen) -> What:
        people = self._people
        uplink, switch = people.uplink_of(outage.signal), people.switch_of(outage.signal)
        supply, device = people.supply_of(outage.signal), people.device_of(outage.signal)
        if uplink is not None:
            self._edge(uplink, outage, seen)
            return What.UPLINK
        if switch is not None:
            if switch.feeds:
                self._powered(switch.feeds, self._power.at_source(switch.feeds), outage, seen)
            if switch.behind:
                self._switch(switch.behind, outage, seen)
            self._count(self._behind(switch.id), outage, seen)
            return What.SWITCH
        if supply is not None:
            self._powered(supply.id, supply.id, outage, seen)
            return What.SUPPLY
        if device is None:
            return What.DEVICE
        if is_service(outage.signal):
            self._itself(device, outage, seen)
        self._device(device, outage, seen)
        return What.SERVICE if is_service(outage.signal) else What.DEVICE

    def _say(self, seen: _Seen, slot: Slot, value: object, evidence: Evidence) -> None:
        seen.scene[slot.value] = value
        seen.evidence.append(evidence)

    def _itself(self, device: Device, outage: Outage, seen: _Seen) -> None:
        own = self._known(device.signal(self._people.vantage))
        if own is None or not own.proven:
            return
        silence = own.silence
        was = next((one for one in self._bygones.of(own.name) if outage.began_during(one)), None)
        if silence is not None and silence.last_answer < outage.first_miss:
            told = Evidence(Slot.ITSELF, device.id, "silent", silence.first_miss)
            self._say(seen, Slot.ITSELF, Stand.SILENT, told)
        elif was is not None:
            told = Evidence(Slot.ITSELF, device.id, "was silent", was.first_miss)
            self._say(seen, Slot.ITSELF, Stand.SILENT, told)
        elif outage.is_outlived_by(own):
            told = Evidence(Slot.ITSELF, device.id, "answers", own.last_answer)
            self._say(seen, Slot.ITSELF, Stand.ANSWERS, told)

    def _device(self, device: Device, outage: Outage, seen: _Seen) -> None:
        place = device.place
        if place is not None and place.feeds:
            self._powered(place.feeds, place.supply, outage, seen)
        if place is not None and place.ports:
            self._port(place.ports, outage, seen)
            text = way(place.ports)
            self._switch(text, outage, seen)
            mine = device.signal(self._people.vantage)
            self._count((one for one in self._on(text) if one.name != mine), outage, seen)
        self._proven(device, outage, seen)

    def _proven(self, device: Device, outage: Outage, seen: _Seen) -> None:
        """A service of a silent device that answers proves its port and its power."""
        alive = answering(device, self._people.vantage, self._known, outage.first_miss)
        if not alive or is_service(outage.signal):
            return
        told = f"{device.id}/{alive[0]}"
        if seen.scene.get("port") is None:
            self._say(seen, Slot.PORT, Port.UP, Evidence(Slot.PORT, told, "answers"))
        if seen.scene.get("power") is None:
            self._say(seen, Slot.POWER, Power.SUPPLIED, Evidence(Slot.POWER, told, "answers"))

    # Power and ports.

    def _powered(self, feeds: str, supply: str, outage: Outage, seen: _Seen) -> None:
        power, overload, found = self._came_to(Slot.POWER, feeds, supply, outage)
        if power is not Power.UNKNOWN:
            seen.scene["power"] = power
        if overload:
            seen.scene["overload"] = True
        self._plan(feeds, outage, seen)
        seen.evidence.extend(found)

    def _plan(self, feeds: str, outage: Outage, seen: _Seen) -> None:
        work = self._work(feeds, outage)
        if work is not None:
            told = Evidence(Slot.PLANNED, work.element, "planned", work.since, words=work.what)
            self._say(seen, Slot.PLANNED, True, told)

    def _came_to(self, slot: Slot, feeds: str, supply: str, outage: Outage) -> Found:
        """What feeds come to, or did at any time since the last answer."""
        power, overload, found = self._power.of(feeds, outage, slot)
        was, told_of = self._was_lost(slot, supply, outage)
        return (was, False, told_of) if heavier(power, was) is not power else (power, overload, found)

    def _was_lost(self, slot: Slot, supply: str, outage: Outage) -> tuple[Power, tuple[Evidence, ...]]:
        """What a supply was seen to come to at any time since the last answer, by its own silences."""
        known = self._people.supplies.get(supply)
        own = None if known is None else self._known(known.signal(self._people.vantage))
        if known is None or own is None:
            return Power.UNKNOWN, ()
        every = (*self._bygones.of(own.name), *(() if own.silence is None else (own.silence,)))
        was = next((one for one in every if one.last_miss > outage.last_answer), None)
        if was is None:
            return Power.UNKNOWN, ()
        found = Power.INTERRUPTED if known.measured_at == AT_SOURCE else Power.LOST
        return found, (Evidence(slot, supply, WAS[found], was.first_miss),)

    def _work(self, feeds: str, outage: Outage) -> Planned | None:
        """Work that was planned for when this began, on what it hangs on."""
        now = (
            one for one in self._planned if one.since < outage.first_miss and outage.last_answer < one.until
        )
        return next((one for one in now if one.element in self._power.above(feeds)), None)

    def _port(self, ports: str, outage: Outage, seen: _Seen) -> None:
        state, found = port_of(self._people, self._known, self._said, ports, outage)
        if state is not Port.UNKNOWN:
            seen.scene["port"] = state
        seen.evidence.extend(found)

    # The network.

    def _switch(self, text: str, outage: Outage, seen: _Seen) -> None:
        """What a way, or what a switch hangs on, does."""
        found: dict[str, Evidence] = {}

        def state(name: str) -> bool | None:
            own = self._known(switches.signal_of(name, self._people.vantage))
            if own is None or name not in self._people.switches:
                return None
            told = self._fell_silent(Slot.SWITCH, name, own, outage)
            if told is not None:
                found[name] = told
                return False
            if own.silence is None and outage.is_outlived_by(own):
                found[name] = Evidence(Slot.SWITCH, name, "answers", own.last_answer)
                return True
            return None

        carries = self._ways.carries(text, state)
        if carries is not None:
            seen.scene["switch"] = Stand.ANSWERS if carries else Stand.SILENT
        seen.evidence.extend(found.values())
        if carries is False:
            silent = [name for name, told in found.items() if told.said != "answers"]
            self._switch_power(text, silent, outage, seen)

    def _switch_power(self, text: str, silent: list[str], outage: Outage, seen: _Seen) -> None:
        """What power comes to at the silent switches that cut a way off; of two, each of which is enough, at
        the one that has more."""
        powers = {name: self._power_of(name, outage, seen) for name in silent}
        for word in (Power.INTERRUPTED, Power.FAULT, Power.LOST, Power.CHANGED):
            dead = {name for name, power in powers.items() if heavier(word, power) is power}
            if self._ways.carries(text, lambda name, dead=dead: name not in dead) is False:  # type: ignore[misc]
                seen.scene["switch_power"] = word
                return
        if {*powers.values()} == {Power.SUPPLIED}:
            seen.scene["switch_power"] = Power.SUPPLIED

    def _power_of(self, switch: str, outage: Outage, seen: _Seen) -> Power:
        feeds = self._people.switches[switch].feeds
        if not feeds:
            return Power.UNKNOWN
        power, _, found = self._came_to(Slot.SWITCH_POWER, feeds, self._power.at_source(feeds), outage)
        self._plan(feeds, outage, seen)
        seen.evidence.extend(found)
        return power

    def _fell_silent(self, slot: Slot, name: str, own: Signal, outage: Outage) -> Evidence | None:
        """That a switch may have fallen silent in the same moment, be it back by now."""
        if own.silence is not None and outage.began_with(own.silence):
            return Evidence(slot, name, "silent", own.silence.first_miss)
        was = next((one for one in self._bygones.of(own.name) if outage.began_with(one)), None)
        return None if was is None else Evidence(slot, name, "was silent", was.first_miss)

    def _on(self, text: str) -> list[Signal]:
        """Those who hang on the same way and have ever answered; of very many the first."""
        if text not in self._others:
            names = islice(self._people.ways.devices(text), ASKED_MAX)
            self._others[text] = [*self._witnesses(names)]
        return self._others[text]

    def _behind(self, switch: str) -> Iterator[Signal]:
        names = self._ways.some(self._ways.cut_by(switch, ()))
        return self._witnesses(islice(names, ASKED_MAX))

    def _witnesses(self, names: Iterable[str]) -> Iterator[Signal]:
        for name in names:
            own = self._known(self._people.devices[name].signal(self._people.vantage))
            if own is not None and own.proven:
                yield own

    def _has_no_power(self, one: Signal, outage: Outage) -> bool:
        """Who is without power, or was then, says nothing of a switch."""
        device = self._people.device_of(one.name)
        if device is None or device.place is None or not device.place.supply:
            return False
        own = self._known(supplies.signal_of(device.place.supply, self._people.vantage))
        if own is None:
            return False
        return own.silence is not None or any(map(outage.began_during, self._bygones.of(own.name)))

    def _count(self, others: Iterable[Signal], outage: Outage, seen: _Seen) -> None:
        """Who missed one look alone, and is back, says neither that it fell silent nor that it did not."""
        silent = alive = unheard = 0
        first: datetime | None = None
        for one in others:
            if self._has_no_power(one, outage):
                continue
            began = self._began_with(one, outage)
            if isinstance(began, Bygone) and began.is_of_one_look:
                unheard += 1
            elif began is not None:
                silent += 1
                first = min(first or began.first_miss, began.first_miss)
            elif one.silence is None or one.silence.last_answer >= outage.first_miss:
                alive += outage.is_outlived_by(one)
                unheard += not outage.is_outlived_by(one)
        seen.scene.update(silent=silent, answering=alive, unheard=unheard)
        every = silent + alive + unheard
        if silent:
            seen.evidence.append(Evidence(Slot.OTHERS, "", "fell silent together", first, silent, every))
        if alive:
            seen.evidence.append(Evidence(Slot.OTHERS, "", "answer", None, alive, every))

    def _began_with(self, one: Signal, outage: Outage) -> Silence | Bygone | None:
        """Its silence that may have begun in the same moment; rather a long one than one of one look."""
        if one.silence is not None and outage.began_with(one.silence):
            return one.silence
        mine = [was for was in self._bygones.of(one.name) if outage.began_with(was)]
        return max(mine, key=lambda was: not was.is_of_one_look, default=None)

    def _edge(self, uplink: Uplink, outage: Outage, seen: _Seen) -> None:
        """Our own switches towards an uplink: one that answers shows that we reach it.

        A redundancy group is reached by its members: each is asked of for the time of its own outage. One
        that our own edge took away need not have been lost at once with the last.
        """
        stands = [self._towards(uplink.id, outage, seen)] if not uplink.members else []
        for name in uplink.members:
            own = self._known(signal_of(name, self._people.vantage))
            if own is not None and own.silence is not None:
                stands.append(self._towards(name, _outage(own, own.silence), seen))
        if Stand.SILENT in stands:
            seen.scene["edge"] = Stand.SILENT
        elif stands and Stand.UNKNOWN not in stands:
            seen.scene["edge"] = Stand.ANSWERS

    def _towards(self, uplink: str, outage: Outage, seen: _Seen) -> Stand:
        """How our own switches towards one uplink stand; such as reach it by a group as well."""
        found = []
        for name, switch in self._people.switches.items():
            own = self._known(switches.signal_of(name, self._people.vantage))
            if own is None or not own.proven or switch.uplink is None:
                continue
            if uplink not in parsed(switch.uplink).names:
                continue
            evidence = self._fell_silent(Slot.EDGE, name, own, outage)
            if evidence is not None:
                found.append(Stand.SILENT)
            elif outage.is_outlived_by(own) and own.silence is None:
                found.append(Stand.ANSWERS)
                evidence = Evidence(Slot.EDGE, name, "answers", own.last_answer)
            else:
                continue
            if evidence not in seen.evidence:
                seen.evidence.append(evidence)
        return max(found, key=(*Stand,).index, default=Stand.UNKNOWN)


def _outage(own: Signal, silence: Silence) -> Outage:
    return Outage(
        signal=own.name,
        last_answer=silence.last_answer,
        first_miss=silence.first_miss,
        last_miss=silence.last_miss,
    )
