"""What every method is, and how one that looks at targets one by one does so.

A method's module holds two things: `Settings`, the pydantic model of what a device says about it, and
`build(clock)`, which makes its `Pinger`. Nothing else in the house knows a kind.

The rules are those of a ping (J1): several attempts, spaced; each leaves in time or the look says nothing;
what has come in is read before anybody is called silent; our own failures are UNKNOWN, each with its word.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Hashable
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any, ClassVar, Final, NamedTuple
from weakref import WeakValueDictionary

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from hostwatch.carrier import OWN_FAULTS
from hostwatch.clock import STEP_MIN, Clock, Timekeeper
from hostwatch.configuration.strict import Section
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.pace import HELD, Held, Limits, Pace
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger

AT_ONCE_MAX: Final = 256
"""Targets of one method that are looked at at one time."""

JUST_LATE_S: Final = 0.001
"""Who is held back gives up when it is surely too late."""

LATE: Final = "looked too late"
STEPPED: Final = "clock stepped"
SILENT: Final = "no answer"

UNREACHABLE: Final = {
    errno.EHOSTUNREACH: "host unreachable",
    errno.EHOSTDOWN: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.ECONNREFUSED: "port unreachable",
    errno.ENOPROTOOPT: "protocol unreachable",
    errno.EPROTO: "ICMP error",
    errno.ETIMEDOUT: SILENT,
}
"""What the network said of a packet that had left, by the error that the kernel makes of it."""


class Settings(Section):
    """What a device says about its method: a mapping, or just the one value that most need."""

    shorthand: ClassVar[str] = ""
    """The field that a bare value fills, as in `{tcp: 443}`."""

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        bare = cls.shorthand and isinstance(value, str | int) and not isinstance(value, bool)
        return {cls.shorthand: value} if bare else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema for editors allows the bare value as well."""
        short = [{"type": "integer"}, {"type": "string"}] if cls.shorthand else []
        return {"anyOf": [*short, handler(core)]} if short else handler(core)


class Fault(Exception):
    """We could not look, and it is our own failure: UNKNOWN, with this word."""


def refusal(number: int | None) -> Fault | str:
    """What it means that our own kernel would not send: our fault, or a word of a dead neighbour (J1)."""
    if number in (errno.EHOSTUNREACH, errno.EHOSTDOWN):
        return UNREACHABLE[number]
    return Fault(OWN_FAULTS.get(number or 0, f"cannot send: {errno.errorcode.get(number or 0, number)}"))


class Moment(NamedTuple):
    """One moment by both clocks: the wall's to date with, the monotonic one to measure with."""

    wall: datetime
    mono: timedelta


class Answer(NamedTuple):
    """An answer, and what it was an answer to."""

    attempt: int
    """Counted from 0."""

    rtt_us: int | None
    """None where it cannot be told which packet was answered."""


