"""The process itself: real servers on loopback, real orders, and what it does when it is hurt."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from hostwatch.checkers import process as module
from hostwatch.checkers import services
from hostwatch.checkers.client import Checkers, Gone
from hostwatch.checkers.protocol import (
    MESSAGE_BYTES_MAX,
    Alive,
    Ask,
    Complaint,
    Define,
    Forget,
    Found,
    Look,
    Order,
    Told,
    Withdraw,
    Written,
)
from hostwatch.checkers.run import TICK_US
from hostwatch.checks.base import of_data
from hostwatch.core.reading import Outcome
from tests.checkers.conftest import PATIENCE_S, SECOND_US, checkers, greet, hang, hear, look, service
from tests.checks.conftest import serving


def status(process: Checkers, what: str) -> str:
    told = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next(line.split(":")[1].strip() for line in told if line.startswith(f"{what}:"))


def descriptors(process: Checkers) -> set[int]:
    return {int(link.name) for link in Path(f"/proc/{process.pid}/fd").iterdir()}


async def test_an_order_is_answered_with_all_that_was_seen() -> None:
    async with serving(greet) as port, checkers() as process:
        found = await look(process, service({"port": port, "expect": "hello"}, port))

    assert (found.number, found.outcome, found.why) == (1, Outcome.ANSWERED, "")
    first, second = (of_data(json.loads(seen.finding)) for seen in found.checks)
    assert [said.text for said in first.transcript] == [f"connected to 127.0.0.1:{port}", "hello\\r\\n"]
    assert second.address == f"127.0.0.1:{port}"


async def test_a_service_that_does_not_run_says_what_is_wrong() -> None:
    async with serving(greet) as port, checkers() as process:
        found = await look(process, service(port, {"port": port, "expect": "goodbye", "timeout": "300ms"}))

    assert found.outcome is Outcome.MISSED
    assert found.why == "tcp: answer: no answer within 300ms"
    assert [seen.outcome for seen in found.checks] == [Outcome.ANSWERED, Outcome.MISSED]


async def test_it_has_no_capability_and_no_way_to_one() -> None:
    async with checkers() as process:
        sets = {name: int(status(process, name), 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")}
        sets["CapAmb"] = int(status(process, "CapAmb"), 16)
        assert set(sets.values()) == {0}, sets
        assert status(process, "NoNewPrivs") == "1"


async def test_it_is_bounded() -> None:
    async with checkers() as process:
        bound = {
            what: resource.prlimit(process.pid, what)[1]
            for what in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE, resource.RLIMIT_AS)
        }
    assert bound[resource.RLIMIT_CORE] == 0
    assert bound[resource.RLIMIT_NOFILE] <= 8_192
    assert bound[resource.RLIMIT_AS] == 1024 * 1024 * 1024


async def test_it_has_nothing_of_ours_but_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in our environment, an open store: it gets neither."""
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    with (tmp_path / "hostwatch.db").open("w") as store:
        os.set_inheritable(store.fileno(), True)
        async with checkers() as process:
            here = Path(f"/proc/{process.pid}")
            environment = (here / "environ").read_bytes()
            opened = [link.readlink().name for link in (here / "fd").iterdir()]
            words = (here / "cmdline").read_bytes()
    assert b"hunter2" not in environment + words
    assert b"MAIL_PASSWORD" not in environment
    assert "hostwatch.db" not in opened


