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
from hostwatch.core.seeing import BLIND, DEAF, REMEMBERED_MAX, UNLIT, Points
from hostwatch.core.world import World
from hostwatch.pinger import Batch, Look, Manner, Pinger
from hostwatch.sight import FORGED, WARY_FOR, Sight
from tests.lab.namespace import Namespace
from tests.simulation.clocks import SimClock
from tests.simulation.loop import SimLoop

START = datetime(2026, 10, 1, tzinfo=UTC)
OTHER_GATEWAY = "192.0.2.2"
BEACONS = ("198.51.100.7", "203.0.113.9", "203.0.113.77")
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

    def __init__(
        self, *gateways: str, silent: tuple[str, ...] = (), beacons: tuple[str, ...] = (), quorum: int = 1
    ) -> None:
        self.loop = SimLoop()
        self.clock = SimClock(self.loop, START)
        self.pinger = Says(self.clock)
        points = Points(gateways=gateways, beacons=beacons, quorum=quorum)
        self.sight = Sight(points, self.pinger, self.clock, MANNER, EVERY, silent)
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

    def asked(self, address: str) -> int:
        """How often somebody was asked."""
        return self.pinger.asked.count(address)

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


def test_a_gateway_that_drops_pings_and_forwards_does_not_blind_us() -> None:
    """
    0 s    gateway and beacons live: beacons are not asked
    then   the gateway is silent: the look at it fails; at once all are asked, and beacons show that we see
    then   misses stand, and no blindness was ever recorded; a miss of the moment of change does not
    then   our link is cut: blind
    """
    scene = Scene(GATEWAY, beacons=BEACONS)
    blind: list[set[Why]] = []
    scene.sight.on_seen = lambda: blind.append(scene.causes())

    async def act() -> None:
        await scene.sight.glance()
        assert [scene.asked(beacon) for beacon in BEACONS] == [0, 0, 0]
        scene.pinger.dead = {GATEWAY}
        assert (await scene.seen(DEVICE[4])).why == BLIND
        for _ in range(3):
            await scene.clock.sleep(EVERY)
            await scene.sight.glance()
            assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED
        assert set().union(*blind) == set()
        scene.pinger.dead = {GATEWAY, *BEACONS[:2]}
        assert (await scene.seen(DEVICE[4])).why == BLIND
        assert scene.causes() == {Why.SIGHT}
        ((_, detail),) = scene.sight.causes()
        assert detail.endswith("IPv4: 0 of 1 gateways answered, 1 must, 1 of 3 beacons answered, 2 must")

    scene.play(act)


def test_silent_beacons_beyond_a_living_gateway_are_not_our_blindness() -> None:
    scene = Scene(GATEWAY, beacons=BEACONS)
    scene.pinger.dead = {*BEACONS}

    async def act() -> None:
        await scene.sight.glance()
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED
        assert scene.causes() == set()
        await scene.sight.call_roll()
        assert [*scene.sight.warnings()] == [
            f"sight over IPv4: {', '.join(BEACONS)} silent;"
            " 1 of 1 gateways answered, 1 must, 0 of 3 beacons answered, 2 must"
        ]
        (spare,) = scene.sight.figures()
        assert spare.value == {"IPv4 gateways": 0.0, "IPv4 beacons": -2.0}

    scene.play(act)


def test_without_a_gateway_beacons_decide_alone() -> None:
    scene = Scene(beacons=BEACONS)

    async def act() -> None:
        scene.pinger.dead = {BEACONS[0]}
        await scene.sight.glance()
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED
        scene.pinger.dead = {*BEACONS}
        assert (await scene.seen(DEVICE[4])).why == UNLIT
        assert scene.causes() == {Why.SIGHT}

    scene.play(act)


def test_of_two_gateways_that_must_both_answer_one_that_is_silent_blinds_us() -> None:
    scene = Scene(GATEWAY, OTHER_GATEWAY, quorum=2)

    async def act() -> None:
        await scene.sight.glance()
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED
        scene.pinger.dead = {OTHER_GATEWAY}
        assert (await scene.seen(DEVICE[4])).why == BLIND
        ((_, detail),) = scene.sight.causes()
        assert detail.endswith("IPv4: 1 of 2 gateways answered, 2 must")

    scene.play(act)


def test_beacons_are_others_machines_and_are_asked_no_longer_than_they_are_needed() -> None:
    """
    then   the gateway is silent for a while: beacons are in every glance
    then   it answers again: they are for ten minutes more, and no longer; the roll asks them all the while
    then   it never answers: each call of the roll finds it so, and they stay
    """
    scene = Scene(GATEWAY, beacons=BEACONS)

    async def asked_in_a_glance() -> bool:
        before = scene.asked(BEACONS[0])
        await scene.sight.glance()
        return scene.asked(BEACONS[0]) > before

    async def act() -> None:
        scene.pinger.dead = {GATEWAY}
        assert await asked_in_a_glance()
        for _ in range(3):
            await scene.clock.sleep(WARY_FOR * 0.9)
            await scene.sight.call_roll()
            assert await asked_in_a_glance()
        scene.pinger.dead = set()
        await scene.clock.sleep(WARY_FOR * 0.9)
        await scene.sight.call_roll()
        assert await asked_in_a_glance()
        await scene.clock.sleep(WARY_FOR * 0.2)
        assert not await asked_in_a_glance()

    scene.play(act)


def test_a_reference_point_that_is_silent_keeps_no_glance_waiting() -> None:
    """Else no glance would fall inside a ping, and true misses would not stand."""
    scene = Scene(GATEWAY, OTHER_GATEWAY)
    scene.pinger.dead = {OTHER_GATEWAY}

    async def act() -> None:
        before = scene.clock.now()
        await scene.sight.glance()
        assert scene.clock.now() == before
        assert scene.causes() == set()
        assert (await scene.sight.call_roll()).silent().keys() == {OTHER_GATEWAY}
        assert scene.clock.now() - before == MANNER.longest

    scene.play(act)


def test_who_forges_the_answers_of_beacons_is_found_by_decoys() -> None:
    scene = Scene(GATEWAY, beacons=BEACONS, silent=(NOBODY,))
    scene.pinger.dead, scene.pinger.nobody_answers = {GATEWAY}, True

    async def act() -> None:
        await scene.sight.glance()
        await scene.sight.look_for_lies()
        assert scene.causes() == {Why.FORGED}
        assert (await scene.seen(DEVICE[4])).why == FORGED

    scene.play(act)


def test_what_was_seen_with_other_reference_points_proves_nothing() -> None:
    scene = Scene(GATEWAY)

    async def act() -> None:
        await scene.sight.glance()
        assert not scene.sight.heed(Points(gateways=(GATEWAY,)))
        assert scene.sight.heed(Points(gateways=(GATEWAY,), beacons=BEACONS))
        assert (await scene.seen(DEVICE[4])).why == BLIND
        assert (await scene.seen(DEVICE[4])).outcome is Outcome.MISSED

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
        assert len(scene.sight.memory.times_us) < 64
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
