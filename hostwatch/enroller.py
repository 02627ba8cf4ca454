"""Brings configurations into force: a small change in one deed, a large one in many.

Reading, comparing and making a schedule take long for a hundred thousand devices, and happen beside the
loop; each deed on it is small. One configuration after another: whoever comes meanwhile waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from heapq import nsmallest
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from hostwatch import log
from hostwatch.clock import Clock
from hostwatch.configuration import canonical, difference
from hostwatch.configuration.difference import Change
from hostwatch.configuration.load import Loaded
from hostwatch.configuration.population import planning_of, population_of
from hostwatch.core import enrolment
from hostwatch.core.device import Device
from hostwatch.core.enrolment import UNDER_WAY, Opening, Step
from hostwatch.core.newcomers import Newcomers
from hostwatch.core.population import Changes
from hostwatch.core.schedule import Target
from hostwatch.core.world import Decision, TargetChange
from hostwatch.engine import Engine
from hostwatch.stock.client import StockError, Stocktaker, Taken, take
from hostwatch.store.writer import Writer

T = TypeVar("T")

DEVICES_LISTED_MAX = 100
"""Changed devices of inventories in the difference that is recorded; each is a fact of its own anyway."""

DIFFERENCE_MAX = 1_000
"""Changes in the difference that is recorded; more are counted."""

COMMITMENTS_AT_ONCE = 200
SAY_EVERY = timedelta(seconds=1)


class Enroller:
    """Owns the thread in which configurations are read."""

    def __init__(self, engine: Engine, writer: Writer, clock: Clock) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._aside = ThreadPoolExecutor(1, "reload")
        self._stocktaker: Stocktaker | None = None
        self._closed = False
        self._said_at = clock.monotonic()
        self.progress: Mapping[str, Any] | None = None
        """How far it is with the configuration that comes into force; None when none does."""

    async def aside(self, work: Callable[..., T], *args: Any) -> T:
        """Have something done beside the loop."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work, *args)

    async def take(self, path: Path, *, soon: bool = False) -> Taken:
        """Read a configuration and its inventories. Raises `BadConfiguration` or `StockError`.

        `soon`: as in `stock.client.take`.
        """
        loop = asyncio.get_running_loop()

        def progress(file: str, line: int, lines: int) -> None:
            loop.call_soon_threadsafe(lambda: self._say(reading=file, line=line, lines=lines))

        try:
            return await self.aside(lambda: take(path, progress, self._hold, soon=soon))
        finally:
            self.progress = None

    def _hold(self, stocktaker: Stocktaker) -> None:
        self._stocktaker = stocktaker
        if self._closed:
            stocktaker.kill()

    def close(self) -> None:
        """End what is being read."""
        self._closed = True
        if self._stocktaker is not None:
            self._stocktaker.kill()

    async def bring(
        self, taken: Taken, before: Loaded | None, author: str, opened: Callable[[], None] = lambda: None
    ) -> bool:
        """Bring a configuration into force; whether anything changed.

        `before` is the one that was, if we ran it. `opened` is called when the change has begun: from
        then on people are told by the new one.
        """
        loaded, stocktaker = taken
        world = self._engine.world
        planning = planning_of(loaded.configuration)
        if planning != world.planning:
            await self._engine.do(lambda world, now: Decision(planning=planning))
        if before is None and loaded.digest == world.configuration:
            opened()
            return False
        try:
            changes = await self.aside(self._changes, loaded, stocktaker)
            opening = await self._opening(loaded, before, author, changes)
            if loaded.digest == world.configuration and not opening.difference:
                opened()
                return False
            if len(changes) <= enrolment.STEP_MAX or changes.vantage is not None:
                await self._at_once(changes, opening, opened)
            else:
                await self._in_steps(changes, opening, opened)
        finally:
            self.progress = None
        return True

    async def dismiss(self, taken: Taken) -> None:
        """End the process that read inventories. If they are in force now, it notes that for the next one."""
        if taken.stocktaker is not None:
            in_force = self._engine.world.configuration == taken.loaded.digest
            await self.aside(_dismissed, taken, in_force)

    def _changes(self, loaded: Loaded, stocktaker: Stocktaker | None) -> Changes:
        """What becomes otherwise among customers and devices. No other configuration comes in between."""
        after = population_of(loaded.configuration, loaded.supplies, loaded.uplinks)
        before = self._engine.world.population
        if stocktaker is None:
            changes = enrolment.between(before, after)
        else:
            devices, gone = stocktaker.compare(loaded.store, self._engine.world.configuration or UNDER_WAY)
            changes = enrolment.between(replace(before, devices={}), replace(after, devices={}))
            changes = replace(changes, devices=devices, devices_gone=gone)
        in_order = sorted(changes.devices, key=lambda device: device.id)
        old = [device for device in in_order if device.id in before.devices]
        new = [device for device in in_order if device.id not in before.devices]
        return replace(changes, devices=(*old, *new))

    async def _at_once(self, changes: Changes, opening: Opening, opened: Callable[[], None]) -> None:
        step = await self.aside(self._rescheduled, changes)
        await self._do(replace(step, opening=opening, closes=opening.digest))
        opened()

    def _rescheduled(self, changes: Changes) -> Step:
        """The changes with all that they, and steps that nobody finished, mean for the schedule."""
        world = self._engine.world
        if world.configuration == enrolment.UNDER_WAY:
            moved = enrolment.behind(world.schedule, world.population.changed(changes))
        else:
            moved = enrolment.moves(world.population, changes)
        return Step(changes=changes, schedule=enrolment.rescheduled(world.schedule, moved), targets=moved)

    async def _in_steps(self, changes: Changes, opening: Opening, opened: Callable[[], None]) -> None:
        """Whoever is new is looked at from the last step on; whoever moves or goes, from their own."""
        resumed = self._engine.world.configuration == enrolment.UNDER_WAY
        await self._do(Step(opening=opening))
        opened()
        made = 0
        new = Newcomers(self._engine.world.population)
        for part in enrolment.in_steps(changes):
            step, added = await self.aside(self._part, part)
            new.take(added, (await self._do(step)).signals)
            made += len(part)
            self._say(applied=made, changes=len(changes))
        last = await self.aside(self._last, None if resumed else TargetChange(added=new))
        await self._do(replace(last, closes=opening.digest))

    def _part(self, part: Changes) -> tuple[Step, Sequence[Target]]:
        """A step, and who is to be looked at from the last one on."""
        world = self._engine.world
        moved = enrolment.moves(world.population, part)
        if not moved.removed:
            return Step(changes=part), moved.added
        return Step(changes=part, schedule=enrolment.rescheduled(world.schedule, moved), targets=moved), ()

    def _last(self, moved: TargetChange | None) -> Step:
        world = self._engine.world
        moved = moved or enrolment.behind(world.schedule, world.population)
        return Step(schedule=enrolment.rescheduled(world.schedule, moved), targets=moved)

    async def _do(self, step: Step) -> Decision:
        return await self._engine.do(lambda world, now: enrolment.step(world, step, now))

    async def _opening(self, loaded: Loaded, before: Loaded | None, author: str, changes: Changes) -> Opening:
        """The configuration as the record is to have it."""
        vault = self._engine.vault
        values = await self.aside(lambda: list(canonical.personal(loaded.tree)))
        for first in range(0, len(values), COMMITMENTS_AT_ONCE):
            for value in values[first : first + COMMITMENTS_AT_ONCE]:
                vault.commit(value)
            await asyncio.sleep(0)
        remembered = None if before is not None else (await self._writer.remembered()).configuration

        def work() -> Opening:
            content = difference.public_content(loaded.tree, vault.commit)
            if before is None:
                found = difference.between(remembered, content)
            else:
                found = difference.of_trees(before.tree, loaded.tree, vault.commit)
            return Opening(
                digest=loaded.digest,
                author=author,
                difference=_bounded((*found, *self._listed(loaded, changes))),
                content=content,
            )

        return await self.aside(work)

    def _listed(self, loaded: Loaded, changes: Changes) -> Iterator[Change]:
        """The first of the changed devices that stand in inventories."""
        if not loaded.inventories:
            return
        known = self._engine.world.population.devices
        coming = ((device.id, device) for device in changes.devices if device.id not in loaded.places)
        going = ((name, None) for name in changes.devices_gone if name not in loaded.places)
        listed: list[tuple[str, Device | None]] = nsmallest(
            DEVICES_LISTED_MAX, chain(coming, going), key=itemgetter(0)
        )
        for name, now in listed:
            was = known.get(name)
            whose = now or was
            if whose is not None:
                path = f"customers[{whose.customer}].devices[{name}]"
                yield Change(path=path, before=_shown(was), after=_shown(now))
        names = chain((device.id for device in changes.devices), changes.devices_gone)
        more = sum(name not in loaded.places for name in names) - DEVICES_LISTED_MAX
        if more > 0:
            yield Change(path="devices", before=None, after={"more": more})

    def _say(self, **how_far: Any) -> None:
        self.progress = how_far
        now = self._clock.monotonic()
        if now - self._said_at >= SAY_EVERY:
            self._said_at = now
            log.info("configuration-loading", **how_far)


def _dismissed(taken: Taken, in_force: bool) -> None:
    assert taken.stocktaker is not None
    try:
        if in_force:
            taken.stocktaker.note(taken.loaded.digest)
    except StockError as error:  # the next one reads the record instead
        log.warning("inventories-not-noted", error=str(error))
    finally:
        taken.stocktaker.close()


def _shown(device: Device | None) -> dict[str, Any] | None:
    return None if device is None else {"address": device.address, "state": device.state.value}


def _bounded(changes: tuple[Change, ...]) -> tuple[dict[str, Any], ...]:
    found = tuple(change.as_json() for change in changes[:DIFFERENCE_MAX])
    if len(changes) > DIFFERENCE_MAX:
        more = {"more": len(changes) - DIFFERENCE_MAX}
        found = (*found, Change(path="", before=None, after=more).as_json())
    return found
