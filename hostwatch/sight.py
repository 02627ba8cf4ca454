"""Own sight: can we see at all, and is it true? Gateways, loopback and decoys answer that (J1, J7).

A miss stands only if a gateway of the same family, and our own loopback, answered at the last glance
before it and at all glances since, of which there must be one; and if a gateway answered a packet that left
between the first and the last of the ping. Targets on loopback need no gateway, since packets to them never
leave the machine. While a decoy is answered, nothing of its family is believed.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hostwatch import canary
from hostwatch.clock import Clock
from hostwatch.core import instant, judge
from hostwatch.core.blindness import Why
from hostwatch.core.reading import Outcome
from hostwatch.core.world import Decision, World
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger, family, is_loopback

REMEMBERED_MAX: Final = 1024
"""Glances that are remembered; those of a storm are thinned out."""

PULSE_MIN: Final = timedelta(milliseconds=50)
"""Our gateways are looked at no more often, however short pings are."""

HEARD_MAX: Final = 1024
"""Answers of gateways that are remembered."""

PAUSE: Final = timedelta(milliseconds=500)
"""The least time between two glances that misses ask for: thousands of misses share a few."""

SAMPLE: Final = 8
"""So many looks of a group show which families are in use."""

BLIND = "own gateway silent"
DEAF = "own loopback silent"
FORGED = "answers are made up"

Deed = Callable[[World, datetime], Decision]
What = Literal["gateway", "loopback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One look at our own gateways and at our own loopback."""

    at: datetime
    """When the first packet left."""

    good: frozenset[int]
    """The families in which a gateway answered, or need not."""

    heard: frozenset[int]
    """The families in which our own loopback answered, or need not."""

    why: str = ""


