"""Early warnings for operators: what is not an outage yet, and may become one.

A warning begins when it is seen, and is told once. It ends when it has not been seen for `QUIET`: so what
comes and goes all the time is one warning that lasts, and not hundreds. Nobody owes anything by it, and no
customer is ever told of one. What is unknown ends no warning, and begins none but the one that says so: that
a source which was last heard in trouble is not heard any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hostwatch.core import canonical, facts, instant
from hostwatch.core.emergency import Notice
from hostwatch.core.notice import Kind, Story
from hostwatch.core.population import Customer
from hostwatch.core.power import Concern, PowerReading

QUIET: Final = timedelta(minutes=5)
"""How long a warning must not have been seen until it is over."""

SAID_CHARS_MAX: Final = 200

ELEMENTS_MAX: Final = 3
"""Elements that are named with the source that witnesses them."""


class What(StrEnum):
    """What is warned of."""

    ON_BATTERY = "on battery"
    RUNTIME_LOW = "runtime low"
    REPLACE_BATTERY = "battery to be replaced"
    OVERLOAD = "overload"
    BYPASS = "on bypass"
    VOLTAGE = "voltage out of range"
    ALARM = "alarm"
    SHUTDOWN = "shutdown forced"
    DISTRIBUTION = "lost in distribution"
    REDUNDANCY = "redundancy lost"
    SHARED = "feeds that hang on one"
    PLANNED = "planned work while the other side is ill"
    MANAGEMENT = "management silent"
    SWITCH = "switch silent"
    CONTRADICTION = "contradiction"
    UNHEARD = "not heard"
    HEARTBEAT = "heartbeat not taken"
    NOT_TOLD = "customer not told yet"
    NOT_TOLD_SOON = "customer not told yet, little time left"
    NOT_TOLD_IN_TIME = "customer not told in time"
    UNREAD = "returned mail not read"
    UNTAKEN = "calls not taken"


CONCERNS: Final[Mapping[Concern, What]] = {
    Concern.ON_BATTERY: What.ON_BATTERY,
    Concern.LOW_BATTERY: What.RUNTIME_LOW,
    Concern.REPLACE_BATTERY: What.REPLACE_BATTERY,
    Concern.OVERLOAD: What.OVERLOAD,
    Concern.BYPASS: What.BYPASS,
    Concern.VOLTAGE: What.VOLTAGE,
    Concern.ALARM: What.ALARM,
    Concern.SHUTDOWN: What.SHUTDOWN,
}
"""Those of a source's own concerns that operators are warned of: a test of a battery, say, is none."""

OF_DUTIES: Final = frozenset({What.NOT_TOLD, What.NOT_TOLD_SOON, What.NOT_TOLD_IN_TIME})
"""Warnings about duties to customers: about those that are due in one minute (`core.dutyclock`)."""

OURS: Final = frozenset({*OF_DUTIES, What.HEARTBEAT, What.UNREAD, What.UNTAKEN})
"""Warnings about our own work: nothing that is seen of the house ends them."""

URGENT: Final = frozenset({*OF_DUTIES, What.UNTAKEN})
"""Warnings that customers are not told: they go before what is owed by no time."""

OF_SOURCES: Final = frozenset({*CONCERNS.values(), What.UNHEARD})
"""Warnings that are about a source."""


