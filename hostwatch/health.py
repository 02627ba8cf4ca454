"""Is the watch well? Judged by progress, not by a heartbeat that goes on while nothing gets done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from datetime import datetime, timedelta

from hostwatch.clock import Clock
from hostwatch.engine import Engine
from hostwatch.outbox import IDLE, Outbox
from hostwatch.prober import ALIVE_EVERY, Prober

SLACK = timedelta(seconds=20)
"""How much later than expected progress may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the watch is."""

    troubles: tuple[str, ...]
    """What stands still or cannot be done; empty when all is well."""

    hangs: bool
    """Whether something stands still that a restart may help. A full disk does not: it is tried again."""

    last_slice_age: timedelta | None
    last_commit_age: timedelta | None
    oldest_notice_age: timedelta | None
    """How long the oldest notice has been waiting to be accepted."""

    warnings: tuple[str, ...] = ()
    """What somebody should look at, though all moves on."""

    outward: tuple[str, ...] = ()
    """The troubles in fixed words, for somebody outside: no name, no path, no customer."""

    @property
    def outward_warnings(self) -> tuple[str, ...]:
        """That somebody should look: what it is stays here."""
        return (f"{len(self.warnings)} warnings, see hostwatch status",) if self.warnings else ()

    @property
    def ok(self) -> bool:
        """Whether all moves on."""
        return not self.troubles


class Examiner:
    """Looks at the engine, the prober and the outbox."""

    def __init__(
        self,
        clock: Clock,
        engine: Engine,
        prober: Prober,
        outbox: Outbox,
        warnings: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """`warnings` says what somebody should look at, though all moves on."""
        self._clock = clock
        self._engine = engine
        self._prober = prober
        self._outbox = outbox
        self._warnings = warnings
        self.parts: list[Callable[[], Iterable[str]]] = []
        """What parts of the watch say is wrong with them, though a restart does not help."""

    def examine(self) -> Health:
        """How the watch is now."""
        now = self._clock.monotonic()
        slice_age = _age(now, self._prober.last_slice)
        commit_age = _age(now, self._engine.last_commit)
        try_age = _age(now, self._engine.last_try)
        round_age = _age(now, self._outbox.last_round)
        troubles: list[str] = []
        if slice_age is None or slice_age > ALIVE_EVERY + SLACK:
            troubles.append(f"the schedule has not moved on for {_words(slice_age)}")
        if try_age is None or try_age > ALIVE_EVERY * 2 + SLACK:
            troubles.append(f"nothing has been recorded for {_words(commit_age)}")
        if round_age is None or round_age > IDLE + SLACK:
            troubles.append(f"the outbox has not been looked through for {_words(round_age)}")
        overdue = self._outbox.overdue(self._clock.now())
        if overdue:
            troubles.append(f"nobody takes up {len(overdue)} notices, such as {overdue[0]}")
        hangs = bool(troubles)
        if self._engine.stuck is not None:
            troubles.append(self._engine.stuck)
        for part in self.parts:
            troubles.extend(part())
        return Health(
            troubles=tuple(troubles),
            warnings=tuple(self._warnings()),
            outward=tuple(_outward(troubles, overdue, self._engine.stuck)),
            hangs=hangs,
            last_slice_age=slice_age,
            last_commit_age=commit_age,
            oldest_notice_age=self._oldest(self._clock.now()),
        )

    def _oldest(self, now: datetime) -> timedelta | None:
        oldest = next(iter(self._engine.world.notices.pending.values()), None)
        return None if oldest is None else max(now - oldest.created_at, timedelta(0))


def _outward(troubles: Iterable[str], overdue: Sized, stuck: str | None) -> Iterator[str]:
    """The troubles for somebody outside. What the store or a notice is called is nothing for them."""
    named = (f"nobody takes up {len(overdue)} notices", "the store cannot be written")
    if overdue:
        yield named[0]
    if stuck is not None:
        yield named[1]
    for trouble in troubles:
        if trouble != stuck and not (overdue and trouble.startswith(named[0])):
            yield trouble


def _age(now: timedelta, when: timedelta | None) -> timedelta | None:
    return None if when is None else now - when


def _words(age: timedelta | None) -> str:
    return "ever" if age is None else f"{age.total_seconds():.0f} s"
