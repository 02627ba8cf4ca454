"""What an unquoted word of YAML means: the core schema of YAML 1.2, and no surprises beside it.

So `no`, `off`, `12:30` and `1_000` are text, `010` is ten, and whatever is quoted is text.
"""

from __future__ import annotations

import re

from hostwatch.configuration.mistake import Wrong

DIGITS_MAX = 18
"""Longer numbers fit into nothing that we keep."""

WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


def meaning(text: str, *, plain: bool) -> bool | int | float | str | None:
    """The value of a scalar; `plain` says that it was not quoted. Raises `Wrong` for huge numbers."""
    if not (text.isascii() or is_text(text)) or "\0" in text:
        raise Wrong("holds something that is no character", "remove the escape after the backslash")
    if not plain:
        return text
    if text in WORDS:
        return WORDS[text]
    if not (text[0].isdigit() or text[0] in "-+."):
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > DIGITS_MAX:
            raise Wrong(f"this number has more than {DIGITS_MAX} digits", "put it in quotes if it is text")
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text, base)
    if _FLOAT.fullmatch(text) and len(text) <= DIGITS_MAX:
        return float(text)
    return text


def is_text(text: str) -> bool:
    """Whether it can be written in UTF-8; an escape such as `"\\ud800"` makes a string that cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
