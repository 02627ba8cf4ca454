"""Kills the watch at every system call of a scripted run, several points side by side.

Run as a program with a single thread: `python -m tests.faults.sweep --folder F --most 300`; `--play talk` is
the talk with people instead of the outages. Each point is a process with a network of its own; what it
found comes back as a line of JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from tests.faults.plays import PLAYS
from tests.faults.point import Result, play
from tests.faults.spare import CALLS

IMPORTED = (
    *(f"hostwatch.commands.{name}" for name in ("run", "status", "report")),
    *(f"hostwatch.channels.{name}" for name in ("email", "person", "sms", "webhook")),
    "hostwatch.reports.json",
    "aiohttp",
    "aiosmtplib",
)
"""What a watch imports while it runs, imported once here for all that are forked from us."""

MARGIN = 1.1
"""A run has not always the same number of calls: the sweep goes a little beyond the one that was counted."""

GOLDEN = (5**0.5 - 1) / 2
PROGRESS_S = 10.0


def counted(trace: Path) -> dict[str, int]:
    """How many calls of each kind the busiest thread made; strace counts each thread for itself."""
    each = Counter(re.findall(r"^(\d+) +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE))
    return {call: max([n for (_, name), n in each.items() if name == call], default=0) for call in CALLS}


def points(counts: dict[str, int], most: int, seed: int = 0) -> list[tuple[str, int]]:
    """The points to be swept, in an order whose every beginning lies evenly over the whole range.

    Another seed begins elsewhere.
    """
    whole = [(call, k) for call, n in counts.items() for k in range(1, int(n * MARGIN) + 1)]
    order = sorted(range(len(whole)), key=lambda place: (place + seed) * GOLDEN % 1)
    return [whole[place] for place in order[: most or None]]


class Sweep:
    """The points that are under way, each a child of ours."""

    def __init__(self, what: str, folder: Path, beside: int, within_s: float) -> None:
        """`beside`: how many at one time; after `within_s` no more are begun."""
        self._what = what
        self._folder = folder
        self._beside = beside
        self._until = time.monotonic() + within_s
        self._running: dict[int, Path] = {}

    def run(self, wanted: Sequence[tuple[str, int]]) -> Iterator[Result]:
        """Play them all; results in the order in which they end."""
        for call, number in wanted:
            if len(self._running) >= self._beside:
                yield self._reaped()
            if time.monotonic() > self._until:
                break
            self._start(call, number)
        while self._running:
            yield self._reaped()

    def _start(self, call: str, number: int) -> None:
        place = self._folder / f"{call}-{number}"
        verdict = self._folder / f"{call}-{number}.json"
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                result = play(self._what, call, number, place)
                verdict.write_text(json.dumps(result.as_json()))
                code = 0
            finally:
                os._exit(code)
        self._running[pid] = verdict

    def _reaped(self) -> Result:
        pid, _ = os.wait()
        verdict = self._running.pop(pid)
        if not verdict.exists():
            call, _, number = verdict.stem.partition("-")
            return Result(call, int(number), faults=["the point ended without a verdict"])
        result = Result(**json.loads(verdict.read_text()))
        verdict.unlink()
        return result


def count_calls(what: str, folder: Path) -> dict[str, int]:
    """The calls of a run that nobody kills, and that must be without a fault."""
    trace = folder / "trace"
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            result = play(what, "none", 0, folder / "reference", trace)
            for fault in [*result.faults, *(["told twice without a kill"] if result.repeats else [])]:
                print(f"reference run: {fault}", file=sys.stderr)
            code = int(bool(result.faults or result.repeats))
            print(f"reference run: {result.took_s:.1f} s, {result.facts} facts", file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(code)
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit("the run is not sound even when nobody is killed")
    return counted(trace)


def main() -> int:
    """0 when no point found a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument(
        "--play", choices=PLAYS, default="outages", help="what happens (default: %(default)s)"
    )
    parser.add_argument("--most", type=int, default=0, help="at most this many points; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="which of them, if not all")
    parser.add_argument("--point", action="append", help="this one alone, such as sendto:173")
    parser.add_argument("--beside", type=int, default=6, help="points at one time")
    parser.add_argument("--within", type=float, default=float("inf"), help="seconds; then no more are begun")
    parser.add_argument("--only", choices=CALLS, action="append", help="only this call")
    options = parser.parse_args()
    for name in IMPORTED:
        import_module(name)
    gc.freeze()  # pages that are never touched are never copied
    options.folder.mkdir(parents=True, exist_ok=True)
    counts = {
        c: n for c, n in count_calls(options.play, options.folder).items() if c in (options.only or CALLS)
    }
    wanted = points(counts, options.most, options.seed)
    if options.point:
        pairs = [point.split(":") for point in options.point]
        wanted = [(call, int(number)) for call, number in pairs]
    whole = len(points(counts, 0))
    print(f"sweeping {len(wanted)} of {whole} points, seed {options.seed}: {counts}", file=sys.stderr)
    began = said = time.monotonic()
    done: list[Result] = []
    for result in Sweep(options.play, options.folder, options.beside, options.within).run(wanted):
        done.append(result)
        print(json.dumps(result.as_json()), flush=True)
        for fault in result.faults:
            print(f"{result.call} {result.number} ({result.stage}): {fault}", file=sys.stderr)
        if time.monotonic() - said > PROGRESS_S:
            said = time.monotonic()
            print(f"{len(done)} of {len(wanted)}, {said - began:.0f} s", file=sys.stderr)
    print(summary(done, whole, time.monotonic() - began), file=sys.stderr)
    return int(any(result.faults for result in done))


def summary(done: Sequence[Result], whole: int, took_s: float) -> str:
    """The sweep in one paragraph."""
    stages = Counter(result.stage for result in done if result.hit)
    return (
        f"swept {len(done)} of {whole} points in {took_s:.0f} s"
        f" ({took_s / max(len(done), 1):.2f} s each, alone {_mean(r.took_s for r in done):.1f} s):"
        f" {sum(r.hit for r in done)} kills hit, {sum(r.repeats for r in done)} marked as repeats,"
        f" slowest first look {max((r.looked_after_s for r in done), default=0):.2f} s,"
        f" {sum(bool(r.faults) for r in done)} points with faults; kills by stage: {dict(stages)}"
    )


def _mean(numbers: Iterator[float]) -> float:
    found = [*numbers]
    return sum(found) / max(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