def name_of(what: What, about: str) -> str:
    """What tells a warning from others: there is one of each kind about one thing."""
    return f"{what}:{about}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something that is seen now."""

    what: What
    about: str
    """The source, the element, the supply or the switch."""

    said: str = ""
    """A few words more."""

    @property
    def name(self) -> str:
        """What tells the warning from others."""
        return name_of(self.what, self.about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A warning that lasts."""

    what: What
    about: str
    said: str
    since: datetime
    quiet_since: datetime | None = None
    """Since when it has not been seen any more."""

    @property
    def name(self) -> str:
        """What tells it from others."""
        return name_of(self.what, self.about)

    def moved(self, by: timedelta) -> Warned:
        """The same after a step of the wall clock."""
        quiet = None if self.quiet_since is None else self.quiet_since + by
        return replace(self, since=self.since + by, quiet_since=quiet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Work that is planned on an element."""

    element: str
    since: datetime
    until: datetime
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """What the configuration says of warnings and causes. It is told anew at each start, and kept nowhere."""

    runtime_low: timedelta = timedelta(minutes=10)
    untaken_after: timedelta = timedelta(minutes=2)
    """How long a call may wait for somebody who takes it."""

    planned: tuple[Planned, ...] = ()
    sees_gateway: bool = False
    """Whether we look at gateways of our own, or at who is beyond them: else nobody can say how they are."""

    sees_beyond: bool = False
    """Whether somebody beyond them may have answered in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What follows from what is seen: parts of a decision."""

    facts: tuple[facts.Fact, ...] = ()
    warned: Mapping[str, Warned | None] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


def of_source(source: str, reading: PowerReading, runtime_low: timedelta) -> Iterator[Sign]:
    """What a source says of itself."""
    concerns = {CONCERNS[one] for one in reading.concerns if one in CONCERNS}
    low = reading.runtime_s is not None and reading.runtime_s < runtime_low // timedelta(seconds=1)
    if low and What.ON_BATTERY in concerns:
        concerns.add(What.RUNTIME_LOW)
    for what in sorted(concerns):
        yield Sign(what=what, about=source, said=_said(what, reading, is_short=low))


def _said(what: What, reading: PowerReading, *, is_short: bool) -> str:
    """The figures that it rests on; of a battery that the UPS calls low, that it does."""
    if what is What.ON_BATTERY or (what is What.RUNTIME_LOW and is_short):
        return _figures(reading)
    return "battery low, as the UPS says" if what is What.RUNTIME_LOW else ""


def _figures(reading: PowerReading) -> str:
    parts = [
        "" if reading.charge_percent is None else f"charge {reading.charge_percent} %",
        "" if reading.runtime_s is None else f"runtime {reading.runtime_s // 60} min",
        "" if reading.load_percent is None else f"load {reading.load_percent} %",
    ]
    return ", ".join(part for part in parts if part)


def follow(
    lasting: Mapping[str, Warned],
    seen: Iterable[Sign],
    asked: Iterable[str],
    told: Customer | None,
    now: datetime,
    elements: Callable[[str], Sequence[str]] = lambda _: (),
    quiet: timedelta = QUIET,
) -> Following:
    """What begins and ends now. `asked`: the warnings of which it is known whether they are seen.

    `told`: the operator, if there is one. `elements`: what a source witnesses. What is said of a warning that
    lasts is what was seen last. `quiet`: how long it must not have been seen until it is over.
    """
    signs = {one.name: one for one in seen}
    found: list[facts.Fact] = []
    changed: dict[str, Warned | None] = {}
    notices: list[Notice] = []
    for name, sign in signs.items():
        known, said = lasting.get(name), sign.said[:SAID_CHARS_MAX]
        if known is None:
            fresh = Warned(what=sign.what, about=sign.about, said=said, since=now)
            changed[name] = fresh
            found.append(facts.WarningBegan(at=now, what=fresh.what, about=fresh.about, said=fresh.said))
            notices.extend(_notices(fresh, "warning", told, elements, now))
        elif known.quiet_since is not None or known.said != said:
            changed[name] = replace(known, said=said, quiet_since=None)
    for name in asked:
        known = lasting.get(name)
        if known is None or name in signs:
            continue
        if known.quiet_since is None and quiet:
            changed[name] = replace(known, quiet_since=now)
        elif now - (known.quiet_since or now) >= quiet:
            changed[name] = None
            found.append(facts.WarningEnded(at=now, what=known.what, about=known.about, since=known.since))
            notices.extend(_notices(known, "cleared", told, elements, now))
    found.extend(_owed(one) for one in notices)
    return Following(facts=tuple(found), warned=changed, notices=tuple(notices))


def seen_by(one: Warned, elements: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    """The first elements that the source witnesses that a warning is about; none if it is about no source."""
    return tuple(elements(one.about)[:ELEMENTS_MAX]) if one.what in OF_SOURCES else ()


def _notices(
    one: Warned,
    kind: Kind,
    told: Customer | None,
    elements: Callable[[str], Sequence[str]],
    now: datetime,
) -> Iterator[Notice]:
    """One to each of the operator's people who was authorised when it began. Nobody owes it by a time."""
    if told is None:
        return
    for contact in told.authorised(one.since):
        first = _id(one, "warning", told.id, contact)
        yield Notice(
            id=_id(one, kind, told.id, contact),
            kind=kind,
            customer=told.id,
            contact=contact,
            emergencies=(),
            stories=(_story(one, told.id, seen_by(one, elements), now),),
            created_at=now,
            after=None if kind == "warning" else first,
        )


def _id(one: Warned, kind: Kind, customer: str, contact: str) -> str:
    mark = canonical.digest([one.name, instant.micros(one.since)])[:12]
    return f"W-{mark}.{kind}.{customer}.{contact}"


def _story(one: Warned, customer: str, elements: tuple[str, ...], now: datetime) -> Story:
    return Story(
        reference="",
        customer=customer,
        device="",
        address="",
        interval=timedelta(0),
        misses=0,
        last_answer=one.since,
        first_miss=one.since,
        verdict=now,
        why=one.said,
        warning=one.what.value,
        about=one.about,
        elements=elements,
    )


def _owed(notice: Notice) -> facts.NoticeOwed:
    return facts.NoticeOwed(
        at=notice.created_at,
        notice=notice.id,
        kind=notice.kind,
        customer=notice.customer,
        contact=notice.contact,
        emergencies=(),
    )
