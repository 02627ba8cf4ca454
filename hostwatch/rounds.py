"""Rounds: all who are due in one slice are looked at, and what came is handed to the engine.

A round is cut into pieces, so that thousands that are due together neither hold the loop up nor are all
in hand before their time. What did not answer is handed over as soon as it is known, answers together when
the slice is complete, in one commit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, partial
from operator import attrgetter
from typing import Final

from hostwatch.clock import Clock
from hostwatch.core import instant, judge, source, uplink
from hostwatch.core.reading import Answer, Kind, Outcome, Reading
from hostwatch.core.schedule import Turn
from hostwatch.core.service import METHOD, is_service
from hostwatch.core.terms import tolerance
from hostwatch.core.world import SliceKey
from hostwatch.engine import Deed, Engine
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger
from hostwatch.round import Round, code
from hostwatch.sight import Sight

PIECE = 500
"""Targets that are taken in hand together."""

VERDICTS_MAX = 100
"""Looks that are not plain answers and are judged in one deed: of a storm each may be an emergency."""

LEAD = timedelta(milliseconds=500)
"""How long before its first target is due a piece is taken in hand."""

LATE_MAX: Final = timedelta(minutes=5)
"""A look at a service may begin so much late at most, however long its interval: its slice waits for it."""

AT_ONCE: Final = (uplink.PREFIX, source.PREFIX)
"""Whose answers do not wait for the end of their round: others follow from them."""

BUSY = "still being looked at"
CLOCK = "clock stepped"

_ANSWERED: Final = Outcome.ANSWERED
_ask: Final = partial(tuple.__new__, Ask)
"""An ask of all its fields, made without a call of Python's."""

_due_us = attrgetter("due_us")

MannerOf = Callable[[str], Manner]
"""How a customer's devices are pinged; the site's own way for the name of nobody."""


