"""The prober under rare circumstances, on a simulated clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from hostwatch.core import facts, instant, judge
from hostwatch.core.observing import Observing
from hostwatch.core.reading import Answer, Outcome
from hostwatch.core.seeing import Points
from hostwatch.pinger import Manner
from hostwatch.rounds import VERDICTS_MAX
from hostwatch.store.errors import StoreError
from tests.prober.stage import Stage, seconds

QUICK = Manner(attempts=3, spacing=seconds(0.1), timeout=seconds(0.1))
SLOW = Manner(attempts=3, spacing=seconds(1), timeout=seconds(1))


def alternates(signal: str, look: int) -> bool:
    """The quick device answers every other look; the slow one answers once and never again."""
    return look == 1 or (signal.startswith("quick") and look % 2 == 0)


async def watched_for(stage: Stage, pause: timedelta) -> None:
    await stage.clock.sleep(pause)


def test_an_answer_is_never_overtaken_by_a_later_miss() -> None:
    """In one slice with the quick device is one whose miss takes three seconds to be known."""
    stage = Stage({"quick": seconds(1), "slow": seconds(5)}, {"quick": QUICK, "slow": SLOW}, alternates)

    stage.run(lambda s: watched_for(s, seconds(60)))

    assert len(stage.facts(facts.SilenceEnded, "quick")) > 20
    assert stage.facts(facts.WentDown, "quick") == []
    assert all(
        f.why == "not proven" for f in stage.facts(facts.Unspoken, "quick") if isinstance(f, facts.Unspoken)
    )
    assert len(stage.facts(facts.WentDown, "slow")) == 1


def test_each_slice_is_closed_once_and_holds_every_miss() -> None:
    stage = Stage({"quick": seconds(1), "slow": seconds(5)}, {"quick": QUICK, "slow": SLOW}, alternates)

    stage.run(lambda s: watched_for(s, seconds(30)))

    rows = stage.ledger._db.execute("SELECT missed, closed_at FROM slices").fetchall()
    missed = sum(text.count("no answer") for text, _ in rows)
    (beside,) = stage.ledger._db.execute("SELECT count(*) FROM unscheduled WHERE why <> ''").fetchone()
    missed += beside
    seen = [r for r in stage.readings if r.outcome is Outcome.MISSED]
    assert abs(missed - len(seen)) <= 1
    assert sum(closed is None for _, closed in rows) <= 4  # those that were under way at the end


def test_a_target_is_never_looked_at_twice_at_one_time() -> None:
    """The interval is shortened and lengthened in the middle of pings that nobody answers."""
    stage = Stage({"quick": seconds(4)}, {"quick": SLOW}, lambda _, look: look == 1)

    async def act(stage: Stage) -> None:
        for interval in (4, 3.5, 5, 4.5, 3.7, 4):
            await stage.adopt({"quick": seconds(interval)})
            await stage.clock.sleep(seconds(11.3))

    stage.run(act)

    assert stage.pinger.most_at_once == 1


def test_gateways_that_come_with_a_reload_are_looked_at_from_then_on() -> None:
    """Else each miss would be ours for ever."""
    stage = Stage(
        {"quick": seconds(2)},
        {"quick": QUICK},
        lambda signal, look: signal == "198.51.100.1" or look < 4,
    )

    async def act(stage: Stage) -> None:
        await stage.clock.sleep(seconds(3))
        assert stage.sight.heed(Points(gateways=("198.51.100.1",)))
        await stage.prober.glance()
        await stage.clock.sleep(seconds(20))

    stage.run(act)

    assert len(stage.pinger.looks["198.51.100.1"]) > 20
    assert len(stage.facts(facts.WentDown, "quick")) == 1


def test_who_answers_after_a_silence_is_heard_at_once_and_not_at_the_end_of_the_slice() -> None:
    """A slice is five seconds long; the answer must not wait for it."""
    stage = Stage({"quick": seconds(10)}, {"quick": QUICK}, lambda _, look: look not in (3, 4))

    stage.run(lambda s: watched_for(s, seconds(80)))

    (up,) = stage.facts(facts.CameUp, "quick")
    assert isinstance(up, facts.CameUp)
    assert up.at - up.first_answer < seconds(1)


@pytest.mark.parametrize("step", [3600, -3600, 5, -5])
def test_a_step_of_the_clock_invents_no_outage(step: float) -> None:
    stage = Stage({"quick": seconds(10)}, {"quick": QUICK}, lambda _, look: look % 3 != 2)

    async def act(stage: Stage) -> None:
        for _ in range(10):
            await stage.clock.sleep(seconds(13.7))
            stage.clock.step(seconds(step))

    stage.run(act)

    assert stage.facts(facts.WentDown, "quick") == []
    assert len(stage.pinger.looks["quick/ping@main"]) >= 11


def test_no_look_in_between_hides_a_scheduled_miss() -> None:
    """One is under way when a round is taken in hand, and the next is due before the round has an answer."""
    towns = {f"dead{number}": seconds(20) for number in range(8)}
    stage = Stage(towns, dict.fromkeys(towns, SLOW), lambda _, look: look == 1)

    async def act(stage: Stage) -> None:
        stage.prober.follow_ups.every = seconds(2)
        await stage.clock.sleep(seconds(90))

    stage.run(act)

    assert [name for name in towns if len(stage.facts(facts.WentDown, name)) != 1] == []
    beside = stage.ledger._db.execute("SELECT why FROM unscheduled WHERE outcome = 'unknown'").fetchall()
    assert beside == []


@pytest.mark.parametrize("step", [5, -3600], ids=["forward", "back"])
def test_who_is_silent_is_followed_up_over_a_step_of_the_clock(step: int) -> None:
    stage = Stage({"dead": seconds(60)}, {"dead": QUICK}, lambda _, look: look == 1)
    after: list[int] = []

    async def act(stage: Stage) -> None:
        looks = stage.pinger.looks
        stage.prober.follow_ups.every = seconds(10)
        await stage.clock.sleep(seconds(100))
        stage.clock.step(seconds(step))
        before = len(looks["dead/ping@main"])
        await stage.clock.sleep(seconds(120))
        after.append(len(looks["dead/ping@main"]) - before)

    stage.run(act)

    assert after[0] >= 10


def test_a_storm_is_judged_piece_by_piece() -> None:
    """Each verdict of two hundred and fifty makes an emergency: in one deed they would hold up the loop."""
    names = [f"quick-{number}" for number in range(250)]
    stage = Stage(dict.fromkeys(names, seconds(5)), dict.fromkeys(names, QUICK), lambda _, look: look < 3)
    stage.pinger.in_salvos = True
    deeds: list[int] = []

    async def act(stage: Stage) -> None:
        stage.engine.listeners.append(
            lambda decision: deeds.append(sum(isinstance(fact, facts.WentDown) for fact in decision.facts))
        )
        await watched_for(stage, seconds(30))

    stage.run(act)

    assert sum(deeds) == len(names)
    assert max(deeds) == VERDICTS_MAX < len(names)


def test_while_the_store_is_stuck_what_was_seen_first_is_still_judged_first() -> None:
    """Thirty devices fall silent, and their misses of three intervals wait for the disk together."""
    names = [f"quick-{number}" for number in range(30)]
    stage = Stage(dict.fromkeys(names, seconds(5)), dict.fromkeys(names, QUICK), lambda _, look: look < 3)
    deeds: list[int] = []

    async def act(stage: Stage) -> None:
        await watched_for(stage, seconds(9))
        stage.engine.listeners.append(lambda decision: deeds.append(len(decision.looks)))
        commit = stage.engine._writer.commit

        async def refuse(*_: object) -> int:
            raise StoreError("disk full")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage.engine._writer, "commit", refuse)
            await watched_for(stage, seconds(16))
            patch.setattr(stage.engine._writer, "commit", commit)
            await watched_for(stage, seconds(10))

    stage.run(act)

    for name in names:
        missed = [
            instant.from_micros(look.at_us)
            for look in stage.readings
            if look.outcome is Outcome.MISSED and look.signal == f"{name}/ping@main"
        ]
        began = [(fact.at,) for fact in stage.facts(facts.SilenceBegan, name)]
        down = [
            (fact.first_miss, fact.last_miss)
            for fact in stage.facts(facts.WentDown, name)
            if isinstance(fact, facts.WentDown)
        ]
        assert (began, down) == ([(missed[0],)], [(missed[0], missed[1])])
    assert max(deeds) > 10, "those that waited together were judged together"


def test_first_answers_of_very_many_leave_the_loop_to_others_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each makes two facts: of a million devices a slice would hold up the loop for a third of a second."""
    names = [f"quick-{number}" for number in range(100)]
    stage = Stage(dict.fromkeys(names, seconds(5)), dict.fromkeys(names, QUICK), lambda *_: True)
    real = Observing.rest
    begun: list[int] = []
    turned: list[int] = []

    def noting(self: Observing, answers: Sequence[Answer]) -> None:
        assert turned == begun, "the loop had a turn since the last step"
        begun.append(len(answers))
        asyncio.get_running_loop().call_soon(turned.append, len(answers))
        real(self, answers)

    monkeypatch.setattr(judge, "STEP", 10)
    monkeypatch.setattr(Observing, "rest", noting)
    stage.run(lambda s: watched_for(s, seconds(14)))

    assert max(begun) == 10
    assert sum(begun) >= 2 * len(names)
    assert all(stage.engine.world.signals[f"{name}/ping@main"].proven for name in names)