async def test_secrets_of_a_definition_are_nowhere_but_in_its_memory(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Also one that it cannot use: what it says of it does not repeat it."""
    async with checkers() as process:
        here = Path(f"/proc/{process.pid}")
        wrong = Written(kind="tcp", settings={"port": {"\0secret": "hunter2"}})
        process.send(Define(key="k", name="mail", require="all", checks=(wrong,)))
        complaint = await hear(process, Complaint)
        process.send(Look(orders=(Order(1, "k", "127.0.0.1", 0, SECOND_US),)))
        found = await hear(process, Found)
        shown = (here / "environ").read_bytes() + (here / "cmdline").read_bytes()
    assert complaint.why == "the service 'mail' cannot be used here: ValidationError"
    assert (found.outcome, found.why) == (Outcome.UNKNOWN, complaint.why)
    assert b"hunter2" not in shown
    told = capfd.readouterr()
    assert "hunter2" not in told.out + told.err + repr(complaint) + repr(found)


@pytest.mark.parametrize(
    "nonsense",
    [b"", b"nonsense", b'{"say":"look"}', b'{"say":"ready","kinds":[]}', b"[" * 50_000],
    ids=["empty", "no JSON", "half", "not its part", "deep"],
)
async def test_nonsense_is_complained_of_and_what_follows_is_done(nonsense: bytes) -> None:
    async with serving(greet) as port, checkers() as process:
        process._writer.write(len(nonsense).to_bytes(4, "big") + nonsense)
        complaint = await hear(process, Complaint)
        assert complaint.why.startswith("a message makes no sense")
        assert (await look(process, service(port))).outcome is Outcome.ANSWERED


async def test_a_message_that_is_too_long_is_passed_over() -> None:
    async with serving(greet) as port, checkers() as process:
        length = MESSAGE_BYTES_MAX + 1_000_000
        process._writer.write(length.to_bytes(4, "big") + bytes(length))
        assert f"{length:,} bytes" in (await hear(process, Complaint)).why
        assert (await look(process, service(port))).outcome is Outcome.ANSWERED


async def test_an_order_by_an_unknown_key_or_a_forgotten_one_is_unknown() -> None:
    async with serving(greet) as port, checkers() as process:
        assert (await look(process, service(port))).outcome is Outcome.ANSWERED
        process.send(Forget(keys=("www",)))
        process.send(Look(orders=(Order(2, "www", "127.0.0.1", 0, SECOND_US),)))
        found = await hear(process, Found)
    assert (found.number, found.outcome, found.why) == (2, Outcome.UNKNOWN, "there is no such definition")


async def test_an_address_that_is_none_is_our_own_fault() -> None:
    async with checkers() as process:
        found = await look(process, service(80), address="somewhere")
    assert (found.outcome, found.why) == (Outcome.UNKNOWN, "a device without an address")


async def test_an_order_begins_when_it_is_due() -> None:
    async with serving(greet) as port, checkers() as process:
        process.send(services.defined("www", service(port)))
        process.send(
            Look(
                orders=(
                    Order(1, "www", "127.0.0.1", 400_000, SECOND_US),
                    Order(2, "www", "127.0.0.1", 0, SECOND_US),
                )
            )
        )
        found = [await hear(process, Found) for _ in range(2)]
    assert [one.number for one in found] == [2, 1]
    assert found[1].at_us - found[0].at_us >= 350_000


async def test_orders_that_can_wait_begin_together() -> None:
    """
    tick                                   tick
     |     due 1    due 2    due 3          |  1, 2 and 3 begin
     0 ms  50       150      250           500
    """
    async with serving(greet) as port, checkers() as process:
        process.send(services.defined("www", service({"port": port, "expect": "hello"})))
        to_tick_us = TICK_US - time.monotonic_ns() // 1_000 % TICK_US
        delays = [to_tick_us + after_us for after_us in (50_000, 150_000, 250_000)]
        orders = [
            Order(number, "www", "127.0.0.1", delay, 60 * SECOND_US) for number, delay in enumerate(delays)
        ]
        process.send(Look(orders=tuple(orders)))
        began = [(await hear(process, Found)).at_us for _ in orders]
    assert max(began) - min(began) < 90_000  # each by itself would make it 200,000


async def test_who_finds_no_room_in_time_is_unknown() -> None:
    """Four checks of one device hang; the fifth would have to begin before they are over."""
    async with serving(hang) as port, checkers() as process:
        process.send(services.defined("www", service({"port": port, "expect": "x", "timeout": "3s"})))
        orders = [Order(number, "www", "127.0.0.1", 0, 400_000) for number in range(5)]
        process.send(Look(orders=tuple(orders)))
        found = await hear(process, Found)
    assert (found.number, found.outcome, found.why) == (4, Outcome.UNKNOWN, "looked too late")


async def test_what_comes_too_late_does_not_begin() -> None:
    async with serving(greet) as port, checkers() as process:
        found = await look(process, service(port), latest_us=-1)
    assert (found.outcome, found.why, found.at_us) == (Outcome.UNKNOWN, "tcp: looked too late", 0)


async def test_checks_of_one_service_beyond_the_room_wait_for_the_others() -> None:
    """Their own time begins when the first ones are over: nine checks are three waves."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.4)
        await greet(reader, writer)

    async with serving(slow) as port, checkers() as process:
        found = await look(process, service(*[{"port": port, "expect": "hello"}] * 9), latest_us=200_000)
    assert (found.outcome, len(found.checks)) == (Outcome.ANSWERED, 9)


async def test_no_descriptor_is_our_own_fault() -> None:
    async with serving(hang) as port, checkers() as process:
        opened = descriptors(process)
        next_one = min({*range(len(opened) + 1)} - opened)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (next_one, next_one))
        found = await look(process, service(port))
    assert (found.outcome, found.why) == (Outcome.UNKNOWN, "tcp: connect: no file descriptor here")


