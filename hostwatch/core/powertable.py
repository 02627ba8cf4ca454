"""The truth table of one point: utility, UPS and output, and what follows from the three words.

Two values follow. *Supplied* is physical: whether there is power at the point. *Interrupted* is the
agreement's word: utility and UPS, as supplied to the customer, are both without power (`colocation C2`). A
UPS that gives nothing is without power, for whatever reason; so the power is interrupted while the utility
is absent and nothing comes out. Where nothing comes out while the utility is there, it is a fault of the
operator's distribution, outside the wording of the agreement.

A word that is unknown stands for each word that it may be. What they do not all come to is unknown: so no
missing word ever makes an interruption. Words that cannot hold together, such as an output with power where
nothing can carry it, are a contradiction, and nothing follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from hostwatch.core.power import Output, Point, Ups, Utility

GIVES_NOTHING: Final = (Ups.DEAD, Ups.BYPASS)
"""Of a UPS without the utility: it is dead, or hangs on the utility itself."""


class Words(NamedTuple):
    """What is said of one point."""

    utility: Utility
    ups: Ups
    output: Output

    @property
    def is_contradiction(self) -> bool:
        """Whether there is power on the output though nothing can carry it."""
        is_carried = self.utility is not Utility.ABSENT or self.ups not in GIVES_NOTHING
        return self.output is Output.POWERED and not is_carried

    @property
    def supplied(self) -> bool | None:
        """Whether there is power at the point; None if that cannot be said."""
        return _SUPPLIED[self]

    @property
    def interrupted(self) -> bool | None:
        """Whether utility and UPS are both without power; None if that cannot be said."""
        return _INTERRUPTED[self]

    @property
    def is_fault(self) -> bool:
        """Whether the utility is there and nothing comes out: a fault of distribution."""
        return self.utility is Utility.PRESENT and self.supplied is False

    @property
    def meaning(self) -> str:
        """In words for people."""
        return MEANINGS[self]


def every() -> list[Words]:
    """All thirty-six combinations."""
    return [Words(utility, ups, output) for utility in Utility for ups in Ups for output in Output]


def _table(rule: Callable[[Words], bool]) -> dict[Words, bool | None]:
    """What a rule, which holds for known words, comes to for all words."""
    table: dict[Words, bool | None] = {}
    for said in every():
        values = {rule(words) for words in _possible(said) if not words.is_contradiction}
        table[said] = values.pop() if len(values) == 1 else None
    return table


def _possible(said: Words) -> Iterator[Words]:
    """The words that these may be, with none of them unknown."""
    for words in every():
        if "unknown" not in words and all(
            mine in ("unknown", its) for mine, its in zip(said, words, strict=True)
        ):
            yield words


_SUPPLIED: Final = _table(lambda words: words.output is Output.POWERED)
_INTERRUPTED: Final = _table(
    lambda words: words.utility is Utility.ABSENT and words.output is Output.UNPOWERED
)


def words(point: Point) -> Words:
    """Those of a point."""
    return Words(point.utility, point.ups, point.output)


def of_utility(point: Point) -> bool | None:
    """Whether a point says that the utility is there."""
    return None if point.utility is Utility.UNKNOWN else point.utility is Utility.PRESENT


def at_line(point: Point) -> bool | None:
    """Whether there is power on a line, where no UPS stands: a panel, a feed, a strip, an outlet.

    What is measured there decides, else whether the utility is there, since nothing else can carry it. A line
    that has power without a utility is a contradiction (`is_odd_line`), and unknown.
    """
    if is_odd_line(point):
        return None
    if point.output is not Output.UNKNOWN:
        return point.output is Output.POWERED
    return of_utility(point)


def is_odd_line(point: Point) -> bool:
    """Whether a point says of a line that it has power, and that it has none."""
    return point.utility is Utility.ABSENT and point.output is Output.POWERED


_HERE, _GONE, _ANY = Utility.PRESENT, Utility.ABSENT, Utility.UNKNOWN
_ABLE, _DEAD, _PAST, _SOME = Ups.ABLE, Ups.DEAD, Ups.BYPASS, Ups.UNKNOWN
_ON, _OFF, _OPEN = Output.POWERED, Output.UNPOWERED, Output.UNKNOWN

MEANINGS: Final[dict[Words, str]] = {
    Words(_HERE, _ABLE, _ON): "all is well",
    Words(_HERE, _ABLE, _OFF): "nothing comes out, though utility and UPS are both there: distribution",
    Words(_HERE, _ABLE, _OPEN): "the utility is there; whether anything comes out is unknown",
    Words(_HERE, _DEAD, _ON): "on the utility alone, since the UPS is dead",
    Words(_HERE, _DEAD, _OFF): "the UPS is off or dead though the utility is there: distribution",
    Words(_HERE, _DEAD, _OPEN): "the UPS is dead; whether the utility comes through is unknown",
    Words(_HERE, _PAST, _ON): "on the utility alone, past the UPS",
    Words(_HERE, _PAST, _OFF): "nothing comes past the UPS, though the utility is there: distribution",
    Words(_HERE, _PAST, _OPEN): "past the UPS; whether the utility comes through is unknown",
    Words(_HERE, _SOME, _ON): "on the utility; whether the UPS could carry it is unknown",
    Words(_HERE, _SOME, _OFF): "nothing comes out, though the utility is there: distribution",
    Words(_HERE, _SOME, _OPEN): "the utility is there; nothing more is known",
    Words(_GONE, _ABLE, _ON): "on battery",
    Words(_GONE, _ABLE, _OFF): "the utility is absent, and the UPS gives nothing, though it says it could",
    Words(_GONE, _ABLE, _OPEN): "the utility is absent; whether the UPS carries is unknown",
    Words(_GONE, _DEAD, _ON): "there is power, though utility and UPS have none: a contradiction",
    Words(_GONE, _DEAD, _OFF): "utility and UPS are both without power",
    Words(_GONE, _DEAD, _OPEN): "utility and UPS are both without power",
    Words(_GONE, _PAST, _ON): "there is power past the UPS, though the utility is absent: a contradiction",
    Words(_GONE, _PAST, _OFF): "past the UPS, on a utility that is absent",
    Words(_GONE, _PAST, _OPEN): "past the UPS, on a utility that is absent",
    Words(_GONE, _SOME, _ON): "there is power without the utility: on battery, as it seems",
    Words(_GONE, _SOME, _OFF): "the utility is absent, and nothing comes out",
    Words(_GONE, _SOME, _OPEN): "the utility is absent; nothing more is known",
    Words(_ANY, _ABLE, _ON): "there is power; from where is unknown",
    Words(_ANY, _ABLE, _OFF): "nothing comes out; whether the utility is there is unknown",
    Words(_ANY, _ABLE, _OPEN): "the UPS could carry; nothing more is known",
    Words(_ANY, _DEAD, _ON): "there is power, which only the utility can give",
    Words(_ANY, _DEAD, _OFF): "the UPS is off or dead; whether the utility is there is unknown",
    Words(_ANY, _DEAD, _OPEN): "the UPS is dead; nothing more is known",
    Words(_ANY, _PAST, _ON): "there is power past the UPS, which only the utility can give",
    Words(_ANY, _PAST, _OFF): "nothing comes past the UPS; whether the utility is there is unknown",
    Words(_ANY, _PAST, _OPEN): "past the UPS; nothing more is known",
    Words(_ANY, _SOME, _ON): "there is power; from where is unknown",
    Words(_ANY, _SOME, _OFF): "nothing comes out; whether the utility is there is unknown",
    Words(_ANY, _SOME, _OPEN): "nothing is known",
}
"""What each combination means."""
