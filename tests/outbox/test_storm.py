"""A thousand emergencies of forty customers, 45 messages in six seconds, twelve seconds to tell: two windows.

The whole of it, 10,000 of 400 at a message a second, takes half an hour: `scripts/storm`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.outbox.storm import Shape, played

SMALL = Shape(
    customers=40,
    contacts=2,
    devices=25,
    within=timedelta(seconds=12),
    messages=45,
    every=timedelta(seconds=6),
)


async def test_with_two_people_each_all_are_told_in_time(tmp_path: Path) -> None:
    plan, came, provider = await played(tmp_path, SMALL)
    assert plan.is_well
    assert (came.met, came.breached) == (80, 0)
    assert (len(provider.taken), provider.told_to_wait) == (80, [])


async def test_with_three_people_each_as_many_are_told_as_was_foretold(tmp_path: Path) -> None:
    plan, came, provider = await played(tmp_path, replace(SMALL, contacts=3))
    assert (len(plan.late), len(plan.breached)) == (30, 0)
    assert (came.met, came.breached) == (90, 30)
    assert came.recorded_after_s <= 60
    assert provider.told_to_wait == []


async def test_a_provider_that_takes_less_than_was_said_is_left_alone_when_it_asks(tmp_path: Path) -> None:
    plan, came, provider = await played(tmp_path, replace(SMALL, devices=3, said=70))
    assert plan.is_well, "by what was written"
    assert provider.told_to_wait
    assert came.sent_while_told_to_wait == 0
    assert len(provider.taken) >= 60, "and no time is lost by that"
