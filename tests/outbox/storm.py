"""All devices of many customers die at once: everybody is to be told by one gateway that takes few messages.

Real time, real sockets. What `hostwatch drill --plan everything` foretells is counted against what comes.

    scripts/storm    the whole of it: 10,000 emergencies of 400 customers, a message a second, half an hour
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hostwatch.clock import SystemClock
from hostwatch.configuration.load import load
from hostwatch.core.emergency import Duty, Emergency, Notice, notice_id
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision
from hostwatch.stock.check import check
from hostwatch.stock.order import order_of
from hostwatch.whatif import EVERYTHING, Forecast, Grounds
from tests.channels.servers import LOOPBACK, answering
from tests.outbox.office import Office, Site

SOON = timedelta(milliseconds=500)
"""What a busy machine may bring together that was sent apart."""

COME_AGAIN_S = 2
"""What the provider says to whoever sends too much."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large the storm is."""

    customers: int
    contacts: int
    devices: int
    """Of each customer."""

    within: timedelta
    messages: int
    """So many the provider takes in any stretch of `every`."""

    every: timedelta
    said: int = 0
    """So many we believe that it takes; 0: as many as it does."""


@dataclass
class Provider:
    """Takes so many messages in a time; to more it says when to come again, and counts who does not heed."""

    shape: Shape
    port: int = 0
    taken: list[float] = field(default_factory=list)
    told_to_wait: list[float] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            writer.write(self._answer(asyncio.get_running_loop().time()))
            await writer.drain()
        writer.close()

    def _answer(self, now: float) -> bytes:
        window = (self.shape.every - SOON).total_seconds()
        if sum(1 for at in self.taken[-self.shape.messages :] if at > now - window) < self.shape.messages:
            self.taken.append(now)
            return answering("202 Accepted")
        self.told_to_wait.append(now)
        return answering("429 Too Many Requests", f"Retry-After: {COME_AGAIN_S}")


@contextlib.asynccontextmanager
async def provider(shape: Shape) -> AsyncIterator[Provider]:
    """A running one."""
    it = Provider(shape)
    server = await asyncio.start_server(it.serve, LOOPBACK, 0, backlog=256)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()


def site(shape: Shape, port: int) -> Site:
    """Customers with so many people, each with one telephone."""
    within = shape.within.total_seconds()
    limit = {"messages": shape.said or shape.messages, "every": f"{shape.every.total_seconds():g}s"}
    gateway = {
        "country": "CN",
        "url": f"http://{LOOPBACK}:{port}/sms",
        "fields": {"number": "to", "text": "text", "key": "key"},
        "limit": limit,
        "at_once": 64,
    }
    people = [
        {"id": f"p{n}", "name": f"Person {n}", "channels": [{"sms": f"+86 138 0000 {n:04}"}]}
        for n in range(shape.contacts)
    ]
    return {
        "site": {"name": "Site", "timezone": "UTC"},
        "store": "sqlite:///office.db",
        "listen": "off",
        "notices": {"within": f"{within:g}s", "next_channel_after": f"{within / 3:g}s"},
        "channels": {"sms": {"gateways": {"main": gateway}}},
        "customers": [
            {
                "id": f"c{c:03}",
                "name": f"Customer {c}",
                "contacts": people,
                "devices": [
                    {"id": f"c{c:03}-{d:02}", "address": f"10.{c // 250}.{c % 250}.{d + 1}"}
                    for d in range(shape.devices)
                ],
            }
            for c in range(shape.customers)
        ],
    }


