"""The pinger of services and sources: has the checkers look, keeps them running, says what came of asks.

The checkers may die, hang or talk nonsense at any moment: whatever they were asked and have not answered is
UNKNOWN then, with that word, and another process takes their place. No miss is ever made up here.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

from pydantic import ValidationError

from hostwatch import log
from hostwatch.checkcounts import CheckCounts
from hostwatch.checkers import client, services
from hostwatch.checkers.client import Checkers, Gone
from hostwatch.checkers.protocol import (
    DELAY_US_END,
    ORDERS_MAX,
    Alive,
    BadMessage,
    Begin,
    Complaint,
    Forget,
    Found,
    FromCheckers,
    Order,
    Pushed,
    Seen,
    Took,
    Withdraw,
)
from hostwatch.checkers.protocol import Ask as AreYouThere
from hostwatch.checkers.protocol import Look as Orders
from hostwatch.checkers.services import Service
from hostwatch.clock import Clock
from hostwatch.core import instant
from hostwatch.gauges import Figure
from hostwatch.keeper import Keeper
from hostwatch.pinger import Ask, Batch, Look, Pinger
from hostwatch.placed import Placed, Speakers, unknown

SILENT: Final = "the checkers do not answer"
NOT_CONFIGURED: Final = "no such service is configured"
TOO_LARGE: Final = "the service is too large to be told"

GRACE: Final = timedelta(seconds=3)
"""How much longer than its checks an answer may take on its way to us."""

BEAT: Final = timedelta(seconds=1)
"""How often the checkers are asked whether they are there."""

BEATS_MAX: Final = 10
"""So many questions without an answer, and they hang: they are killed."""

COMPLAINTS_MAX: Final = 1_000
"""Of one process. Who complains more is started anew."""

FORGET_AFTER: Final = timedelta(minutes=15)
"""A definition that nobody has used since a reload that is so long ago is told to be forgotten."""

WAITING_MAX: Final = 100_000
"""Asks under way; of further ones the look is UNKNOWN at once."""

DefinitionOf = Callable[[str], tuple[str, Service] | None]
"""The service that a signal is of, and its key: another one as soon as anything of the service is another."""


class Recall(Protocol):
    """Keeps the last findings of each check."""

    def note(self, signal: str, place: int, seen: Seen, at_us: int) -> None:
        """A check of a signal's service has found something."""
        ...


