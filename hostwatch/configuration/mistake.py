"""What is wrong with a configuration, and what to do about it.

Mistakes are values: they are collected, sorted and shown all at once, and never hold a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class Wrong(ValueError):
    """Raised by a rule about one value. The place is added by whoever knows it."""

    def __init__(self, wrong: str, mend: str = "") -> None:
        super().__init__(f"{wrong}, {mend}" if mend else wrong)
        self.wrong = wrong
        self.mend = mend


MISTAKES_MAX = 1_000
"""More are counted, not shown: nobody reads them, and one cause makes most of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong, where it stands, and how to mend it. A warning has the same shape."""

    file: str
    """As the user named it; an included file relative to that."""

    line: int | None
    """Counted from 1; None when the file as a whole is meant."""

    key: str
    """The way from the top, such as `customers[acme].devices[1].address`; empty for the whole file."""

    wrong: str
    mend: str

    @property
    def place(self) -> str:
        """File, line and key, without a word of what stands there."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key}" if self.key else where

    def __str__(self) -> str:
        return f"{self.place}: {self.wrong}, {self.mend}" if self.mend else f"{self.place}: {self.wrong}"

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "file": self.file,
            "line": self.line,
            "key": self.key,
            "wrong": self.wrong,
            "mend": self.mend,
            "text": str(self),
        }


class BadConfiguration(Exception):
    """A configuration that cannot come into force, with every reason."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = _bounded(in_order(mistakes))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """By file and line, each once."""
    unique = dict.fromkeys(mistakes)
    return tuple(sorted(unique, key=lambda m: (m.file, m.line or 0, m.key, m.wrong)))


def _bounded(mistakes: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    if len(mistakes) <= MISTAKES_MAX:
        return mistakes
    more = f"{len(mistakes) - MISTAKES_MAX} more mistakes are not shown"
    note = Mistake(file=mistakes[MISTAKES_MAX].file, line=None, key="", wrong=more, mend="mend these first")
    return (*mistakes[:MISTAKES_MAX], note)
