"""A gateway that takes few messages in a time: who goes first, and what a wish to be left alone is worth."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.channels import base
from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.core.budget import Budget
from hostwatch.core.emergency import NoticeState
from tests.outbox.office import Office, Scripted, simulate, site


@pytest.fixture(autouse=True)
def _one_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.Channel, "budget", Budget(messages=1, every=timedelta(seconds=1)))


def test_forty_notices_leave_one_a_second_and_all_in_time(tmp_path: Path) -> None:
    async def accepts(to: str, message: Message) -> Receipt:
        return Receipt("202")

    async def play(office: Office, side: Scripted) -> None:
        names = await office.owe("acme", "duty", 20, apart=True) + await office.owe(
            "beta", "duty", 20, apart=True
        )
        await asyncio.sleep(120)

        seconds = [second for second, _, _ in side.sent]
        assert len(seconds) == 40
        assert all(later - sooner >= 0.99 for sooner, later in itertools.pairwise(seconds))
        assert seconds[-1] - seconds[0] < 45, "and nobody waits longer than that needs"
        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}

    simulate(tmp_path, site({"acme": [{"simulated": "a"}], "beta": [{"simulated": "b"}]}), accepts, play)


def test_the_earliest_deadline_goes_first(tmp_path: Path) -> None:
    """0:00 ten of acme are owed ── 0:05 one of beta, later ── it has its turn behind them"""

    async def accepts(to: str, message: Message) -> Receipt:
        return Receipt("202")

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty", 10, apart=True)
        await asyncio.sleep(5)
        await office.owe("beta", "duty")
        await asyncio.sleep(60)

        assert [to for _, to, _ in side.sent] == ["a"] * 10 + ["b"]

    simulate(tmp_path, site({"acme": [{"simulated": "a"}], "beta": [{"simulated": "b"}]}), accepts, play)


def test_while_it_asks_to_be_left_alone_nothing_at_all_is_sent(tmp_path: Path) -> None:
    """0:00 the first is told: in 30 s ── 0:30 the next one leaves, and no other before"""

    async def busy(to: str, message: Message) -> Receipt:
        if len(side_of[0].sent) == 1:
            raise Failed("429 slow down", retry_after=timedelta(seconds=30))
        return Receipt("202")

    side_of: list[Scripted] = []

    async def play(office: Office, side: Scripted) -> None:
        side_of.append(side)
        names = await office.owe("acme", "duty", 5, apart=True)
        await asyncio.sleep(90)

        seconds = [round(second) for second, _, _ in side.sent]
        assert seconds[0] == 0
        assert [second for second in seconds[1:] if second < 30] == []
        assert len(seconds) == 6
        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}

    simulate(tmp_path, site({"acme": [{"simulated": "a"}]}), busy, play)
