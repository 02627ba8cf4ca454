"""How far the counters of switches have been counted, and what is known of five minutes not yet over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from hostwatch.core.ports import Octets


class Part(NamedTuple):
    """What is known of one step so far."""

    number: int
    received: int
    sent: int
    known_us: int


@dataclass(frozen=True, slots=True)
class Count:
    """A port at the last reading, and what passed in the step that is not over."""

    octets: Octets
    speed_mbps: int | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A switch at the last reading that was counted."""

    source: str
    at: datetime
    up_ticks: int
    ports: Mapping[str, Count] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """As JSON, to be kept. `of_text` reads it."""
        plain = {
            name: [*_flat(one.octets), one.speed_mbps, *(one.part or ())] for name, one in self.ports.items()
        }
        return json.dumps([self.up_ticks, plain], ensure_ascii=False, separators=(",", ":"))


def _flat(octets: Octets) -> tuple[int, int, int, int]:
    return octets.received, octets.sent, octets.bits, octets.since_ticks


def of_text(name: str, at: datetime, text: str) -> Counted:
    """What `text` wrote."""
    up_ticks, plain = json.loads(text)
    ports = {
        port: Count(
            Octets(received=received, sent=sent, bits=bits, since_ticks=since),
            speed,
            Part(*part) if part else None,
        )
        for port, (received, sent, bits, since, speed, *part) in plain.items()
    }
    return Counted(source=name, at=at, up_ticks=up_ticks, ports=ports)
