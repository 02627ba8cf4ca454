"""Sources in the schedule: asked together, at once after the start, and heard when they speak up."""

from __future__ import annotations

from datetime import datetime

from hostwatch.core import facts, instant
from hostwatch.core.element import Element, Kind
from hostwatch.core.power import Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Outcome
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.pinger import Look, Manner
from hostwatch.store.ledger import facts_of
from tests.prober.stage import START, Stage, seconds

A = "source:a/read@main"
SUPPLY = "supply:ups-a/power@main"
HOUSE = {
    "sources": {"a": Source(id="a", kind="power/nut"), "b": Source(id="b", kind="power/nut")},
    "elements": {
        "grid": Element(id="grid", kind=Kind.UTILITY),
        "ups-a": Element(id="ups-a", kind=Kind.UPS, input="grid", witness="a, b"),
    },
    "supplies": {"ups-a": Supply(id="ups-a")},
}


def words(utility: Utility, ups: Ups) -> str:
    return PowerReading(points=(Point(utility=utility, ups=ups),)).text


WELL, DEAD = words(Utility.PRESENT, Ups.ABLE), words(Utility.ABSENT, Ups.DEAD)


def stage(dies_at: int = 1_000) -> Stage:
    """Two sources that see one UPS, which dies with the utility at their n-th look."""
    stage = Stage(
        {"acme": seconds(300)},
        dict.fromkeys(("", "acme"), Manner(attempts=1, timeout=seconds(0.5))),
        lambda signal, look: True,
        house=HOUSE,
    )
    stage.pinger.words = lambda signal, look: DEAD if look >= dies_at else WELL
    return stage


def seen(stage: Stage, *kinds: type[facts.Fact]) -> list[tuple[str, datetime]]:
    found = facts_of(stage.ledger._db, kinds)
    return [(type(one).__name__, one.at) for one in found if getattr(one, "signal", SUPPLY) == SUPPLY]


def test_sources_are_asked_at_once_and_then_together() -> None:
    told = stage()

    async def act(stage: Stage) -> None:
        await stage.clock.sleep(seconds(60))

    told.run(act)
    looks = told.pinger.looks
    assert looks[A][0] - START < seconds(1)
    assert all(
        later - earlier == seconds(10) for earlier, later in zip(looks[A][1:], looks[A][2:], strict=False)
    )
    assert looks[A][1:] == looks["source:b/read@main"][1:]
    assert told.pinger.late_after[A] == seconds(2.5)
    assert [name for name, _ in seen(told, facts.DeviceProven)] == ["DeviceProven"]


def test_a_verdict_takes_two_rounds() -> None:
    told = stage(dies_at=4)

    async def act(stage: Stage) -> None:
        await stage.clock.sleep(seconds(60))

    told.run(act)
    (began, first), (down, verdict) = seen(told, facts.SilenceBegan, facts.WentDown)
    assert (began, down) == ("SilenceBegan", "WentDown")
    assert first == told.pinger.looks[A][3]
    assert seconds(10) <= verdict - first < seconds(11)


def test_who_speaks_between_two_rounds_is_heard_at_once() -> None:
    told = stage()
    spoken: list[datetime] = []

    async def act(stage: Stage) -> None:
        await stage.clock.sleep(seconds(40))
        for text in (DEAD, DEAD, WELL, WELL):
            for name in ("a", "b"):
                now_us = instant.micros(stage.clock.now())
                spoken.append(stage.clock.now())
                signal = f"source:{name}/read@main"
                look = Look(signal, "", now_us, now_us, Outcome.ANSWERED, said=text)
                stage.prober.rounds.speak(look)
                await stage.clock.sleep(seconds(0.2))
        await stage.clock.sleep(seconds(20))

    told.run(act)
    found = seen(told, facts.SilenceBegan, facts.SilenceEnded, facts.WentDown)
    assert found == [("SilenceBegan", spoken[1]), ("SilenceEnded", spoken[5])]
