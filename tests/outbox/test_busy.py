"""A notice that waits for its turn climbs: what is said to whom by what, while a channel is busy or silent.

PROVIDER takes one message a second, or none; MAIL stands behind it on the ladder.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from hostwatch.channels import base
from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.core import facts
from hostwatch.core.budget import Budget
from hostwatch.core.emergency import NoticeState
from hostwatch.core.world import Decision
from tests.outbox.office import Office, Scripted, simulate, site

PROVIDER, MAIL = {"simulated": "provider"}, {"simulated": "mail"}
ONE_A_SECOND = Budget(messages=1, every=timedelta(seconds=1))


@pytest.fixture(autouse=True)
def _lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address is a gateway of its own; the provider takes one message in a second."""
    monkeypatch.setattr(base.Channel, "lane", property(lambda self: self.shown))
    limit = property(lambda self: ONE_A_SECOND if self.shown == "provider" else None)
    monkeypatch.setattr(base.Channel, "budget", limit)


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt("202")


def test_what_has_no_turn_at_the_provider_within_five_minutes_goes_by_mail(tmp_path: Path) -> None:
    """0:00 four hundred are owed ── one a second by the provider ── 5:00 the others by mail, at once

    Each is sent once, and none of those that waited has an attempt at the provider on record.
    """

    async def play(office: Office, side: Scripted) -> None:
        names = await office.owe("acme", "duty", 200, apart=True) + await office.owe(
            "beta", "duty", 200, apart=True
        )
        await asyncio.sleep(330)

        first, mails = side.times("provider"), side.times("mail")
        assert len(first) + len(mails) == 400
        assert 290 <= len(first) <= 301
        assert min(mails) == 300
        assert max(mails) <= 302
        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}
        assert {len(office.notice(name).attempts) for name in names} == {1}
        rungs = [office.notice(name).attempts[0].rung for name in names]
        assert (rungs.count(0), rungs.count(1)) == (len(first), len(mails))

    simulate(tmp_path, site({"acme": [PROVIDER, MAIL], "beta": [PROVIDER, MAIL]}), accepts, play)


def test_a_provider_that_is_busy_for_seven_minutes(tmp_path: Path) -> None:
    """0:00 to 7:00 the provider says: in 20 s ── 5:00 whoever waits is told by mail

    0:00 provider: in 20 s      0:20, 0:40 … one asks again each time, and no other
    5:00 mail
    """
    told: list[float] = []

    async def busy(to: str, message: Message) -> Receipt:
        second = asyncio.get_running_loop().time()
        if to == "provider":
            told.append(second)
            raise Failed("429", retry_after=timedelta(seconds=20))
        return Receipt("250")

    async def play(office: Office, side: Scripted) -> None:
        names = await office.owe("acme", "duty", 10, apart=True)
        await asyncio.sleep(7 * 60)

        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}
        assert {*side.times("mail")} <= {280, 300}, "to wait until 5:00 it was told at 4:40"
        assert side.times("mail").count(300) >= 9
        assert min(round(later - sooner, 3) for sooner, later in pairwise(told)) >= 20, "told to wait"

    simulate(tmp_path, site({"acme": [PROVIDER, MAIL]}), busy, play)


def test_a_provider_that_is_away_for_an_hour_is_passed_over_at_once(tmp_path: Path) -> None:
    """0:00 the first is told: in an hour ── 0:00 all by mail ── 1:00 one asks the provider again"""

    async def away(to: str, message: Message) -> Receipt:
        if to == "provider":
            raise Failed("503 maintenance", retry_after=timedelta(hours=1))
        return Receipt("250")

    async def play(office: Office, side: Scripted) -> None:
        names = await office.owe("acme", "duty", 10, apart=True)
        await office.until(lambda: all(office.notice(one).state is NoticeState.ACCEPTED for one in names))

        assert side.times("provider") == [0]
        assert {*side.times("mail")} == {0}
        assert [len(office.notice(name).attempts) for name in names].count(2) == 1

        await asyncio.sleep(120)
        await office.owe("acme", "duty", 10, apart=True)
        await asyncio.sleep(60)
        assert side.times("provider") == [0, 120], "one asks; the others do not wait for what it hears"

    simulate(tmp_path, site({"acme": [PROVIDER, MAIL]}), away, play)


def test_who_has_no_other_way_waits_for_the_turn(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        names = await office.owe("acme", "duty", 400, apart=True)
        await asyncio.sleep(430)
        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}
        assert len(side.times("provider")) == 400

    simulate(tmp_path, site({"acme": [PROVIDER]}), accepts, play)


def test_what_cannot_be_in_time_any_more_costs_nobody_else_their_time(tmp_path: Path) -> None:
    """0:00 two thousand of acme ── 10:00 three hundred of beta ── 15:00 acme's last are late, and wait"""

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty", 2000, apart=True)
        await asyncio.sleep(600)
        names = await office.owe("beta", "duty", 300, apart=True)
        await asyncio.sleep(890)
        assert max(int(office.notice(name).late) for name in names) == 0
        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}

    simulate(tmp_path, site({"acme": [PROVIDER], "beta": [PROVIDER]}), accepts, play)


def test_what_was_about_to_leave_when_the_provider_asked_to_be_left_alone_stays_here(tmp_path: Path) -> None:
    """0:00 claimed ── 0:00 the provider says: in 30 s ── nothing was sent, and the record says so ── 0:30"""

    async def play(office: Office, side: Scripted) -> None:
        def asks(decision: Decision) -> None:
            if any(isinstance(one, facts.AttemptBegan) and one.number == 1 for one in decision.facts):
                office.outbox._budgets.pause("provider", timedelta(seconds=30))

        office.engine.listeners.append(asks)
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)
        assert side.times("provider") == [30]
        assert office.outcomes(name) == ["unsent", "accepted"]
        assert not side.sent[0][2].repeat

    simulate(tmp_path, site({"acme": [PROVIDER]}), accepts, play)
