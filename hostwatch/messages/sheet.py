"""A notice in words, part by part: the text, the HTML and whatever else is laid out are all made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hostwatch.core.notice import Kind

LABEL_MAX_CHARS: Final = 60
_LABEL: Final = re.compile(rf"([^\d():：（]{{1,{LABEL_MAX_CHARS}}}?)(: |：)(?=\S)", re.ASCII)
"""What stands before the first colon, unless it is more than words of ours."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the evidence."""

    label: str
    """What it says something of; empty if it is a sentence."""

    value: str
    colon: str = ""
    """What stands between them in the language."""

    is_heading: bool = False
    """Whether it says what the lines that are set in below it are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a notice says. All of it is printable, and each string is one line."""

    language: str
    """As resolved, such as `zh-Hans`."""

    kind: Kind
    first: str
    """Says it all; the subject too."""

    marks: tuple[str, ...]
    """What the marks at the beginning of the first line mean."""

    blocks: tuple[tuple[str, ...], ...]
    """The evidence of each emergency. A line that is set in by two spaces belongs to one that is not."""

    steps: tuple[str, ...]
    """What happens next."""

    closing: tuple[str, ...]
    """For whom, and from whom."""

    asks: str = ""
    """What the links are for."""

    links: tuple[tuple[str, str], ...] = ()
    """By which people say that they have one of several emergencies: its reference, and the address."""

    @property
    def text(self) -> str:
        """The whole as plain text, the parts with an empty line between them."""
        parts = ((self.first,), self.marks, *self.blocks, self.steps, self.closing)
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def rows(block: tuple[str, ...]) -> Iterator[Row]:
    """The lines of a block, with what each is about."""
    for line, following in zip(block, (*block[1:], ""), strict=True):
        if not line.startswith("  ") and following.startswith("  "):
            yield Row("", line, is_heading=True)
        else:
            yield row(line.strip())


def row(line: str) -> Row:
    """`Device: acme-web-1` as a label and a value; a sentence has no label."""
    found = _LABEL.match(line)
    return Row(found[1], line[found.end() :], found[2]) if found else Row("", line)
