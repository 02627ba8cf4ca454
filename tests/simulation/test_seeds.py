"""Small worlds by seed: everything goes wrong at once, and every checker looks on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.simulation import Simulation
from tests.simulation.weeks import small

SEEDS = 60
"""With each change; 400 with those that are marked long."""

TOGETHER = 10


@pytest.mark.first
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "first",
    [
        *range(0, SEEDS, TOGETHER),
        *(pytest.param(first, marks=pytest.mark.long) for first in range(SEEDS, 400, TOGETHER)),
    ],
)
def test_small_worlds(first: int, tmp_path: Path) -> None:
    """A failure names its seed: run it again with `scripts/simulate --small --seed N`."""
    for seed in range(first, first + TOGETHER):
        folder = tmp_path / str(seed)
        folder.mkdir()
        ran = Simulation(small(seed), folder).run()
        assert ran.evidence.readings > 0
