"""Traces beside the schedule: who is looked along the path to, how often, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import pytest

from hostwatch import traces
from hostwatch.core import facts
from hostwatch.core.reading import Outcome
from hostwatch.core.world import Decision
from hostwatch.pinger import Ask, Batch, Look, Manner
from hostwatch.store.ledger import facts_of
from tests.prober.stage import START, Scripted, Stage, seconds

QUICK = Manner(attempts=1, timeout=seconds(0.1))
EVERY = seconds(5)


class Routed(Scripted):
    """Two routers answer on each path, and nobody beyond; devices answer as scripted."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.clock, stage.says)
        self.traced: list[tuple[str, float]] = []
        """Addresses, and when, in seconds since the start."""

        self.most = 0
        """How many were under way at one time."""

        self.outcome = Outcome.MISSED
        self.meanwhile: Callable[[], None] = lambda: None
        self._under_way = 0

    def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        return self._along(batch) if batch.asks and batch.asks[0].hops else super().probe(batch)

    async def _along(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        if batch.asks[0].hops == 1:
            self.traced.append((batch.asks[0].address, (self._clock.now() - START).total_seconds()))
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        self.meanwhile()
        await self._clock.sleep(batch.manner.longest)
        self._under_way -= 1
        yield tuple(self._hop(ask) for ask in batch.asks)

    def _hop(self, ask: Ask) -> Look:
        silent = self._look(ask, self.outcome)
        if ask.hops > 2:
            return silent
        return silent._replace(said="time exceeded", said_by=f"198.51.100.{ask.hops}")


@dataclass
class Told:
    """What came of a story."""

    stage: Stage
    pinger: Routed

    @property
    def paths(self) -> list[facts.PathSeen]:
        """The paths on record."""
        return [fact for fact in self.facts if isinstance(fact, facts.PathSeen)]

    @property
    def facts(self) -> list[facts.Fact]:
        """The whole record."""
        return [*facts_of(self.stage.ledger._db)]


def told(
    devices: Mapping[str, str],
    says: Callable[[str, int], bool],
    lasting_s: float = 40,
    *,
    wanted: bool = True,
    prepare: Callable[[Told], None] = lambda _: None,
) -> Told:
    """A story of devices with their addresses; `prepare` is called when all have answered twice."""
    stage = Stage(dict.fromkeys(devices, EVERY), dict.fromkeys(devices, QUICK), says, addresses=dict(devices))
    story = Told(stage, Routed(stage))
    stage.pinger = story.pinger

    async def act(stage: Stage) -> None:
        stage.prober.traces.wanted = wanted
        await stage.clock.sleep(seconds(9))
        prepare(story)
        await stage.clock.sleep(seconds(lasting_s))

    stage.run(act)
    return story


def network(count: int) -> dict[str, str]:
    """Devices of one /24."""
    return {f"d{number}": f"192.0.2.{number}" for number in range(1, count + 1)}


def networks(count: int) -> dict[str, str]:
    """Devices in a /24 each."""
    return {f"d{number}": f"10.0.{number}.1" for number in range(1, count + 1)}


def dies(_: str, look: int) -> bool:
    """Whoever it is: answers four times, never again."""
    return look <= 4


def test_a_storm_in_one_neighbourhood_is_one_trace() -> None:
    story = told(network(50), dies)

    (seen,) = story.paths
    assert len(story.pinger.traced) == 1
    assert (seen.network, seen.ending, seen.hop) == ("192.0.2.0/24", "broken", 2)
    assert seen.routers == ("198.51.100.1", "198.51.100.2")
    began = [fact for fact in story.facts if isinstance(fact, facts.SilenceBegan)]
    assert seen.signal == began[0].signal
    assert len([fact for fact in story.facts if isinstance(fact, facts.WentDown)]) == 50


def test_each_neighbourhood_has_its_own() -> None:
    devices = {
        "a": "192.0.2.1",
        "b": "198.51.100.1",
        "c": "2001:db8:1::1",
        "d": "2001:db8:1:2::1",
        "e": "2001:db8:2::1",
    }
    story = told(devices, dies)

    assert {seen.network for seen in story.paths} == {
        "192.0.2.0/24", "198.51.100.0/24", "2001:db8:1::/48", "2001:db8:2::/48",
    }  # fmt: skip
    assert len(story.paths) == 4


def test_a_trace_is_shared_for_a_minute() -> None:
    """The second falls silent half a minute after the first, the third when a minute is over."""
    last = {"d1": 4, "d2": 10, "d3": 20}
    story = told(network(3), lambda name, look: look <= last.get(name.partition("/")[0], 0), 120)

    assert [address for address, _ in story.pinger.traced] == ["192.0.2.1", "192.0.2.3"]
    assert [seen.signal for seen in story.paths] == ["d1/ping@main", "d3/ping@main"]


def test_traces_are_few_in_a_minute_and_at_one_time() -> None:
    story = told(networks(40), dies, 60)

    assert len(story.pinger.traced) == len(story.paths) == traces.PER_MINUTE
    assert story.pinger.most == traces.AT_ONCE


def test_who_answers_before_its_turn_is_not_looked_at() -> None:
    story = told(networks(40), lambda _, look: look != 5, 60)

    assert traces.AT_ONCE <= len(story.pinger.traced) < traces.PER_MINUTE
    assert len([fact for fact in story.facts if isinstance(fact, facts.SilenceEnded)]) == 40


@pytest.mark.parametrize(("devices", "wanted"), [(network(2), False), ({"a": "127.0.0.9", "b": "::1"}, True)])
def test_none_unless_they_are_wanted_and_none_to_ourselves(devices: dict[str, str], wanted: bool) -> None:
    story = told(devices, dies, wanted=wanted)

    assert not story.pinger.traced
    assert not story.paths


def blinded(story: Told) -> None:
    story.stage.engine.post(lambda world, now: Decision(blind={"test": now}))


def test_none_while_we_are_blind() -> None:
    story = told(network(2), dies, prepare=blinded)

    assert any(isinstance(fact, facts.SilenceBegan) for fact in story.facts)
    assert not story.pinger.traced
    assert not story.paths


def test_who_fell_silent_while_we_were_blind_has_used_up_nothing() -> None:
    """The second of the neighbourhood does so when we see again, within the minute."""

    def prepare(story: Told) -> None:
        blinded(story)
        loop = asyncio.get_running_loop()
        loop.call_later(16, story.stage.engine.post, lambda *_: Decision(blind={"test": None}))

    last = {"d1/ping@main": 3, "d2/ping@main": 6}
    story = told(network(2), lambda name, look: look <= last.get(name, 0), 45, prepare=prepare)

    assert [seen.signal for seen in story.paths] == ["d2/ping@main"]


def test_what_was_seen_while_we_went_blind_is_not_kept() -> None:
    def prepare(story: Told) -> None:
        story.pinger.meanwhile = lambda: blinded(story)

    story = told(network(2), dies, prepare=prepare)

    assert len(story.pinger.traced) == 1
    assert story.paths == []


def test_what_we_could_not_look_at_is_not_kept() -> None:
    def prepare(story: Told) -> None:
        story.pinger.outcome = Outcome.UNKNOWN

    story = told(network(2), dies, prepare=prepare)

    assert len(story.pinger.traced) == 1
    assert story.paths == []


def test_they_change_nothing_else_in_the_record() -> None:
    """Fifty devices die and come back, with traces and without: the same facts at the same times."""

    def comes_back(_: str, look: int) -> bool:
        return not 5 <= look <= 9

    seen, unseen = (told(network(50), comes_back, 60, wanted=wanted) for wanted in (True, False))

    assert len(seen.paths) == 1
    assert [fact for fact in seen.facts if not isinstance(fact, facts.PathSeen)] == unseen.facts


def test_the_neighbourhood_of_an_address() -> None:
    assert traces.neighbourhood("192.0.2.77") == "192.0.2.0/24"
    assert traces.neighbourhood("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert traces.neighbourhood("fe80::1%eth0") == "fe80::/48"
