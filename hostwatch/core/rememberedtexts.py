"""What texts were read as, kept ready for those that are said again, within bounds of what it holds.

Who says much is kept as whole as who says little, so entries alone bound nothing: a source may say five
hundred points each time anew. Texts are kept by classes of length, each with room for so many characters.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

CHARS_MAX: Final = 2**21
"""Of all texts of one class, each as long as the class allows."""

CLASSES: Final = (2**9, 2**11, 2**13, 2**15, 2**17)
"""Up to how many characters a text of each class has. A longer one is read each time."""

Read = TypeVar("Read")


def remembered(read: Callable[[str], Read]) -> Callable[[str], Read]:
    """The same reading of texts, and those that were read lately are kept. What it raises is not."""
    kept = [(chars, lru_cache(maxsize=CHARS_MAX // chars)(read)) for chars in CLASSES]

    def found(text: str) -> Read:
        for chars, reader in kept:
            if len(text) <= chars:
                return reader(text)
        return read(text)

    return found
