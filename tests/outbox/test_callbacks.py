"""What gateways say later, on its way to the record: stories on a simulated clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hostwatch import callbacks
from hostwatch.callbacks import Callbacks
from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.core.emergency import NoticeState
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision
from tests.outbox.office import Office, Scripted, listening, simulate, site

FIRST, SPARE = {"simulated": "first"}, {"simulated": "spare"}


def text(receipt: str, word: str) -> str:
    return json.dumps([receipt, word, "as it was said"])


async def named(to: str, message: Message) -> Receipt:
    return Receipt("202", receipt=f"sms/main/{to}-1")


@contextlib.asynccontextmanager
async def hearing(office: Office) -> AsyncIterator[Callbacks]:
    heard = Callbacks(office.engine, office.writer, office.clock)
    task = asyncio.create_task(heard.run())
    yield heard
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_a_report_of_delivery_meets_a_duty_that_asks_for_it_and_the_ladder_stops(tmp_path: Path) -> None:
    """0:00 accepted ── 0:20 delivered, said twice ── the next channel is never tried"""

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
            await asyncio.sleep(20)
            heard.hear(text("sms/main/first-1", "delivered"))
            heard.hear(text("sms/main/first-1", "delivered"))
            await asyncio.sleep(3600)

            assert [(round(second), to) for second, to, _ in side.sent] == [(0, "first")]
            assert office.notice(name).state is NoticeState.DELIVERED
            assert office.engine.world.duties[name].met_at is not None

    simulate(tmp_path, site({"acme": [FIRST, SPARE]}), named, play)


def test_a_key_that_is_pressed_acknowledges_the_emergency_once(tmp_path: Path) -> None:
    """0:00 called ── 0:20 the key, said twice ── the emergency is the person's"""

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty", met_by=Proof.ANSWERED)
            await asyncio.sleep(20)
            heard.hear(text("voice/main/first-1", "acknowledged"))
            heard.hear(text("voice/main/first-1", "acknowledged"))
            await asyncio.sleep(3600)

            assert office.notice(name).state is NoticeState.ACKNOWLEDGED
            ((one,),) = office.engine.world.acknowledged.values()
            assert (one.contact, one.how, one.actor) == ("duty", "keypress", "gateway voice/main")
            assert len(side.sent) == 1

    async def calls(to: str, message: Message) -> Receipt:
        return Receipt("202", receipt=f"voice/main/{to}-1")

    simulate(tmp_path, site({"acme": [FIRST, SPARE]}), calls, play)


def test_who_is_no_contact_any_more_has_nothing_by_a_key(tmp_path: Path) -> None:
    """0:00 called ── 0:10 the contact leaves ── 0:20 the key: on record, and the emergency is nobody's"""

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty")
            await asyncio.sleep(10)
            left = site({"acme": [FIRST]})
            left["customers"][0]["contacts"][0]["id"] = "successor"
            await office.configure(left)
            heard.hear(text("sms/main/first-1", "acknowledged"))
            await asyncio.sleep(10)
            assert office.notice(name).attempts[0].proof is Proof.ACKNOWLEDGED
            assert office.engine.world.acknowledged == {}

    simulate(tmp_path, site({"acme": [FIRST]}), named, play)


def test_what_did_not_arrive_goes_out_by_the_next_channel_at_once(tmp_path: Path) -> None:
    """0:00 accepted ── 0:20 not delivered ── 0:20 the next channel"""

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty")
            await asyncio.sleep(20)
            heard.hear(text("sms/main/first-1", "returned"))
            await asyncio.sleep(60)

            assert [(round(second), to) for second, to, _ in side.sent] == [(0, "first"), (20, "spare")]
            assert office.outcomes(name) == ["returned", "accepted"]

    simulate(tmp_path, site({"acme": [FIRST, SPARE]}), named, play)


def test_a_word_that_overtakes_the_end_of_its_attempt_is_not_lost(tmp_path: Path) -> None:
    """0:00 sent ── 0:02 delivered ── 0:05 the answer, with the name of the message ── delivered"""

    async def slow(to: str, message: Message) -> Receipt:
        await asyncio.sleep(5)
        return await named(to, message)

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
            await asyncio.sleep(2)
            heard.hear(text("sms/main/first-1", "delivered"))
            await asyncio.sleep(60)

            assert office.notice(name).state is NoticeState.DELIVERED
            assert len(side.sent) == 1

    simulate(tmp_path, site({"acme": [FIRST, SPARE]}), slow, play)


