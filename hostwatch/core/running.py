"""Running notices: what flaps is told of in summaries, to whom a notice that says so has reached.

They are an account of facts and of nothing else, so a restart reads them from the record. An emergency under
a running notice is recorded like any other, with its outage and its duties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hostwatch.core import facts
from hostwatch.core.emergency import NoticeState
from hostwatch.core.facts_of_flapping import RunningNoticeBegan, RunningNoticeEnded
from hostwatch.core.terms import WITHIN_MAX

KIND: Final = "running"
"""The kind of notices that sum up."""

FACTS: Final = (
    facts.EmergencyOpened,
    facts.EmergencyEnded,
    RunningNoticeBegan,
    RunningNoticeEnded,
    facts.DutyMet,
    facts.DutyReopened,
    facts.NoticeOwed,
    facts.NoticeSettled,
)
"""What they are an account of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """One of the times that a signal was down."""

    reference: str
    since: datetime
    opened_at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running notice of one customer, of one signal."""

    reference: str
    customer: str
    device: str
    signal: str
    began_at: datetime
    times: tuple[Down, ...]
    reached: frozenset[str] = frozenset()
    """The contacts whom its last word reached, by the proof that the agreement asks for."""

    summed_at: datetime | None = None
    """When it was summed up last."""

    sums: int = 0
    """How often it was."""

    @property
    def last(self) -> Down:
        """The last time that the signal was down."""
        return self.times[-1]

    def down_s(self, now: datetime) -> int:
        """For how long it was down so far, in seconds."""
        spans = (max((one.until or now) - one.since, timedelta(0)) for one in self.times)
        return sum(span // timedelta(seconds=1) for span in spans)


class RunningNotices:
    """Those that go on, and what could become one."""

    def __init__(self, happened: Iterable[facts.Fact] = ()) -> None:
        self.open: dict[tuple[str, str], Running] = {}
        """By customer and signal."""

        self._key_of: dict[str, tuple[str, str]] = {}
        """By reference those that go on."""

        self._recent: dict[str, tuple[Down, ...]] = {}
        """By signal how often it was down lately."""

        self._signal_of: dict[str, str] = {}
        for fact in happened:
            self.take(fact)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunningNotices) and self.open == other.open

    __hash__ = None  # type: ignore[assignment]  # it changes

    def recent(self, signal: str, since: datetime) -> tuple[Down, ...]:
        """How often a signal went down since then."""
        return tuple(one for one in self._recent.get(signal, ()) if one.opened_at >= since)

    def take(self, fact: facts.Fact) -> None:
        """Something happened."""
        match fact:
            case facts.EmergencyOpened():
                down = Down(reference=fact.reference, since=fact.first_miss, opened_at=fact.at)
                self._signal_of[fact.reference] = fact.signal
                known = self.recent(fact.signal, fact.at - WITHIN_MAX)
                for one in self._recent.get(fact.signal, ()):
                    if one not in known:
                        self._signal_of.pop(one.reference, None)
                self._recent[fact.signal] = (*known, down)
                self._change(fact.signal, lambda one: replace(one, times=(*one.times, down)))
            case facts.EmergencyEnded() if fact.reference in self._signal_of:
                self._ended(fact)
            case RunningNoticeBegan():
                times = tuple(
                    one for one in self._recent.get(fact.signal, ()) if one.reference in fact.emergencies
                )
                self._key_of[fact.reference] = fact.customer, fact.signal
                self.open[fact.customer, fact.signal] = Running(
                    reference=fact.reference,
                    customer=fact.customer,
                    device=fact.device,
                    signal=fact.signal,
                    began_at=fact.at,
                    times=times,
                )
            case RunningNoticeEnded():
                self._key_of.pop(fact.reference, None)
                self.open.pop((fact.customer, fact.signal), None)
            case _ if self.open:
                self._heard(fact)

    def _ended(self, fact: facts.EmergencyEnded) -> None:
        signal, until = self._signal_of[fact.reference], fact.first_answer or fact.at

        def over(times: tuple[Down, ...]) -> tuple[Down, ...]:
            return tuple(
                replace(one, until=until) if one.reference == fact.reference else one for one in times
            )

        self._recent[signal] = over(self._recent.get(signal, ()))
        self._change(signal, lambda one: replace(one, times=over(one.times)))

    def _heard(self, fact: facts.Fact) -> None:
        """What people were told of it, and whether it reached them."""
        name: str = getattr(fact, "duty", "") or getattr(fact, "notice", "") or ""
        key = self._key_of.get(name.partition(".")[0])
        if key is not None:
            one = self.open[key]
            begun, summed = f"{one.reference}.emergency.{one.customer}.", f"{one.reference}.{KIND}-"
            match fact:
                case facts.DutyMet() if fact.duty.startswith(begun):
                    reached = one.reached | {fact.duty.removeprefix(begun)}
                case facts.DutyReopened() if fact.duty.startswith(begun):
                    reached = one.reached - {fact.duty.removeprefix(begun)}
                case facts.NoticeSettled() if fact.notice.startswith(summed) and fact.state in _LOST:
                    reached = one.reached - {fact.notice.rpartition(".")[2]}
                case facts.NoticeOwed() if fact.notice.startswith(summed):
                    number = int(fact.notice.removeprefix(summed).partition(".")[0])
                    self.open[key] = replace(one, summed_at=fact.at, sums=number)
                    return
                case _:
                    return
            self.open[key] = replace(one, reached=reached)

    def _change(self, signal: str, how: Callable[[Running], Running]) -> None:
        for key in [key for key in self.open if key[1] == signal]:
            self.open[key] = how(self.open[key])


_LOST: Final = frozenset({NoticeState.GIVEN_UP.value, NoticeState.FORBIDDEN.value})


def sum_id(one: Running, number: int, contact: str) -> str:
    """The key of the n-th notice that sums a running notice up."""
    return f"{one.reference}.{KIND}-{number}.{one.customer}.{contact}"
