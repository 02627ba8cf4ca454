"""An outbox with all that it needs and no prober: an engine, a store in memory, a directory and notices.

On a simulated clock the channels are scripted; with the system's clock they are the real ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from hostwatch.channels.base import Message, Receipt, Surroundings
from hostwatch.clock import Clock
from hostwatch.configuration.load import load
from hostwatch.configuration.population import population_of
from hostwatch.core import enrolment, ladder
from hostwatch.core.emergency import Duty, Emergency, Notice, notice_id
from hostwatch.core.notice import Story
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision
from hostwatch.directory import Directory
from hostwatch.engine import Engine
from hostwatch.outbox import Outbox
from hostwatch.personal import Vault
from hostwatch.store.connection import connect
from hostwatch.store.errors import StoreError
from hostwatch.store.ledger import Ledger, Personal
from hostwatch.store.writer import InlineWriter
from tests.simulation import lives
from tests.simulation.clocks import SimClock
from tests.simulation.loop import SimLoop
from tests.simulation.provider import PROVIDER

START = datetime(2026, 10, 5, 8, 0, tzinfo=UTC)
WITHIN = timedelta(minutes=15)
KEY = b"a key for tests"

Answer = Callable[[str, Message], Awaitable[Receipt]]
"""What the other side of a scripted channel does, by its address."""

Site = dict[str, Any]


class Scripted:
    """The other side of all scripted channels: remembers who was sent what, and when."""

    def __init__(self, clock: Clock, answer: Answer) -> None:
        self._clock = clock
        self._answer = answer
        self.sent: list[tuple[float, str, Message]] = []
        """The second since the start, the address and the message."""

        self.listening = self.listening_max = 0

    async def take(self, to: str, message: Message) -> Receipt:
        """One try."""
        second = (self._clock.now() - START).total_seconds()
        self.sent.append((second, to, message))
        self.listening += 1
        self.listening_max = max(self.listening_max, self.listening)
        try:
            return await self._answer(to, message)
        finally:
            self.listening -= 1

    def times(self, to: str) -> list[int]:
        """When an address was sent something, in whole seconds."""
        return [round(second) for second, address, _ in self.sent if address == to]


class FullLedger(Ledger):
    """A ledger whose disk may be full."""

    is_full = False

    def commit(self, decision: Decision, recorded_at: datetime, personal: Iterable[Personal] = ()) -> int:
        if self.is_full:
            raise StoreError("cannot write to the store: the disk is full")
        return super().commit(decision, recorded_at, personal)


class Office:
    """All that an outbox needs."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self._path = folder / "hostwatch.yaml"
        self.db = connect(None)
        self.ledger = FullLedger(self.db, "a boot")
        self.writer: InlineWriter
        self.outbox: Outbox
        self.engine: Engine
        self.directory: Directory
        self.references = 0

    async def open(self, site: Site) -> None:
        """Load the store and begin to send."""
        writer = self.writer = InlineWriter(self.ledger)
        vault = Vault((await writer.remembered()).commitments)
        self.engine = Engine(writer, self.clock, await writer.load(), vault)
        self._working = [asyncio.create_task(self.engine.run())]
        await self.configure(site)
        self.outbox = Outbox(self.engine, self.clock, lambda: self.directory)
        self._working.append(asyncio.create_task(self.outbox.run()))

    async def close(self) -> None:
        """Stop at once, as a crash does."""
        for task in self._working:
            task.cancel()
        ended = await asyncio.gather(*self._working, return_exceptions=True)
        assert [one for one in ended if not isinstance(one, asyncio.CancelledError)] == []

    async def configure(self, site: Site) -> None:
        """Bring a configuration into force, as the daemon does."""
        self._path.write_text(json.dumps(site), encoding="utf-8")
        loaded = load(self._path)
        surroundings = Surroundings(
            site=loaded.configuration.site_settings, webhook_key=KEY, now=self.clock.now
        )
        directory = Directory(loaded.configuration, surroundings)
        accepted = enrolment.Accepted(
            population=population_of(loaded.configuration),
            digest=loaded.digest,
            author="somebody",
            difference=({"path": "customers"},),
            content={},
        )
        await self.engine.do(lambda world, now: enrolment.apply(world, accepted, now))
        self.directory = directory
        self.engine.changed.set()

    async def owe(
        self,
        customer: str,
        contact: str,
        number: int = 1,
        met_by: Proof = Proof.ACCEPTED,
        *,
        apart: bool = False,
        service: str = "",
    ) -> list[str]:
        """Emergencies of which a contact is owed notices; the names of these.

        `apart`: of what is shared, each of which is told in a message of its own.
        """
        now = self.clock.now()
        owed = [self._owed(customer, contact, now, met_by, apart, service) for _ in range(number)]
        decision = Decision(
            emergencies=tuple(emergency for emergency, _, _ in owed),
            duties=tuple(duty for _, duty, _ in owed),
            notices=tuple(notice for _, _, notice in owed),
        )
        await self.engine.do(lambda world, now: decision)
        return [notice.id for _, _, notice in owed]

    def _owed(
        self,
        customer: str,
        contact: str,
        now: datetime,
        met_by: Proof,
        apart: bool = False,
        service: str = "",
    ) -> tuple[Emergency, Duty, Notice]:
        self.references += 1
        reference = f"E-{self.references:06d}"
        story = Story(
            reference=reference,
            customer=customer,
            device=f"d{self.references}",
            address="192.0.2.1",
            interval=timedelta(minutes=5),
            misses=2,
            last_answer=now - timedelta(minutes=10),
            first_miss=now - timedelta(minutes=5),
            verdict=now,
            why="no answer",
            service=service,
            switches=("sw-1",) if apart else (),
        )
        name = notice_id(reference, "emergency", customer, contact)
        emergency = Emergency(
            reference=reference, signal=f"d{self.references}/ping@main", opened_at=now, story=story
        )
        duty = Duty(
            id=name,
            emergency=reference,
            customer=customer,
            contact=contact,
            due=now + WITHIN,
            met_by=met_by,
        )
        notice = Notice(
            id=name,
            kind="emergency",
            customer=customer,
            contact=contact,
            emergencies=(reference,),
            stories=(story,),
            created_at=now,
            duty=name,
        )
        return emergency, duty, notice

    def notice(self, name: str) -> Notice:
        """A notice as it stands."""
        return self.engine.world.notices[name]

    def outcomes(self, name: str) -> list[str]:
        """What became of its attempts."""
        return [attempt.outcome.value for attempt in self.notice(name).attempts]

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is so; looks after each decision about people."""
        while not reached():  # noqa: ASYNC110 - what is waited for is any state of the world
            await asyncio.sleep(0.05)


def site(contacts: dict[str, list[Any]], **more: Any) -> Site:
    """A configuration: the channels of one contact each, by customer."""
    return {
        "site": {"name": "Site", "timezone": "UTC"},
        "store": "sqlite:///office.db",
        "listen": "off",
        "customers": [
            {
                "id": customer,
                "name": customer.title(),
                "contacts": [{"id": "duty", "name": "Duty", "channels": channels}] if channels else [],
                "devices": [{"id": f"{customer}-1", "address": f"192.0.2.{number + 1}"}],
            }
            for number, (customer, channels) in enumerate(contacts.items())
        ],
        **more,
    }


@asynccontextmanager
async def opened(clock: Clock, folder: Path, started: Site) -> AsyncIterator[Office]:
    """An office that works."""
    office = Office(clock, folder)
    await office.open(started)
    try:
        async with asyncio.timeout(3 * 3600 if isinstance(clock, SimClock) else 30):
            yield office
    finally:
        await office.close()


def simulate(
    folder: Path,
    started: Site,
    answer: Answer,
    play: Callable[[Office, Scripted], Awaitable[None]],
    *,
    jitter: float = 0.0,
) -> None:
    """Play a story on a simulated clock, with scripted channels (`simulated: ADDRESS`).

    Without `jitter` tries come at the seconds at which they stand in the documents.
    """
    loop = SimLoop()
    clock = SimClock(loop, START)
    side = Scripted(clock, answer)

    async def run() -> None:
        PROVIDER.set(side)  # type: ignore[arg-type]  # of a provider, a channel asks for `take` alone
        async with opened(clock, folder, started) as office:
            await play(office, side)

    with lives.room(), mock.patch.object(ladder, "JITTER", jitter):
        try:
            loop.run_until_complete(run())
        finally:
            loop.close()


@contextlib.contextmanager
def listening() -> Iterator[list[tuple[str, str, dict[str, Any]]]]:
    """What the daemon logs meanwhile: level, event, fields."""
    heard: list[tuple[str, str, dict[str, Any]]] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append((record.levelname, record.getMessage(), dict(getattr(record, "fields", {}))))

    logger = logging.getLogger("hostwatch")
    before = logger.handlers[:], logger.level, logger.propagate
    logger.handlers[:], logger.propagate = [Ear()], False
    logger.setLevel(logging.DEBUG)
    try:
        yield heard
    finally:
        logger.handlers[:], logger.propagate = before[0], before[2]
        logger.setLevel(before[1])
