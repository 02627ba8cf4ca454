"""The other side of every simulated channel: it misbehaves as told, and records exactly what arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from hostwatch.channels.base import Failed, Message, Receipt, Refused


class Mode(StrEnum):
    """What the other side does with a message."""

    ACCEPTS = "accepts"
    SLOW = "is slow, then accepts"
    REFUSES = "refuses for good"
    FAILS = "fails"
    BUSY = "asks to come back later"
    HANGS = "never answers"
    SWALLOWS = "takes it and never answers"
    DROPS = "takes it and drops the line"
    BREAKS = "takes it and raises nonsense"


ARRIVES = {Mode.ACCEPTS, Mode.SLOW, Mode.SWALLOWS, Mode.DROPS, Mode.BREAKS}
AMBIGUOUS = {Mode.SWALLOWS, Mode.DROPS, Mode.BREAKS, Mode.HANGS}
SLOW = timedelta(seconds=20)
BACK_AFTER = timedelta(seconds=150)


@dataclass(slots=True, kw_only=True)
class Sending:
    """A message that was handed over by one try."""

    true_us: int
    to: str
    """`customer/contact/rung`, as the simulated configuration writes addresses."""

    message: Message
    mode: Mode
    arrived: bool
    accepted: bool = False
    attempts: dict[str, int] = field(default_factory=dict)
    """The numbers under which the record knows it, by notice; filled in by whoever checks."""


class Provider:
    """Decides by a script, and tells whoever checks."""

    def __init__(
        self,
        true_us: Callable[[], int],
        mode: Callable[[str, str, int], Mode],
        told: Callable[[Sending], None],
    ) -> None:
        """`mode`: what happens to a message for an address, with a key, at a true time."""
        self._true_us = true_us
        self._mode = mode
        self._told = told
        self.strike: Callable[[str], bool] = lambda moment: False
        """Asked before and after a message arrives whether the watch is killed at that very moment."""

    async def take(self, to: str, message: Message) -> Receipt:
        """One try."""
        if self.strike("before the send"):
            await asyncio.Event().wait()
        now = self._true_us()
        mode = self._mode(to, message.key, now)
        sending = Sending(true_us=now, to=to, message=message, mode=mode, arrived=mode in ARRIVES)
        self._told(sending)
        if self.strike("after the send"):
            await asyncio.Event().wait()
        return await self._answer(sending)

    async def _answer(self, sending: Sending) -> Receipt:
        match sending.mode:
            case Mode.REFUSES:
                raise Refused("550 no such person")
            case Mode.FAILS:
                raise Failed("451 try again")
            case Mode.BUSY:
                raise Failed("429 too many", retry_after=BACK_AFTER)
            case Mode.HANGS | Mode.SWALLOWS:
                await asyncio.Event().wait()
            case Mode.DROPS:
                raise Failed("connection lost", perhaps_arrived=True)
            case Mode.BREAKS:
                raise ValueError("a fault in a channel")
            case Mode.SLOW:
                await asyncio.sleep(SLOW.total_seconds())
            case Mode.ACCEPTS:
                await asyncio.sleep(0.05)
        sending.accepted = True
        return Receipt("250 accepted")


PROVIDER: ContextVar[Provider] = ContextVar("provider")
"""The provider of the simulation that runs in this context: where `room/simulated.py` finds it."""
