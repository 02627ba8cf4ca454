"""A prober on a simulated clock, with a pinger that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hostwatch import canary
from hostwatch.core import enrolment, facts, instant, judge
from hostwatch.core.device import Device
from hostwatch.core.place import Place
from hostwatch.core.population import Customer, Population
from hostwatch.core.reading import Outcome
from hostwatch.core.seeing import Points
from hostwatch.core.service import Service
from hostwatch.core.switch import Switch
from hostwatch.core.terms import AgreementTerms
from hostwatch.engine import Engine
from hostwatch.pinger import Ask, Batch, Look, Manner, Pinger
from hostwatch.prober import Prober
from hostwatch.sight import Sight
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger, facts_of
from hostwatch.store.writer import InlineWriter
from tests.simulation.clocks import SimClock
from tests.simulation.loop import SimLoop

START = datetime(2026, 10, 1, tzinfo=UTC)
Says = Callable[[str, int], bool]
"""Whether a target answers its n-th look, from 1."""


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


class Scripted(Pinger):
    """Answers as the script says; a miss is known when the manner's time is over."""

    def __init__(self, clock: SimClock, says: Says) -> None:
        self._clock = clock
        self._says = says
        self.in_salvos = False
        """Whether misses are told together when the last of a batch is known, as those of a storm are."""

        self.looks: dict[str, list[datetime]] = {}
        self.late_after: dict[str, timedelta] = {}
        """How late the last look at each may have been."""

        self.words: Callable[[str, int], str] = lambda signal, look: ""
        """What a source says when it answers its n-th look."""

        self.open: dict[str, int] = {}
        self.most_at_once = 0

    async def probe(self, batch: Batch) -> AsyncIterator[tuple[Look, ...]]:
        answered: list[Look] = []
        waiting: list[tuple[datetime, Ask]] = []
        for ask in batch.asks:
            at = instant.from_micros(ask.at_us)
            await self._clock.sleep_until(at)
            if ask.address in canary.LOOPBACK.values():
                outcome = Outcome.MISSED if batch.manner.decoy else Outcome.ANSWERED
                answered.append(self._look(ask, outcome))
                continue
            self.looks.setdefault(ask.signal, []).append(self._clock.now())
            self.late_after[ask.signal] = batch.manner.late_after
            if self._says(ask.signal, len(self.looks[ask.signal])):
                answered.append(self._look(ask, Outcome.ANSWERED))
                continue
            self.open[ask.signal] = self.open.get(ask.signal, 0) + 1
            self.most_at_once = max(self.most_at_once, self.open[ask.signal])
            waiting.append((at + batch.manner.longest, ask))
        size = len(waiting) if self.in_salvos else 1
        for first in range(0, len(waiting), size or 1):
            salvo = waiting[first : first + size]
            await self._clock.sleep_until(salvo[-1][0])
            self.open.update((ask.signal, self.open[ask.signal] - 1) for _, ask in salvo)
            yield tuple(self._look(ask, Outcome.MISSED) for _, ask in salvo)
        if answered:
            yield tuple(answered)

    def _look(self, ask: Ask, outcome: Outcome) -> Look:
        why = "" if outcome is Outcome.ANSWERED else "no answer"
        return Look(
            signal=ask.signal,
            address=ask.address,
            at_us=ask.at_us,
            known_us=instant.micros(self._clock.now()),
            outcome=outcome,
            why=why,
            said=self.words(ask.signal, len(self.looks.get(ask.signal, ()))),
        )

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Stage:
    """A small town: customers by interval, one device each, named as the customer."""

    intervals: Mapping[str, timedelta]
    manners: Mapping[str, Manner]
    says: Says
    gateways: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Those of devices that do not have the next of 192.0.2.0/24."""

    services: Mapping[str, tuple[Service, ...]] = field(default_factory=dict)
    """Of devices that have any."""

    places: Mapping[str, Place] = field(default_factory=dict)
    switches: tuple[Switch, ...] = ()
    house: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else belongs to the house: sources, elements and supplies, by kind."""

    loop: SimLoop = field(default_factory=SimLoop)

    def __post_init__(self) -> None:
        self.clock = SimClock(self.loop, START)
        self.ledger = Ledger(connect(None), "boot")
        self.pinger = Scripted(self.clock, self.says)
        self.readings: list[Look] = []

    def run(self, act: Callable[[Stage], Coroutine[None, None, None]]) -> None:
        """Run the prober while the test acts."""
        try:
            self.loop.run_until_complete(self._run(act))
        finally:
            self.loop.close()

    async def _run(self, act: Callable[[Stage], Coroutine[None, None, None]]) -> None:
        writer = InlineWriter(self.ledger)
        self.engine = Engine(writer, self.clock, await writer.load())
        engine = asyncio.create_task(self.engine.run())
        await self.engine.do(lambda world, now: judge.start(world, 1, "test", now))
        await self.adopt(self.intervals)
        manner = Manner(attempts=1, timeout=seconds(0.1))
        self.sight = Sight(Points(gateways=self.gateways), self.pinger, self.clock, manner, seconds(1))
        self.prober = Prober(
            self.engine,
            self.pinger,
            self.sight,
            self.clock,
            lambda customer: self.manners[customer],
        )
        self.prober.rounds.listeners.append(self.readings.extend)
        probing = asyncio.create_task(self.prober.run())
        await act(self)
        for task in (probing, engine):
            task.cancel()
        await asyncio.gather(probing, engine, return_exceptions=True)

    async def adopt(self, intervals: Mapping[str, timedelta]) -> None:
        """Bring a population into force: a customer and a device for each interval."""
        population = Population(
            customers={n: Customer(id=n, terms=AgreementTerms(interval=i)) for n, i in intervals.items()},
            devices={
                name: Device(
                    id=name,
                    customer=name,
                    address=self.addresses.get(name, f"192.0.2.{place + 1}"),
                    services=self.services.get(name, ()),
                    place=self.places.get(name),
                )
                for place, name in enumerate(intervals)
            },
            switches={switch.id: switch for switch in self.switches},
            **self.house,
        )
        accepted = enrolment.Accepted(
            population=population, digest=str(intervals), author="test", difference=(), content={}
        )
        await self.engine.do(lambda world, now: enrolment.apply(world, accepted, now))

    def facts(self, kind: type[facts.Fact], name: str) -> list[facts.Fact]:
        """The facts of a kind about a device."""
        found = facts_of(self.ledger._db, [kind])
        return [fact for fact in found if getattr(fact, "signal", "") == f"{name}/ping@main"]
