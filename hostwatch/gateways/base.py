"""What a gateway says later of a message, on its way to the watch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Final, Protocol

from pydantic import BaseModel

from hostwatch.checks.base import Fault, Finding, Visit

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


class Ear(Protocol):
    """Told of what was heard. Does not wait."""

    def said(self, name: str, reading: Later) -> bool:
        """A gateway said this; False if that was too much to be told now."""
        ...


async def run(_module: ModuleType, _settings: BaseModel, _visit: Visit) -> Finding:
    """A gateway is never looked at."""
    raise Fault("a gateway is heard, and not looked at")