def test_who_says_something_hears_that_it_was_taken_only_when_nothing_of_it_can_be_lost(
    tmp_path: Path,
) -> None:
    """0:00 sent ── 0:02 delivered: not yet ── 0:05 the attempt ends ── taken ── of nobody's: taken at once"""

    async def slow(to: str, message: Message) -> Receipt:
        await asyncio.sleep(5)
        return Receipt("202", receipt=f"simulated/main/{to}-1")

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            taken: list[str] = []
            heard.on_taken = lambda word: taken.append(word.receipt)
            (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
            await asyncio.sleep(2)
            heard.hear(text("simulated/main/first-1", "delivered"))
            heard.hear(text("simulated/main/first-1", "delivered"))
            heard.hear(text("sms/main/of-another-channel", "delivered"))
            await asyncio.sleep(1)
            assert taken == ["sms/main/of-another-channel"]
            await asyncio.sleep(57)
            assert "simulated/main/first-1" in taken
            assert office.notice(name).state is NoticeState.DELIVERED
            heard.hear(text("simulated/main/nobody's", "delivered"))
            await asyncio.sleep(1)
            assert taken[-1] == "simulated/main/nobody's"

    simulate(tmp_path, site({"acme": [FIRST]}), slow, play)


def test_a_report_about_a_try_that_hung_stops_the_repeats(tmp_path: Path) -> None:
    """0:00 taken, and the line hangs ── 0:10 broken off ── 0:12 delivered, by our key ── no second copy"""

    async def hangs(to: str, message: Message) -> Receipt:
        await asyncio.sleep(10)
        raise Failed("no answer within 10 s", perhaps_arrived=True, receipt="sms/main/our-key")

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty")
            await asyncio.sleep(12)
            heard.hear(text("sms/main/our-key", "delivered"))
            await asyncio.sleep(3600)

            assert len(side.sent) == 1
            assert office.notice(name).state is NoticeState.DELIVERED

    simulate(tmp_path, site({"acme": [FIRST]}), hangs, play)


def test_of_what_is_over_the_word_is_recorded_from_the_store(tmp_path: Path) -> None:
    """0:00 accepted ── the world has dropped the notice ── delivered: a fact, and nobody is told again"""

    async def play(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty")
            await asyncio.sleep(5)
            office.engine.world.emergencies.clear()
            office.engine.world.notices.forget([name], ())
            heard.hear(text("sms/main/first-1", "delivered"))
            await asyncio.sleep(60)

            assert name not in office.engine.world.notices
            (kept,) = office.ledger.notices_of("sms/main/first-1")
            assert kept.state is NoticeState.DELIVERED
            assert len(side.sent) == 1

    simulate(tmp_path, site({"acme": [FIRST]}), named, play)


def test_unknown_and_odd_words_change_nothing_and_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "EARLY_MAX", 10)

    async def play(office: Office, side: Scripted) -> None:
        decided: list[Decision] = []
        async with hearing(office) as heard:
            (name,) = await office.owe("acme", "duty")
            await asyncio.sleep(5)
            office.engine.listeners.append(decided.append)
            with listening() as said:
                for odd in ("", "{}", "[1, 2, 3]", text("x", "wonderful"), '["a", "delivered"]'):
                    heard.hear(odd)
                for number in range(100):
                    heard.hear(text(f"sms/main/nobody-{number}", "returned"))
                await asyncio.sleep(60)
            assert len(heard._early) == 10
            assert sum(event == "callback-odd" for _, event, _ in said) == 5
            await asyncio.sleep(3600)
            heard.hear(text("sms/main/nobody-1", "returned"))
            await asyncio.sleep(1)
            assert len(heard._early) == 1, "kept for a while only"

        assert decided == []
        assert office.notice(name).state is NoticeState.ACCEPTED

    simulate(tmp_path, site({"acme": [FIRST]}), named, play)
