"""Prints what things cost, side by side with the peers, in one run:  scripts/bench [--rows engine,pace] …

Needs root (network namespaces), a C compiler, and apt-get for the peers. Figures are medians of rounds
taken by turns; compare within one run only. Nothing here fails because something is slow.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from tests.bench import machine, table, tools
from tests.bench import rows as room
from tests.bench.bench import Bench
from tests.bench.table import Line

ORDER = ("engine", "pace", "watch", "endurance", "latency", "evidence", "pages", "configuration")
"""Of the table. A row that is not named here comes after, by its name."""


def rows() -> list[str]:
    """All there are: a row is a file."""
    found = [one.name for one in pkgutil.iter_modules(room.__path__)]
    return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def measured(names: list[str], bench: Bench) -> list[Line]:
    """All lines of some rows. A row that breaks is said to be broken, and the others go on."""
    lines: list[Line] = []
    for name in names:
        measure: Callable[[Bench], Iterator[Line]]
        measure = importlib.import_module(f"tests.bench.rows.{name}").measure
        try:
            lines.extend(measure(bench))
        except Exception as error:
            traceback.print_exc()
            why = f"{type(error).__name__}: {str(error)[:300]}"
            lines.append(table.missing(row=name, measure="all that is not above", asked="", why=why))
    return lines


def main() -> int:
    """0 however slow anything is; 2 when it was asked for what cannot be."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--rows", default=",".join(rows()), help="which rows, with commas (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each contest (default 5; quick 3)")
    parser.add_argument("--quick", action="store_true", help="shorter spans, fewer probes")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args()
    names = options.rows.split(",")
    if unknown := set(names) - set(rows()):
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(rows())}")
    if os.geteuid() != 0:
        parser.error("this makes network namespaces, which needs root: sudo scripts/bench")
    with tempfile.TemporaryDirectory(prefix="hostwatch-bench-") as scratch:
        rounds = options.rounds or (3 if options.quick else 5)
        bench = Bench(rounds=rounds, quick=options.quick, scratch=Path(scratch))
        lines = measured(names, bench)
    facts = machine.facts() | tools.versions() | {"rounds": str(rounds), "quick": str(options.quick).lower()}
    if options.json:
        print(json.dumps({"machine": facts, "lines": table.plain(lines)}, ensure_ascii=False, indent=2))
        return 0
    console = Console(width=max(120, Console().width))
    console.print("\n".join(f"{name}: {value}" for name, value in facts.items()), markup=False)
    table.show(lines, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
