"""Killed in the middle of telling: what is lost, and what is told twice, beside Alertmanager."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from tests.bench.bench import Bench
from tests.bench.killing import POINTS, Tally
from tests.bench.table import Line

SETUP = (
    "each trial: one thing wrong, taken by the API; SIGKILL at one point of the first send, in turn"
    " as soon as it was taken, connected, read and not answered, answered, 50 ms later; started again"
    " on the same data; the receiver counts. Alertmanager: group_wait 50 ms, group_interval 200 ms, no"
    " cluster, its log of notifications written each 15 min (default), given 3 s after each start;"
    " posted again: the same alert each second from that start on, as Prometheus does each minute"
)


def measure(bench: Bench) -> Iterator[Line]:
    """Twice at each point when it is to be quick."""
    rounds = 2 if bench.quick else 10
    counted = {}
    for who in ("hostwatch", "alone", "posted again"):
        bench.say(f"killing {who}")
        counted[who] = _tally(who, rounds)
    asked = f"{rounds * len(POINTS)} kills each"
    ours, alone, again = counted.values()
    for measure_, key, goal in (
        ("never told", "lost", "0"),
        ("told again, not marked as a repeat", "unmarked", "0"),
        ("told again, marked as a repeat", "marked", "–"),
    ):
        mine = getattr(ours, key)
        yield Line(
            row="kills",
            measure=measure_,
            asked=asked,
            ours=str(mine),
            theirs=f"{getattr(alone, key)} (Alertmanager alone), {getattr(again, key)} (posted again)",
            goal=goal,
            reached=None if goal == "–" else mine == 0,
            note=SETUP,
            figures={who: getattr(one, key) for who, one in counted.items()},
        )


def _tally(who: str, rounds: int) -> Tally:
    words = [sys.executable, "-m", "tests.bench.killing", "--who", who, "--rounds", str(rounds)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    return Tally(**json.loads(done.stdout))
