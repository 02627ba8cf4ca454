"""Programs that do the same, by turns: each round runs all of them once, so that a busy hour hits all."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import tools, usage
from tests.bench.network import Network
from tests.bench.table import Line, middle, versus
from tests.bench.tools import ROOT


@dataclass(slots=True)
class Contestant:
    """One way to ping a list, and what its runs brought."""

    name: str
    words: Sequence[str]
    probes: int
    prints_json: bool = True
    """Whether it says itself what it used and found. One that does not is counted whole, its start too."""

    runs: list[usage.Run] = field(default_factory=list)

    def run(self, network: Network) -> None:
        """Once."""
        done = usage.run(network.measured(*self.words), cwd=ROOT)
        if done.code != 0 and self.prints_json:
            raise RuntimeError(f"{self.name} ended with {done.code}: {done.err.strip()[-500:]}")
        self.runs.append(done)

    @property
    def cpu_us(self) -> float:
        """Processor time of one probe."""
        return middle(self._cpu_s(one) / self.probes * 1e6 for one in usage.best(self.runs))

    @property
    def rate(self) -> float:
        """Probes a second of wall time, from the first to the end of the last."""
        return middle(
            self.probes / self._said(one).get("wall_s", one.wall_s) for one in usage.best(self.runs)
        )

    @property
    def answered(self) -> int:
        """How many were found alive, in the worst run."""
        return int(min(self._said(one)["answered"] for one in self.runs))

    @property
    def said(self) -> dict[str, Any]:
        """What it printed in its last run."""
        return self._said(self.runs[-1])

    @property
    def noisy(self) -> bool:
        """Whether there were no two runs without much other work."""
        return sum(one.clean for one in self.runs) < min(2, len(self.runs))

    def _said(self, one: usage.Run) -> dict[str, Any]:
        if not self.prints_json:
            return {"answered": sum(" is alive" in line for line in one.out.splitlines())}
        said: dict[str, Any] = json.loads(one.out)
        return said

    def _cpu_s(self, one: usage.Run) -> float:
        said = self._said(one)
        own = said.get("cpu_s", said.get("user_s", 0.0) + said.get("sys_s", 0.0))
        return float(own) or one.cpu_s


def ours(path: Path, probes: int, *more: str) -> Contestant:
    """Our engine."""
    return Contestant("hostwatch", [sys.executable, "-m", "tests.bench.pinging", str(path), *more], probes)


def fping(path: Path, probes: int, *more: str) -> Contestant:
    """fping, one packet to each."""
    words = [tools.program("fping"), "-r", "0", "-t", "1000", *more, "-f", str(path)]
    return Contestant(f"fping {' '.join(more)}", words, probes, prints_json=False)


def limit(path: Path, probes: int, *more: str) -> Contestant:
    """A loop in C."""
    return Contestant("C, sendmmsg", [tools.compiled("echo_loop"), *more, str(path)], probes)


def icmplib(path: Path, probes: int, tasks: int, kind: str) -> Contestant:
    """icmplib over a socket for each target."""
    words = [sys.executable, "-m", "tests.bench.peer_icmplib", str(path), str(tasks), kind]
    return Contestant(f"icmplib, {tasks} tasks, {kind}", words, probes)


def hold(network: Network, contestants: Sequence[Contestant], rounds: int) -> None:
    """Run all of them by turns."""
    for _ in range(rounds):
        for contestant in contestants:
            contestant.run(network)


def cpu_line(row: str, asked: str, ours: Contestant, peer: Contestant, goal: float | None, note: str) -> Line:
    """What a probe takes of the processor, ours beside theirs."""
    return versus(
        row=row,
        measure="CPU a probe",
        asked=asked,
        ours=ours.cpu_us,
        theirs=peer.cpu_us,
        goal=goal,
        whose=peer.name,
        note=note,
    )


def noise(contestants: Sequence[Contestant]) -> str:
    """What there is to say of other work."""
    noisy = [one for one in contestants if one.noisy]
    if not noisy:
        return ""
    others = max(run.others for one in noisy for run in one.runs)
    return f"other work took up to {others:.1f} cores meanwhile: compare only within a line"
