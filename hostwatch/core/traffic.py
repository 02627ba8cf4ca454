"""Traffic of a port: the octets of each five minutes of the clock, each way, as numbers of three bytes.

Up to 262,143 octets a number is kept exactly, above with 18 binary digits: never wrong by more than one part
in 500,000. A day of a port is one row of 288 such pairs. Rows are kept for months: what one means must never
change. Where there is no figure there is none, and no zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

STEP_S: Final = 300
"""How long one figure is a mean of: five minutes, aligned to the clock, in all time zones that there are."""

STEP_US: Final = STEP_S * 1_000_000
DAY_STEPS: Final = 288
"""Figures in a row: of a day of UTC."""

_DIGITS: Final = 18
_EXACT: Final = 1 << _DIGITS
_NONE: Final = b"\xff\xff\xff"
_CODE_BYTES: Final = 3

BYTES: Final = 2 * _CODE_BYTES
"""What one figure takes: received, then sent."""

NOTHING: Final = _NONE * 2
"""Where there is no figure."""


class Passed(NamedTuple):
    """The octets that passed in one step. By the switch: it receives what the machine sends."""

    received: int
    sent: int


class Figure(NamedTuple):
    """The traffic of one port in one step."""

    port: str
    """As `switch/port`."""

    number: int
    """Of the step, since 1970."""

    passed: Passed

    @property
    def day(self) -> int:
        """The row that it belongs to: days since 1970."""
        return self.number // DAY_STEPS

    @property
    def place(self) -> int:
        """Where it stands in its row."""
        return self.number % DAY_STEPS

    @property
    def code(self) -> bytes:
        """As it is kept."""
        return _code(self.passed.received) + _code(self.passed.sent)


def _code(octets: int) -> bytes:
    """The nearest number that has a code."""
    shift = octets.bit_length() - _DIGITS - 1
    if shift > 0:
        octets += 1 << shift - 1
        shift = octets.bit_length() - _DIGITS - 1
    steps = octets if octets < _EXACT else ((shift + 1) << _DIGITS) + (octets >> shift) - _EXACT
    return steps.to_bytes(_CODE_BYTES, "big")


def _octets(code: bytes) -> int:
    steps = int.from_bytes(code, "big")
    if steps < _EXACT:
        return steps
    return (steps % _EXACT + _EXACT) << (steps >> _DIGITS) - 1


def figures(row: bytes) -> Iterator[Passed | None]:
    """The figures of a row from the beginning of its day; None where there is none. It may end early."""
    for at in range(0, len(row) - BYTES + 1, BYTES):
        if row[at : at + BYTES] == NOTHING:
            yield None
        else:
            yield Passed(_octets(row[at : at + _CODE_BYTES]), _octets(row[at + _CODE_BYTES : at + BYTES]))
