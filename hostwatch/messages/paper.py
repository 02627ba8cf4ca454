"""A notice as a page for a fax machine: what stands where, as data. How it looks is for who draws it.

All is text, also what comes from outside. What is too much for a page is counted, never left out silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from gettext import NullTranslations
from typing import Any, Final
from zoneinfo import ZoneInfo

from hostwatch.messages import catalogue
from hostwatch.messages.fit import cut, line, listed
from hostwatch.messages.sheet import Sheet, row, rows

ROWS_MAX: Final = 100
"""Lines of evidence on the pages of one notice; of further emergencies only the references."""

VALUE_MAX_CHARS: Final = 600
"""Of one line of evidence."""

FURTHER_MAX_CHARS: Final = 1_500
"""Of the references of emergencies that are not listed."""


def page(
    sheet: Sheet,
    *,
    references: Sequence[str],
    zone: ZoneInfo,
    site: str,
    customer_name: str,
    contact_name: str,
) -> Mapping[str, Any]:
    """What stands on it, JSON types only. `references`: of the emergencies, one for each block or none."""
    t = catalogue.words(sheet.language)
    shown = _fitting(sheet.blocks)
    known = [one for one in dict.fromkeys(references) if one]
    return {
        "language": sheet.language,
        "zone": zone.key,
        "words": {
            "fax": t.gettext("FAX"),
            "from": t.gettext("Sent by"),
            "to": t.gettext("To"),
            "number": t.gettext("Fax number"),
            "sent": t.gettext("Sent at"),
            "reference": t.gettext("Reference"),
            "page": t.gettext("Page"),
        },
        "from": line(site),
        "to": ", ".join(line(name) for name in (contact_name, customer_name)),
        "references": listed(known, VALUE_MAX_CHARS) if known else "",
        "first": sheet.first,
        "marks": [*sheet.marks],
        "blocks": [_block(block) for block in sheet.blocks[:shown]],
        "further": _further(t, len(sheet.blocks) - shown, references[shown:]),
        "steps": [_row(step) for step in sheet.steps],
        "closing": [*sheet.closing],
    }


def _fitting(blocks: Sequence[tuple[str, ...]]) -> int:
    """How many blocks have room; the first always has."""
    room = ROWS_MAX
    for number, block in enumerate(blocks):
        room -= len(block)
        if room < 0 and number > 0:
            return number
    return len(blocks)


def _block(block: tuple[str, ...]) -> list[dict[str, Any]]:
    found = [{**_said(one.label, one.colon, one.value), "heading": one.is_heading} for one in rows(block)]
    if len(found) <= ROWS_MAX:
        return found
    left = {"label": "", "value": f"+{len(found) - ROWS_MAX}", "heading": False}
    return [*found[:ROWS_MAX], left]


def _row(step: str) -> dict[str, Any]:
    one = row(step)
    return _said(one.label, one.colon, one.value)


def _said(label: str, colon: str, value: str) -> dict[str, Any]:
    return {"label": f"{label}{colon}".rstrip(), "value": cut(value, VALUE_MAX_CHARS)}


def _further(t: NullTranslations, many: int, references: Sequence[str]) -> str:
    """Of emergencies that have no room on it."""
    if many <= 0:
        return ""
    pattern = t.ngettext(
        "%(count)d more emergency, for which there is no room here: %(references)s",
        "%(count)d more emergencies, for which there is no room here: %(references)s",
        many,
    )
    return pattern % {"count": many, "references": listed(references, FURTHER_MAX_CHARS)}
