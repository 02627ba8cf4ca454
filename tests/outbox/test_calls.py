"""A human who must make a call, on a simulated clock: the ladder, the two minutes, and what comes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from hostwatch.channels.base import Message, Receipt
from hostwatch.core import calling, calls, facts
from hostwatch.core.calls import Outcome
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import NoticeState
from hostwatch.core.world import Decision
from hostwatch.store.ledger import facts_of
from hostwatch.untakencalls import UntakenCalls
from tests.outbox.office import WITHIN, Office, Scripted, simulate, site

PHONE, OTHER, MAIL = {"person": "+86 28 0000 0001"}, {"person": "+86 28 0000 0002"}, {"simulated": "mail"}
BETA = {"simulated": "beta"}


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt("250 accepted")


def sheet(office: Office) -> list[str]:
    """The calls that are to be made, and who has them."""
    return [
        f"{attempt.number}: " + ("nobody" if call is None else call.by if call.is_taken else "came back")
        for _, attempt, call in calling.sheet(office.engine.world)
    ]


async def take(office: Office, name: str, number: int, by: str) -> None:
    await office.engine.do(lambda world, now: calling.take(world, name, number, by, "me", now))


async def end(office: Office, name: str, number: int, outcome: Outcome) -> None:
    await office.engine.do(
        lambda world, now: calling.end(
            world,
            world.notices[name],
            facts.CallEnded(
                at=now,
                notice=name,
                number=number,
                outcome=outcome.value,
                to="t" if outcome is Outcome.SPOKE else "",
                acknowledged=False,
                by="b",
                evidence=calls.STATED,
                reference="",
                actor="me",
            ),
        )
    )


def test_the_sheet_and_the_ladder(tmp_path: Path) -> None:
    """0:00 on the sheet ── 1:00 Li takes it ── 3:00 it comes back ── 5:00 the mail, which is no repeat"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: sheet(office) == ["1: nobody"])
        assert office.notice(name).state is NoticeState.PENDING
        await asyncio.sleep(60)
        await take(office, name, 1, "li")
        await asyncio.sleep(30)
        await office.owe("beta", "duty")  # so that no look at all that is owed falls on the instant
        await asyncio.sleep(85)
        assert sheet(office) == ["1: li"]
        await asyncio.sleep(10)
        assert sheet(office) == ["1: came back"]
        assert side.times("mail") == []
        await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)

        assert side.times("mail") == [300]
        assert not side.sent[-1][2].repeat
        assert sheet(office) == []
        kept = [type(fact).__name__ for fact in facts_of(office.db, [facts.CallTaken, facts.CallReturned])]
        assert kept == ["CallTaken", "CallReturned"]

    simulate(tmp_path, site({"acme": [PHONE, MAIL], "beta": [BETA]}), accepts, play)


def test_a_wrong_number_has_the_next_rung_at_once_and_no_answer_is_tried_again(tmp_path: Path) -> None:
    """0:00 the first ── 1:00 wrong number: the second ── 2:00 no answer ── 3:00 again"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: sheet(office) == ["1: nobody"])
        await asyncio.sleep(60)
        await end(office, name, 1, Outcome.WRONG_NUMBER)
        await office.until(lambda: sheet(office) == ["2: nobody"])
        await asyncio.sleep(60)
        await end(office, name, 2, Outcome.NO_ANSWER)
        assert sheet(office) == []
        await asyncio.sleep(55)
        assert sheet(office) == []
        await asyncio.sleep(10)
        assert sheet(office) == ["3: nobody"]
        await end(office, name, 3, Outcome.SPOKE)

        assert office.notice(name).state is NoticeState.ANSWERED
        assert office.outcomes(name) == ["refused", "failed", "accepted"]
        assert [attempt.rung for attempt in office.notice(name).attempts] == [0, 1, 1]
        assert not any(attempt.repeat for attempt in office.notice(name).attempts)

    simulate(tmp_path, site({"acme": [PHONE, OTHER]}), accepts, play)


def test_what_was_spoken_to_a_machine_makes_the_next_try_a_repeat(tmp_path: Path) -> None:
    """0:00 on the sheet ── 1:00 voicemail ── 5:00 the mail says that it may be the second"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: sheet(office) == ["1: nobody"])
        await asyncio.sleep(60)
        await end(office, name, 1, Outcome.VOICEMAIL)
        assert office.notice(name).state is NoticeState.PENDING
        await office.until(lambda: bool(side.sent))

        assert side.times("mail") == [300]
        assert side.sent[0][2].repeat

    simulate(tmp_path, site({"acme": [PHONE, MAIL]}), accepts, play)


def test_operators_hear_of_a_call_that_nobody_takes_before_the_time_runs_short(tmp_path: Path) -> None:
    """0:00 on the sheet ── 2:00 nobody took it: noc hears of it, once ── 5:00 ten minutes are left: again"""

    async def play(office: Office, side: Scripted) -> None:
        looking = asyncio.create_task(UntakenCalls(office.engine, office.clock).run())
        (name,) = await office.owe("acme", "duty")
        duty = CustomerDuty(
            emergency="E-000001", customer="acme", due=office.clock.now() + WITHIN, people=(name,)
        )
        await office.engine.do(lambda world, now: Decision(customer_duties=(duty,)))
        await asyncio.sleep(6 * 60)
        looking.cancel()

        told = [(round(second), message.subject) for second, to, message in side.sent if to == "noc"]
        assert [subject for _, subject in told][1:] == [
            "Warning: customers to be told by 2026-10-05 08:15:00 +00:00: not told yet"
        ]
        assert 120 <= told[0][0] <= 130, "it is looked at every ten seconds"
        assert told[0][1] == "Warning: call sheet: nobody takes them"

    started = site({"acme": [PHONE], "dc": [{"simulated": "noc"}]}, operator="dc")
    simulate(tmp_path, started, accepts, play)
