"""What all kinds of inventories share: a page to read, and items that remember their lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hostwatch.configuration import syntax
from hostwatch.configuration.mistake import MISTAKES_MAX, Mistake, Wrong

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Item(NamedTuple):
    """One device as it is written."""

    line: int
    """Where it begins, from 1."""

    values: dict[str, Any]
    """By key; what is not written is not there."""

    lines: dict[str, int]
    """Where the values stand, if not in the line where the item begins."""

    is_text: bool
    """Whether all values are text, because the form knows nothing else."""


class Enough(Exception):
    """The rest of the file is not read: so much is wrong with it that nobody would read on."""


@dataclass(slots=True, kw_only=True)
class Page:
    """One file that is being read."""

    name: str
    """As the user wrote it."""

    data: bytes
    columns: tuple[str, ...] = ()
    """The keys that a device may have; those inside another key with a dot between."""

    required: tuple[str, ...] = ()
    mistakes: list[Mistake] = field(default_factory=list)
    progress: Callable[[int], None] = lambda line: None
    """Told now and then how far it is."""

    def say(self, line: int | None, key: str, wrong: Wrong) -> None:
        """Note a mistake. Raises `Enough` when there are too many."""
        self.mistakes.append(Mistake(file=self.name, line=line, key=key, wrong=wrong.wrong, mend=wrong.mend))
        if len(self.mistakes) > MISTAKES_MAX:
            raise Enough

    def text(self) -> str:
        """The whole text without the mark that some programs write first. Raises `Enough` if it is none."""
        try:
            return syntax.decode(self.data.removeprefix(BYTE_ORDER_MARK))
        except syntax.Unreadable as unreadable:
            self.say(unreadable.line, "", unreadable.wrong)
            raise Enough from None
