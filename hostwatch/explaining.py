"""One emergency explained out of the record: what each witness said, when, and what followed from it.

It reads facts alone, so that it explains what is over as well as what goes on, and says the same to everybody
who has the record.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hostwatch.core import canonical, facts, portsheard, supply
from hostwatch.core.emergency import Emergency
from hostwatch.core.hanging import ports_in
from hostwatch.core.notice import Part, Story
from hostwatch.core.power import of_text
from hostwatch.core.service import device_in
from hostwatch.core.wiring import AT_OUTLET
from hostwatch.core.world import World
from hostwatch.doubting import Doubted, doubts, seconds
from hostwatch.events import Event, of_people
from hostwatch.events import shown as shown
from hostwatch.messages import spans
from hostwatch.store.reader import AsOf, Reader

BEFORE: Final = timedelta(minutes=15)
"""What witnesses said so long before the first miss is told too."""

TOGETHER: Final = timedelta(seconds=30)
"""What happened to many within this time is told in one line."""

OPENED: Final = (
    facts.EmergencyOpened,
    facts.UplinkEmergencyOpened,
    facts.SupplyEmergencyOpened,
    facts.SwitchEmergencyOpened,
)
"""How emergencies begin."""

ERASED_NAME: Final = "somebody whose name was erased"

KINDS: Final[tuple[type[facts.Fact], ...]] = (
    *OPENED,
    facts.EmergencyHeld,
    facts.EmergencyJoined,
    facts.EmergencyEnded,
    facts.EmergencyReported,
    facts.ReportEnded,
    facts.EmergencyCorrected,
    facts.SilenceBegan,
    facts.SilenceEnded,
    facts.SilenceCut,
    facts.SupplyTookOver,
    facts.WentDown,
    facts.CameUp,
    facts.CauseFound,
    facts.CauseStated,
    facts.PowerSeen,
    facts.PowerFailedBriefly,
    facts.PortSeen,
    facts.BlindBegan,
    facts.BlindEnded,
    facts.DutyMet,
    facts.DutyBreached,
    facts.BreachExplained,
    facts.DutyClaimed,
    facts.ClaimDecided,
    facts.NoticeOwed,
    facts.NoticeSettled,
    facts.AttemptEnded,
    facts.Acknowledged,
    facts.AcknowledgementWithdrawn,
    facts.CallTaken,
    facts.CallReturned,
    facts.CallEnded,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """All that the record tells of an emergency."""

    emergency: Emergency
    events: tuple[Event, ...]
    bounds: dict[str, Any]
    causes: dict[str, facts.CauseFound]
    """By signal, what the rules found last."""

    stated: tuple[facts.CauseStated, ...]

    doubts: tuple[Doubted, ...] = ()
    """When nobody could say of a supply that it is about."""

    at_outlet: frozenset[str] = frozenset()
    """The signals among the causes that were promised power at the outlet: there a loss interrupts."""

    @property
    def said(self) -> facts.CauseStated | None:
        """What a person states, unless it was taken back."""
        last = self.stated[-1] if self.stated else None
        return last if last is not None and last.cause else None

    def plain(self) -> dict[str, Any]:
        """For programs."""
        told: dict[str, Any] = canonical.plain(
            {
                "reference": self.emergency.reference,
                "signal": self.emergency.signal,
                "opened_at": self.emergency.opened_at,
                "ended_at": self.emergency.ended_at,
                "withdrawn": self.emergency.withdrawn,
                "corrected_at": self.emergency.story.corrected_at,
                "bounds": self.bounds,
                "causes": [*self.causes.values()],
                "stated": [*self.stated],
                "doubts": [one.plain() for one in self.doubts],
                "events": [event._asdict() for event in self.events],
            }
        )
        return told


def explain(reader: Reader, reference: str) -> Explained | None:
    """What the record tells of an emergency; None if there is none of that reference."""
    emergency = reader.emergency(reference)
    if emergency is None:
        return None
    as_of, world = reader.moment()
    until = emergency.ended_at or as_of.alive_at or emergency.opened_at
    signals = _signals(reader, emergency, as_of)
    mine = _Mine(emergency, world, signals, until)
    doubted = doubts(reader, as_of, world, signals, emergency.story.first_miss, until)
    told = [*reader.facts(KINDS, until=as_of, since=emergency.story.first_miss - BEFORE)]
    claims = {fact.claim for fact in told if isinstance(fact, facts.DutyClaimed) and mine.concerns(fact)}
    known = [fact for fact in told if mine.concerns(fact) or getattr(fact, "claim", None) in claims]
    causes = {fact.signal: fact for fact in known if isinstance(fact, facts.CauseFound)}
    events = [event for fact in known for event in _events(fact, reader.personal)]
    events += _of_doubts(doubted)
    return Explained(
        emergency=emergency,
        events=tuple(_grouped(sorted(events, key=lambda event: event.at))),
        bounds=bounds_of(emergency, _last_miss(emergency, world), until, doubted),
        doubts=doubted,
        causes=causes,
        stated=tuple(fact for fact in known if isinstance(fact, facts.CauseStated)),
        at_outlet=frozenset(name for name in causes if _is_at_outlet(world, name)),
    )


def _is_at_outlet(world: World, signal: str) -> bool:
    """Whether the power of a device, or a supply, is measured at the outlet."""
    people = world.population
    device = people.devices.get(device_in(signal))
    place = None if device is None else device.place
    supply = people.supply_of(signal) or (None if place is None else people.supplies.get(place.supply))
    return supply is not None and supply.measured_at == AT_OUTLET


def _signals(reader: Reader, emergency: Emergency, as_of: AsOf) -> frozenset[str]:
    """All signals whose outages were told under it, also those that have come back since.

    The one that it was opened by did not join it, and another may stand for it since that came back.
    """
    told = reader.facts(
        (*OPENED, facts.EmergencyJoined), until=as_of, since=emergency.story.first_miss - BEFORE
    )
    mine = (
        fact.signal
        for fact in told
        if isinstance(fact, (*OPENED, facts.EmergencyJoined)) and fact.reference == emergency.reference
    )
    return frozenset((*emergency.signals, *mine))


class _Mine:
    """Which facts belong to an emergency."""

    def __init__(self, emergency: Emergency, world: World, signals: frozenset[str], until: datetime) -> None:
        self._reference = emergency.reference
        self._signals = signals
        self._since = emergency.story.first_miss - BEFORE
        self._until = until
        people = world.population
        devices = [device for name in signals if (device := people.device_of(name)) is not None]
        supplies = {device.place.supply for device in devices if device.place is not None}
        supplies |= {own.id for name in signals if (own := people.supply_of(name)) is not None}
        self._sources = {name for name in people.sources if {*people.witnesses.supplies(name)} & supplies}
        self._ports = {
            port
            for device in devices
            if device.place is not None and device.place.ports
            for port in ports_in(device.place.ports)
        }

    def concerns(self, fact: facts.Fact) -> bool:
        """Whether a fact is to be told."""
        match fact:
            case facts.PowerSeen() | facts.PowerFailedBriefly():
                return fact.source in self._sources and fact.at <= self._until
            case facts.PortSeen():
                switch = fact.source.removeprefix(portsheard.PREFIX)
                is_mine = f"{switch}/{fact.port}" in self._ports
                return is_mine and fact.at <= self._until
            case facts.BlindBegan() | facts.BlindEnded():
                return fact.at <= self._until
            case facts.DutyMet() | facts.DutyBreached() | facts.BreachExplained() | facts.DutyClaimed():
                return fact.duty.startswith(f"{self._reference}.")
            case facts.NoticeOwed() | facts.NoticeSettled() | facts.AttemptEnded():
                return fact.notice.startswith(f"{self._reference}.")
            case facts.CallTaken() | facts.CallReturned() | facts.CallEnded():
                return fact.notice.startswith(f"{self._reference}.")
        reference = getattr(fact, "reference", None)
        if reference is not None:
            return bool(reference == self._reference)
        return getattr(fact, "signal", "") in self._signals and fact.at <= self._until + BEFORE


def _events(fact: facts.Fact, personal: Callable[[str], str | None]) -> Iterator[Event]:
    """A fact in words."""
    match fact:
        case facts.SilenceBegan():
            yield Event(fact.last_answer, shown(fact.signal), "last answer")
            yield Event(fact.at, shown(fact.signal), f"first miss: {fact.why}")
        case facts.WentDown():
            yield Event(fact.at, shown(fact.signal), f"is down: {fact.misses} misses in a row")
        case facts.SilenceEnded():
            yield Event(fact.last_miss, shown(fact.signal), "last miss")
            yield Event(fact.at, shown(fact.signal), "first answer")
        case facts.SilenceCut():
            yield Event(fact.at, shown(fact.signal), f"the silence is cut: {fact.why}")
        case facts.SupplyTookOver():
            others = ", ".join(map(shown, fact.before))
            yield Event(fact.at, shown(fact.signal), f"takes the place of {others}")
        case facts.CameUp():
            yield Event(fact.at, shown(fact.signal), "is up again")
        case facts.CauseFound():
            said = f"{fact.cause}, {fact.confidence} ({fact.rule})" if fact.rule else fact.cause
            yield Event(fact.at, shown(fact.signal), f"cause: {said}")
        case facts.CauseStated():
            why = personal(fact.because) or "a reason that was erased"
            word = f"states the cause: {fact.cause}" if fact.cause else "takes back what was stated"
            ordered = f"; ordered by {personal(fact.ordered_by) or ERASED_NAME}" if fact.ordered_by else ""
            yield Event(fact.at, fact.actor, f"{word}, because: {why}{ordered}")
        case _:
            yield from _of_witnesses(fact)
            yield from of_people(fact, personal)


def _of_witnesses(fact: facts.Fact) -> Iterator[Event]:
    """What others said, and when nobody could see."""
    match fact:
        case facts.PowerSeen():
            yield Event(fact.at, f"source {fact.source}", f"says {_power(fact.said)}")
        case facts.PowerFailedBriefly():
            yield Event(fact.at, f"source {fact.source}", f"counted {fact.times} failures that nobody saw")
        case facts.PortSeen():
            state = "switched off" if fact.admin == "down" else fact.oper
            port = f"{fact.source.removeprefix(portsheard.PREFIX)}/{fact.port}"
            yield Event(fact.at, f"port {port}", f"is {state}" + (f" ({fact.said})" if fact.said else ""))
        case facts.BlindBegan():
            yield Event(fact.at, "hostwatch", f"is blind: {fact.why}, {fact.detail}")
        case facts.BlindEnded():
            yield Event(fact.at, "hostwatch", f"sees again: {fact.why} is over")
        case _:
            pass


def _of_doubts(found: Collection[Doubted]) -> Iterator[Event]:
    """When nobody could say of a supply any more, and when somebody could again."""
    goes_on = {(one.supply, one.doubt.since) for one in found}
    for one in found:
        yield Event(one.doubt.since, f"supply {one.supply}", f"is not known: {one.words}")
        if not one.doubt.is_open and (one.supply, one.doubt.until) not in goes_on:
            yield Event(one.doubt.until, f"supply {one.supply}", "is known again")


def _power(text: str) -> str:
    try:
        reading = of_text(text)
    except ValueError:
        return "what nobody can read"
    said = []
    for point in reading.points:
        states = {"utility": point.utility, "UPS": point.ups, "output": point.output}
        words = ", ".join(f"{what} {state}" for what, state in states.items() if state != "unknown")
        said.append(f"{point.name}: {words}" if point.name else words or "nothing")
    return "; ".join([*said[:4], *reading.concerns])


def _grouped(events: Iterable[Event]) -> Iterator[Event]:
    """Of many of whom the same happened in about the same time, how many they are."""
    groups: dict[str, list[Event]] = {}
    done: list[list[Event]] = []
    for event in events:
        mine = groups.get(event.what)
        if mine is None or event.at - mine[0].at > TOGETHER:
            mine = groups[event.what] = []
            done.append(mine)
        mine.append(event)
    told = (event for group in done for event in _told(group))
    yield from sorted(told, key=lambda event: event.at)


def _told(group: list[Event]) -> Iterator[Event]:
    if len(group) <= 3:
        yield from group
        return
    names = list(dict.fromkeys(event.who for event in group))
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    last = (
        ""
        if group[-1].at == group[0].at
        else f", the last {(group[-1].at - group[0].at).total_seconds():.0f} s later"
    )
    yield Event(group[0].at, f"{', '.join(names[:3])}{rest}", f"{group[0].what}{last}")


def bounds_of(
    emergency: Emergency, last_miss: datetime | None, until: datetime, doubted: Collection[Doubted] = ()
) -> dict[str, Any]:
    """How long it was, and its parts: at least, as counted, at most, in seconds, as the account has it.

    `unknown_s`: so many of the counted ones are unknown of its first supply, and not down.
    """
    story = emergency.story
    whole = _lengths(story, story.last_miss or last_miss, until)
    parts = [{"on": part.on, **_lengths(part, part.last_miss, until)} for part in story.parts]
    name = supply.named(emergency.signal) or ""
    unknown_s = seconds(doubted, name, story.first_miss, story.first_answer or until)
    return {**whole, "unknown_s": unknown_s, "lasts": emergency.ended_at is None, "parts": parts}


def _lengths(of: Story | Part, last_miss: datetime | None, until: datetime) -> dict[str, Any]:
    length = spans.between(of.last_answer, of.first_miss, last_miss, of.first_answer or until)
    return {
        "last_answer": of.last_answer,
        "first_miss": of.first_miss,
        "last_miss": of.last_miss,
        "first_answer": of.first_answer,
        "at_least_s": length.least_s,
        "counted_s": length.point_s,
        "at_most_s": length.most_s,
    }


def _last_miss(emergency: Emergency, world: World) -> datetime | None:
    """Of one that lasts: the latest miss that is on record."""
    signal = world.signals.get(emergency.signal)
    if emergency.ended_at is not None or signal is None or signal.silence is None:
        return None
    return signal.silence.last_miss
