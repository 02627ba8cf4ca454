"""The tables of `docs/power.md`, and the page `docs/sources.md`, made from the code:  scripts/pages

In `docs/power.md` a table stands between two comments that nobody sees; all else there is written by hand.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Final

from hostwatch import power
from hostwatch.core import lastseen, powertable, upswords
from hostwatch.core.power import Point, Ups
from hostwatch.core.upswords import CONCERNS, WORDS
from hostwatch.power import base
from tests.checks import page
from tests.power.dumps import DUMPS, ODD

DOCS: Final = Path(__file__).parents[2] / "docs"
POWER: Final = DOCS / "power.md"
SOURCES: Final = DOCS / "sources.md"

VALUES: Final = {True: "yes", False: "no", None: "unknown"}

OPENING: Final = """\
# Sources: who says how it stands with power

A source is asked again and again what it knows of power: a UPS, a power strip, a transfer switch, a meter,
a server. `scripts/pages` makes this page from the code; what follows from their words is on the page of
[power](power.md).

Sources are asked in the process of the checkers, each within its `timeout`. One that does not answer, or says
nothing that can be understood, is not heard: what it said before is not believed any more, and nobody knows.

## Settings of every source

"""

STATES: Final = (
    *("OL", "OL CHRG", "OB DISCHRG", "OB LB", "OB OFF", "OL OFF", "OFF", "OL BYPASS", "OB BYPASS", "BYPASS"),
    *("OB CAL", "OB TEST", "OL DISCHRG OB", "OL OB OFF", "ALARM OL FSD", "BOOST BYPASS", "ALARM", "WAIT", ""),
)
"""Told of, or feared; those that were seen are in `tests.power.dumps`."""

BESIDE: Final = (
    ("OFF", "230", ""),
    ("OFF", "0", ""),
    ("OFF", "0", "0"),
    ("BYPASS", "0", ""),
    ("OL OFF", "230", "230"),
    ("OB OFF", "0", "230"),
    ("OL", "0", "0"),
    ("OB", "0", "0"),
    ("OB", "230", "230"),
    ("", "230", "230"),
)
"""A status, the volts at the input and at the output."""

DECIDING: Final = ("OL", "OB", "OFF", "BYPASS", "CAL")


def truth() -> str:
    """All thirty-six combinations."""
    rows = ["| utility | UPS | output | supplied | interrupted | meaning |", "|---|---|---|---|---|---|"]
    for words in powertable.every():
        first = f"| {words.utility} | {words.ups} | {words.output}"
        rows.append(f"{first} | {VALUES[words.supplied]} | {VALUES[words.interrupted]} | {words.meaning} |")
    return "\n".join(rows)


def lines() -> str:
    """Utility and output where no UPS stands."""
    rows = ["| utility | output | supplied |", "|---|---|---|"]
    for words in powertable.every():
        if words.ups is Ups.UNKNOWN:
            point = Point(utility=words.utility, output=words.output)
            told = (
                "unknown: a contradiction"
                if powertable.is_odd_line(point)
                else VALUES[powertable.at_line(point)]
            )
            rows.append(f"| {words.utility} | {words.output} | {told} |")
    return "\n".join(rows)


def words() -> str:
    """Each word of NUT."""
    rows = ["| word | it says | concern |", "|---|---|---|"]
    for word, told in WORDS.items():
        concern = (
            "on battery, unless `CAL` or `TEST` stands beside it" if word == "OB" else CONCERNS.get(word, "–")
        )
        rows.append(f"| `{word}` | {told} | {concern} |")
    return "\n".join(rows)


def states() -> str:
    """What some states come to."""
    head = "| `ups.status` | utility | UPS | output | supplied | interrupted |"
    return "\n".join(
        [head, "|---|---|---|---|---|---|", *(f"| {_shown(one)} | {_read(one)} |" for one in STATES)]
    )


def dumps() -> str:
    """What real devices say."""
    head = "| `ups.status` | dumps | one of them | driver | utility | UPS | output | supplied | interrupted |"
    rows = [head, "|---|---|---|---|---|---|---|---|---|"]
    rows += [
        f"| {_shown(one.status)} | {one.seen} | {one.device} | {one.driver} | {_read(one.status)} |"
        for one in DUMPS
    ]
    return "\n".join(rows)


def odd() -> str:
    """Those whose words and figures do not go together."""
    first = "| `ups.status` | input V | output V | device | what is true"
    head = f"{first} | utility | UPS | output | supplied | interrupted |"
    rows = [head, "|---|---|---|---|---|---|---|---|---|---|"]
    for one in ODD:
        volts = f"{one.inside or '–'} | {one.outside or '–'}"
        found = _read(one.status, one.inside, one.outside)
        rows.append(f"| {_shown(one.status)} | {volts} | {one.device} | {one.truth} | {found} |")
    return "\n".join(rows)


def combinations() -> str:
    """Every combination of the words that decide."""
    rows = ["| words | utility | UPS | output | supplied | interrupted |", "|---|---|---|---|---|---|"]
    for number in range(2 ** len(DECIDING)):
        chosen = " ".join(word for place, word in enumerate(DECIDING) if number >> place & 1)
        rows.append(f"| {_shown(chosen)} | {_read(chosen)} |")
    return "\n".join(rows)


def voltages() -> str:
    """What a voltage makes of them."""
    head = "| `ups.status` | input V | output V | utility | UPS | output | supplied | interrupted |"
    rows = [head, "|---|---|---|---|---|---|---|---|"]
    rows += [
        f"| {_shown(status)} | {inside or '–'} | {outside or '–'} | {_read(status, inside, outside)} |"
        for status, inside, outside in BESIDE
    ]
    return "\n".join(rows)


def last() -> str:
    """How it was seen last, and what is said of the time since."""
    rows = ["| seen last | that is | the time since is |", "|---|---|---|"]
    for one in lastseen.Last:
        told = "unknown, *possibly interrupted*" if one.is_possible else "unknown"
        rows.append(f"| {one.words} | {lastseen.MEANINGS[one]} | {told} |")
    return "\n".join(rows)


def _shown(status: str) -> str:
    return f"`{status}`" if status else "(empty)"


def _read(status: str, inside: str = "", outside: str = "") -> str:
    figures = {"input.voltage": inside, "output.voltage": outside}
    said = {"ups.status": status} | {name: volts for name, volts in figures.items() if volts}
    found = powertable.words(upswords.reading(said).point(""))
    told = VALUES[found.supplied], VALUES[found.interrupted]
    return " | ".join((*found, *told))


TABLES: Final = {
    "the truth table": truth,
    "lines": lines,
    "words": words,
    "states": states,
    "dumps": dumps,
    "odd": odd,
    "combinations": combinations,
    "voltages": voltages,
    "seen last": last,
}


def power_page(written: str) -> str:
    """The page with its tables made anew."""
    for name, made in TABLES.items():
        before, begins, rest = written.partition(f"<!-- made from the code: {name} -->")
        _, ends, after = rest.partition("<!-- as far as that -->")
        assert ends, f"docs/power.md has no place for: {name}"
        written = f"{before}{begins}\n\n{made()}\n\n{ends}{after}"
    return written


def sources_page() -> str:
    """All kinds and their settings."""
    parts = [OPENING, page.HEAD, *page._rows(base.Settings), page.OF_TLS, page.HEAD, *page._rows(base.Tls)]
    for kind in power.kinds():
        module = power.room(kind)
        told = inspect.cleandoc(module.__doc__ or "")
        parts.append(f"\n## {kind}\n\n{told}\n\n```yaml\n{module.EXAMPLE.strip()}\n```\n\n")
        parts += [page.HEAD, *page._rows(module.Settings, besides=(base.Settings, base.Tls))]
    return "".join(parts)


def main() -> None:
    """Write both."""
    POWER.write_text(power_page(POWER.read_text(encoding="utf-8")), encoding="utf-8")
    SOURCES.write_text(sources_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
