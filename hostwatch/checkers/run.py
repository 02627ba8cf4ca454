"""One order on its way: from the moment it came until it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic_core import to_json

from hostwatch.checkers.protocol import FINDING_CHARS_MAX, WORDS_CHARS_MAX, Found, Pushed, Seen
from hostwatch.checkers.services import PER_TARGET_MAX, Service, combined
from hostwatch.checks.base import VALUE_CHARS_MAX, Finding, Said, printable
from hostwatch.core import instant
from hostwatch.core.reading import Outcome

LATE: Final = "looked too late"

TICK_US: Final = 500_000
"""Orders that can wait as long begin together, at ticks: whatever wakes a process costs more than a check."""

CUT_CHARS: Final = 100
"""Room for the line that says how many lines of a transcript are not there."""


@dataclass(slots=True, eq=False)
class Run:
    """What is known of an order. Times are those of our own monotonic clock."""

    number: int
    service: Service
    address: str
    due_us: int
    latest_us: int
    """After that none of the first checks begins any more."""

    aloud: bool = False
    began_us: int = 0
    """When the first check began; 0: none did yet."""

    at_us: int = 0
    """The same by the wall clock."""

    is_dated: bool = False
    """Whether these are the times at which a check first had room to connect: a look is dated by that."""

    left: int = 0
    """Checks without a finding."""

    over: bool = False
    """It is answered or withdrawn: whatever of it still waits is dropped."""

    findings: dict[int, Finding] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """What its checks are counted by: the address, or the source itself if it has none."""
        return self.address or f"source {self.service.name}"

    def fault(self, place: int, why: str) -> Finding:
        """The finding of a check that could not look."""
        return Finding(kind=self.service.checks[place].kind, outcome=Outcome.UNKNOWN, why=why)

    def latest_of(self, place: int) -> int:
        """When a check may begin at the latest: those that cannot run beside the first ones wait for them."""
        wave = self.service.longest // self.service.waves // instant.MICROSECOND
        return self.latest_us + place // PER_TARGET_MAX * wave

    def date(self, began_us: int, at_us: int) -> None:
        """A check has room to connect, and began then if the waiting for it does not count."""
        if not self.is_dated:
            self.began_us, self.at_us, self.is_dated = began_us, at_us, True

    def found(self, now_us: int) -> Found:
        """The answer, when all checks have their findings."""
        findings = [self.findings[place] for place in sorted(self.findings)]
        outcome, why = combined(self.service.require, findings)
        return Found(
            number=self.number,
            outcome=outcome,
            why=why,
            at_us=self.at_us,
            took_us=max(now_us - self.began_us, 0) if self.began_us else 0,
            checks=tuple(map(seen, findings)),
            said=said(findings[0]) if outcome is Outcome.ANSWERED and self.service.is_source else "",
        )


def seen(finding: Finding) -> Seen:
    """A finding as it is sent, without what a source said."""
    told = text_of(replace(finding, value=""))
    return Seen(finding.kind, finding.outcome, max(finding.took_us, 0), told)


def said(finding: Finding) -> str:
    """What a source said; nothing if it is too much to be sent."""
    return finding.value if len(finding.value) <= VALUE_CHARS_MAX else ""


def pushed(key: str, finding: Finding, at_us: int) -> Pushed:
    """What came of a source between two orders."""
    return Pushed(
        key=key,
        outcome=finding.outcome,
        why=printable(finding.sentence, WORDS_CHARS_MAX),
        at_us=at_us,
        check=seen(finding),
        said=said(finding),
    )


def unknown(number: int, why: str) -> Found:
    """The answer to an order of which nothing came."""
    return Found(number=number, outcome=Outcome.UNKNOWN, why=why, at_us=0, took_us=0)


def text_of(finding: Finding) -> str:
    """A finding as JSON. Of a transcript that makes it too long the beginning and the end are kept."""
    text = _encoded(finding.as_data())
    if len(text) <= FINDING_CHARS_MAX:
        return text
    room = FINDING_CHARS_MAX - len(_encoded(replace(finding, transcript=()).as_data()))
    return _encoded(replace(finding, transcript=_cut(finding.transcript, room)).as_data())


def _cut(transcript: Sequence[Said], room: int) -> tuple[Said, ...]:
    """As many lines as have room as JSON, in turn from the beginning and the end; one says how many lack."""
    sizes = [len(_encoded(list(said))) + len(",") for said in transcript]
    first, last, left = 0, len(transcript), room - CUT_CHARS
    while first < last:
        takes_first = first <= len(transcript) - last
        left -= sizes[first] if takes_first else sizes[last - 1]
        if left < 0:
            break
        first, last = (first + 1, last) if takes_first else (first, last - 1)
    if first == last:
        return tuple(transcript)
    cut = Said(transcript[first].at_us, "*", f"… {last - first} lines …")
    return (*transcript[:first], cut, *transcript[last:])


def _encoded(data: dict[str, Any] | list[Any]) -> str:
    return to_json(data).decode()


def ticked(due_us: int, latest_us: int) -> int:
    """When an order begins: at the next tick, if that leaves most of the time until it is too late."""
    tick_us = -(-due_us // TICK_US) * TICK_US
    return tick_us if due_us + 4 * TICK_US <= latest_us else due_us
