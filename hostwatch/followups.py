"""Follow-up looks (J5): whoever fell silent is looked at again soon, to find the edges of an outage.

A device is looked at at once when one of its services falls silent (J8), and when the switch that it hangs on
is found to be (J10). A service that is still down when its device is back, and of which nobody is told, is
looked at until somebody is.

They never count towards a verdict. An answer ends the silence, or the outage, at once and not only with the
next scheduled look; a miss says for how long the silence certainly lasted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

from hostwatch.clock import Clock
from hostwatch.core import facts, instant, source, supply, testimony, uplink
from hostwatch.core.reading import Kind
from hostwatch.core.schedule import Turn
from hostwatch.core.service import is_service
from hostwatch.core.signal import Signal
from hostwatch.core.switch import named as switch_named
from hostwatch.core.together import patience
from hostwatch.core.world import Decision
from hostwatch.engine import Engine
from hostwatch.rounds import Rounds

IN_HAND_MAX = 1_000
"""Follow-up looks under way at once: when thousands fall silent together, their own schedule goes first."""

MARGIN = timedelta(milliseconds=200)
"""A follow-up look is over so long before the target is due."""

OFTEN = (uplink.PREFIX, source.PREFIX, supply.PREFIX)
"""Whoever is looked at often enough, or not itself: reference points, sources, and what follows from them."""

Hold = Callable[[Coroutine[Any, Any, None]], object]


class FollowUps:
    """Knows who is silent, and when each is to be looked at again."""

    def __init__(self, engine: Engine, rounds: Rounds, clock: Clock) -> None:
        self._engine = engine
        self._rounds = rounds
        self._clock = clock
        self._next: dict[str, int] = {}
        self._agenda: list[tuple[int, str]] = []
        self._woken = asyncio.Event()
        self._in_hand = 0
        self._hold: Hold | None = None
        self.every = timedelta(seconds=30)
        """Time between two follow-up looks."""

        self.lasting = timedelta(hours=1)
        """How long after the first miss they are made; none at all if that is not positive.

        A service of which nobody is told although its device is back is looked at in any case.
        """

    def on_decision(self, decision: Decision) -> None:
        """A decision was committed: silences begin and end."""
        for fact in decision.facts:
            match fact:
                case facts.SilenceBegan(signal=name, at=at):
                    self._plan(name, instant.micros(at) + self._every_us)
                    if is_service(name):
                        self._look_at_device(name)
                case facts.SilenceEnded(signal=name) | facts.SilenceCut(signal=name):
                    if not self._engine.world.signals.is_silent(
                        name
                    ):  # a step of the clock cuts a silence that goes on
                        self._next.pop(name, None)
                case facts.CameUp(signal=name, first_answer=back_at) if not is_service(name):
                    self._plan_services(name, back_at)
                case facts.EmergencyHeld(signal=name) if (switch := switch_named(name)) is not None:
                    self._look_behind(switch)
                case facts.ClockStepped(at=after, before=before):
                    self._move((after - before) // instant.MICROSECOND)
                case _:
                    pass

    async def run(self, hold: Hold) -> None:
        """Look at who is silent for ever. `hold` runs a look beside; its failure is ours."""
        self._hold = hold
        now_us = instant.micros(self._clock.now())
        for name, signal in self._engine.world.signals.restless.items():
            if signal.silence is not None:
                self._plan(name, now_us + self._every_us)
        for switch in self._engine.world.holds.switches:
            self._look_behind(switch)
        while True:
            if not self._agenda:
                self._woken.clear()
                await self._woken.wait()
            first = instant.from_micros(self._agenda[0][0])
            await self._clock.sleep_until(min(first, self._clock.now() + self.every))  # the clock may step
            turns = self._turns(instant.micros(self._clock.now()))
            if turns:
                hold(self._look(turns))

    @property
    def _every_us(self) -> int:
        return max(self.every // instant.MICROSECOND, 1)

    def _plan(self, name: str, at_us: int) -> None:
        served = self._engine.world.population.service_of(name)
        permitted = served is None or not served[1].intrudes
        if permitted and not name.startswith(OFTEN):
            self._next[name] = at_us
            heappush(self._agenda, (at_us, name))
            self._woken.set()

    def _plan_services(self, device: str, back_at: datetime) -> None:
        """Those that are still down are looked at when they have had the time to come back as well (J8)."""
        found, people = self._engine.world.device(device), self._engine.world.population
        if found is None:
            return
        at_us = instant.micros(back_at + patience(people.terms(found)))
        for service in found.services:
            name = service.signal(found.id, people.vantage)
            if name not in self._next and self._is_untold(name):
                self._plan(name, at_us)

    def _is_untold(self, name: str) -> bool:
        """Whether a service is down, its device came back, and no emergency tells of it yet."""
        world = self._engine.world
        signal, served = world.signals.restless.get(name), world.population.service_of(name)
        if signal is None or signal.verdict is None or served is None or not served[1].terms.obliges:
            return False
        own = served[0].signal(world.population.vantage)
        return own in world.came_up and world.emergency_of(name) is None and name not in world.holds

    def _move(self, by_us: int) -> None:
        """The wall clock stepped: what is planned is to be as far away as it was."""
        self._next = {name: at_us + by_us for name, at_us in self._next.items()}
        self._agenda = sorted((at_us, name) for name, at_us in self._next.items())

    def _look_at_device(self, service: str) -> None:
        """Is it the service alone? Who is being looked at, or due soon, need not be asked beside that."""
        device, now_us = self._engine.world.device(service), instant.micros(self._clock.now())
        turn = None
        if device is not None:
            turn = self._turn(device.signal(self._engine.world.population.vantage), now_us)
        if turn is not None and self._hold is not None and self._in_hand < IN_HAND_MAX:
            self._hold(self._look([turn]))

    def _look_behind(self, switch: str) -> None:
        """Is it the switch, or its management alone? The verdict waits for what those behind it say (J10)."""
        now_us = instant.micros(self._clock.now())
        asked = (self._turn(name, now_us) for name in testimony.wanted(self._engine.world, switch))
        turns = [turn for turn in asked if turn is not None][: IN_HAND_MAX - self._in_hand]
        if turns and self._hold is not None:
            self._hold(self._look(turns))

    async def _look(self, turns: list[Turn]) -> None:
        self._in_hand += len(turns)
        try:
            await self._rounds.look(None, turns, Kind.FOLLOW_UP)
        finally:
            self._in_hand -= len(turns)

    def _turns(self, now_us: int) -> list[Turn]:
        """Whose time has come. Each that is still silent has its next time, looked at now or not."""
        found: list[Turn] = []
        while self._agenda and self._agenda[0][0] <= now_us:
            at_us, name = heappop(self._agenda)
            if self._next.get(name) != at_us:
                continue
            signal = self._engine.world.signals.restless.get(name)
            if signal is None or not (self._is_followed(signal, now_us) or self._is_untold(name)):
                del self._next[name]
                continue
            laps = (now_us - at_us) // self._every_us + 1
            self._plan(name, at_us + laps * self._every_us)
            turn = self._turn(name, now_us)
            if turn is not None and self._in_hand + len(found) < IN_HAND_MAX:
                found.append(turn)
        return found

    def _is_followed(self, signal: Signal, now_us: int) -> bool:
        since = None if signal.silence is None else instant.micros(signal.silence.first_miss)
        return since is not None and now_us - since < self.lasting // instant.MICROSECOND

    def _turn(self, name: str, now_us: int) -> Turn | None:
        """The look at a target now; None if we are blind, it is being looked at, or is due soon anyway."""
        world = self._engine.world
        target = world.population.target_of(name)
        if target is None or world.blind or self._rounds.is_out(name):
            return None
        margin_us = MARGIN // instant.MICROSECOND
        due_since_us = (now_us - target.phase_us) % target.interval_us
        over_us = due_since_us + self._rounds.longest_us(name)
        if due_since_us < margin_us or over_us >= target.interval_us - margin_us:
            return None
        return Turn(now_us, name, target.address, target.interval_us, target.method)
