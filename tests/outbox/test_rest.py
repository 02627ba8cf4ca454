"""Another has it: whose ladder rests, and whose goes on. Stories on a simulated clock."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hostwatch.channels.base import Message, Receipt
from hostwatch.core import acknowledging
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import NoticeState
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision
from tests.outbox.office import START, Office, Scripted, simulate, site

FIRST, SECOND = {"simulated": "first"}, {"simulated": "second"}


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt("250 accepted")


def says(who: str, contact: str) -> Acknowledgement:
    return Acknowledgement(customer="acme", contact=contact, who=who, how=How.CLI, actor="me", at=START)


async def told_otherwise(office: Office, reference: str, name: str) -> None:
    """The customer was told by another of their people."""
    duty = CustomerDuty(
        emergency=reference,
        customer="acme",
        due=office.clock.now(),
        people=("another", name),
        met=("another",),
        met_at=office.clock.now(),
    )
    await office.engine.do(lambda world, now: Decision(customer_duties=(duty,)))


def test_the_second_channel_is_not_tried_while_another_has_it(tmp_path: Path) -> None:
    """0:00 accepted, to be answered ── 1:00 another has it ── 5:00 nothing ── 20:00 not after all"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty", met_by=Proof.ANSWERED)
        reference = office.notice(name).emergencies[0]
        await office.until(lambda: office.notice(name).proof is not None)
        await asyncio.sleep(60)
        await told_otherwise(office, reference, name)
        other = says("Chen", "")
        await office.engine.do(lambda world, now: acknowledging.acknowledge(world, reference, other, now))
        await asyncio.sleep(19 * 60)
        assert side.times("first") == [0]
        assert side.times("second") == []

        await office.engine.do(
            lambda world, now: acknowledging.withdraw(
                world, reference, other, actor="me", because="b", now=now
            )
        )
        await office.until(lambda: len(side.sent) > 1)

        assert [time // 60 for time in side.times("second")] == [20]
        assert office.notice(name).state is NoticeState.PENDING

    simulate(tmp_path, site({"acme": [FIRST, SECOND]}), accepts, play)


def test_their_own_word_ends_it(tmp_path: Path) -> None:
    """0:00 accepted, to be acknowledged ── 1:00 they have it ── nothing more is sent"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty", met_by=Proof.ACKNOWLEDGED)
        reference = office.notice(name).emergencies[0]
        await office.until(lambda: office.notice(name).proof is not None)
        await asyncio.sleep(60)
        mine = says("Chen", "duty")
        await office.engine.do(lambda world, now: acknowledging.acknowledge(world, reference, mine, now))
        assert office.notice(name).state is NoticeState.ACKNOWLEDGED
        await asyncio.sleep(3600)

        assert [to for _, to, _ in side.sent] == ["first"]
        assert office.engine.world.duties[name].met_at is not None

    simulate(tmp_path, site({"acme": [FIRST, SECOND]}), accepts, play)
