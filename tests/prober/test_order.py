"""What was known first is judged first, and dated by when it was known, however long the disk is full."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from hostwatch.core import facts
from hostwatch.core.schedule import Target
from hostwatch.pinger import Manner
from hostwatch.store.errors import StoreError
from tests.prober.stage import START, Stage, seconds

SLOW = Manner(attempts=3, spacing=seconds(0.5), timeout=seconds(0.5))
QUICK = Manner(attempts=3, spacing=seconds(0.1), timeout=seconds(0.1))
FIVE = seconds(5)
Act = Callable[[Stage], Coroutine[None, None, None]]
Spans = Mapping[str, Sequence[tuple[float, float]]]
"""By device, when it does not answer, in seconds after the start."""


def due_between(since: float, until: float, *, but: str = "") -> str:
    """A device whose first turn is then, in seconds after the start."""
    for name in (f"d{number}" for number in range(1_000)):
        phase_us = Target(signal=f"{name}/ping@main", address="", interval=FIVE).phase_us
        if name != but and since * 1e6 <= phase_us < until * 1e6:
            return name
    raise AssertionError("nobody is due then")


LATE = due_between(4.8, 5)
"""Due at the end of its slice, so that what came of it is known in the next one."""

EARLY = due_between(0.05, 0.2)
"""Due at the beginning of the next slice: its miss is the first of that slice."""

BESIDE = due_between(4.5, 4.99, but=LATE)


def stuck(since: float, until: float, last: float, meanwhile: Act | None = None) -> Act:
    """The disk is full for a while."""

    async def act(stage: Stage) -> None:
        await stage.clock.sleep(seconds(since))

        async def refuse(*_: object) -> int:
            raise StoreError("disk full")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage.engine._writer, "commit", refuse)
            if meanwhile is not None:
                await meanwhile(stage)
            await stage.clock.sleep(START + seconds(until) - stage.clock.now())
        await stage.clock.sleep(seconds(last))

    return act


def told(stage: Stage, name: str) -> list[tuple[str, float]]:
    """The silences and verdicts of a device, in seconds after the start."""

    def after(when: datetime) -> float:
        return round((when - START).total_seconds(), 1)

    kinds: tuple[type[facts.Fact], ...] = (facts.SilenceBegan, facts.SilenceEnded, facts.WentDown)
    found = [(after(fact.at), kind.__name__) for kind in kinds for fact in stage.facts(kind, name)]
    return [(kind, at) for at, kind in sorted(found)]


def silent_when(stage: Callable[[], Stage], spans: Spans) -> Callable[[str, int], bool]:
    """Who answers but in these spans."""

    def says(signal: str, _: int) -> bool:
        at = (stage().clock.now() - START) / timedelta(seconds=1)
        return not any(since < at < until for since, until in spans.get(signal.partition("/")[0], []))

    return says


def story(spans: Spans, act: Act) -> Stage:
    """Three devices, of which one slice ends with a slow one and the next begins with a quick one."""
    manners = {LATE: SLOW, BESIDE: SLOW, EARLY: QUICK}
    stage = Stage(dict.fromkeys(manners, FIVE), manners, silent_when(lambda: stage, spans))
    stage.run(act)
    return stage


def test_a_later_look_does_not_overtake_an_earlier_one() -> None:
    """The next slice waits for the disk already; the last miss of this one queues behind it.

    disk               |9 . . . . . . . . . . . .18|
    EARLY          10.1 x        (waits, and is the first in line)
    LATE         9.9 x          14.9 x
    """
    stage = story({LATE: [(8, 99)], EARLY: [(10, 99)]}, stuck(9, 18, 12))

    assert told(stage, LATE) == [("SilenceBegan", 9.9), ("WentDown", 16.4)]


def test_an_answer_between_two_misses_is_not_swallowed() -> None:
    """Miss, answer, miss: two silences of one ping each, and no emergency."""
    spans = {LATE: [(8, 12), (18, 22)], BESIDE: [(13, 16)], EARLY: [(14, 17)]}
    stage = story(spans, stuck(13, 23, 12))

    assert told(stage, LATE) == [
        ("SilenceBegan", 9.9),
        ("SilenceEnded", 14.9),
        ("SilenceBegan", 19.9),
        ("SilenceEnded", 24.9),
    ]


def test_a_verdict_is_dated_when_it_was_certain() -> None:
    """The disk is full for two minutes: the time in which people are to be told runs all the same."""
    stage = story({LATE: [(8, 999)]}, stuck(9, 129, 12))

    assert told(stage, LATE) == [("SilenceBegan", 9.9), ("WentDown", 16.4)]


def test_what_waits_when_the_clock_steps_is_known_still() -> None:
    """The miss was certain at 11.4; at 14 the clock is set forward by half a minute."""

    async def step(stage: Stage) -> None:
        await stage.clock.sleep(FIVE)
        stage.clock.step(seconds(30))

    stage = story({LATE: [(8, 999)], EARLY: [(10, 999)]}, stuck(9, 48, 12, step))

    assert told(stage, LATE)[0] == ("SilenceBegan", 9.9)
