"""Inventories as tables: comma-separated values, as spreadsheets and scripts write them.

The first row names the columns. A cell is text and nothing else: what looks like a formula, a date or
a number stays as it is written; an empty cell is not there. Semicolons and tabs separate too, since
some spreadsheets write those, and are known from the first row.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.syntax import shown_key
from hostwatch.inventory.base import Enough, Item, Page

SUFFIXES = (".csv",)
LINE_BY_LINE = True
SEPARATORS = ",;\t"
CELL_CHARS_MAX = 10_000
PROGRESS_EVERY = 10_000


def read(page: Page) -> Iterator[Item]:
    """The devices, a row each."""
    text, first = _without_note(page.text())
    separator = max(SEPARATORS, key=text[: _end_of_line(text)].count)
    csv.field_size_limit(CELL_CHARS_MAX)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = next(table, [])
        columns = _columns(page, header, first)
        if columns:
            yield from _items(page, table, columns, first)
    except csv.Error as error:
        page.say(first + table.line_num - 1, "", _explained(str(error)))
        raise Enough from None


def _without_note(text: str) -> tuple[str, int]:
    """Without a first line `sep=;`, a spreadsheet's note to itself; and the number of the first line."""
    if text[:4].lower() == "sep=":
        return text[_end_of_line(text) :].removeprefix("\r").removeprefix("\n"), 2
    return text, 1


def _end_of_line(text: str) -> int:
    ends = [found for sign in "\r\n" if (found := text.find(sign)) >= 0]
    return min(ends, default=len(text))


def _columns(page: Page, header: list[str], line: int) -> tuple[str, ...]:
    """The names of the columns; empty if there is a mistake among them."""
    names = tuple(cell.strip() for cell in header)
    if not any(names):
        page.say(line, "", Wrong("there is no row with the names of the columns", _known(page)))
        return ()
    before = len(page.mistakes)
    for number, name in enumerate(names):
        if name not in page.columns:
            near = difflib.get_close_matches(name.casefold(), page.columns, 1)
            hint = f"did you mean {near[0]}?" if near else f"remove it; {_known(page)}"
            page.say(line, shown_key(name), Wrong("is not a column that is known here", hint))
        elif name in names[:number]:
            page.say(line, name, Wrong("stands twice among the columns", "remove one of the two"))
    for name in page.required:
        if name not in names:
            page.say(line, name, Wrong("is missing among the columns", "add it"))
    return names if len(page.mistakes) == before else ()


def _known(page: Page) -> str:
    return f"known are {', '.join(page.columns)}"


def _items(page: Page, table: Iterator[list[str]], columns: tuple[str, ...], first: int) -> Iterator[Item]:
    width, line = len(columns), first + 1
    nowhere: dict[str, int] = {}
    for number, row in enumerate(table):
        if len(row) > width and any(cell.strip() for cell in row[width:]):
            what = f"has {len(row)} cells, and there are {width} columns"
            page.say(line, "", Wrong(what, "put text that holds a separator in double quotes"))
        else:
            values = {name: cell for name, raw in zip(columns, row, strict=False) if (cell := raw.strip())}
            if values:
                yield Item(line, values, nowhere, True)
        line = first + table.line_num  # type: ignore[attr-defined]
        if number % PROGRESS_EVERY == 0:
            page.progress(line)


def _explained(error: str) -> Wrong:
    if "field larger" in error:
        return Wrong(f"a cell has more than {CELL_CHARS_MAX:,} characters", "close its double quotes")
    if "unexpected end" in error:
        return Wrong("the file ends inside double quotes", "close them")
    if "expected after" in error:
        return Wrong("something stands after closing double quotes", "write a double quote inside as two")
    return Wrong("this is not a row of a table", "look for a stray double quote")