class Sight:
    """Looks at our own gateways and at canaries, and remembers what it saw."""

    def __init__(
        self,
        gateways: Sequence[str],
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
        self._times_us: list[int] = []
        """When was looked, oldest first."""

        self._bad_us: dict[tuple[What, int], int] = {}
        """When a family was last seen to fail."""

        self._heard_us: dict[int, list[int]] = {4: [], 6: []}
        """When packets left that a gateway of a family answered, oldest first."""

        self._patience_us = 0
        self.pulse = every
        """The time between two looks at our gateways when nothing else asks for one."""

        self._last: Glance | None = None
        self._forged: dict[int, str] = {}
        """Families in which something is answered now that nobody can answer, and what."""

        self._believed_us: dict[int, int] = {}
        """Since when the answers of a family are believed again."""

        self._has_looked_for_lies = False
        self._in_use: set[int] = set()
        self.gateways = tuple(gateways)
        self.silent = tuple(silent)
        self.manner = manner
        self.every = every
        self.attend(())
        self.is_deaf_by_order: Callable[[int], bool] = canary.is_deaf_by_order
        self.on_seen: Callable[[], None] = lambda: None
        """Called when something may have changed in what `deeds` says."""

    def forget(self) -> None:
        """Drop what was seen by another clock, or with other gateways: it proves nothing any more."""
        self._times_us.clear()
        self._bad_us.clear()
        for heard in self._heard_us.values():
            heard.clear()
        self._believed_us = dict.fromkeys(self._believed_us, 0)

    @property
    def in_use(self) -> frozenset[int]:
        """The families that we look at."""
        return frozenset(self._in_use | {family(address) for address in (*self.gateways, *self.silent)})

    def use(self, *versions: int) -> None:
        """These families are in use, though nobody has looked yet."""
        self._in_use.update(versions)

    def lies(self) -> tuple[str, ...]:
        """What is answered now that nobody can answer."""
        return tuple(self._forged.values())

    def attend(self, manners: Iterable[Manner]) -> None:
        """Keep up with how devices are pinged: each ping is to have a look at our gateways inside it."""
        known = [*manners, self.manner]
        spans = [(one.attempts - 1) * one.spacing for one in known if one.attempts > 1]
        self.pulse = max(min([self.every, *(span / 3 for span in spans)]), PULSE_MIN)
        self._patience_us = max(one.timeout + one.timeout / 10 for one in known) // instant.MICROSECOND

    async def glance(self) -> Glance:
        """Look at all our gateways and at our own loopback now."""
        async with self._glancing:
            return await self._glance()

    async def _glance(self) -> Glance:
        at_us = self._clock.now_us()
        versions = {version for version in self.in_use if not self.is_deaf_by_order(version)}
        gateways = (Ask(address, address, at_us) for address in self.gateways)
        asks = (*gateways, *canary.living(versions, at_us))
        looks: list[Look] = []
        async for group in self._pinger.probe(Batch(asks=asks, manner=self.manner)):
            looks.extend(group)
        answered = {look.address for look in looks if look.outcome is Outcome.ANSWERED}
        for look in looks:
            if look.outcome is Outcome.ANSWERED and look.address in self.gateways:
                heard = self._heard_us[family(look.address)]
                insort(heard, look.at_us if look.answered_us is None else look.answered_us)
                del heard[:-HEARD_MAX]
        at_us = min((look.at_us for look in looks), default=at_us)  # when the first packet left
        seen = Glance(
            at=instant.from_micros(at_us),
            good=self._widened(frozenset(family(one) for one in self.gateways if one in answered)),
            heard=frozenset({4, 6} - {v for v in versions if canary.LOOPBACK[v] not in answered}),
            why="; ".join(f"{look.address}: {look.why}" for look in looks if look.why),
        )
        self._remember(seen, at_us)
        return seen

    def _widened(self, good: frozenset[int]) -> frozenset[int]:
        """A family without a gateway of its own is seen through the other."""
        own = {family(address) for address in self.gateways}
        return good | ({4, 6} - own if good or not own else set())

    def _remember(self, seen: Glance, at_us: int) -> None:
        """Keep what was seen. Of three glances close together that in the middle is forgotten."""
        times = self._times_us
        insort(times, at_us)
        if len(times) > 2 and times[-1] - times[-3] < self.every / 2 / instant.MICROSECOND:
            del times[-2]
        del times[:-REMEMBERED_MAX]
        for version in (4, 6):
            if version not in seen.good:
                self._bad_us["gateway", version] = at_us
            if version not in seen.heard:
                self._bad_us["loopback", version] = at_us
        self._last = seen
        self.on_seen()

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
        """Whether each family that has gateways saw one."""
        return all(family(address) in glance.good for address in self.gateways)

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
            if self._times_us and self._times_us[-1] >= when_us:
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
        times = self._times_us
        place = bisect_right(times, look.at_us) - 1
        oldest_us = look.at_us - (2 * self.every + self.manner.longest) // instant.MICROSECOND
        if place < 0 or times[place] < oldest_us or place == len(times) - 1:
            return BLIND if self.gateways else DEAF
        if self._bad_us.get(("loopback", version), -1) >= times[place]:
            return DEAF
        own = bool(self.gateways) and not is_loopback(look.address)
        if own and self._bad_us.get(("gateway", version), -1) >= times[place]:
            return BLIND
        return BLIND if own and not self._was_heard_between(look, version) else ""

    def _was_heard_between(self, look: Look, version: int) -> bool:
        """Whether a gateway answered a packet that left after the first of a ping and before its last.

        Nothing that cut us off for a while can have taken all packets of the ping and let that one pass. A
        ping of one packet, or one too short, has no inside: then the looks before and after it must do.
        """
        until_us = look.known_us - self._patience_us
        if until_us - look.at_us < 1.5 * (self.pulse // instant.MICROSECOND):
            return True
        mine = [version] if any(family(one) == version for one in self.gateways) else [4, 6]
        return any(_any_between(self._heard_us[one], look.at_us, until_us) for one in mine)


def _any_between(times_us: Sequence[int], since_us: int, until_us: int) -> bool:
    place = bisect_left(times_us, since_us)
    return place < len(times_us) and times_us[place] <= until_us


def _begin(cause: Why, detail: str, at: datetime) -> Deed:
    return lambda world, _: judge.go_blind(world, cause.value, detail, at)


def _end(cause: Why, at: datetime) -> Deed:
    return lambda world, _: judge.see_again(world, cause.value, at)
