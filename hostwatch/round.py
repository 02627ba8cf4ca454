"""One round on its way: who is due in it, who was asked, and what waits for its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from hostwatch.core import latency
from hostwatch.core.reading import Answer, Kind
from hostwatch.core.schedule import Turn
from hostwatch.core.world import SliceKey
from hostwatch.pinger import Look

_answer: Final = partial(tuple.__new__, Answer)
"""An answer of all its fields, made without a call of Python's."""


@dataclass(slots=True, eq=False)
class Round:
    """One slice, or a catch-up, on its way."""

    key: SliceKey | None
    """The slice; None outside the schedule."""

    kind: Kind
    era: int
    turns: Mapping[str, Turn]
    """Who is due, by signal, in the order of time."""

    out: set[str] = field(default_factory=set)
    """Who was asked and nothing has come of it yet: a round takes all in hand before their time."""

    held: dict[str, Look] = field(default_factory=dict)
    """Answers that wait for its end, by signal."""

    codes: dict[str, int] = field(default_factory=dict)
    """Latency and loss (`core.latency`) of those who answered and did not wait."""

    def release(self, name: str) -> Answer:
        """An answer waits no longer."""
        look = self.held.pop(name)
        self.codes[name] = code(look)
        return answer(self.turns[name], look)

    def release_all(self) -> tuple[list[Answer], bytes]:
        """All answers that waited, and the codes of all who were due, in the order of time."""
        held, early = self.held, self.codes
        looks = [held.get(name) for name in self.turns]
        codes = [
            early.get(name, latency.NO_FIGURE) if look is None else code(look)
            for name, look in zip(self.turns, looks, strict=True)
        ]
        self.held = {}
        answers = [
            answer(turn, look)
            for turn, look in zip(self.turns.values(), looks, strict=True)
            if look is not None
        ]
        return answers, latency.pack(codes)


def code(look: Look) -> int:
    """Latency and loss of an answer (`core.latency`)."""
    return latency.NO_FIGURE if look[7] is None else latency.code(look[7], look[8])


def answer(turn: Turn, look: Look) -> Answer:
    """An answer to a turn."""
    return _answer((turn[1], turn[0], turn[3], look[2], look[3], look[6], look[7]))
