"""Own sight: can we see at all, and is it true? Reference points, loopback and decoys answer that (J1, J7).

A miss stands only if a quorum of our own gateways or of the beacons outside, and our own loopback, answered
at the last glance before it and at all glances since, of which there must be one; and if a quorum answered
packets that left between the first and the last of the ping. Targets on loopback need no gateway, since
packets to them never leave the machine. While a decoy is answered, nothing of its family is believed. Those
rules are pure, and stand in `core.seeing`; what they judge by is gathered here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from hostwatch import canary, rollcall
from hostwatch.clock import Clock
from hostwatch.core import instant, judge
from hostwatch.core.blindness import Why
from hostwatch.core.reading import Outcome
from hostwatch.core.seeing import Habit, Memory, Miss, Points
from hostwatch.core.world import Decision, World
from hostwatch.gauges import Figure
from hostwatch.pinger import Batch, Look, Manner, Pinger, family, is_loopback
from hostwatch.rollcall import Roll

PULSE_MIN: Final = timedelta(milliseconds=50)
"""Our reference points are looked at no more often, however short pings are."""

PAUSE: Final = timedelta(milliseconds=500)
"""The least time between two glances that misses ask for: thousands of misses share a few."""

WARY_FOR: Final = timedelta(minutes=10)
"""How long beacons are in every glance after our gateways did not suffice: they are others' machines."""

CALLS: Final = 12
"""The roll is called each time so many routine looks are over: by default once a minute."""

SAMPLE: Final = 8
"""So many looks of a group show which families are in use."""

FORGED = "answers are made up"

