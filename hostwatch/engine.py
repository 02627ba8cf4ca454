"""The engine: the only writer. One deed after another, each one transaction.

Others hand it deeds, which are pure functions of the world and the time. It commits what they
decide, and only then makes it the present and tells the log. While the store cannot be written it
holds the deed and tries again: nothing that was decided is lost, and nothing is said before it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from hostwatch import log
from hostwatch.clock import Clock
from hostwatch.core import facts
from hostwatch.core.judge import Steps
from hostwatch.core.world import Decision, World
from hostwatch.personal import Vault
from hostwatch.store.duties import Owing
from hostwatch.store.errors import Damaged, Fenced, StoreError
from hostwatch.store.ledger import Told
from hostwatch.store.writer import Writer

RETRY_EVERY = timedelta(seconds=1)

Deed = Callable[[World, datetime], Decision | Steps]
"""What a deed decides, at once or in steps."""

TOLD_AT_ONCE = 1_000
"""Facts that are told to the log without a pause."""

LOUD = (facts.WentDown, facts.BlindBegan, facts.DutyBreached, facts.ClockStepped, facts.ConfigurationRefused)
QUIET = (facts.PopulationChanged, facts.Unspoken)


class Engine:
    """Owns the world. Everybody else reads it and asks for deeds."""

    def __init__(self, writer: Writer, clock: Clock, world: World, vault: Vault | None = None) -> None:
        self._writer = writer
        self._clock = clock
        self._queue: asyncio.Queue[tuple[Deed, asyncio.Future[Decision]]] = asyncio.Queue()
        """Bounded by who brings deeds: slices in flight, attempts under way, steps of the clock, sight."""

        self.world = world
        self.vault = vault or Vault()
        self.changed = asyncio.Event()
        """Set after each decision about people; the outbox clears it."""

        self.last_commit: timedelta | None = None
        """When the store was last written, by the monotonic clock."""

        self.last_try: timedelta | None = None
        """When it was last tried, by the monotonic clock: a full disk is no reason to be restarted."""

        self.stuck: str | None = None
        """Why the store cannot be written now."""

        self.listeners: list[Callable[[Decision], None]] = []
        """Told of each committed decision: metrics."""

    async def do(self, deed: Deed) -> Decision:
        """Have a deed done; returns once it is committed."""
        done: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((deed, done))
        return await done

    def post(self, deed: Deed) -> None:
        """Have a deed done some time: for those who must not wait for the store."""
        done: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._queue.put_nowait((deed, done))

    @property
    def is_idle(self) -> bool:
        """Whether no deed waits."""
        return self._queue.empty()

    def now(self) -> datetime:
        """What time it is for whoever asks for a deed."""
        return self._clock.now()

    async def told_of(self, reference: str) -> Told:
        """An emergency that there is, and all notices about it, as the store has them."""
        return await self._writer.told_of(reference)

    async def owing_of(self, reference: str, customer: str) -> Owing:
        """What was owed of an emergency that there is, to one customer or, if none is named, to all."""
        return await self._writer.owing_of(reference, customer)

    async def run(self) -> None:
        """Do deeds for ever. Raises `Fenced` or `Damaged` when it must not go on."""
        while True:
            deed, done = await self._queue.get()
            try:
                decision = await self._decide(deed)
                await self._keep(decision)
            except (Fenced, Damaged):
                raise
            except Exception as error:
                log.error("deed-failed", error=repr(error))
                if not done.cancelled():
                    done.set_exception(error)
                continue
            if not done.cancelled():
                done.set_result(decision)

    async def _decide(self, deed: Deed) -> Decision:
        """Have a deed decide. Nobody else changes the world meanwhile, so one in steps sees it unchanged."""
        made = deed(self.world, self._clock.now())
        if isinstance(made, Decision):
            return made
        while True:
            try:
                next(made)
            except StopIteration as end:
                decision: Decision = end.value
                return decision
            await asyncio.sleep(0)

    async def _keep(self, decision: Decision) -> None:
        if not _writes(decision):
            return
        personal = self.vault.take()
        while True:
            try:
                await self._writer.commit(decision, self._clock.now(), personal)
                break
            except (Fenced, Damaged):
                raise
            except StoreError as error:
                self.last_try = self._clock.monotonic()
                if self.stuck is None:
                    log.error("store-stuck", error=str(error))
                self.stuck = str(error)
                await self._clock.sleep(RETRY_EVERY)
        if self.stuck is not None:
            log.warning("store-recovered", was=self.stuck)
            self.stuck = None
        self.last_commit = self.last_try = self._clock.monotonic()
        self.world.apply(decision)
        if decision.notices or decision.duties or decision.acknowledged or decision.calls:
            self.changed.set()
        for listener in self.listeners:
            try:
                listener(decision)
            except Exception as error:  # who counts must not undo what is done
                log.error("listener-broke", error=repr(error))
        for number, fact in enumerate(decision.facts, 1):
            tell(fact)
            if number % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)


def _writes(decision: Decision) -> bool:
    return decision != Decision()


def tell(fact: facts.Fact) -> None:
    """One event per fact."""
    if isinstance(fact, QUIET):
        say = log.debug
    elif isinstance(fact, LOUD):
        say = log.warning
    else:
        say = log.info
    kind: Any = type(fact)
    name, told = _said_of(kind)
    said = {field: getattr(fact, field) for field in told}
    if isinstance(fact, facts.ConfigurationApplied):
        said["difference"] = [change["path"] for change in fact.difference]
    say(name, **said)


@cache
def _said_of(kind: type[facts.Fact]) -> tuple[str, tuple[str, ...]]:
    """`WentDown` as `went-down`, and the fields that are told: thousands of one kind may come at once."""
    name = "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(kind.__name__))
    return name, tuple(field.name for field in fields(kind) if field.name not in ("content", "body"))
