"""Who may be connected to an address: so many at one time, whichever devices the checks are about."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from hostwatch.checkers import services
from hostwatch.checkers.client import Checkers
from hostwatch.checkers.crowd import Crowd
from hostwatch.checkers.doors import Doors, Gate, Waiting, grant
from hostwatch.checkers.protocol import Found, Look, Order, Told
from hostwatch.checks.base import Fault
from hostwatch.core.reading import Outcome
from tests.checkers.conftest import SECOND_US, checkers, hang, hear, look, service
from tests.checks.conftest import serving

SHARED = "127.0.0.1"


class Slow:
    """A server that says hello after a while, and knows how many were connected at one time."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self.connected = 0
        self.most = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        self.most = max(self.most, self.connected)
        await asyncio.sleep(self._pause_s)
        writer.write(b"hello\r\n")
        await reader.read()
        self.connected -= 1


def of_devices(many: int, latest_us: int, first: int = 1) -> Look:
    """A look at the same service of so many devices, each with an address of its own."""
    orders = [Order(first + n, "www", f"192.0.2.{first + n}", 0, latest_us) for n in range(many)]
    return Look(orders=tuple(orders))


async def ask(process: Checkers, port: int, many: int, latest_us: int, **more: Any) -> list[Found]:
    """What is found when so many devices name one address."""
    written = {"port": port, "host": SHARED, "expect": "hello", **more}
    process.send(services.defined("www", service(written)))
    process.send(of_devices(many, latest_us))
    return [await hear(process, Found) for _ in range(many)]


async def test_many_devices_that_name_one_address_are_connected_to_it_a_few_at_a_time() -> None:
    server = Slow(0.02)
    async with serving(server) as port, checkers({"at_one_address": 5}) as process:
        found = await ask(process, port, 60, 20 * SECOND_US)
    assert {(one.outcome, one.why) for one in found} == {(Outcome.ANSWERED, "")}
    assert server.most == 5


async def test_who_waits_keeps_nobody_else_waiting() -> None:
    """Eight run at one time. Forty wait for one address that hangs; a device beside them is looked at."""
    async with (
        serving(hang) as hanging,
        serving(Slow(0), "127.0.0.2") as port,
        checkers({"at_once": 8, "at_one_address": 4}) as process,
    ):
        stuck = service({"port": hanging, "host": SHARED, "expect": "x", "timeout": "20s"}, name="stuck")
        process.send(services.defined("www", stuck))
        process.send(of_devices(40, 20 * SECOND_US, first=1))
        beside = service({"port": port, "expect": "hello"})
        found = await look(process, beside, address="127.0.0.2", number=99, latest_us=10 * SECOND_US)
    assert (found.number, found.outcome) == (99, Outcome.ANSWERED)