Deed = Callable[[World, datetime], Decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One look at our own reference points and at our own loopback."""

    at: datetime
    """When the first packet left."""

    good: frozenset[int]
    """The families in which a quorum of reference points answered, or need not."""

    heard: frozenset[int]
    """The families in which our own loopback answered, or need not."""

    why: str = ""
    """Who was silent and why, and how many must have answered."""

    answered: frozenset[str] = frozenset()
    """Whom we heard, until those were enough."""


class Sight:
    """Looks at our own reference points and at canaries, and remembers what it saw."""

    def __init__(
        self,
        points: Points,
        pinger: Pinger,
        clock: Clock,
        manner: Manner,
        every: timedelta,
        silent: Sequence[str] = (),
    ) -> None:
        """`every` is the time between two looks; a look is too old for a miss after twice that.

        At `silent` addresses there is nobody.
        """
        self._pinger = pinger
        self._clock = clock
        self._glancing = asyncio.Lock()
        self.memory = Memory()
        """What was heard when."""

        self._patience_us = 0
        self.pulse = every
        """The time between two glances when nothing else asks for one."""

        self._wary_until: timedelta | None = None
        """Until when, by the monotonic clock, beacons are in every glance."""

        self._last: Glance | None = None
        self.roll = Roll(points=points)
        """Who answered when all were asked last."""

        self._forged: dict[int, str] = {}
        """Families in which something is answered now that nobody can answer, and what."""

        self._believed_us: dict[int, int] = {}
        """Since when the answers of a family are believed again."""

        self._has_looked_for_lies = False
        self._in_use: set[int] = set()
        self.points = points
        self.silent = tuple(silent)
        self.manner = manner
        self.every = every
        self.attend(())
        self.is_deaf_by_order: Callable[[int], bool] = canary.is_deaf_by_order
        self.on_seen: Callable[[], None] = lambda: None
        """Called when something may have changed in what `deeds` says."""

    def forget(self) -> None:
        """Drop what was seen by another clock: it proves nothing any more."""
        self.memory.forget()
        self._believed_us = dict.fromkeys(self._believed_us, 0)

    def heed(self, points: Points) -> bool:
        """Have these reference points from now on; whether they are others: then what was seen is dropped."""
        if points == self.points:
            return False
        self.points, self.roll, self._wary_until = points, Roll(points=points), None
        self.forget()
        return True

    @property
    def in_use(self) -> frozenset[int]:
        """The families that we look at."""
        return self.points.families | self._in_use | frozenset(map(family, self.silent))

    def use(self, *versions: int) -> None:
        """These families are in use, though nobody has looked yet."""
        self._in_use.update(versions)

    def lies(self) -> tuple[str, ...]:
        """What is answered now that nobody can answer."""
        return tuple(self._forged.values())

    def attend(self, manners: Iterable[Manner]) -> None:
        """Keep up with how devices are pinged: each ping is to have a glance inside it."""
        known = [*manners, self.manner]
        spans = [(one.attempts - 1) * one.spacing for one in known if one.attempts > 1]
        self.pulse = max(min([self.every, *(span / 3 for span in spans)]), PULSE_MIN)
        self._patience_us = max(one.timeout + one.timeout / 10 for one in known) // instant.MICROSECOND

    async def glance(self) -> Glance:
        """Look at our reference points and at our own loopback now."""
        async with self._glancing:
            return await self._glance()

    async def _glance(self) -> Glance:
        """Look at our gateways; at the beacons too if the gateways do not suffice, or did not lately.

        That the gateways fell short is remembered, and the look at all that follows at once is another one:
        what beacons answer then says nothing of the time before. So a miss in between is none.
        """
        points = self.points
        is_wary = self._wary_until is not None and self._clock.monotonic() < self._wary_until
        asked = points.addresses if is_wary or not points.gateways else points.gateways
        seen = await self._look_at(asked)
        if asked != points.addresses and points.leans_on_beacons(seen.answered):
            self._be_wary()
            seen = await self._look_at(points.addresses)
        self._last = seen
        self.on_seen()
        return seen

    def _be_wary(self) -> None:
        self._wary_until = self._clock.monotonic() + WARY_FOR

    async def _look_at(self, addresses: Iterable[str]) -> Glance:
        """Look at these and at our own loopback, until enough of them have answered, and remember it."""
        points, at_us = self.points, self._clock.now_us()
        versions = {version for version in self.in_use if not self.is_deaf_by_order(version)}
        own = frozenset(canary.LOOPBACK[version] for version in versions)
        batches = rollcall.apart(addresses, self.manner, at_us)
        loopback = Batch(asks=canary.living(versions, at_us), manner=self.manner)
        looks = await rollcall.ask_apart(
            self._pinger,
            chain(batches, [loopback] if versions else ()),
            lambda heard: own <= heard and points.is_enough(heard),
        )
        heard = rollcall.answered(looks)
        for look in looks:
            if look.address in heard - own:
                self.memory.hear(look.address, look.at_us if look.answered_us is None else look.answered_us)
        at_us = min((look.at_us for look in looks), default=at_us)  # when the first packet left
        seen = Glance(
            at=instant.from_micros(at_us),
            good=points.seen(heard),
            heard=frozenset({4, 6} - {v for v in versions if canary.LOOPBACK[v] not in heard}),
            why=_told([f"{look.address}: {look.why}" for look in looks if look.why], points.shortfall(heard)),
            answered=heard,
        )
        self.memory.keep(at_us, seen.good, seen.heard, self.every // instant.MICROSECOND)
        return seen

    async def call_roll(self) -> Roll:
        """Ask all reference points, and wait for each: people want to know who is silent, though we see."""
        points = self.points
        batches = rollcall.apart(points.addresses, self.manner, self._clock.now_us())
        roll = Roll(points=points, looks=await rollcall.ask_apart(self._pinger, batches))
        if points is self.points:
            self.roll = roll
            if self._wary_until is not None and points.leans_on_beacons(roll.heard):
                self._be_wary()
        return roll

    @property
    def roll_every(self) -> timedelta:
        """The time between two calls of the roll: a minute, or less in a hurry."""
        return CALLS * self.every

    def figures(self) -> Iterator[Figure]:
        """How far each quorum is from being lost, as of the last call of the roll."""
        yield from self.roll.figures()

    def warnings(self) -> Iterator[str]:
        """What somebody should look at: why we do not see, or who is silent though we do."""
        if self._last is not None and not self.is_good(self._last):
            yield f"sight: {self._last.why}"
        else:
            yield from self.roll.warnings()

    async def look_for_lies(self) -> None:
        """Ask for what nobody can answer. While it is answered all the same, its family is not believed."""
        at_us = instant.micros(self._clock.now())
        batches = [canary.empties(self.silent, self.manner, at_us)] if self.silent else []
        if versions := self.in_use:
            batches.append(canary.decoys(versions, self.manner, at_us))
        looks = [look for batch in batches async for group in self._pinger.probe(batch) for look in group]
        for version in sorted({family(look.address) for look in looks}):
            self._weigh(version, [look for look in looks if family(look.address) == version], at_us)
        self._has_looked_for_lies = True
        self.on_seen()

    def _weigh(self, version: int, looks: Sequence[Look], at_us: int) -> None:
        lies = [look.signal for look in looks if look.outcome is Outcome.ANSWERED]
        if lies:
            self._forged[version] = f"answered: {', '.join(lies)}"
        elif version in self._forged and all(look.outcome is Outcome.MISSED for look in looks):
            del self._forged[version]
            self._believed_us[version] = at_us

    def is_good(self, glance: Glance) -> bool:
        """Whether we see in each family that has reference points."""
        return self.points.families <= glance.good

    def causes(self) -> Iterator[tuple[Why, str]]:
        """Why we are blind now, with details."""
        if self._last is not None and not self.is_good(self._last):
            yield Why.SIGHT, self._last.why
        if self._last is not None and not self.in_use <= self._last.heard:
            yield Why.LOOPBACK, self._last.why
        if self._forged:
            yield Why.FORGED, "; ".join(self._forged.values())

    def deeds(self, blind: Mapping[str, datetime]) -> Iterator[Deed]:
        """What is to be recorded, when what is recorded as our blindness is no longer true."""
        found, now = dict(self.causes()), self._clock.now()
        glanced = None if self._last is None else self._last.at
        lied = now if self._has_looked_for_lies else None
        for cause, at in ((Why.SIGHT, glanced), (Why.LOOPBACK, glanced), (Why.FORGED, lied)):
            if at is not None and cause in found and cause not in blind:
                yield _begin(cause, found[cause], at)
            elif at is not None and cause in blind and cause not in found:
                yield _end(cause, at)

    async def judge(self, looks: Sequence[Look]) -> tuple[Look, ...]:
        """Misses that we could not have seen, and answers that are not to be believed, become UNKNOWN."""
        self._in_use.update(family(look.address) for look in looks[:SAMPLE])
        missed = [look for look in looks if look.outcome is Outcome.MISSED]
        if missed:
            self._in_use.update(family(look.address) for look in missed)
            await self._seen_since(max(look.known_us for look in missed))
        elif not self._forged and not self._believed_us:
            return tuple(looks)
        return tuple(self._judged(look) for look in looks)

    async def _seen_since(self, when_us: int) -> None:
        """Wait for a glance from then on, or cast one; whoever waits meanwhile shares it."""
        async with self._glancing:
            times = self.memory.times_us
            if times and times[-1] >= when_us:
                return
            if self._last is not None:
                pause = min(PAUSE, self.every / 10)
                await self._clock.sleep(min(self._last.at + pause - self._clock.now(), pause))
            await self._glance()

    def _judged(self, look: Look) -> Look:
        why = ""
        version = family(look.address)
        if version in self._forged or look.at_us < self._believed_us.get(version, 0):
            why = FORGED
        elif look.outcome is Outcome.MISSED:
            why = self._doubt(look, version)
        if not why or look.outcome is Outcome.UNKNOWN:
            return look
        return look._replace(outcome=Outcome.UNKNOWN, why=why, lost=0, answered_us=None, rtt_us=None)

    def _doubt(self, look: Look, version: int) -> str:
        """Why we may not have seen an answer; empty if we would have."""
        miss = Miss(version, look.at_us, look.known_us, is_loopback(look.address))
        return self.memory.doubt(miss, self.points, self._habit())

    def _habit(self) -> Habit:
        return Habit(
            every_us=self.every // instant.MICROSECOND,
            longest_us=self.manner.longest_us,
            pulse_us=self.pulse // instant.MICROSECOND,
            patience_us=self._patience_us,
        )


def _told(silent: Iterable[str], shortfall: str) -> str:
    """Who was silent, and of how many that was too many."""
    return "; ".join([*silent, *([shortfall] if shortfall else [])])


def _begin(cause: Why, detail: str, at: datetime) -> Deed:
    return lambda world, _: judge.go_blind(world, cause.value, detail, at)


def _end(cause: Why, at: datetime) -> Deed:
    return lambda world, _: judge.see_again(world, cause.value, at)
