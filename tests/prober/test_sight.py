"""What our own gateways, loopback and decoys say of a look, and how few glances thousands of misses cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.canary import LOOPBACK, is_deaf_by_order
from hostwatch.core import facts, instant
from hostwatch.core.blindness import Why
from hostwatch.core.reading import Outcome
from hostwatch.core.world import World
from hostwatch.pinger import Batch, Look, Manner, Pinger
from hostwatch.sight import BLIND, DEAF, FORGED, REMEMBERED_MAX, Sight
from tests.lab.namespace import Namespace
from tests.simulation.clocks import SimClock
from tests.simulation.loop import SimLoop

START = datetime(2026, 10, 1, tzinfo=UTC)
GATEWAY, GATEWAY_6, NOBODY = "192.0.2.1", "2001:db8::1", "198.51.100.9"
DEVICE = {4: "192.0.2.10", 6: "2001:db8::10"}
MANNER = Manner(attempts=1, timeout=timedelta(milliseconds=500))
EVERY = timedelta(seconds=5)


class Says(Pinger):
    """Answers at once for whoever is alive, and takes a decoy for answered if told to."""

    def __init__(self, clock: SimClock) -> None:
        self._clock = clock
        self.dead: set[str] = set()
        self.fooled: set[int] = set()
        self.nobody_answers = False
        self.asked: list[str] = []
        self.glances = 0

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        self.asked += [ask.signal for ask in batch.asks]
        self.glances += any(ask.signal.startswith("canary/") for ask in batch.asks)
        looks = [look(ask.address, self._outcome(ask.address, batch), ask.at_us) for ask in batch.asks]
        if any(one.outcome is Outcome.MISSED for one in looks):
            await self._clock.sleep(batch.manner.longest)
        yield tuple(one._replace(signal=ask.signal) for one, ask in zip(looks, batch.asks, strict=True))

    def _outcome(self, address: str, batch: Batch) -> Outcome:
        if batch.manner.decoy:
            said = (6 if ":" in address else 4) in self.fooled
        else:
            said = address not in self.dead and (address != NOBODY or self.nobody_answers)
        return Outcome.ANSWERED if said else Outcome.MISSED

    async def close(self) -> None:
        """Nothing is open."""


def look(address: str, outcome: Outcome, at_us: int, known_us: int = 0) -> Look:
    return Look(f"{address}/ping@main", address, at_us, known_us or at_us, outcome)


class Scene:
    """A sight in a simulated second of which the test is the director."""

    def __init__(self, *gateways: str, silent: tuple[str, ...] = ()) -> None:
        self.loop = SimLoop()
        self.clock = SimClock(self.loop, START)
        self.pinger = Says(self.clock)
        self.sight = Sight(gateways, self.pinger, self.clock, MANNER, EVERY, silent)
        self.sight.is_deaf_by_order = lambda _: False

    def play(self, act: Callable[[], Awaitable[None]]) -> None:
        async def played() -> None:
            await act()

        try:
            self.loop.run_until_complete(played())
        finally:
            self.loop.close()

    def now_us(self) -> int:
        return instant.micros(self.clock.now())

    async def seen(self, address: str, outcome: Outcome = Outcome.MISSED) -> Look:
        """A look at a device that ends now, half a second after it was begun."""
        at_us = self.now_us()
        await self.clock.sleep(MANNER.longest)
        (judged,) = await self.sight.judge([look(address, outcome, at_us, self.now_us())])
        return judged

    def causes(self) -> set[Why]:
        return {cause for cause, _ in self.sight.causes()}


@pytest.mark.parametrize("version", [4, 6])
def test_a_miss_stands_when_gateway_and_loopback_answer(version: int) -> None:
    scene = Scene(GATEWAY, GATEWAY_6)

    async def act() -> None:
        await scene.sight.glance()
        assert (await scene.seen(DEVICE[version])).outcome is Outcome.MISSED
        assert scene.causes() == set()

    scene.play(act)


@pytest.mark.parametrize("gateways", [(GATEWAY,), ()])
def test_a_miss_does_not_stand_while_our_own_loopback_is_silent(gateways: tuple[str, ...]) -> None:
    """Also for a site that names no gateway, and for a target on loopback itself."""
    scene = Scene(*gateways)

    async def act() -> None:
        await scene.seen(DEVICE[4])
        scene.pinger.dead = {LOOPBACK[4]}
        for target in (DEVICE[4], "127.0.0.2"):
            judged = await scene.seen(target)
            assert (judged.outcome, judged.why) == (Outcome.UNKNOWN, DEAF)
        assert scene.causes() == {Why.LOOPBACK}
        scene.pinger.dead = set()
        await scene.sight.glance()
        assert scene.causes() == set()
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED

    scene.play(act)


def test_the_silence_of_one_familys_loopback_says_nothing_of_the_other() -> None:
    scene = Scene(GATEWAY, GATEWAY_6)

    async def act() -> None:
        await scene.sight.glance()
        scene.pinger.dead = {LOOPBACK[6]}
        assert (await scene.seen(DEVICE[6])).why == DEAF
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED

    scene.play(act)


def test_a_silent_gateway_excuses_devices_and_no_target_on_loopback() -> None:
    scene = Scene(GATEWAY)

    async def act() -> None:
        await scene.sight.glance()
        scene.pinger.dead = {GATEWAY}
        assert (await scene.seen(DEVICE[4])).why == BLIND
        assert (await scene.seen("127.0.0.2")).outcome is Outcome.MISSED
        assert scene.causes() == {Why.SIGHT}

    scene.play(act)


def test_a_miss_without_a_glance_before_it_does_not_stand() -> None:
    scene = Scene(GATEWAY)

    async def act() -> None:
        assert (await scene.seen(DEVICE[4])).why == BLIND
        await scene.clock.sleep(3 * EVERY)
        assert (await scene.seen(DEVICE[4])).why == BLIND
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED

    scene.play(act)


def test_a_gateway_that_was_silent_for_a_moment_in_between_spoils_a_long_look() -> None:
    scene = Scene(GATEWAY)

    async def act() -> None:
        await scene.sight.glance()
        at_us = scene.now_us()
        scene.pinger.dead = {GATEWAY}
        await scene.sight.glance()
        scene.pinger.dead = set()
        await scene.sight.glance()
        (judged,) = await scene.sight.judge([look(DEVICE[4], Outcome.MISSED, at_us, scene.now_us())])
        assert judged.why == BLIND

    scene.play(act)


def test_while_a_decoy_is_answered_nothing_of_its_family_is_believed() -> None:
    """Neither misses nor answers, also of looks that were on their way; the other family is believed."""
    scene = Scene(GATEWAY, GATEWAY_6)

    async def act() -> None:
        await scene.sight.glance()
        await scene.sight.look_for_lies()
        assert scene.causes() == set()
        scene.pinger.fooled = {4}
        await scene.sight.look_for_lies()
        assert scene.causes() == {Why.FORGED}
        for outcome in (Outcome.ANSWERED, Outcome.MISSED):
            judged = await scene.seen(DEVICE[4], outcome)
            assert (judged.outcome, judged.why, judged.rtt_us) == (Outcome.UNKNOWN, FORGED, None)
            assert (await scene.seen(DEVICE[6], outcome)).outcome is outcome
        begun_us = scene.now_us()
        scene.pinger.fooled = set()
        await scene.sight.look_for_lies()
        assert scene.causes() == set()
        (before,) = await scene.sight.judge([look(DEVICE[4], Outcome.ANSWERED, begun_us - 1)])
        assert before.why == FORGED
        assert (await scene.seen(DEVICE[4], Outcome.ANSWERED)).outcome is Outcome.ANSWERED

    scene.play(act)


def test_an_address_without_anybody_that_answers_is_a_lie_too() -> None:
    scene = Scene(GATEWAY, silent=(NOBODY,))

    async def act() -> None:
        await scene.sight.look_for_lies()
        assert scene.causes() == set()
        scene.pinger.nobody_answers = True
        await scene.sight.look_for_lies()
        ((cause, detail),) = scene.sight.causes()
        assert cause is Why.FORGED
        assert NOBODY in detail

    scene.play(act)


def test_a_machine_that_is_told_to_answer_nobody_is_not_called_deaf() -> None:
    scene = Scene(GATEWAY)
    scene.sight.is_deaf_by_order = lambda _: True
    scene.pinger.dead = {LOOPBACK[4]}

    async def act() -> None:
        await scene.sight.glance()
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED
        assert "canary/4" not in scene.pinger.asked
        assert scene.causes() == set()

    scene.play(act)


@pytest.mark.lab
def test_the_kernel_says_whether_it_answers_echo_requests() -> None:
    def said() -> list[bool]:
        return [is_deaf_by_order(version) for version in (4, 6)]

    own = Namespace()
    try:
        before = own.inside(said)
        own.sysctl(ipv4__icmp_echo_ignore_all=1, ipv6__icmp__echo_ignore_all=1)
        assert (before, own.inside(said)) == ([False, False], [True, True])
    finally:
        own.close()


def test_thousands_of_misses_share_a_few_glances() -> None:
    """Three thousand misses, each known at an instant of its own within three seconds, each judged alone."""
    scene = Scene(GATEWAY)
    count = 3_000

    async def one(number: int) -> Look:
        await scene.clock.sleep(number * timedelta(milliseconds=1))
        return await scene.seen(DEVICE[4])

    async def act() -> None:
        await scene.sight.glance()
        before = scene.pinger.glances
        judged = await asyncio.gather(*(one(number) for number in range(count)))
        assert {look.outcome for look in judged} == {Outcome.MISSED}
        assert scene.pinger.glances - before <= 40
        together = [look(DEVICE[4], Outcome.MISSED, scene.now_us()) for _ in range(count)]
        before = scene.pinger.glances
        assert len(await scene.sight.judge(together)) == count
        assert scene.pinger.glances - before <= 1

    scene.play(act)


def test_what_was_seen_before_a_long_storm_is_not_forgotten() -> None:
    """A ping of three seconds in a storm of glances still finds one from before it; memory has an end."""
    scene = Scene(GATEWAY)

    async def act() -> None:
        await scene.sight.glance()
        at_us = scene.now_us()
        for _ in range(3 * REMEMBERED_MAX):
            await scene.sight.glance()
            await scene.clock.sleep(timedelta(milliseconds=5))
        assert len(scene.sight._times_us) < 64
        late = look(DEVICE[4], Outcome.MISSED, scene.now_us() - 3_000_000, scene.now_us())
        (judged,) = await scene.sight.judge([late])
        assert judged.outcome is Outcome.MISSED
        assert at_us < late.at_us

    scene.play(act)


def test_each_cause_begins_and_ends_once_as_a_fact() -> None:
    scene = Scene(GATEWAY)
    world = World()
    told: list[tuple[str, str]] = []

    def keep() -> None:
        for deed in scene.sight.deeds(world.blind):
            decision = deed(world, scene.clock.now())
            for fact in decision.facts:
                assert isinstance(fact, facts.BlindBegan | facts.BlindEnded)
                told.append((type(fact).__name__, fact.why))
            world.apply(decision)

    scene.sight.on_seen = keep

    async def act() -> None:
        await scene.sight.glance()
        scene.pinger.dead, scene.pinger.fooled = {GATEWAY, LOOPBACK[4]}, {4}
        for _ in range(2):
            await scene.sight.glance()
            await scene.sight.look_for_lies()
        scene.pinger.dead, scene.pinger.fooled = set(), set()
        for _ in range(2):
            await scene.sight.glance()
            await scene.sight.look_for_lies()

    scene.play(act)
    began = [("BlindBegan", why) for why in ("sight", "loopback", "forged")]
    assert told == [*began, *(("BlindEnded", why) for _, why in began)]
