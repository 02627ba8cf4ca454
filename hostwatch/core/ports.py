"""What switches say of their ports: whether each is up, since when, and how many octets have passed.

A port that is down is a witness, and no verdict by itself. A counter means nothing alone: two readings of it
make traffic (`core.counting`), and only if it did not begin anew between them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

PORTS_MAX: Final = 500
"""Ports of one switch."""

NAME_CHARS_MAX: Final = 64
SAID_CHARS_MAX: Final = 60
TICKS_END: Final = 2**32
"""Of a clock that counts hundredths of seconds: it begins anew after 497 days."""

SPEED_MBPS_MAX: Final = 2_000_000
"""More is no speed of a port."""


class State(StrEnum):
    """Whether a port is in use, or is meant to be."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Octets:
    """How many octets have passed since the switch began to count, as it counts them."""

    received: int
    """By the switch: what the machine on the port has sent."""

    sent: int
    """By the switch: what the machine on the port has received."""

    bits: int = 64
    """After so many bits the counters begin anew: 64, or 32 where the switch has no others."""

    since_ticks: int = 0
    """When they last lost their count, by the switch's own clock; 0: never since it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """What a switch says of one port."""

    name: str
    """As the configuration calls it; else as the switch does."""

    oper: State = State.UNKNOWN
    """Whether it works."""

    admin: State = State.UNKNOWN
    """Whether it is meant to: `down` is a port that somebody has switched off."""

    said: str = ""
    """The switch's own word, such as `lowerLayerDown`; or why nothing is known of it."""

    changed_s: int | None = None
    """How many seconds ago it changed to this state, as the switch says."""

    speed_mbps: int | None = None
    octets: Octets | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PortsReading:
    """What one reading of a switch brought."""

    up_ticks: int
    """For how long the switch has run, in hundredths of seconds."""

    ports: tuple[Port, ...] = ()
    """No two of one name."""

    def port(self, name: str) -> Port:
        """What is said of a port; one of which nothing is said is unknown."""
        return next((port for port in self.ports if port.name == name), Port(name=name))

    @property
    def text(self) -> str:
        """As JSON, to be sent to another process or kept. `of_text` reads it."""
        plain = {"up": self.up_ticks, "ports": [_written(port) for port in self.ports]}
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _written(port: Port) -> list[Any]:
    """States by their first letters, and octets last, where they are known."""
    states = _LETTERS[port.oper] + _LETTERS[port.admin]
    found = [port.name, states, port.said, port.changed_s, port.speed_mbps]
    octets = port.octets
    if octets is None:
        return found
    return [*found, octets.received, octets.sent, octets.bits, octets.since_ticks]


_LETTERS: Final = {State.UP: "u", State.DOWN: "d", State.UNKNOWN: "?"}
_STATES: Final = {letter: state for state, letter in _LETTERS.items()}


def of_text(text: str) -> PortsReading:
    """The reading that `text` wrote. Raises `ValueError` for anything else."""
    try:
        found = json.loads(text)
        listed = found["ports"]
        if len(listed) > PORTS_MAX:
            raise ValueError("this reading of ports has too many of them")
        ports = tuple(_port(*one) for one in listed)
        up_ticks = _number(found["up"], TICKS_END)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not a reading of ports: {type(error).__name__}") from None
    if len({port.name for port in ports}) < len(ports):
        raise ValueError("this reading of ports names a port twice")
    return PortsReading(up_ticks=up_ticks, ports=ports)


def _port(name: str, states: str, said: str, changed_s: object, speed: object, *octets: object) -> Port:
    if not _is_short(name, NAME_CHARS_MAX) or not name or not _is_short(said, SAID_CHARS_MAX):
        raise ValueError("this reading of ports has a long or a strange text")
    if not isinstance(states, str) or len(states) != len("ua"):
        raise ValueError("this reading of ports has a state that is none")
    return Port(
        name=name,
        oper=_STATES[states[0]],
        admin=_STATES[states[1]],
        said=said,
        changed_s=None if changed_s is None else _number(changed_s, TICKS_END),
        speed_mbps=None if speed is None else _number(speed, SPEED_MBPS_MAX + 1),
        octets=_octets(*octets) if octets else None,
    )


def _octets(received: object, sent: object, bits: object, since_ticks: object) -> Octets:
    length = _number(bits, 65)
    if length not in (32, 64):
        raise ValueError("this reading of ports has counters of a strange length")
    return Octets(
        received=_number(received, 2**length),
        sent=_number(sent, 2**length),
        bits=length,
        since_ticks=_number(since_ticks, TICKS_END),
    )


def _is_short(text: object, most: int) -> bool:
    return isinstance(text, str) and len(text) <= most and (not text or text.isprintable())


def _number(value: object, end: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < end:
        raise ValueError("this reading of ports has a number that is none")
    return value
