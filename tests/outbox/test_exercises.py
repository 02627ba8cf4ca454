"""An exercise goes the way of an emergency, behind everything real, and leaves its own result alone."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch import exercises
from hostwatch.acknowledgements import acknowledge
from hostwatch.asked import Refused
from hostwatch.channels import base
from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.core import exercising as deeds
from hostwatch.core import facts, judge, turns
from hostwatch.core.budget import Budget
from hostwatch.core.emergency import NoticeState
from hostwatch.core.exercise import Exercises
from hostwatch.core.facts_from_people import Acknowledged
from hostwatch.core.facts_of_exercises import ExerciseEnded, ExerciseOpened
from hostwatch.store.exercised import latest
from hostwatch.store.ledger import facts_of
from tests.outbox.office import START, Office, Scripted, simulate, site
from tests.outbox.test_callbacks import hearing

SITE = {
    **site({"noc": [{"simulated": "n1"}, {"simulated": "n2"}], "acme": [{"simulated": "a"}]}),
    "operator": "noc",
}


async def accepts(_to: str, _message: Message) -> Receipt:
    return Receipt("250 OK")


async def begun(office: Office, to: str = "", by: str = "", seconds: int = 900) -> str:
    """One begins, as by the control socket."""
    request = {"to": to, "by": by, "seconds": str(seconds)}
    return str((await exercises.begin(office.engine, "root (uid 0)", request))["reference"])


async def until(office: Office, second: int) -> None:
    now = (office.clock.now() - START).total_seconds()
    await asyncio.sleep(second - now)


def played(tmp_path: Path, answer: Any, story: Any, on: Any = SITE) -> None:
    async def play(office: Office, side: Scripted) -> None:
        ending = asyncio.create_task(exercises.Exercises(office.engine, office.clock).run())
        try:
            await story(office, side)
            assert not ending.done()
        finally:
            ending.cancel()

    simulate(tmp_path, on, answer, play)


def filed(office: Office) -> list[ExerciseEnded]:
    return [fact for fact in facts_of(office.db, [ExerciseEnded]) if isinstance(fact, ExerciseEnded)]


def test_the_first_channel_fails_the_second_takes_it_and_the_result_is_filed(tmp_path: Path) -> None:
    """0:00 begun ── n1 fails until 5:00 ── 5:00 n2 takes it ── 6:40 they have it: over, and filed"""

    async def answer(to: str, message: Message) -> Receipt:
        if to == "n1":
            raise Failed("451 greylisted")
        return Receipt("250 OK")

    async def story(office: Office, side: Scripted) -> None:
        name = await begun(office)
        assert name == "X-000001"
        await until(office, 350)
        assert {to for _, to, _ in side.sent} == {"n1", "n2"}
        assert filed(office) == []

        await until(office, 400)
        request = {"reference": name, "by": "Chen Wei", "contact": "duty"}
        await acknowledge(office.engine, "root", request)
        await asyncio.sleep(1)

        (one,) = filed(office)
        (result,) = one.results
        assert (one.reference, one.why) == (name, "done")
        assert 300 <= result["told_s"] <= 305
        assert result["acknowledged_s"] == 400
        assert (result["proof"], result["in_time"]) == ("acknowledged", True)
        assert result["attempts"][-1]["channel"] == "simulated"
        (shown,) = latest(office.db, 10)
        assert (list(shown.results), shown.digest) == ([result], one.digest)
        assert office.engine.world.exercises == Exercises((), 1)
        assert office.engine.world.notices == {}, "and nothing of it is held any more"

    played(tmp_path, answer, story)


@pytest.mark.parametrize(("gateway", "how"), [("voice", "keypress"), ("sms", "reply")])
def test_a_key_or_an_answer_says_that_they_have_it(tmp_path: Path, gateway: str, how: str) -> None:
    """0:00 begun, and called ── 1:00 the key ── over, and filed: acknowledged after a minute"""

    async def answer(to: str, message: Message) -> Receipt:
        return Receipt("202", receipt=f"{gateway}/main/{to}-1")

    async def story(office: Office, side: Scripted) -> None:
        async with hearing(office) as heard:
            name = await begun(office)
            await until(office, 60)
            heard.hear(json.dumps([f"{gateway}/main/n1-1", "acknowledged", "1"]))
            await until(office, 63)
            (one,) = filed(office)
            assert (one.reference, one.why) == (name, "done")
            assert (one.results[0]["acknowledged_s"], one.results[0]["proof"]) == (60, "acknowledged")
            (said,) = facts_of(office.db, [Acknowledged])
            assert isinstance(said, Acknowledged)
            assert (said.reference, said.how) == (name, how)

    played(tmp_path, answer, story)


def test_it_is_marked_in_each_form_before_all_else(tmp_path: Path) -> None:
    async def story(office: Office, side: Scripted) -> None:
        await begun(office)
        await asyncio.sleep(5)
        ((_, _, message),) = side.sent

        for form in (
            message.subject,
            message.text,
            message.brief,
            message.spoken["text"],
            message.spoken["what"],
        ):
            assert form.startswith("EXERCISE"), form
        assert message.named["what"].startswith("EXERCISE")
        assert message.payload["exercise"] is True
        assert message.payload["kind"] == "exercise"
        assert message.payload["emergencies"][0]["reference"] == "X-000001"
        assert len(message.brief) <= 160

    played(tmp_path, accepts, story)


def test_it_touches_no_duty_no_emergency_and_no_count(tmp_path: Path) -> None:
    """Nobody can be told: at the deadline it is over, as not in time. No breach is recorded."""

    async def answer(to: str, message: Message) -> Receipt:
        raise Failed("451 not now")

    async def story(office: Office, side: Scripted) -> None:
        await begun(office, to="acme/duty", seconds=600)
        await until(office, 605)

        (one,) = filed(office)
        assert one.why == "time"
        assert one.results[0]["in_time"] is False
        assert one.results[0]["told_s"] is None
        sent = len(side.sent)
        kinds = {type(fact).__name__ for fact in facts_of(office.db)}
        assert not {kind for kind in kinds if "Duty" in kind or "Emergency" in kind or "Warning" in kind}
        world = office.engine.world
        assert (world.duties, world.customer_duties, world.emergencies, world.references) == ({}, {}, {}, 0)
        await asyncio.sleep(3600)
        assert len(side.sent) == sent, "and nothing more is sent of it"

    played(tmp_path, answer, story)


def test_everything_real_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway of one message in a second: an exercise of two waits, what is real goes before it."""
    monkeypatch.setattr(base.Channel, "budget", Budget(messages=1, every=timedelta(seconds=1)))

    async def story(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty", 5)
        await begun(office, to="acme noc")
        await office.owe("noc", "duty", 5)
        await asyncio.sleep(60)

        kinds = [message.payload["kind"] for _, _, message in side.sent]
        assert kinds == ["emergency"] * 2 + ["exercise"] * 2, "and what one person is owed is one message"

    played(tmp_path, accepts, story)


def test_a_real_notice_is_no_later_for_an_exercise_that_hangs(tmp_path: Path) -> None:
    """The other side of fifty exercises hangs: real notices find their places all the same."""
    contacts = [
        {"id": f"c{number}", "name": f"C {number}", "channels": [{"simulated": f"x{number}"}]}
        for number in range(40)
    ]
    crowd = json.loads(json.dumps(SITE))
    crowd["customers"][1]["contacts"] = contacts

    async def answer(to: str, message: Message) -> Receipt:
        if message.payload["kind"] == "exercise":
            await asyncio.sleep(25)
        return Receipt("250 OK")

    async def story(office: Office, side: Scripted) -> None:
        await begun(office, to="acme")
        await asyncio.sleep(1)
        under_way = side.listening
        names = await office.owe("acme", "c0", 20)
        await asyncio.sleep(1)

        assert under_way == 4
        assert side.listening == 4
        assert {office.notice(name).state for name in names} == {NoticeState.ACCEPTED}
        await asyncio.sleep(300)

    played(tmp_path, answer, story, crowd)


def test_after_a_crash_in_the_middle_it_goes_on_and_ends(tmp_path: Path) -> None:
    """0:00 begun ── 0:02 the other side hangs, and we crash ── the next run sends it again, as a repeat"""

    async def answer(to: str, message: Message) -> Receipt:
        if not message.repeat:
            await asyncio.sleep(3600)
        return Receipt("250 OK")

    async def story(office: Office, side: Scripted) -> None:
        name = await begun(office)
        await asyncio.sleep(2)
        await office.close()
        await office.open(SITE)
        ending = asyncio.create_task(exercises.Exercises(office.engine, office.clock).run())
        await asyncio.sleep(60)
        notice = office.engine.world.notices[f"{name}.exercise.noc.duty"]
        assert [attempt.outcome.value for attempt in notice.attempts] == ["interrupted", "accepted"]
        assert side.sent[-1][2].subject.startswith("EXERCISE [repeat] X-000001")
        await until(office, 910)
        (one,) = filed(office)
        assert one.results[0]["in_time"] is True
        assert await begun(office) == "X-000002"
        ending.cancel()

    played(tmp_path, answer, story)


def test_a_channel_may_be_named_and_what_is_not_there_is_said(tmp_path: Path) -> None:
    async def story(office: Office, side: Scripted) -> None:
        for to, words in (
            ("acmee", "there is no customer acmee; did you mean acme"),
            ("acme/boss", "acme has no contact boss"),
        ):
            with pytest.raises(Refused, match=words):
                await begun(office, to=to)
        with pytest.raises(Refused, match="1 s to 1 d"):
            await begun(office, seconds=0)
        await begun(office, by="email")
        await asyncio.sleep(5)
        assert side.sent == []
        assert filed(office)[0].results[0]["attempts"] == []

    played(tmp_path, accepts, story)


def test_one_at_a_time_and_none_where_the_agreement_refuses_them(tmp_path: Path) -> None:
    refusing = json.loads(json.dumps(SITE))
    refusing["customers"][1]["terms"] = {"exercises": "refused"}

    async def story(office: Office, side: Scripted) -> None:
        with pytest.raises(Refused, match="acme wants no exercises"):
            await begun(office, to="acme")
        await begun(office)
        with pytest.raises(Refused, match="X-000001 is under way until"):
            await begun(office)
        assert len([*facts_of(office.db, [ExerciseOpened])]) == 1

    played(tmp_path, accepts, story, refusing)


def test_a_step_of_the_wall_clock_leaves_the_time_that_was_left(tmp_path: Path) -> None:
    async def story(office: Office, side: Scripted) -> None:
        await begun(office)
        await asyncio.sleep(1)
        world, now = office.engine.world, office.clock.now()
        decision = judge.follow_clock(world, now, now + timedelta(hours=2))

        (moved,) = decision.exercises
        assert moved.due - START == timedelta(hours=2, seconds=900)
        assert deeds.end(world, now) == type(decision)()
        assert any(isinstance(fact, facts.ClockStepped) for fact in decision.facts)

    played(tmp_path, accepts, story)


def test_what_the_agreement_asks_for_is_asked_of_an_exercise_too(tmp_path: Path) -> None:
    """0:00 n1 accepts, the agreement asks for delivered ── 5:00 n2 is tried too ── 15:00 not in time"""
    strict = json.loads(json.dumps(SITE))
    strict["customers"][0]["terms"] = {"met_by": "delivered"}

    async def story(office: Office, side: Scripted) -> None:
        await begun(office)
        await until(office, 320)
        assert [to for _, to, _ in side.sent] == ["n1", "n2"]
        await until(office, 905)
        (one,) = filed(office)
        assert (one.results[0]["wanted"], one.results[0]["proof"]) == ("delivered", "accepted")
        assert one.results[0]["in_time"] is False

    played(tmp_path, accepts, story, strict)


def test_who_was_told_before_a_crash_may_say_so_after_it(tmp_path: Path) -> None:
    async def story(office: Office, side: Scripted) -> None:
        name = await begun(office)
        await asyncio.sleep(5)
        await office.close()
        await office.open(SITE)
        ending = asyncio.create_task(exercises.Exercises(office.engine, office.clock).run())
        request = {"reference": name, "by": "Chen Wei", "contact": "duty"}
        await acknowledge(office.engine, "root", request)
        await asyncio.sleep(1)
        (one,) = filed(office)
        assert one.results[0]["proof"] == "acknowledged"
        ending.cancel()

    played(tmp_path, accepts, story)


def test_it_leaves_half_of_what_a_gateway_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four in a minute: two people hear of an exercise, two places are left to what is real"""
    monkeypatch.setattr(base.Channel, "budget", Budget(messages=4, every=timedelta(minutes=1)))
    crowd = json.loads(json.dumps(SITE))
    crowd["customers"][1]["contacts"] = [
        {"id": f"c{number}", "name": f"C {number}", "channels": [{"simulated": f"x{number}"}]}
        for number in range(4)
    ]

    async def story(office: Office, side: Scripted) -> None:
        await begun(office, to="acme")
        await asyncio.sleep(5)
        assert len(side.sent) == 2
        (name,) = await office.owe("noc", "duty")
        await asyncio.sleep(1)
        assert office.notice(name).state is NoticeState.ACCEPTED
        await asyncio.sleep(120)
        assert len(side.sent) == 5

    played(tmp_path, accepts, story, crowd)


def test_a_customer_who_is_told_of_much_goes_before_the_exercise_of_one_who_is_not() -> None:
    """Among what is real a free place goes to the customer with the fewest; an exercise has none of that."""
    room = turns.Turns()

    def wanted(name: str, customer: str, exercise: bool = False) -> turns.Wanted:
        place = turns.Place(customer=customer, kind="email", kind_max=32, exercise=exercise)
        return turns.Wanted(notice=name, place=place, retry=False, deadline=START)

    room.want(wanted("first", "acme"))
    assert [one.notice for one in room.begin()] == ["first"]
    room.want(wanted("drill", "beta", exercise=True))
    room.want(wanted("second", "acme"))

    assert [one.notice for one in room.begin()] == ["second", "drill"]
