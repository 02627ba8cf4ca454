"""What hangs on what: `any(a, b)` where one of several is enough, `all(a, b)` where each is needed.

Values are true, false or unknown (None), and unknown stays unknown unless the others decide already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

NAMES_MAX: Final = 64
"""Names in one expression."""

DEPTH_MAX: Final = 8

_WORD = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._:-]*(?:/[A-Za-z0-9._:/-]+(?: [A-Za-z0-9._:/-]+)*)?|[(),])")
"""A name, in which there may be spaces after a slash (`pdu-1/outlet 7`), or a sign."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One name, or several of which any or all are needed."""

    needs: str
    """`any`, `all`, or the name itself where `parts` is empty."""

    parts: tuple[Expression, ...] = ()

    def __str__(self) -> str:
        if not self.parts:
            return self.needs
        return f"{self.needs}({','.join(map(str, self.parts))})"

    @property
    def names(self) -> tuple[str, ...]:
        """All names in it, each once, in their order."""
        return tuple(dict.fromkeys(self._names()))

    def _names(self) -> Iterator[str]:
        if not self.parts:
            yield self.needs
        for part in self.parts:
            yield from part._names()

    def value(self, known: Callable[[str], bool | None]) -> bool | None:
        """Whether it holds, by what is known of each name."""
        if not self.parts:
            return known(self.needs)
        values = [part.value(known) for part in self.parts]
        deciding = self.needs == "any"
        if deciding in values:
            return deciding
        return None if None in values else not deciding

    def changed(self, other: Callable[[str], Expression]) -> Expression:
        """The same with another expression in the place of each name, in the shortest form."""
        if not self.parts:
            return other(self.needs)
        return joined(self.needs, [part.changed(other) for part in self.parts])


def name(text: str) -> Expression:
    """A single name."""
    return Expression(text)


def joined(needs: str, parts: list[Expression]) -> Expression:
    """`any` or `all` of some, each once, in the order of their texts; one alone is itself."""
    flat = [inner for part in parts for inner in (part.parts if part.needs == needs else (part,))]
    unique = tuple(sorted(dict.fromkeys(flat), key=str))
    return unique[0] if len(unique) == 1 else Expression(needs, unique)


def parse(text: str) -> Expression:
    """The expression that a text says. Raises `ValueError` with words for people."""
    words, place = [], 0
    while text[place:].strip():
        found = _WORD.match(text, place)
        if found is None:
            raise ValueError(f"has {text[place:].strip()[:1]!r}, which belongs to no name")
        words.append(found[1])
        place = found.end()
    whole, left = _parse(words, 0)
    if left:
        raise ValueError(f"goes on with {left[0]!r} where it should end")
    if len(whole.names) > NAMES_MAX:
        raise ValueError(f"has more than {NAMES_MAX} names")
    return whole


def _parse(words: list[str], depth: int) -> tuple[Expression, list[str]]:
    if depth > DEPTH_MAX:
        raise ValueError(f"is more than {DEPTH_MAX} deep")
    if not words or words[0] in "(),":
        raise ValueError(
            f"has {words[0]!r} where a name should be" if words else "ends where a name should be"
        )
    first, *rest = words
    if first not in ("any", "all") or rest[:1] != ["("]:
        return Expression(first), rest
    parts, separator = [], ","
    while separator == ",":
        part, rest = _parse(rest[1:], depth + 1)
        parts.append(part)
        separator = rest[0] if rest else ""
    if separator != ")":
        raise ValueError(f"lacks the closing parenthesis of {first}(")
    return joined(first, parts), rest[1:]
