"""The terms of an agreement that judgement needs (rule J9).

They are a value from the first day on; `schedule:` and `notices:` of the configuration only fill
the defaults, and an agreement file will fill the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from hostwatch.core.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementTerms:
    """What was promised about watching and telling (`colocation C5`)."""

    interval: timedelta = timedelta(minutes=5)
    """Time between two scheduled pings of a device."""

    misses: int = 2
    """Scheduled misses in a row that make an emergency."""

    notice_within: timedelta = timedelta(minutes=15)
    """From the verdict to the latest moment at which the customer must have been told."""

    one_event: str = "both"
    """Where one event counts that is both a loss of power and a silence: in `both` promises, or in `power`
    alone (`colocation C2`)."""

    @property
    def tolerance(self) -> timedelta:
        """How much longer than the interval a reading speaks (J2): 5 %, at least 50 ms."""
        return tolerance(self.interval)

    @property
    def speaking(self) -> timedelta:
        """How long a scheduled reading speaks (J2)."""
        return speaking(self.interval)


class Told(StrEnum):
    """How many of a customer's people must have been told, that the customer was."""

    ANY = "any"
    ALL = "all"


WITHIN_MAX: Final = timedelta(days=1)
"""The longest time in which it is counted how often something goes down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTerms:
    """When a running notice takes the place of one for each emergency of what flaps."""

    after: int = 3
    """It begins with so many emergencies of one signal"""

    within: timedelta = timedelta(hours=1)
    """in this time."""

    calm_after: timedelta = timedelta(minutes=30)
    """It ends when the signal was up, or down, for so long."""

    every: timedelta = timedelta(hours=1)
    """How often it is summed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingTerms:
    """When the customer was told (`colocation C5`). Each authorised person is told in any case."""

    told: Told = Told.ANY
    named: tuple[str, ...] = ()
    """The contacts who count; empty: all who are authorised."""

    met_by: Proof = Proof.ACCEPTED
    """What proves that a person was told."""

    exercises: bool = True
    """Whether their people may be told of nothing, to see that they can be told."""

    remind_every: timedelta = timedelta(hours=4)
    """How long after the last word of an emergency that lasts people are reminded of it; zero: never."""

    remind_acknowledged: bool = False
    """Whether they are reminded also of what one of their own people has."""

    stale_needs_warning: bool = True
    """Whether contact data can only be called stale if the customer had been warned of them (ours, stricter
    than `colocation C5`)."""

    running: RunningTerms | None = None
    """When a running notice is accepted of what flaps; None: each emergency is told by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTerms:
    """What was promised of one service of a device (`colocation C5`): that it is watched, and how."""

    interval: timedelta | None = None
    """Time between two scheduled looks at it; None: as often as its device is pinged."""

    misses: int | None = None
    """Scheduled misses in a row that are a verdict; None: as many as of its device."""

    obliges: bool = True
    """Whether its failure is an emergency, and starts the duty to tell; else it is recorded and reported."""

    def within(self, terms: AgreementTerms) -> AgreementTerms:
        """The terms that the service is judged by, of a device that is watched under these."""
        return _within(self, terms)


@lru_cache(maxsize=1_024)
def _within(own: ServiceTerms, terms: AgreementTerms) -> AgreementTerms:
    return replace(terms, interval=own.interval or terms.interval, misses=own.misses or terms.misses)


def tolerance(interval: timedelta) -> timedelta:
    """How much longer than its interval a reading speaks (J2): 5 %, at least 50 ms."""
    return max(interval / 20, timedelta(milliseconds=50))


def speaking(interval: timedelta) -> timedelta:
    """How long a scheduled reading speaks at most (J2): its interval and the tolerance."""
    return interval + tolerance(interval)