async def test_a_process_that_stood_still_calls_nobody_dead() -> None:
    """Stopped in the middle of a check, as a machine without a processor to spare does it."""
    began = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        began.set()
        await reader.read()

    async with serving(slow) as port, checkers() as process:
        waits = {"port": port, "send": "are you there\r\n", "expect": "yes", "timeout": "1s"}
        process.send(services.defined("www", service(waits)))
        process.send(Look(orders=(Order(1, "www", "127.0.0.1", 0, SECOND_US),)))
        await asyncio.wait_for(began.wait(), PATIENCE_S)
        os.kill(process.pid, signal.SIGSTOP)
        await asyncio.sleep(1.5)  # longer than the check may take
        os.kill(process.pid, signal.SIGCONT)
        found = await hear(process, Found)
        process.send(Ask())
        alive = await hear(process, Alive)
    assert found.outcome is Outcome.UNKNOWN
    assert found.why.startswith("tcp: answer: our own loop was late by ")
    assert alive.lag_us >= 1_000_000


async def test_what_is_withdrawn_is_not_answered() -> None:
    async with serving(hang) as port, checkers() as process:
        process.send(services.defined("www", service({"port": port, "expect": "x"})))
        orders = [Order(number, "www", "127.0.0.1", 0, SECOND_US) for number in range(6)]
        process.send(Look(orders=tuple(orders)))
        process.send(Ask())
        before = await hear(process, Alive)
        process.send(Withdraw(numbers=tuple(range(6))))
        process.send(Ask())
        await hear(process, Alive)
        process.send(Ask())
        after = await process.receive()
    assert (before.running, before.waiting) == (4, 2)
    assert after == Alive(lag_us=after.lag_us, running=0, waiting=0)  # type: ignore[union-attr]


async def test_aloud_each_line_is_told_as_it_happens() -> None:
    async with serving(greet) as port, checkers() as process:
        process.send(services.defined("www", service({"port": port, "expect": "hello"})))
        process.send(Look(orders=(Order(1, "www", "127.0.0.1", 0, SECOND_US),), aloud=True))
        told = [await hear(process, Told) for _ in range(4)]
    assert [(one.who, one.text.split()[0]) for one in told] == [
        ("=", "connect"),
        ("*", "connected"),
        ("<", "hello\\r\\n"),
        ("=", "answer"),
    ]


async def test_ten_thousand_orders_wait_in_little_memory() -> None:
    """And each is answered, when its time is over."""
    async with checkers() as process:
        process.send(services.defined("www", service(9)))
        process.send(Ask())
        await hear(process, Alive)
        before = int(status(process, "VmRSS").split()[0])
        for start in range(0, 10_000, 1_000):
            orders = [
                Order(start + n, "www", "127.0.0.1", 60 * SECOND_US, 75 * SECOND_US) for n in range(1_000)
            ]
            process.send(Look(orders=tuple(orders)))
        process.send(Ask())
        alive = await hear(process, Alive)
        after = int(status(process, "VmRSS").split()[0])
    assert alive.waiting == 10_000
    assert after - before < 16 * 1024, "KiB for 10,000 orders"


async def test_a_flood_of_orders_is_answered_every_one() -> None:
    """More at once than may run; nobody listens at the port."""
    async with serving(hang) as port:
        pass
    numbers = set()
    async with checkers() as process:
        process.send(services.defined("www", service(port)))
        for start in range(0, 3_000, 1_000):
            orders = [
                Order(start + n, "www", f"127.0.0.{n % 200 + 1}", 0, 60 * SECOND_US) for n in range(1_000)
            ]
            process.send(Look(orders=tuple(orders)))
        for _ in range(3_000):
            found = await hear(process, Found)
            assert (found.outcome, found.why) == (Outcome.MISSED, "tcp: connect: connection refused")
            numbers.add(found.number)
    assert numbers == {*range(3_000)}


async def test_beyond_the_bound_orders_are_unknown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = asyncio.StreamReader(), Deaf()
    monkeypatch.setattr(module, "ORDERS_MAX", 3)
    here = module.Process(reader, writer, 10)  # type: ignore[arg-type]
    here._services["k"] = service(9)
    here._take(
        Look(orders=tuple(Order(number, "k", "127.0.0.1", SECOND_US, SECOND_US) for number in range(5)))
    )
    here._timer.cancel()  # type: ignore[union-attr]
    await asyncio.sleep(0)  # what is said in one turn of the loop leaves together
    (said,) = writer.said
    assert b'"number":3' in said
    assert b'"number":4' in said
    assert said.count(b"more than 3 orders") == 2


class Deaf:
    """A watch that reads nothing."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.transport = self

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def get_write_buffer_size(self) -> int:
        return 0


async def test_it_ends_with_the_watch() -> None:
    async with checkers() as process:
        process._writer.transport.abort()
        assert await asyncio.to_thread(process._process.wait, PATIENCE_S) == 0


async def test_a_process_that_is_killed_is_gone() -> None:
    async with checkers() as process:
        process.kill()
        with pytest.raises(Gone, match="they ended by signal 9"):
            await hear(process, Found)


async def test_it_ends_if_the_watch_speaks_another_version() -> None:
    async with checkers() as process:
        process._writer.write((27).to_bytes(4, "big") + b'{"say":"begin","version":2}')
        with pytest.raises(Gone, match="they ended with 0"):
            await hear(process, Found)
