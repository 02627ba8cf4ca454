"""What a gateway says later of a message, on its way to the watch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Protocol

from pydantic import BaseModel

from hostwatch.checks import base
from hostwatch.checks.base import Finding, Visit

WORDS: Final = ("delivered", "answered", "acknowledged", "returned")
"""All that a gateway can say."""

SAID_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Later:
    """A gateway said something more of one message."""

    receipt: str
    """What the message is known by: `sms/main/…`."""

    word: str
    """One of `WORDS`."""

    said: str
    """The gateway's own word, as evidence."""

    @property
    def text(self) -> str:
        """As it is sent."""
        return json.dumps([self.receipt, self.word, self.said], ensure_ascii=False)


def name_of(text: str) -> str:
    """What the watch calls a word, as it was sent, when it says that it has taken it."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Ear(Protocol):
    """Told of what was heard. Does not wait."""

    def said(self, name: str, reading: Later) -> bool:
        """A gateway said this; False if that was too much to be told now."""
        ...


class Asked(Protocol):
    """Has a source read at once. Does not wait."""

    def ask(self, name: str) -> None:
        """Read it."""
        ...


async def run(module: ModuleType, settings: Any, visit: Visit) -> Finding:
    """One look at what can be looked at, within its time: what it brought is the value of the finding."""
    read: Callable[[BaseModel, Visit], Awaitable[str]] = module.read

    async def probe() -> None:
        visit.value = await read(settings, visit)

    return await base.within(settings.timeout, probe, visit)
