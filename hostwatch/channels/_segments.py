"""How long a text is on a mobile network: in segments, of which a telephone shows several as one message.

What the GSM alphabet can write has 160 septets in one segment, or 153 in each of several; all else is UCS-2,
with 70 or 67 units. Nothing is split between two segments: no pair of an escape, no pair of surrogates
(3GPP TS 23.038, TS 23.040). A longer text is cut at a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

SEGMENTS_MAX: Final = 2
"""Of one notice."""

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each."""

EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Two: an escape stands before it."""

GSM_ONE, GSM_EACH = 160, 153
UCS_ONE, UCS_EACH = 70, 67
WORD_MAX: Final = 30
"""So much is given up at most, that the text ends with a whole word."""


def is_gsm(text: str) -> bool:
    """Whether the GSM alphabet can write it."""
    return all(char in BASIC or char in EXTENDED for char in text)


def segments(text: str) -> int:
    """How many segments a text takes."""
    sizes = _sizes(text)
    one, each = (GSM_ONE, GSM_EACH) if is_gsm(text) else (UCS_ONE, UCS_EACH)
    return 1 if sum(sizes) <= one else _filled(sizes, each)


def fitted(text: str, most: int = SEGMENTS_MAX) -> str:
    """As much of a text as there is room for, ended at a word and with a mark if that is not all."""
    if segments(text) <= most:
        return text
    mark = "..." if is_gsm(text) else "…"
    least, room = 0, len(text)
    while least < room:  # the longest beginning that fits
        middle = (least + room + 1) // 2
        if segments(text[:middle] + mark) <= most:
            least = middle
        else:
            room = middle - 1
    space = text.rfind(" ", max(least - WORD_MAX, 0), least + 1)
    return text[: space if space > 0 else least].rstrip() + mark


def _sizes(text: str) -> Sequence[int]:
    """Of each character, the septets or units that it takes."""
    if is_gsm(text):
        return [2 if char in EXTENDED else 1 for char in text]
    return [2 if ord(char) > 0xFFFF else 1 for char in text]


def _filled(sizes: Iterable[int], each: int) -> int:
    """How many segments are filled one after another."""
    count, left = 0, 0
    for size in sizes:
        if size > left:
            count, left = count + 1, each
        left -= size
    return count
