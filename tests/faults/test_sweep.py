"""`kill -9` at the write and send system calls of scripted runs: nothing acknowledged is lost.

Of three outages a few hundred points, evenly over the whole range, in every run of the tests, and some of the
talk with people, others each time; all of them by `scripts/killsweep`.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
POINTS = 300
POINTS_MIN = 100
WITHIN_S = 300
"""On a slow machine fewer points are swept, still evenly over the run: the last line says how many."""

BESIDE = 10
"""Points at one time: each mostly waits for its own little outages."""


TALK_POINTS = 24
TALK_WITHIN_S = 40
TALK_POINTS_MIN = 5
TALK_BESIDE = 5


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a control socket lies in each point's, and its path must not be long."""
    with tempfile.TemporaryDirectory(prefix="sweep-") as name:
        yield Path(name)


def sweep(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Sweep in a process with a single thread; what each point found. Its progress goes to standard error."""
    command = [sys.executable, "-m", "tests.faults.sweep", "--folder", str(folder)]
    swept = subprocess.run([*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    results = [json.loads(line) for line in swept.stdout.splitlines()]
    faults = {f"{one['call']} {one['number']}": one["faults"] for one in results if one["faults"]}
    assert faults == {}
    assert swept.returncode == 0
    return results


def talk(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """Each of its watches has a process that hears callbacks: fewer points at one time."""
    return sweep(folder, "--play", "talk", "--beside", str(TALK_BESIDE), *arguments)


def hits_of(results: list[dict[str, Any]], points: int, share: float = 0.5) -> list[dict[str, Any]]:
    """A sweep that hit nothing would find nothing. A run that takes long has points that others have not."""
    assert len(results) >= points
    hits = [one for one in results if one["hit"]]
    assert len(hits) >= share * len(results)
    return hits


def well_swept(results: list[dict[str, Any]], points: int) -> None:
    """All that is written and sent, over the whole run, and in the middle of a message too."""
    hits = hits_of(results, points, 0.8)
    assert {one["call"] for one in hits} >= {"pwrite64", "fdatasync", "sendto", "write"}
    assert {one["stage"] for one in hits} >= {"proving", "telling 1", "recovery 1", "telling 3", "recovery 3"}
    assert sum(one["repeats"] for one in hits) > 0


@pytest.mark.lab
@pytest.mark.timeout(600)
def test_killed_at_points_over_the_whole_run(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        well_swept(
            sweep(folder, "--beside", str(BESIDE), "--most", str(POINTS), "--within", str(WITHIN_S)),
            POINTS_MIN,
        )


@pytest.mark.sweep
@pytest.mark.timeout(0)
def test_killed_at_every_point(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        well_swept(sweep(folder, "--beside", str(BESIDE)), POINTS)


@pytest.mark.lab
@pytest.mark.timeout(300)
def test_killed_while_people_are_told_and_answer(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The points are others each time: the sweep says its seed, and which of them failed."""
    seed, most = str(secrets.randbelow(1_000_000)), str(TALK_POINTS)
    with capfd.disabled():
        found = sweep(
            folder, "--play", "talk", "--most", most, "--seed", seed, "--within", str(TALK_WITHIN_S)
        )
    hits_of(found, TALK_POINTS_MIN)


@pytest.mark.sweep
@pytest.mark.timeout(0)
def test_killed_at_every_point_of_the_talk(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        hits = hits_of(talk(folder), TALK_POINTS)
    assert {one["call"] for one in hits} >= {"pwrite64", "fdatasync", "sendto", "write"}
    assert {one["stage"] for one in hits} >= {"proving", "telling", "recovery"}
    assert sum(one["repeats"] for one in hits) > 0