class Rounds:
    """All rounds on their way."""

    def __init__(
        self, engine: Engine, pinger: Pinger, sight: Sight, clock: Clock, manner_of: MannerOf
    ) -> None:
        self._engine = engine
        self._pinger = pinger
        self._clock = clock
        self._due: dict[str, Turn] = {}
        """The turns of which what came is not committed yet."""

        self._rounds: list[Round] = []
        """Those on their way, the first first."""

        self._urgent: deque[tuple[Round, Reading]] = deque()
        """What may not wait for the end of its round and is not handed over yet, the first known first."""

        self._in_order = asyncio.Lock()
        """Held by whoever hands something over: what was known first is judged first."""

        self._era = 0
        self.sight = sight
        self.manner_of = manner_of
        self.longest_of_service: Callable[[str], int] = lambda _: 0
        """How long a look at a service takes at most, in microseconds."""

        self.manner_of_all: Manner | None = None
        """How everybody is pinged, if there is but one way: then nobody asks whose device it is."""

        self.on_clocks: Callable[[], None] = lambda: None
        """Called before anything is believed that was seen: did the clock step?"""

        self.listeners: list[Callable[[Sequence[Look]], None]] = []
        """Told of each group of looks: metrics."""

    @property
    def in_hand(self) -> int:
        """How many looks are on their way or not committed yet."""
        return len(self._due)

    def new_era(self) -> None:
        """The clock stepped or the machine slept: what is on its way was asked in another time.

        What is known already is dated by the clock as it was, and judged before the world follows it.
        """
        while self._urgent:
            self._engine.post(self._deed(*self._next_urgent()))
        held = sorted((one.release(name) for one in self._rounds for name in [*one.held]), key=_due_us)
        if held:
            self._engine.post(lambda world, now: judge.held(world, held, now))
        self._era += 1
        self._due.clear()
        for one in self._rounds:
            one.out.clear()

    def is_in_hand(self, signal: str, due_us: int) -> bool:
        """Whether a look that was due then, or later, is on its way or waits to be committed."""
        turn = self._due.get(signal)
        return turn is not None and turn.at_us >= due_us

    def is_out(self, signal: str) -> bool:
        """Whether somebody was asked, and what came of it is not judged yet.

        An answer may stay with the pinger until those who were asked with it are known. A later look that
        was handed over before it would hide it.
        """
        return any(signal in one.out for one in self._rounds)

    def is_busy(self, signal: str, now_us: int) -> bool:
        """Whether somebody is still being looked at."""
        turn = self._due.get(signal)
        return turn is not None and turn.at_us + self.longest_us(signal) > now_us

    def uplink(self, signal: str) -> str:
        """Which uplink a target lies behind; empty for none. Nobody asks where there is none."""
        people = self._engine.world.population
        if not people.uplinks:
            return ""
        device = people.device_of(signal) or people.switch_of(signal)
        return (uplink.named(signal) if device is None else device.uplink) or ""

    def manner(self, signal: str) -> Manner:
        """How a target is pinged."""
        if self.manner_of_all is not None:
            return self.manner_of_all
        device = self._engine.world.device(signal)
        return self.manner_of("" if device is None else device.customer)

    def longest_us(self, signal: str) -> int:
        """How long a look at a target takes at most."""
        if is_service(signal) or signal.startswith(source.PREFIX):
            return self.longest_of_service(signal)
        return self.manner(signal).longest_us

    async def look(self, key: SliceKey | None, turns: Sequence[Turn], kind: Kind) -> None:
        """Look at all of these, each at its time, and hand over what came. Ends when it is committed."""
        this = Round(key, kind, self._era, {turn.signal: turn for turn in turns})
        self._rounds.append(this)
        try:
            await self._look(this, turns)
            await self._complete(this)
        finally:
            self._rounds.remove(this)
        self._let_go(this)

    async def _look(self, this: Round, turns: Sequence[Turn]) -> None:
        probing: list[asyncio.Task[None]] = []
        try:
            for start in range(0, len(turns), PIECE):
                piece = turns[start : start + PIECE]
                if start:
                    await self._clock.sleep_until(instant.from_micros(piece[0].at_us) - LEAD)
                probing.extend(await self._take_in_hand(this, piece))
            await asyncio.gather(*probing)
        finally:
            for task in probing:
                task.cancel()

    async def _complete(self, this: Round) -> None:
        """Hand over the answers that waited for the end of a round.

        While the store is stuck rounds end together: what this round's slice does not tell of is not its own.
        """
        async with self._in_order:
            own, codes = this.release_all()
            earlier = self._release({turn.signal: turn.at_us for turn in this.turns.values()})
            if own or earlier or this.key is not None:
                await self._engine.do(self._deed(this, earlier, own, None if this.key is None else codes))

    def _release(self, until_us: Mapping[str, int]) -> list[Reading]:
        """The held answers of signals, each due at its instant or earlier, in the order of time."""
        found: list[Answer] = []
        for one in self._rounds:
            names = one.held.keys() & until_us.keys()
            found += [one.release(name) for name in names if one.turns[name].at_us <= until_us[name]]
        return [answer.reading for answer in sorted(found, key=_due_us)]

    async def _take_in_hand(self, this: Round, piece: Sequence[Turn]) -> list[asyncio.Task[None]]:
        """Begin to look at some; whoever is still being looked at is UNKNOWN, so that the evidence says so.

        That can happen only around a catch-up or a change of the interval. One batch for each way of
        pinging, nearly always one.
        """
        free, overlapping = piece, list[Turn]()
        if not self._due.keys().isdisjoint([turn.signal for turn in piece]):
            overlapping = [turn for turn in piece if self.is_busy(turn.signal, turn.at_us)]
            busy = {turn.signal for turn in overlapping}
            free = [turn for turn in piece if turn.signal not in busy]
        names = [turn.signal for turn in free]
        self._due.update(zip(names, free, strict=True))
        if this.era == self._era:
            this.out.update(names)
        if overlapping:
            unknown = [self._overlapping(this, turn) for turn in overlapping]
            async with self._in_order:
                await self._engine.do(self._deed(this, unknown))
        return [
            asyncio.create_task(self._probe(this, Batch(asks=tuple(asks), manner=manner)))
            for manner, asks in self._by_manner(free).items()
        ]

    def _by_manner(self, turns: Sequence[Turn]) -> Mapping[Manner, Sequence[Ask]]:
        """The asks of some turns by how each is to be looked at."""
        behind = self.uplink if self._engine.world.population.uplinks else _no_uplink
        asks = [
            _ask((name, address, at_us, method, behind(name), 0))
            for at_us, name, address, _, method, _ in turns
        ]
        methods = {turn[4] for turn in turns}
        if self.manner_of_all is not None and methods.isdisjoint(LATE_AFTER):
            return {self.manner_of_all: asks}
        found: dict[Manner, list[Ask]] = {}
        for turn, ask in zip(turns, asks, strict=True):
            manner = self.manner(ask.signal)
            if ask.method in LATE_AFTER:
                manner = _at_pace(manner, ask.method, turn.interval_us)
            found.setdefault(manner, []).append(ask)
        return found

    def _overlapping(self, this: Round, turn: Turn) -> Reading:
        return Reading(
            signal=turn.signal,
            at=instant.from_micros(turn.at_us),
            known_at=self._clock.now(),
            outcome=Outcome.UNKNOWN,
            kind=this.kind,
            why=BUSY,
        )

    def _let_go(self, this: Round) -> None:
        """All that came of a round is committed."""
        if this.era != self._era:
            return
        due = self._due
        for name, turn in this.turns.items():
            if due.get(name) is turn:
                del due[name]

    async def _probe(self, this: Round, batch: Batch) -> None:
        """Look at a batch. What is found is judged beside it: a miss must not make the next look late."""
        judging: list[asyncio.Task[None]] = []
        try:
            async for group in self._pinger.probe(batch):
                judging = [task for task in judging if not task.done() or task.exception() is not None]
                task = asyncio.create_task(self._judge(this, group))
                judging.append(task)  # at once, so that none is lost if the pinging ends by an error
            await asyncio.gather(*judging)
        finally:
            for task in judging:
                task.cancel()

    async def _judge(self, this: Round, group: Sequence[Look]) -> None:
        judged = await self.sight.judge(group)
        self.on_clocks()
        this.out.difference_update([look[0] for look in judged])
        for listener in self.listeners:
            listener(judged)
        if urgent := self._hold(this, judged):
            self._urgent.extend((this, self._reading(this, look)) for look in urgent)
            await self._hand_over_urgent()

    async def _hand_over_urgent(self) -> None:
        """Hand over what may not wait. Who had to wait here finds its own handed over with that of others."""
        async with self._in_order:
            while self._urgent:
                await self._engine.do(self._deed(*self._next_urgent()))

    def _next_urgent(self) -> tuple[Round, list[Reading]]:
        """What is judged next in one deed: of one round, and nothing before what was known earlier."""
        this, brought = self._urgent[0][0], list[Reading]()
        while self._urgent and self._urgent[0][0] is this and len(brought) < VERDICTS_MAX:
            brought.append(self._urgent.popleft()[1])
        return this, brought

    def _hold(self, this: Round, looks: Sequence[Look]) -> list[Look]:
        """Hold the answers that may wait for the end of their round; the looks that may not."""
        if this.era != self._era or this.kind is not Kind.SCHEDULED:
            return [*looks]
        world, held = self._engine.world, this.held
        signals, has_others = world.signals, bool(world.population.uplinks or world.population.sources)
        urgent: list[Look] = []
        for look in looks:
            name = look[0]
            if look[4] is not _ANSWERED:
                urgent.append(look)
            elif signals.is_silent(name) or (has_others and name.startswith(AT_ONCE)):
                this.codes[name] = code(look)
                urgent.append(look)
            else:
                held[name] = look
        return urgent

    def _reading(self, this: Round, look: Look) -> Reading:
        stepped = this.era != self._era
        at, now = instant.from_micros(look.at_us), self._clock.now()
        answered = look.outcome is Outcome.ANSWERED
        return Reading(
            signal=look.signal,
            at=min(at, now) if stepped else at,  # a date to come would hide all looks until then
            known_at=instant.from_micros(look.known_us) if answered else now,
            outcome=Outcome.UNKNOWN if stepped else look.outcome,
            kind=this.kind,
            why=CLOCK if stepped else look.why,
            answered_at=None if look.answered_us is None else instant.from_micros(look.answered_us),
            rtt_us=look.rtt_us,
            said=look.said if answered and not stepped else "",
        )

    def speak(self, look: Look) -> None:
        """A source said something by itself, between two rounds."""
        self.on_clocks()
        reading = self._reading(Round(None, Kind.FOLLOW_UP, self._era, {}), look)
        self._engine.post(lambda world, now: judge.readings(world, None, [reading], closes=False, now=now))

    def _deed(
        self,
        this: Round,
        brought: Sequence[Reading],
        plain: Sequence[Answer] = (),
        codes: bytes | None = None,
    ) -> Deed:
        """To judge these, after what is held of the same targets; to close the slice if there are `codes`."""
        earlier = self._release({reading.signal: instant.micros(reading.at) for reading in brought})
        whole = [*earlier, *brought]
        return lambda world, now: judge.readings_by_steps(
            world, this.key, whole, closes=codes is not None, now=now, latencies=codes or b"", plain=plain
        )


LATE_AFTER: Final[Mapping[str, Callable[[timedelta], timedelta]]] = {
    METHOD: tolerance,
    source.METHOD: lambda interval: interval / 4,
}
"""How late what the checkers look at may begin: a service by J2; a source answers whenever it is asked."""


@lru_cache(maxsize=256)
def _at_pace(manner: Manner, method: str, interval_us: int) -> Manner:
    """The same for what has an interval of its own: by that its look is late or not."""
    late_after = LATE_AFTER[method](interval_us * instant.MICROSECOND)
    return replace(manner, late_after=min(late_after, LATE_MAX))


def _no_uplink(_: str) -> str:
    return ""