def foretold(folder: Path, written: Site) -> Forecast:
    """What `hostwatch drill --plan everything` says of it."""
    path = folder / "plan.yaml"
    path.write_text(json.dumps(written), encoding="utf-8")
    loaded = load(path)
    grounds = Grounds(loaded, check(order_of(loaded, kept=False)), SystemClock().now())
    return grounds.forecast(grounds.loss(EVERYTHING))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it."""

    met: int
    """People who were told of all in time."""

    breached: int
    unaccounted: int
    """People with a duty that was not met, and has no breach on record."""

    recorded_after_s: float
    """How long after its deadline the last breach was on record."""

    sent_while_told_to_wait: int
    attempts: int


async def struck(folder: Path, shape: Shape, port: int, written: Site) -> Outcome:
    """All devices die now; what became of it when all duties are met or breached."""
    office = Office(SystemClock(), folder)
    await office.open(written)
    try:
        await office.engine.do(lambda world, now: _all_dead(office, shape))
        duties = office.engine.world.duties
        while any(duty.may_be_breached for duty in duties.values()):  # noqa: ASYNC110 - any state of the world
            await asyncio.sleep(0.5)
        return _outcome(office)
    finally:
        await office.close()


def _all_dead(office: Office, shape: Shape) -> Decision:
    now = office.clock.now()
    emergencies: list[Emergency] = []
    duties: list[Duty] = []
    notices: list[Notice] = []
    for number in range(shape.customers * shape.devices):
        customer = f"c{number % shape.customers:03}"
        emergency, duty, notice = office._owed(customer, "p0", now, Proof.ACCEPTED)
        emergencies.append(emergency)
        for person in range(shape.contacts):
            name = notice_id(emergency.reference, "emergency", customer, f"p{person}")
            duties.append(replace(duty, id=name, contact=f"p{person}", due=now + shape.within))
            notices.append(replace(notice, id=name, contact=f"p{person}", duty=name))
    return Decision(emergencies=tuple(emergencies), duties=tuple(duties), notices=tuple(notices))


def _outcome(office: Office) -> Outcome:
    world = office.engine.world
    people: dict[tuple[str, str], list[Duty]] = {}
    for duty in world.duties.values():
        people.setdefault((duty.customer, duty.contact), []).append(duty)
    in_time = Counter(
        all(one.met_at is not None and one.met_at <= one.due for one in mine) for mine in people.values()
    )
    late = [one.breached_at - one.due for one in world.duties.values() if one.breached_at is not None]
    attempts = [one for notice in world.notices.values() for one in notice.attempts]
    asked = {one.ended_at: one.retry_after for one in attempts if one.ended_at and one.retry_after}
    began = [one.began_at for one in attempts]
    heedless = sum(
        1 for end, wait in asked.items() for at in began if wait and end + SOON < at < end + wait - SOON
    )
    return Outcome(
        met=in_time[True],
        breached=in_time[False],
        unaccounted=sum(any(_is_unsaid(one) for one in mine) for mine in people.values()),
        recorded_after_s=max((one.total_seconds() for one in late), default=0.0),
        sent_while_told_to_wait=heedless,
        attempts=len({(one.began_at, one.receipt) for one in attempts}),
    )


def _is_unsaid(duty: Duty) -> bool:
    """Not met, and no breach is on record."""
    return duty.met_at is None and duty.breached_at is None


async def played(folder: Path, shape: Shape) -> tuple[Forecast, Outcome, Provider]:
    """What was foretold, what came, and what the provider saw."""
    async with provider(shape) as it:
        written = site(shape, it.port)
        plan = foretold(folder, written)
        return plan, await struck(folder, shape, it.port, written), it


WHOLE = Shape(
    customers=400,
    contacts=2,
    devices=25,
    within=timedelta(minutes=15),
    messages=10,
    every=timedelta(seconds=10),
)
"""A message a second, counted over ten."""


def main() -> int:
    """Both storms, one after the other; 0 if each came as it was foretold."""
    is_well = True
    for contacts in (2, 3):
        with tempfile.TemporaryDirectory() as folder:
            plan, came, it = asyncio.run(played(Path(folder), replace(WHOLE, contacts=contacts)))
        said: dict[str, Any] = {
            "contacts": contacts,
            "foretold late": len(plan.late),
            "came late": came.breached,
            "in time": came.met,
            "neither met nor breached": came.unaccounted,
            "breaches on record after s": came.recorded_after_s,
            "told to wait": len(it.told_to_wait),
            "sent while told to wait": came.sent_while_told_to_wait,
        }
        print(json.dumps(said), flush=True)
        is_well &= len(plan.late) == came.breached and came.recorded_after_s <= 60
        is_well &= came.sent_while_told_to_wait == came.unaccounted == 0
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
