"""What is wrong with the text of a file before it means anything, in plain words.

The parser's own words are not passed on: they speak of tokens, and may quote a line with a secret.
"""

from __future__ import annotations

import re
from typing import Any

from hostwatch.configuration.mistake import Wrong

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SHOWABLE = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class Unreadable(Exception):
    """The bytes are not text that YAML can be."""

    def __init__(self, line: int, wrong: Wrong) -> None:
        super().__init__(str(wrong))
        self.line = line
        self.wrong = wrong


def decode(data: bytes) -> str:
    """The text. Raises `Unreadable` for other encodings and for control characters."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(line, Wrong("this is not UTF-8", "save the file in the encoding UTF-8")) from None
    control = _CONTROL.search(text)
    if control is not None:
        line = text.count("\n", 0, control.start()) + 1
        what = f"there is a control character (U+{ord(control[0]):04X}) in this line"
        raise Unreadable(line, Wrong(what, "remove it"))
    return text


def shown_key(key: str) -> str:
    """A key for the eyes of people. One that looks like no name may be a misplaced secret."""
    return key if _SHOWABLE.fullmatch(key) else "(a key that is no name)"


PHRASES: tuple[tuple[str, str, str], ...] = (
    ("character '\\t'", "there is a tab where only spaces may stand", "indent with spaces"),
    ("mapping values are not allowed", "a colon stands where none is expected",
     "check the indentation, or put text that contains a colon and a space in quotes"),
    ("could not find expected ':'", "this is not `key: value`", "write a colon and a space after the key"),
    ("unexpected end of stream", "the quotation that begins here is not closed", "close it"),
    ("unexpected document separator", "the quotation that begins here is not closed", "close it"),
    ("expected ',' or ']'", "the bracket [ is not closed properly", "write a comma or ]"),
    ("expected ',' or '}'", "the bracket { is not closed properly", "write a comma or }"),
    ("expected the node content", "a value is missing here", "write one"),
    ("expected <block end>", "the indentation does not fit the lines above", "align it with them"),
    ("sequence entries are not allowed", "a list item stands where none is expected",
     "begin the list on a line of its own, and align its items"),
    ("mapping keys are not allowed", "a key stands where none is expected", "begin it on a line of its own"),
    ("<document start>", "this does not continue what stands above", "align it with the keys above"),
    ("scanning a block scalar", "something stands after | or >", "begin the text on the next line"),
    ("scanning an alias", "* begins an alias, which is not used here", "put the text in quotes"),
    ("scanning an anchor", "& begins an anchor, which is not used here", "put the text in quotes"),
    ("scanning a tag", "! begins a tag, which is not used here", "put the text in quotes"),
    ("unknown escape character", "there is an unknown escape after a backslash", "use single quotes"),
    ("escape sequence", "there is a broken escape after a backslash", "use single quotes"),
    ("that cannot start any token", "this begins with a character that must be quoted", "put it in quotes"),
    ("directive", "a line that begins with % is a directive", "remove it"),
)  # fmt: skip
"""The parser's phrase, what it means, what to do. The first that fits."""

OPENERS = ("quotation", "bracket", "`key: value`")
"""For what these words are about, the line where it began helps more than the line where it ended."""


def explain(error: Any) -> tuple[int, Wrong]:
    """The line and the plain words of a `MarkedYAMLError`."""
    problem = " ".join(str(part) for part in (error.context, error.problem) if part)
    fitting = (words for phrase, *words in PHRASES if phrase in problem)
    wrong, mend = next(fitting, ("this is not valid YAML", "check the indentation, quotes and brackets"))
    marks = [error.problem_mark, error.context_mark]
    if any(word in wrong for word in OPENERS):
        marks.reverse()
    line = next((int(mark.line) + 1 for mark in marks if mark is not None), 1)
    return line, Wrong(wrong, mend)
