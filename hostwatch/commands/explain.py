"""`hostwatch explain E-000042`: what each witness said, when, and what followed from it.

Reads the record and asks nobody: whether the watch runs makes no difference. Exit code 0, or 1 when there is
no such emergency or the record cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from hostwatch.commands import WRONG, add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.core import instant
from hostwatch.core.cause import Cause, Confidence, Slot
from hostwatch.core.causing import evidence_of
from hostwatch.core.exercise import PREFIX
from hostwatch.core.facts import CauseFound
from hostwatch.explaining import ERASED_NAME, Explained, explain, shown
from hostwatch.messages import catalogue, spans
from hostwatch.messages import cause as words
from hostwatch.store.reader import Reader

HELP = "explain an emergency: what each witness said, when, and what followed from it"

LISTED_MAX = 20
"""Causes that are told with their evidence; all are in the JSON."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("reference", metavar="EMERGENCY", help="its reference, such as E-000042")
    parser.add_argument("--language", default="en", help="of the words about causes (en, zh)")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if it is explained, 1 if it cannot be."""
    loaded = load(options.config, read_secrets=False)
    with Reader(loaded.store) as reader:
        found = explain(reader, options.reference)
        said = None if found is None or found.said is None else found.said
        because = "" if said is None else reader.personal(said.because) or "a reason that was erased"
        ordered = (
            "" if said is None or not said.ordered_by else reader.personal(said.ordered_by) or ERASED_NAME
        )
    if found is None:
        print(_unknown(options.reference), file=sys.stderr)
        return WRONG
    if options.json:
        print(json.dumps(found.plain(), ensure_ascii=False))
        return 0
    zone = ZoneInfo(loaded.configuration.site.timezone)
    _Page(zone, options.language).show(found, because, ordered)
    return 0


def _unknown(reference: str) -> str:
    """Why there is nothing to explain."""
    if reference.startswith(PREFIX):
        return f"{reference} is no emergency but an exercise; see hostwatch drill show {reference}"
    return f"the record knows no emergency {reference}"


class _Page:
    """A page for eyes."""

    def __init__(self, zone: ZoneInfo, language: str) -> None:
        self._zone = zone
        self._t = catalogue.words(catalogue.resolve(language))
        self._console = Console(highlight=False, soft_wrap=True)

    def _time(self, when: datetime) -> str:
        return when.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S %z")

    def _line(self, text: str = "", style: str = "") -> None:
        self._console.print(text, style=style, markup=False)

    def show(self, found: Explained, because: str, ordered: str = "") -> None:
        """All of it."""
        emergency = found.emergency
        state = "lasts" if emergency.ended_at is None else f"is over since {self._time(emergency.ended_at)}"
        if emergency.story.corrected_at is not None:
            state += ", and was a false alarm"
        self._line(f"{emergency.reference}: {_about(found)}, {state}", "bold")
        self._bounds(found)
        self._line()
        day = ""
        for event in found.events:
            when = self._time(event.at)
            day, new = when[:10], when[:10] != day
            if new:
                self._line(when[:10], "bold")
            style = "red" if "is down" in event.what or "not told" in event.what else ""
            style = "green" if "is up" in event.what or event.what == "is over" else style
            style = "cyan" if "cause" in event.what else style
            self._line(f"  {when[11:]}  {event.who}: {event.what}", style)
        self._line()
        self._causes(found, because, ordered)

    def _bounds(self, found: Explained) -> None:
        bounds = found.bounds
        so_far = " so far" if bounds["lasts"] else ""
        self._line(f"{_silent(found)} for {_length(bounds, so_far)}")
        self._dates(bounds)
        if bounds["unknown_s"]:
            told = f"of these {spans.words(bounds['unknown_s'])} are not known, and not counted as down"
            self._line(f"{told}: possibly interrupted" if _is_possible(found) else told, "yellow")
        dates = {_dates(one) for one in bounds["parts"]}
        for one in bounds["parts"][:LISTED_MAX] if len(dates) > 1 else ():
            so_far = " so far" if one["last_miss"] is None else ""
            self._line(f"  on {one['on']}: {_length(one, so_far)}")
            self._dates(one, "    ")

    def _dates(self, bounds: Mapping[str, Any], indent: str = "") -> None:
        said = f"began after {self._time(bounds['last_answer'])}, by {self._time(bounds['first_miss'])}"
        self._line(indent + said)
        if bounds["first_answer"] is not None and bounds["last_miss"] is not None:
            last, first = self._time(bounds["last_miss"]), self._time(bounds["first_answer"])
            self._line(f"{indent}ended after {last}, by {first}")

    def _causes(self, found: Explained, because: str, ordered: str) -> None:
        if found.said is not None:
            name = words.name(self._t, Cause(found.said.cause))
            self._line(f"cause, as {found.said.actor} states: {name}; {because}", "bold cyan")
            if ordered:
                self._line(f"  ordered by {ordered}")
            dates = (("from", found.said.since), ("until", found.said.until))
            if span := " ".join(f"{word} {self._time(when)}" for word, when in dates if when is not None):
                self._line(f"  {span}")
        same: dict[tuple[object, ...], list[CauseFound]] = {}
        for cause in found.causes.values():
            is_at_outlet = cause.signal in found.at_outlet
            same.setdefault((cause.cause, cause.confidence, cause.rule, is_at_outlet), []).append(cause)
        for alike in same.values():
            self._cause(alike, is_at_outlet=alike[0].signal in found.at_outlet)
        if not same:
            self._line("no cause has been looked for: nothing is down, or the record is older than that")

    def _cause(self, alike: list[CauseFound], *, is_at_outlet: bool) -> None:
        first = alike[0]
        name = words.name(self._t, Cause(first.cause))
        sure = words.sure(self._t, Confidence(first.confidence))
        names = ", ".join(shown(one.signal) for one in alike[:LISTED_MAX])
        more = f" and {len(alike) - LISTED_MAX} more" if len(alike) > LISTED_MAX else ""
        self._line(f"cause by the rules: {name}, {sure}" + (f" ({first.rule})" if first.rule else ""), "cyan")
        if (outside := words.outside(self._t, Cause(first.cause))) and not is_at_outlet:
            self._line(f"  {outside}")
        self._line(f"  of {names}{more}")
        for one in first.evidence:
            self._line(f"  · {words.said(self._t, evidence_of(one), self._time)}")
        if first.wanting:
            missing = ", ".join(words.whom(self._t, Slot(slot)) for slot in first.wanting)
            self._line(f"  ? nobody spoke of: {missing}")


def _about(found: Explained) -> str:
    """What it is about: its supplies, the first by name, or what it is named after."""
    supplies = found.emergency.story.supplies
    named = [f"supply {name}" for name in supplies[:LISTED_MAX]]
    more = f" and {len(supplies) - LISTED_MAX} more" if len(supplies) > LISTED_MAX else ""
    return (", ".join(named) or shown(found.emergency.signal)) + more


def _is_possible(found: Explained) -> bool:
    """Whether all that is not known is possibly interrupted."""
    return all(one.doubt.seen.is_possible for one in found.doubts)


def _silent(found: Explained) -> str:
    if found.emergency.story.reported:
        return "out of use, as a person reported,"
    return "without power" if found.emergency.story.supplies else "silent"


def _length(bounds: Mapping[str, Any], so_far: str) -> str:
    """As notices tell it: what the dates that are shown come to."""
    point, least, most = (spans.words(bounds[key]) for key in ("counted_s", "at_least_s", "at_most_s"))
    return f"{point}{so_far} (at least {least}, at most {most})"


def _dates(part: Mapping[str, Any]) -> tuple[int | None, ...]:
    """To the second, as they are shown."""
    dates = (part[key] for key in ("last_answer", "first_miss", "last_miss", "first_answer"))
    return tuple(None if when is None else instant.second(when) for when in dates)