class Servicing(Pinger):
    """Asks for services, and the process that answers them. Asks wait until `run` runs beside it."""

    def __init__(self, clock: Clock, recall: Recall | None = None) -> None:
        self._clock = clock
        self._recall = recall
        self._definition_of: DefinitionOf = lambda signal: None
        self._folder = Path("/")
        self._around: Mapping[str, Any] = {}
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._over = False
        self._child: Checkers | None = None
        self._told: dict[str, bool] = {}
        """The keys that this process knows, and whether they were used since the last reload."""

        self._forget_at: timedelta | None = None
        self._placed: dict[int, Placed] = {}
        self._by: list[tuple[int, int]] = []
        """A heap of times and numbers: by when each is to be sent, then answered."""

        self._speakers = Speakers()
        self._listened: Mapping[str, Service] = {}
        """By their keys, those who are only listened to, and never asked."""

        self.on_said: Callable[[Pushed], None] = lambda said: None
        """Called with what one of these said, or what came of reading it."""

        self.on_spoken: Callable[[Look], None] = lambda look: None
        """Called with what a source said by itself, between two asks."""

        self._number = 0
        self._unanswered = 0
        self._complaints = 0
        self._counts = CheckCounts()
        self._keeper = Keeper(clock, self._one_life, self._wanted)

    def configure(
        self,
        definition_of: DefinitionOf,
        *,
        folder: Path,
        around: Mapping[str, Any],
        wanted: bool,
        listened: Mapping[str, Service] = MappingProxyType({}),
    ) -> None:
        """What is in force from now on. `wanted`: there is a service, so there have to be checkers.

        `folder` is where relative paths of settings begin, `around` what the checkers need to know of names
        and of where they may connect to. Only definitions that changed are told anew. `listened`: by
        their keys, those that are only listened to.
        """
        begin = Begin(folder=str(folder), around=dict(around))
        if self._child is not None and (self._folder, self._around) != (folder, around):
            self._child.send(begin)
        self._definition_of, self._folder, self._around = definition_of, folder, dict(around)
        self._told = dict.fromkeys(self._told, False)
        self._speakers = Speakers()
        self._forget_at = self._clock.monotonic() + FORGET_AFTER
        self._listened = listened
        self._listen_to()
        for event, is_so in ((self._wanted, wanted), (self._unwanted, not wanted)):
            if is_so:
                event.set()
            else:
                event.clear()

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        heard: asyncio.Queue[Look] = asyncio.Queue()
        numbers = self._place(batch, heard)
        left = len(batch.asks)
        try:
            while left:
                group = [await heard.get()]
                while not heard.empty():
                    group.append(heard.get_nowait())
                left -= len(group)
                yield tuple(group)
        finally:
            self._withdraw(numbers)

    def _place(self, batch: Batch, heard: asyncio.Queue[Look]) -> list[int]:
        """Take all asks of a batch in hand; the numbers of their orders."""
        ahead_us = self._clock.monotonic_us() - self._clock.now_us()
        late_us = batch.manner.late_after // instant.MICROSECOND
        numbers = []
        for ask in batch.asks:
            definition = self._definition_of(ask.signal)
            if definition is None or self._over or len(self._placed) >= WAITING_MAX:
                why = NOT_CONFIGURED if definition is None else SILENT
                heard.put_nowait(self._unknown(ask, why))
                continue
            key, service = definition
            if service.is_source:
                self._speakers.note(key, ask.signal)
            due_us = ask.at_us + ahead_us
            latest_us = due_us + late_us
            longest_us = (service.longest + GRACE) // instant.MICROSECOND
            self._number += 1
            self._placed[self._number] = Placed(
                ask, key, service, heard, due_us, latest_us, latest_us + longest_us
            )
            heapq.heappush(self._by, (latest_us, self._number))
            numbers.append(self._number)
        self._send(numbers)
        return numbers

    def _send(self, numbers: Iterable[int]) -> None:
        """Tell the checkers of orders, and before that of what they are for; later, if there are none now."""
        child = self._child
        if child is None:
            return
        now_us = self._clock.monotonic_us()
        orders = []
        for number in numbers:
            placed = self._placed[number]
            if not self._tell(child, placed.key, placed.service):
                self._hear(number, self._unknown(placed.ask, TOO_LARGE))
                continue
            placed.sent = True
            heapq.heappush(self._by, (placed.answer_by_us, number))
            orders.append(
                Order(
                    number,
                    placed.key,
                    placed.ask.address,
                    _delay(placed.due_us - now_us),
                    _delay(placed.latest_us - now_us),
                )
            )
        for start in range(0, len(orders), ORDERS_MAX):
            child.send(Orders(orders=tuple(orders[start : start + ORDERS_MAX])))

    def _tell(self, child: Checkers, key: str, service: Service) -> bool:
        """Tell what a key stands for, if they do not know it; whether they do now."""
        if key not in self._told:
            try:
                child.send(services.defined(key, service))
            except (BadMessage, ValidationError) as bad:
                log.error("service-refused", service=service.name, why=str(bad))
                return False
        self._told[key] = True
        return True

    def _listen_to(self) -> None:
        """Tell the checkers whom they are to listen to."""
        if self._child is not None:
            for key, service in self._listened.items():
                self._tell(self._child, key, service)

    def took(self, key: str, names: Sequence[str], *, is_ours: bool = True) -> None:
        """What was said under these names is on record, or none of ours. Who is gone says it again."""
        if self._child is not None and key in self._told:
            for start in range(0, len(names), ORDERS_MAX):
                some = tuple(names[start : start + ORDERS_MAX])
                self._child.send(Took(key=key, names=some, is_ours=is_ours))

    def _withdraw(self, numbers: Iterable[int]) -> None:
        """Nobody waits for these any more."""
        left = [number for number in numbers if self._placed.pop(number, None) is not None]
        for start in range(0, len(left), ORDERS_MAX):
            if self._child is not None:
                self._child.send(Withdraw(numbers=tuple(left[start : start + ORDERS_MAX])))

    async def run(self) -> None:
        """Keep checkers running while they are wanted, for ever."""
        timing = asyncio.create_task(self._keep_time())
        living = asyncio.create_task(self._keeper.run())
        try:
            done, _ = await asyncio.wait({timing, living}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._over = True
            for task in (timing, living):
                task.cancel()
            await asyncio.gather(timing, living, return_exceptions=True)
            self._abandon(sent_only=False)

    async def close(self) -> None:
        """The process ends with `run`."""

    async def _one_life(self) -> None:
        """From the start of a process to its end. Returns when none is wanted any more; raises `Gone`."""
        child = await client.start(self._folder, self._around)
        self._child, self._told, self._unanswered, self._complaints = child, {}, 0, 0
        self._keeper.is_there()
        log.info("checkers-started", process=child.pid, kinds=child.kinds)
        for note in child.notes:
            log.warning("checkers-not-confined", why=note)
        self._send([number for number, placed in self._placed.items() if not placed.sent])
        self._listen_to()
        parts = [self._listen(child), self._ask_whether(child), self._unwanted.wait()]
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._child = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._abandon(sent_only=True)
            await child.close()
        log.info("checkers-stopped", why="no service is configured any more")

    async def _listen(self, child: Checkers) -> None:
        while True:
            self._heed(await child.receive())
            await asyncio.sleep(0)  # what has been read already must not keep the loop

    def _heed(self, message: FromCheckers) -> None:
        match message:
            case Found():
                placed = self._placed.get(message.number)
                if placed is not None:
                    self._hear(message.number, placed.look(message, self._clock.now_us()))
                    self._note(placed, message)
            case Pushed(key=key) if key in self._listened:
                self.on_said(message)
            case Pushed():
                self._speak(message)
            case Alive():
                self._unanswered = 0
                self._counts.alive(message)
            case Complaint():
                self._complaints += 1
                if self._complaints > COMPLAINTS_MAX:
                    raise Gone(f"they complained more than {COMPLAINTS_MAX} times")
                log.error("checkers-complain", why=message.why)
            case _:
                raise Gone(f"they said {message.say} where nobody had asked")

    def _note(self, placed: Placed, found: Found) -> None:
        for place, seen in enumerate(found.checks):
            self._counts.note(seen)
            if self._recall is not None:
                self._recall.note(placed.ask.signal, place, seen, found.at_us or placed.ask.at_us)

    def _hear(self, number: int, look: Look) -> None:
        self._placed.pop(number).heard.put_nowait(look)

    def _speak(self, pushed: Pushed) -> None:
        """A source said something by itself. One that is defined otherwise now is not heard."""
        now_us, signal = self._clock.now_us(), self._speakers.signal(pushed.key)
        present = self._definition_of(signal) if signal else None
        if present is not None and present[0] == pushed.key and self._speakers.may_speak(now_us):
            self._counts.note(pushed.check)
            if self._recall is not None:
                self._recall.note(signal, 0, pushed.check, pushed.at_us or now_us)
            self.on_spoken(self._speakers.look(pushed, now_us))

    def _unknown(self, ask: Ask, why: str) -> Look:
        return unknown(ask, why, self._clock.now_us())

    def _abandon(self, *, sent_only: bool) -> None:
        """Nobody will answer what was asked."""
        for number, placed in [*self._placed.items()]:
            if placed.sent or not sent_only:
                self._hear(number, self._unknown(placed.ask, SILENT))

    async def _ask_whether(self, child: Checkers) -> None:
        """Ask again and again whether they are there. Raises `Gone` if they hang."""
        while True:
            await self._clock.sleep(BEAT)
            if self._unanswered >= BEATS_MAX:
                child.kill()
                raise Gone(f"they have not answered {BEATS_MAX} questions, and were killed")
            self._unanswered += 1
            child.send(AreYouThere())

    async def _keep_time(self) -> None:
        """Say UNKNOWN of what has not been answered in time; and have forgotten what is used no more."""
        while True:
            await self._clock.sleep(BEAT)
            now_us = self._clock.monotonic_us()
            while self._by and self._by[0][0] <= now_us:
                by_us, number = heapq.heappop(self._by)
                placed = self._placed.get(number)
                if placed is not None and by_us >= (placed.answer_by_us if placed.sent else placed.latest_us):
                    ask = placed.ask
                    self._withdraw([number])
                    placed.heard.put_nowait(self._unknown(ask, SILENT))
            if self._forget_at is not None and self._clock.monotonic() >= self._forget_at:
                self._forget()

    def _forget(self) -> None:
        """Tell the checkers to forget what nobody has used since the last reload."""
        self._forget_at = None
        keys = [key for key, used in self._told.items() if not used]
        for key in keys:
            del self._told[key]
        for start in range(0, len(keys), ORDERS_MAX):
            if self._child is not None:
                self._child.send(Forget(keys=tuple(keys[start : start + ORDERS_MAX])))

    def figures(self) -> Iterator[Figure]:
        """What the metrics say of checks; nothing where no service is configured."""
        if self._wanted.is_set():
            yield from self._counts.figures(
                is_up=self._child is not None, restarts=self._keeper.restarts, orders=len(self._placed)
            )

    def troubles(self) -> Iterator[str]:
        """What is wrong, if the checkers cannot be kept running."""
        yield from self._keeper.troubles()


def _delay(us: int) -> int:
    """As it may be told: after a step of the wall clock by weeks an ask may lie weeks away."""
    return max(-DELAY_US_END, min(us, DELAY_US_END - 1))
