"""The contestants find the same, in a small network: what is measured is work that was done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import contest
from tests.bench.network import BEHIND_THE_TUN, Network, addresses
from tests.bench.usage import Run, best

COUNT = 200
SILENT = 5


def listed(path: Path, some: list[str]) -> Path:
    path.write_text("".join(f"{address}\n" for address in some), encoding="ascii")
    return path


@pytest.mark.lab
def test_we_and_the_loop_in_c_find_who_answers(tmp_path: Path) -> None:
    some = addresses(COUNT)
    path = listed(tmp_path / "list", some)
    with Network(silent=some[:SILENT]) as network:
        ways = [contest.ours(path, COUNT), contest.limit(path, COUNT)]
        contest.hold(network, ways, 1)

    assert [one.answered for one in ways] == [COUNT - SILENT] * 2
    assert ways[0].said["missed"] == SILENT
    assert all(one.cpu_us > 0 for one in ways)


@pytest.mark.lab
def test_and_who_answers_late(tmp_path: Path) -> None:
    """The network behind the TUN device answers after 20 ms; of 200 numbers in a row 10 leave 7 by 20."""
    path = listed(tmp_path / "list", addresses(COUNT, base=BEHIND_THE_TUN))
    with Network() as network:
        network.add_tun(20_000, 20)
        ways = [contest.ours(path, COUNT, "--rate", "400"), contest.limit(path, COUNT, "-r", "400")]
        contest.hold(network, ways, 1)

    assert ways[0].answered == COUNT - 10


def run(others: float) -> Run:
    return Run(cpu_s=1, wall_s=1, rss_mib=1, out="", err="", code=0, others=others)


@pytest.mark.parametrize(
    ("others", "counting"),
    [([0.1, 0.2, 0.9], [0.1, 0.2]), ([0.1, 0.3, 0.9], [0.1, 0.3, 0.9]), ([0.3], [0.3])],
)
def test_runs_beside_other_work_count_only_if_there_are_no_better(
    others: list[float], counting: list[float]
) -> None:
    assert [one.others for one in best([run(other) for other in others])] == counting
