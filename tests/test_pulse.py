"""The pulse: when somebody outside is told that the watch is well, and when operators are warned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch.channels.base import Message, Receipt
from hostwatch.core.warned import What
from hostwatch.health import Health
from hostwatch.heartbeats.base import Beat, Failed, Way
from hostwatch.pulse import Pulse, Ticking
from tests.outbox.office import Office, Scripted, simulate, site

MINUTE = timedelta(minutes=1)
SITE = {
    **site({"noc": [{"simulated": "noc"}]}),
    "operator": "noc",
}


def well(*troubles: str, outward: tuple[str, ...] = (), warnings: tuple[str, ...] = ()) -> Health:
    return Health(
        troubles=troubles,
        hangs=False,
        last_slice_age=None,
        last_commit_age=None,
        oldest_notice_age=None,
        outward=outward,
        warnings=warnings,
    )


@dataclass
class Outside(Way):
    """Somebody who hears, or does not."""

    now: Callable[[], float]
    tells_trouble: bool = False
    deaf: bool = False
    heard: list[tuple[float, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    async def beat(self, beat: Beat) -> str:
        return self._hear("well", beat)

    async def fail(self, beat: Beat) -> str:
        return self._hear("fail", beat)

    def _hear(self, what: str, beat: Beat) -> str:
        if self.deaf:
            raise Failed("no answer within 10 s: and whatever else it says")
        self.heard.append((self.now(), what))
        self.said.append(beat.text)
        return "200 OK"

    def since(self, minute: float) -> list[tuple[float, str]]:
        return [(at, what) for at, what in self.heard if at >= minute * 60]


@dataclass
class Stage:
    """A pulse over an office, and how the watch is."""

    office: Office
    side: Scripted
    pulse: Pulse
    health: Health = field(default_factory=well)

    def second(self) -> float:
        return self.office.clock.monotonic().total_seconds()

    def outside(self, every: timedelta = MINUTE, **more: Any) -> Outside:
        one = Outside(self.second, **more)
        self.pulse.take("Site", {"url": Ticking(one, every)})
        return one

    def warned(self) -> list[str]:
        return [
            f"{one.about}: {one.said}"
            for one in self.office.engine.world.warned.values()
            if one.what is What.HEARTBEAT
        ]


Play = Callable[[Callable[[Stage], Awaitable[None]]], None]


async def accepts(_to: str, _message: Message) -> Receipt:
    return Receipt("250 OK")


@pytest.fixture
def play(tmp_path: Path) -> Play:
    def begin(story: Callable[[Stage], Awaitable[None]]) -> None:
        async def on(office: Office, side: Scripted) -> None:
            stage: Stage
            pulse = Pulse(office.engine, office.clock, lambda: stage.health)
            stage = Stage(office, side, pulse)
            working = asyncio.create_task(pulse.run())
            try:
                await story(stage)
                assert not working.done(), "whatever happens outside, the watch goes on"
            finally:
                working.cancel()

        simulate(tmp_path, SITE, accepts, on)

    return begin


def test_it_beats_each_minute_while_all_is_well_and_is_silent_while_it_is_not(play: Play) -> None:
    """0:00 well ── 5:00 the store is stuck ── 10:00 well again: there is a beat within a minute"""

    async def story(stage: Stage) -> None:
        outside = stage.outside()
        await asyncio.sleep(5 * 60 - 1)
        assert [round(at) for at, _ in outside.heard] == [0, 60, 120, 180, 240]
        stage.health = well("cannot write to the store: the disk is full")
        await asyncio.sleep(5 * 60)
        assert outside.since(4.9) == []
        stage.health = well()
        await asyncio.sleep(60)
        assert [what for _, what in outside.since(9.9)] == ["well"]
        figures = {figure.name: figure.value for figure in stage.pulse.figures()}
        assert figures["hostwatch_heartbeats_total"] == {("url", "taken"): 6, ("url", "silent"): 5}

    play(story)


def test_who_takes_troubles_is_told_of_them_in_fixed_words(play: Play) -> None:
    async def story(stage: Stage) -> None:
        outside = stage.outside(tells_trouble=True)
        await asyncio.sleep(90)
        stage.health = well(
            "nobody takes up 1 notices, such as E-000001.emergency.acme.duty",
            outward=("nobody takes up 1 notices",),
        )
        await asyncio.sleep(60)

        assert [what for _, what in outside.heard] == ["well", "well", "fail"]
        assert "nobody takes up 1 notices" in outside.said[-1]
        assert "acme" not in outside.said[-1]

    play(story)


def test_that_we_cannot_see_is_no_illness_and_is_said_as_a_number(play: Play) -> None:
    async def story(stage: Stage) -> None:
        stage.health = well(warnings=("sight: 192.0.2.1 is silent",))
        outside = stage.outside()
        await asyncio.sleep(1)

        assert "1 warnings" in outside.said[0]
        assert "192.0.2.1" not in outside.said[0]

    play(story)


def test_a_mail_a_day_that_was_left_out_follows_within_a_minute(play: Play) -> None:
    """0:00 beat ── 24:00 not well: nothing ── 24:30 well again: the beat of the day"""

    async def story(stage: Stage) -> None:
        outside = stage.outside(every=timedelta(hours=1))
        await asyncio.sleep(3_590)
        stage.health = well("the loop stood still")
        await asyncio.sleep(600)
        stage.health = well()
        await asyncio.sleep(70)

        assert [round(at / 60) for at, _ in outside.heard] == [0, 70]

    play(story)


def test_a_start_says_nothing_until_it_is_well(play: Play) -> None:
    """A watch that starts has closed no slice yet: that is no trouble. After a minute it is one."""

    async def story(stage: Stage) -> None:
        stage.health = well("the schedule has not moved on for ever")
        outside = stage.outside(tells_trouble=True)
        await asyncio.sleep(55)
        assert outside.heard == []
        await asyncio.sleep(10)
        assert [what for _, what in outside.heard] == ["fail"]

    play(story)


def test_operators_are_warned_after_three_misses_in_a_row_and_once_it_is_over(play: Play) -> None:
    async def story(stage: Stage) -> None:
        outside = stage.outside(deaf=True)
        await asyncio.sleep(119)
        assert stage.warned() == []
        await asyncio.sleep(10)
        assert stage.warned() == ["url: no answer within 10 s"], "and not what else the other side says"
        outside.deaf = False
        await asyncio.sleep(60)
        assert stage.warned() == []
        kinds = [message.payload["kind"] for _, _, message in stage.side.sent]
        assert kinds == ["warning", "cleared"]
        assert "nobody outside hears our heartbeat" in stage.side.sent[0][2].subject

    play(story)


def test_two_misses_and_a_beat_that_is_taken_warn_of_nothing(play: Play) -> None:
    async def story(stage: Stage) -> None:
        outside = stage.outside()
        for _ in range(5):
            outside.deaf = True
            await asyncio.sleep(120)
            outside.deaf = False
            await asyncio.sleep(60)

        assert stage.side.sent == []

    play(story)


def test_a_warning_about_a_way_that_is_no_more_is_over(play: Play) -> None:
    async def story(stage: Stage) -> None:
        stage.outside(deaf=True)
        await asyncio.sleep(200)
        assert len(stage.warned()) == 1
        stage.pulse.take("Site", {})
        await asyncio.sleep(5)
        assert stage.warned() == []

    play(story)


def test_a_kind_that_hangs_for_ever_or_breaks_holds_up_nobody(play: Play) -> None:
    async def story(stage: Stage) -> None:
        class Hanging(Outside):
            async def beat(self, beat: Beat) -> str:
                await asyncio.Event().wait()
                return ""

        class Broken(Outside):
            async def beat(self, beat: Beat) -> str:
                raise RuntimeError("a fault of ours")

        fine, hanging, broken = Outside(stage.second), Hanging(stage.second), Broken(stage.second)
        ways = {"fine": fine, "hanging": hanging, "broken": broken}
        stage.pulse.take("Site", {name: Ticking(way, MINUTE) for name, way in ways.items()})
        await asyncio.sleep(10 * 60)

        assert len(fine.heard) == 10
        assert {line.partition(":")[0] for line in stage.warned()} == {"hanging", "broken"}

    play(story)