async def test_the_wait_is_not_part_of_the_check() -> None:
    """Twenty devices, four at a time, each 0.6 s: the last wait longer than a check may take.

    They answer nevertheless, and are dated when they had room.
    """
    async with serving(Slow(0.6)) as port, checkers({"at_one_address": 4}) as process:
        began_us = time.time_ns() // 1_000
        found = await ask(process, port, 20, 20 * SECOND_US, timeout="2s")
    assert {(one.outcome, one.why) for one in found} == {(Outcome.ANSWERED, "")}
    waited = sorted((one.at_us - began_us) // 600_000 for one in found)
    assert waited[4] >= 1
    assert waited[16] >= 4
    assert max(seen.took_us for one in found for seen in one.checks) < 2_000_000


async def test_if_no_room_comes_in_time_it_is_unknown_and_said() -> None:
    async with serving(hang) as port, checkers({"at_one_address": 4}) as process:
        found = await ask(process, port, 5, 300_000, timeout="2s")
    full = f"tcp: connect: no room at {SHARED} in time: too many checks are connected to it"
    assert Counter((one.outcome, one.why) for one in found) == {
        (Outcome.MISSED, "tcp: answer: no answer within 2s"): 4,
        (Outcome.UNKNOWN, full): 1,
    }


async def test_a_device_s_own_address_counts_too_and_is_one_however_it_is_spelt() -> None:
    """The device at the shared address itself, and others that name it."""
    server = Slow(0.05)
    async with serving(server) as port, checkers({"at_one_address": 4}) as process:
        written = {"port": port, "host": SHARED, "expect": "hello"}
        process.send(services.defined("www", service(*[written] * 4)))
        orders = [Order(n, "www", SHARED if n == 1 else f"192.0.2.{n}", 0, 20 * SECOND_US) for n in (1, 2, 3)]
        process.send(Look(orders=tuple(orders)))
        found = [await hear(process, Found) for _ in orders]
    assert {one.outcome for one in found} == {Outcome.ANSWERED}
    assert server.most == 4


async def test_the_wait_stands_in_the_transcript() -> None:
    async with serving(Slow(0.3)) as port, checkers({"at_one_address": 4}) as process:
        written = {"port": port, "host": SHARED, "expect": "hello"}
        process.send(services.defined("www", service(written)))
        process.send(of_devices(4, 20 * SECOND_US))
        process.send(Look(orders=(Order(9, "www", "192.0.2.9", 0, 20 * SECOND_US),), aloud=True))
        told = await hear(process, Told)
    assert told.text.startswith("waited 0.")
    assert told.text.endswith(f"for room at {SHARED}")


Trip = tuple[str, tuple[str, ...], int]
"""A check: its device, the addresses that it connects to one after another, and after how many turns of the
loop it is withdrawn; 0: never."""

trips = some.lists(
    some.tuples(
        some.sampled_from("de"),
        some.lists(some.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"]), max_size=3).map(tuple),
        some.sampled_from([0, 0, 1, 2, 3, 5, 8]),
    ),
    max_size=14,
)


class Place:
    """A crowd and doors that are both as narrow as can be, and a look at who is inside."""

    def __init__(self) -> None:
        self.crowd: Crowd[Any] = Crowd(2, 2)
        self.doors = Doors(1)
        self.inside: Counter[tuple[str, int]] = Counter()
        self.running = 0
        self.late_us = 60 * SECOND_US

    def pump(self) -> None:
        while (turn := self.crowd.next()) is not None:
            grant(self.crowd, *turn)

    async def go(self, device: str, addresses: tuple[str, ...]) -> None:
        first: Waiting = asyncio.get_running_loop().create_future()
        self.crowd.join(device, first)
        self.pump()
        try:
            await first
        except asyncio.CancelledError:
            if not first.cancelled():
                self.crowd.leave(device)
                self.pump()
            raise
        gate = Gate(
            device, self.late_us, self.doors, self.crowd, self.pump, lambda: time.monotonic_ns() // 1_000
        )
        mine: list[tuple[str, int]] = []
        try:
            for address in addresses:
                if (room := gate.enter(address)) is not None:
                    await room
                if address not in [where for where, _ in mine]:
                    mine.append((address, len(mine)))
                    self.inside[mine[-1]] += 1
                    assert self.inside[mine[-1]] == 1
                assert self.crowd.running <= 2
                await asyncio.sleep(0)
        finally:
            for one in mine:
                self.inside[one] -= 1
            gate.close()
            self.pump()


@given(trips)
def test_nobody_waits_for_ever_whatever_the_order_of_addresses(all_of: list[Trip]) -> None:
    """One there goes from the first address to the second, another from the second to the first."""

    async def play() -> None:
        place = Place()
        place.late_us += time.monotonic_ns() // 1_000
        tasks = [asyncio.create_task(place.go(device, addresses)) for device, addresses, _ in all_of]
        for turn in range(1, 10):
            await asyncio.sleep(0)
            for task, (_, _, withdrawn) in zip(tasks, all_of, strict=True):
                if withdrawn == turn:
                    task.cancel()
        ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert [one for one in ended if one is not None and not isinstance(one, asyncio.CancelledError)] == []
        assert (place.crowd.running, place.doors._doors) == (0, {})
        assert place.crowd.next() is None

    asyncio.run(play())


async def test_a_gate_tells_when_it_waited() -> None:
    place, seconds = Place(), iter(range(1, 99))

    def gate(device: str) -> Gate:
        place.crowd.join(device, asyncio.get_running_loop().create_future())
        place.pump()
        return Gate(device, 60 * SECOND_US, place.doors, place.crowd, place.pump, lambda: next(seconds))

    first, second = gate("d"), gate("e")
    assert first.enter("192.0.2.1") is None
    room = second.enter("192.0.2.1")
    assert room is not None
    asyncio.get_running_loop().call_later(0, first.close)
    await room
    assert first.waits == []
    [(began, ended)] = second.waits
    assert 0 < began < ended
    second.close()


async def test_who_waits_too_long_gives_everything_back() -> None:
    place = Place()
    place.late_us = time.monotonic_ns() // 1_000 + 50_000
    gone = asyncio.Event()

    async def stay() -> None:
        gate = Gate("d", place.late_us, place.doors, place.crowd, place.pump, lambda: 0)
        place.crowd.join("d", asyncio.get_running_loop().create_future())
        place.pump()
        assert gate.enter("192.0.2.1") is None
        await gone.wait()
        gate.close()

    staying = asyncio.create_task(stay())
    await asyncio.sleep(0)
    late = await asyncio.gather(place.go("e", ("192.0.2.1",)), return_exceptions=True)
    assert isinstance(late[0], Fault)
    gone.set()
    await staying
    assert (place.crowd.running, place.doors._doors) == (0, {})