class Talk(ABC):
    """What goes on with one target: attempts out, and perhaps an answer back."""

    link = ""
    """The link of ours on which every machine hears an attempt; empty if only the target does."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.said = ""
        """What was heard instead of an answer, for people."""

        self.sent: list[Moment] = []
        self.stirred = asyncio.Event()
        """Set as soon as there is an answer."""

    def heard(self, answer: Answer) -> None:
        """The target answered. The first answer stands."""
        if self.answer is None:
            self.answer = answer
            self.stirred.set()

    @abstractmethod
    def send(self) -> None:
        """Make one more attempt; it stands in `sent` already. Raises `Fault`."""

    @abstractmethod
    def read(self) -> None:
        """Take what has come in, without waiting."""

    @abstractmethod
    def fault(self) -> str:
        """Why an answer may have been lost here, or nothing have left; empty if not so."""

    @abstractmethod
    def close(self) -> None:
        """Give back what was used."""


class OneByOne(Pinger):
    """A pinger with a task for each target: for methods that few devices need."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._room = asyncio.Semaphore(AT_ONCE_MAX)
        self._pace = Pace(Limits())
        self._lines: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        """For each limit the line of those whom it holds back: only the first of them asks again."""

        self._held_at = timedelta.min
        """When a limit last held somebody back."""

    @abstractmethod
    def talk(self, ask: Ask, manner: Manner) -> Talk:
        """Begin with a target. Raises `Fault` when that is not possible here."""

    async def close(self) -> None:
        """Nothing is kept."""

    def keep_to(self, pace: Pace) -> None:
        self._pace = pace

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        ended: asyncio.Queue[asyncio.Task[Look]] = asyncio.Queue()
        tasks = [asyncio.create_task(self._look(ask, batch.manner)) for ask in batch.asks]
        for task in tasks:
            task.add_done_callback(ended.put_nowait)
        left = len(tasks)
        try:
            while left:
                group = [(await ended.get()).result()]
                while not ended.empty():
                    group.append(ended.get_nowait().result())
                left -= len(group)
                yield tuple(group)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _now(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())

    async def _look(self, ask: Ask, manner: Manner) -> Look:
        """Look at one target, at its time, as soon as there is room."""
        timekeeper, now = Timekeeper(self._clock), self._now()
        at = instant.from_micros(ask.at_us)
        due = now.mono + (at - now.wall)
        await self._clock.sleep(due - now.mono)
        early = at - self._clock.now()
        if early < STEP_MIN:
            await self._clock.sleep(early)  # the clocks run a little apart
        async with self._room:
            return await self._asked(ask, manner, due, timekeeper)

    async def _asked(self, ask: Ask, manner: Manner, due: timedelta, timekeeper: Timekeeper) -> Look:
        if timekeeper.check():
            return self._said(ask, [], Outcome.UNKNOWN, STEPPED)
        talk: Talk | None = None
        try:
            talk = self.talk(ask, manner)
            await self._attempts(ask, talk, manner, due)
            if talk.answer is not None:
                return self._answered(ask, talk, talk.answer)
            fault = STEPPED if timekeeper.check() else talk.fault()
            if not fault:
                return self._said(ask, talk.sent, Outcome.MISSED, talk.said or SILENT)
        except Fault as error:
            fault = str(error)
            if talk is not None and talk.answer is not None:
                return self._answered(ask, talk, talk.answer)
        finally:
            if talk is not None:
                talk.close()
        return self._said(ask, talk.sent if talk else [], Outcome.UNKNOWN, fault)

    async def _attempts(self, ask: Ask, talk: Talk, manner: Manner, due: timedelta) -> None:
        """Attempts until one is answered. What held us up is added: the last one gets its whole timeout."""
        for number in range(manner.attempts):
            late_at = due + number * manner.spacing + manner.late_after
            await self._let_out(ask, talk, late_at)
            now = self._now()
            if now.mono > late_at:
                raise Fault(HELD if self._held_at >= due else LATE)
            if talk.answer is not None:
                return
            talk.sent.append(now)
            talk.send()
            last = number == manner.attempts - 1
            if await self._stirs(talk, manner.timeout if last else manner.spacing):
                return

    async def _let_out(self, ask: Ask, talk: Talk, late_at: timedelta) -> None:
        """Wait until one more packet may leave, but not after it would be late."""
        address = ip_address(ask.address.partition("%")[0]).packed

        def held() -> Held | None:
            return self._pace.hold(address, self._clock.monotonic_us(), ask.uplink, talk.link)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout((late_at - self._clock.monotonic()).total_seconds() + JUST_LATE_S):
                while found := held():
                    by, line = found.by, self._lines.setdefault(found.by, asyncio.Lock())
                    self._held_at = self._clock.monotonic()
                    async with line:
                        while (found := held()) and found.by == by:
                            self._held_at = self._clock.monotonic()
                            await self._clock.sleep(found.until_us * instant.MICROSECOND - self._held_at)
                        if found is None:
                            return

    async def _stirs(self, talk: Talk, pause: timedelta) -> bool:
        """Whether there is an answer within some time. Whatever has come in by then is read."""
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await talk.stirred.wait()
        except TimeoutError:
            talk.read()
        return talk.answer is not None

    def _answered(self, ask: Ask, talk: Talk, answer: Answer) -> Look:
        now = self._clock.now()
        first, left = (min(talk.sent[place].wall, now) for place in (0, answer.attempt))
        return Look(
            signal=ask.signal,
            address=ask.address,
            at_us=instant.micros(min(first, left)),
            known_us=instant.micros(now),
            outcome=Outcome.ANSWERED,
            answered_us=instant.micros(left) if len(talk.sent) > 1 else None,
            rtt_us=answer.rtt_us,
            lost=answer.attempt,
        )

    def _said(self, ask: Ask, sent: list[Moment], outcome: Outcome, why: str) -> Look:
        now = self._clock.now()
        at = min(sent[0].wall if sent else instant.from_micros(ask.at_us), now)  # if the clock was set back
        return Look(
            signal=ask.signal,
            address=ask.address,
            at_us=instant.micros(at),
            known_us=instant.micros(now),
            outcome=outcome,
            why=why,
            lost=len(sent) if outcome is Outcome.MISSED else 0,
        )
