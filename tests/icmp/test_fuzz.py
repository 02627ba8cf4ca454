"""Two hundred thousand changed packets: nothing breaks, and no ping is answered but by its whole key."""

from __future__ import annotations

import pytest

from tests.icmp.fuzz import fuzz

INPUTS = 100_000
"""With each of two seeds."""


@pytest.mark.parametrize("seed", [1, 2])
def test_no_changed_packet_breaks_or_fools_the_reader(seed: int) -> None:
    found = fuzz(INPUTS, seed)

    print(dict(found))
    assert found["answered"] > 100  # a few right ones are among them
    assert min(found["told"], found["Echo"], found["Trouble"], found["NoneType"]) > 1_000
