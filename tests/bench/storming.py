"""One cut and 10,000 devices fall silent at once: what the emergencies and their notices cost the loop.

Run as a program, since it measures its own process. The engine, the judge and the outbox are the watch's
own; the store keeps nothing and the channels accept at once, so that what is left is the loop's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from hostwatch import log
from hostwatch.channels.base import Channel, Message, Receipt
from hostwatch.clock import Clock, SystemClock
from hostwatch.core import judge
from hostwatch.core.device import Device
from hostwatch.core.ladder import Pace
from hostwatch.core.population import Changes, Customer
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.signal import begin, observe
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.world import Decision, World
from hostwatch.directory import Directory, Person, Way
from hostwatch.engine import Engine
from hostwatch.outbox import Outbox
from hostwatch.rounds import VERDICTS_MAX
from hostwatch.store.writer import Writer

DEVICES_OF_ONE = 20
"""Devices of each customer, who has two contacts."""


class Nowhere(Writer):
    """Keeps nothing."""

    epoch = 1

    async def load(self) -> World:
        return World()

    async def remembered(self) -> Any:
        return None

    async def value_of(self, commitment: str) -> str | None:
        return None

    async def notices_of(self, receipt: str) -> Any:
        return []

    async def told_of(self, reference: str) -> Any:
        return None

    async def owing_of(self, reference: str, customer: str) -> Any:
        return None

    async def commit(self, decision: Decision, recorded_at: Any, personal: Iterable[Any]) -> int:
        return 0

    async def close(self) -> None:
        pass


class Willing(Channel):
    """Accepts after a moment, as a server nearby does."""

    kind = "willing"
    shown = "somebody"

    async def send(self, message: Message) -> Receipt:
        await asyncio.sleep(0.005)
        return Receipt(said="250 ok")


def directory() -> Directory:
    """Everybody is reached by one channel."""
    person = Person(name="Somebody", language="en", ladder=(Way(name="way", channel=Willing()),))
    pace = Pace(
        first_retry=timedelta(seconds=15),
        next_channel_after=timedelta(minutes=5),
        give_up_after=timedelta(days=1),
    )
    message = Message(key="", subject="", text="", payload={}, repeat=False)
    found = SimpleNamespace(
        person=lambda _: person,
        pace=lambda _: pace,
        attempt_timeout=lambda _: timedelta(seconds=30),
        message=lambda *_, **__: message,
    )
    return cast("Directory", found)


class Storm:
    """A site, and what befalls it."""

    def __init__(self, devices: int) -> None:
        self.clock: Clock = SystemClock()
        self.world = World()
        self.names = [f"d{n:06}" for n in range(devices)]
        customers = [f"c{n:05}" for n in range(-(-devices // DEVICES_OF_ONE))]
        self.world.population.change(
            Changes(
                customers=tuple(Customer(id=name, contacts=("duty", "boss")) for name in customers),
                devices=tuple(
                    Device(id=name, customer=customers[place // DEVICES_OF_ONE], address="192.0.2.1")
                    for place, name in enumerate(self.names)
                ),
            )
        )
        self.began = self.clock.now() - timedelta(minutes=20)
        for name in self.names:
            signal = begin(f"{name}/ping@main", self.began)
            self.world.signals.put(
                observe(signal, self.reading(name, 0, Outcome.ANSWERED), AgreementTerms())[0]
            )
        self.engine = Engine(Nowhere(), self.clock, self.world)
        people = directory()
        self.outbox = Outbox(self.engine, self.clock, lambda: people)

    def reading(self, name: str, minute: int, outcome: Outcome) -> Reading:
        """What a look brought."""
        at = self.began + timedelta(minutes=minute)
        why = "" if outcome is Outcome.ANSWERED else "no answer"
        return Reading(
            signal=f"{name}/ping@main", at=at, known_at=at, outcome=outcome, kind=Kind.SCHEDULED, why=why
        )

    async def seen(self, minute: int, outcome: Outcome) -> None:
        """All are looked at, and a piece after another is judged, as the rounds do it."""
        for start in range(0, len(self.names), VERDICTS_MAX):
            brought = [
                self.reading(name, minute, outcome) for name in self.names[start : start + VERDICTS_MAX]
            ]
            await self.engine.do(
                lambda world, now, brought=brought: judge.readings(  # type: ignore[misc]
                    world, None, brought, closes=True, now=now
                )
            )
            await asyncio.sleep(0)


class Held:
    """How long nothing else had a turn on the loop."""

    longest_s = 0.0

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.monotonic() - began - 0.001)


async def play(devices: int) -> list[dict[str, float | str]]:
    """The whole storm; what each part of it cost."""
    storm = Storm(devices)
    held = Held()
    parts = [asyncio.create_task(one) for one in (storm.engine.run(), storm.outbox.run(), held.run())]
    told: list[dict[str, float | str]] = []

    async def phase(name: str, work: Any, until: Callable[[], bool]) -> None:
        held.longest_s, cpu_s, began = 0.0, time.process_time(), time.monotonic()
        await work
        while not until():  # noqa: ASYNC110 - any state of the world is waited for
            await asyncio.sleep(0.05)
        told.append(
            {
                "phase": name,
                "cpu_s": time.process_time() - cpu_s,
                "took_s": time.monotonic() - began,
                "longest_s": held.longest_s,
            }
        )

    def is_told() -> bool:
        return not storm.world.pending()

    await phase("first misses", storm.seen(5, Outcome.MISSED), lambda: True)
    await phase("verdicts", storm.seen(10, Outcome.MISSED), is_told)
    await phase("recoveries", storm.seen(15, Outcome.ANSWERED), is_told)
    assert not storm.world.emergencies
    for part in parts:
        part.cancel()
    await asyncio.gather(*parts, return_exceptions=True)
    return told


def main() -> None:
    """Prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    options = parser.parse_args()
    log.set_up(level="error")
    print(json.dumps(asyncio.run(play(options.devices))))


if __name__ == "__main__":
    main()
