"""Real traps and informs (net-snmp's `snmptrap`, `snmpinform`), and those that are none of ours."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.checks.base import Fault
from hostwatch.configuration.power import Power
from hostwatch.configuration.secret import Secret
from hostwatch.core.power import Concern, Output, PowerReading, Ups, Utility
from hostwatch.power import snmp_pdu, snmp_ups
from hostwatch.snmp import ber, hearing, message, usm
from hostwatch.snmp.hearing import Post
from hostwatch.snmp.usm import Engine
from tests.checks.servers import free_port
from tests.snmp.agents import AUTH, COMMUNITY, PRIVACY, USERS, called, credentials
from tests.snmp.bending import bent

ON_BATTERY = "1.3.6.1.2.1.33.2.1"
SAYS = [
    *("1.3.6.1.2.1.33.1.2.3.0", "i", "25"),
    *("1.3.6.1.2.1.33.1.2.2.0", "i", "7"),
]
"""What the standard's trap tells: minutes that remain, seconds on battery."""


class Ears:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, PowerReading | None]] = asyncio.Queue()

    def ask(self, name: str) -> None:
        self.told.put_nowait((name, None))

    def said(self, name: str, reading: PowerReading) -> None:
        self.told.put_nowait((name, reading))

    async def next(self) -> tuple[str, PowerReading | None]:
        async with asyncio.timeout(30):
            return await self.told.get()


Listen = Callable[[dict[str, Any], Any], Awaitable[None]]


@asynccontextmanager
async def listening(
    ears: Ears, *kinds: tuple[Listen, dict[str, Any]], alone: bool = True
) -> AsyncIterator[None]:
    """Kinds listen, as the checkers have them."""
    tasks = [asyncio.ensure_future(listen(sources, ears)) for listen, sources in kinds]
    try:
        await asyncio.sleep(0)
        while not all(post._transport for post in hearing._posts.values()):
            assert not any(task.done() for task in tasks), [task.exception() for task in tasks]
            await asyncio.sleep(0.01)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not (alone and hearing._posts), "nobody listens any more"


def ups(at: str, user: str = "", **written: Any) -> snmp_ups.Settings:
    told = {"address": "127.0.0.1", "traps": at, **credentials(user), **written}
    return snmp_ups.Settings.model_validate(told)


def security(user: str, **other: str) -> list[str]:
    """How the tools of net-snmp name who speaks."""
    if not user:
        return ["-v2c", "-c", other.get("community", COMMUNITY)]
    auth, privacy, _, ours = USERS[user]
    level = other.get("level", "authNoPriv" if ours == "none" else "authPriv")
    told = ["-v3", "-u", user, "-l", level, "-a", auth, "-A", other.get("auth", AUTH)]
    return [*told, "-x", privacy or "AES", "-X", PRIVACY]


def send(program: str, user: str, port: int, about: str, *variables: str, **other: str) -> None:
    called(program, *security(user, **other), f"{other.get('to', '127.0.0.1')}:{port}", "", about, *variables)


async def sent(program: str, user: str, port: int, *words: str, **other: str) -> None:
    await asyncio.to_thread(send, program, user, port, *words, **other)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.mark.parametrize("program", ["snmptrap", "snmpinform"])
@pytest.mark.parametrize("user", ["", "ups", "old", "open", "sha512"])
async def test_a_trap_of_a_ups_is_heard(port: int, program: str, user: str) -> None:
    """Signed, it is heard as a word and the UPS is read; else it is read, and nothing is believed."""
    ears = Ears()
    async with listening(ears, (snmp_ups.listen, {"ups-a": ups(f"127.0.0.1:{port}", user)})):
        await sent(program, user, port, ON_BATTERY, *SAYS)
        if user:
            name, reading = await ears.next()
            assert name == "ups-a"
            assert reading is not None
            (point,) = reading.points
            assert (point.utility, point.ups, point.output) == (Utility.ABSENT, Ups.ABLE, Output.POWERED)
            assert (reading.runtime_s, reading.absent_for_s) == (1_500, 7)
            assert reading.concerns == (Concern.ON_BATTERY,)
        assert await ears.next() == ("ups-a", None)
        assert ears.told.empty()


async def test_any_other_trap_has_it_read(port: int) -> None:
    ears = Ears()
    async with listening(ears, (snmp_ups.listen, {"ups-a": ups(f"127.0.0.1:{port}", "ups")})):
        await sent("snmptrap", "ups", port, "1.3.6.1.2.1.33.2.4")
        assert await ears.next() == ("ups-a", None)


async def test_two_kinds_share_a_port_and_each_hears_its_own(port: int) -> None:
    """A UPS by v3, a strip by v2c, a second UPS at the same address: all at one port."""
    ears, at = Ears(), f"127.0.0.1:{port}"
    strip = snmp_pdu.Settings.model_validate(
        {"address": "127.0.0.1", "traps": at, "model": "apc-rpdu2", "community": Secret("strips")}
    )
    both = {"ups-a": ups(at, "ups"), "ups-b": ups(at, "sha512")}
    async with listening(ears, (snmp_ups.listen, both), (snmp_pdu.listen, {"strip": strip})):
        await sent("snmptrap", "", port, "1.3.6.1.4.1.318.0.268", community="strips")
        assert await ears.next() == ("strip", None)
        await sent("snmptrap", "sha512", port, "1.3.6.1.2.1.33.2.4")
        assert await ears.next() == ("ups-b", None)
        await sent("snmptrap", "ups", port, "1.3.6.1.2.1.33.2.4")
        assert await ears.next() == ("ups-a", None)
        assert hearing.counts() == {"heard": 3}
    assert ears.told.empty()


async def test_who_ends_leaves_the_port_to_the_others(port: int) -> None:
    ears, at = Ears(), f"127.0.0.1:{port}"
    async with listening(ears, (snmp_ups.listen, {"ups-a": ups(at, "ups")})):
        async with listening(ears, (snmp_ups.listen, {"ups-b": ups(at, "sha512")}), alone=False):
            pass
        await sent("snmptrap", "ups", port, "1.3.6.1.2.1.33.2.4")
        assert await ears.next() == ("ups-a", None)
        await sent("snmptrap", "sha512", port, "1.3.6.1.2.1.33.2.4")
        await counted("not authentic")


async def test_by_ipv6_and_by_ipv4_where_a_socket_hears_both(port: int) -> None:
    ears, at = Ears(), f"[::]:{port}"
    sources = {"four": ups(at, "ups"), "six": ups(at, "ups", address="::1")}
    async with listening(ears, (snmp_ups.listen, sources)):
        await sent("snmptrap", "ups", port, "1.3.6.1.2.1.33.2.4", to="udp6:[::1]")
        assert await ears.next() == ("six", None)
        await sent("snmptrap", "ups", port, "1.3.6.1.2.1.33.2.4")
        assert await ears.next() == ("four", None)


async def counted(what: str, many: int = 1) -> None:
    until = time.monotonic() + 30
    while hearing.counts()[what] < many:
        assert time.monotonic() < until, hearing.counts()
        await asyncio.sleep(0.01)


STRANGERS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "another community": ("", "", {"community": "of others"}, "not authentic"),
    "another user": ("ups", "sha512", {}, "not authentic"),
    "another password": ("ups", "ups", {"auth": "signed by others"}, "not authentic"),
    "v2c to one that has a user": ("ups", "", {}, "not authentic"),
    "v3 to one that has a community": ("", "ups", {}, "not authentic"),
    "less than was agreed": ("ups", "ups", {"level": "authNoPriv"}, "not authentic"),
    "nothing of it": ("ups", "ups", {"level": "noAuthNoPriv"}, "not authentic"),
    "more than was agreed": ("open", "open", {"level": "authPriv"}, "not authentic"),
}


@pytest.mark.parametrize("what", STRANGERS)
async def test_strangers_are_counted_and_dropped(port: int, what: str) -> None:
    mine, theirs, other, why = STRANGERS[what]
    ears = Ears()
    async with listening(ears, (snmp_ups.listen, {"ups-a": ups(f"127.0.0.1:{port}", mine)})):
        await sent("snmptrap", theirs, port, ON_BATTERY, *SAYS, **other)
        await counted(why)
        assert hearing.counts() == {why: 1}
    assert ears.told.empty()


async def test_who_is_at_no_known_address_is_not_even_read(port: int) -> None:
    ears = Ears()
    hearing.take_counts()
    elsewhere = ups(f"127.0.0.1:{port}", "ups", address="192.0.2.5")
    async with listening(ears, (snmp_ups.listen, {"ups-a": elsewhere})):
        await sent("snmptrap", "ups", port, ON_BATTERY, *SAYS)
        await counted("from nobody we know")
        assert hearing.take_counts()["from nobody we know"] == 1
        assert hearing.take_counts() == {}
    assert ears.told.empty()


async def test_a_flood_is_bounded_and_garbage_is_dropped(port: int) -> None:
    ears = Ears()
    async with listening(ears, (snmp_ups.listen, {"ups-a": ups(f"127.0.0.1:{port}")})):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wolf:
            wolf.bind(("127.0.0.1", 0))
            wolf.sendto(b"x" * (hearing.DATAGRAM_BYTES_MAX + 1), ("127.0.0.1", port))
            await counted("too long")
            for _ in range(hearing.BURST_MAX + 20):
                wolf.sendto(b"\x30\x84\xff\xff\xff\xff", ("127.0.0.1", port))
            await counted("too often")
            assert 1 <= hearing.counts()["makes no sense"] <= hearing.BURST_MAX + hearing.RATE_MAX
    assert ears.told.empty()


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_comes_from_an_agents_address_is_counted(port: int, seed: int) -> None:
    """Datagrams changed at random: each has its count, nothing is raised."""
    chance, mine = random.Random(seed), ups(f"127.0.0.1:{port}", "ups")
    ears = Ears()
    async with listening(ears, (snmp_ups.listen, {"ups-a": mine, "ups-b": ups(f"127.0.0.1:{port}")})):
        (post,) = hearing._posts.values()
        engine = Engine(b"\x80\0\x7e\xd9\x04ups", 1, 1)
        start = [
            usm.sealed(5, 0, engine, mine.user_3, trap(ON_BATTERY)),
            usm.sealed(5, usm.REPORTABLE, post._engine(), mine.user_3, trap(ON_BATTERY)),
            message.framed(COMMUNITY.encode(), trap(ON_BATTERY)),
        ]
        for _ in range(1_500):
            post._allowances.clear()
            post.datagram_received(bent(chance, chance.choice(start)), ("127.0.0.1", 9))
        counts = hearing.counts()
    assert counts.total() == 1_500
    assert counts["makes no sense"] > 100
    assert counts["not authentic"] > 100


async def test_an_old_trap_sent_again_is_dropped(port: int) -> None:
    """What was signed once anybody can send again, but not after 150 s, nor after the agent started anew."""
    ears, mine = Ears(), ups(f"127.0.0.1:{port}", "ups")
    body = trap(ON_BATTERY)

    def at(boots: int, time_s: int) -> bytes:
        return usm.sealed(5, 0, Engine(b"\x80\0\x7e\xd9\x04ups", boots, time_s), mine.user_3, body)

    async with listening(ears, (snmp_ups.listen, {"ups-a": mine})):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
            agent.bind(("127.0.0.1", 0))
            for boots, time_s, what, many in (
                (3, 1_000, "heard", 1),
                (3, 900, "heard", 2),
                (3, 840, "old", 1),
                (2, 5_000, "old", 2),
                (4, 5, "heard", 3),
                (3, 1_001, "old", 3),
            ):
                agent.sendto(at(boots, time_s), ("127.0.0.1", port))
                await counted(what, many)


def trap(about: str) -> bytes:
    listed = ber.wrapped(
        ber.SEQUENCE, ber.wrapped(ber.OID, hearing.TRAP_OID) + ber.wrapped(ber.OID, ber.name(about))
    )
    return ber.wrapped(message.TRAP, ber.written(1) + ber.written(0) * 2 + ber.wrapped(ber.SEQUENCE, listed))


async def test_what_is_no_trap_is_no_trap(port: int) -> None:
    """A question, a trap about nothing, and a trap that calls itself an answer; with the right community."""
    ears = Ears()
    async with listening(ears, (snmp_ups.listen, {"ups-a": ups(f"127.0.0.1:{port}")})):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
            agent.bind(("127.0.0.1", 0))
            question = message.request(message.GET, 1, (ber.name(ON_BATTERY),))
            agent.sendto(message.framed(COMMUNITY.encode(), question), ("127.0.0.1", port))
            nothing = message.request(message.TRAP, 1, (ber.name(ON_BATTERY),))
            agent.sendto(message.framed(COMMUNITY.encode(), nothing), ("127.0.0.1", port))
            answer = bytes((message.RESPONSE,)) + trap(ON_BATTERY)[1:]
            agent.sendto(message.framed(COMMUNITY.encode(), answer), ("127.0.0.1", port))
            await counted("makes no sense", 3)
    assert ears.told.empty()


async def test_an_inform_by_another_clock_is_asked_for_again(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a start of ours: the sender is told our clock, signed, and sends it again by that."""
    ears = Ears()
    engine = Post._engine
    clocks = iter([-1_000, *[0] * 20])
    monkeypatch.setattr(Post, "_engine", lambda post: engine(post)._replace(time_s=10_000 + next(clocks)))
    async with listening(ears, (snmp_ups.listen, {"ups-a": ups(f"127.0.0.1:{port}", "ups")})):
        await sent("snmpinform", "ups", port, "1.3.6.1.2.1.33.2.4")
        assert await ears.next() == ("ups-a", None)
        assert hearing.counts() == {"asked who we are": 1, "has another clock for us": 1, "heard": 1}


async def test_a_port_that_is_taken_is_said(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        with pytest.raises(Fault, match=f"cannot hear traps at 127.0.0.1:{port}: "):
            await snmp_ups.listen({"ups-a": ups(f"127.0.0.1:{port}")}, Ears())
    assert not hearing._posts


async def test_who_wants_no_traps_is_not_listened_to() -> None:
    await snmp_ups.listen({"ups-a": ups("off")}, Ears())
    assert not hearing._posts


@pytest.mark.parametrize("at", ["1162", "localhost:1162", "0.0.0.0:0", "0.0.0.0:70000", "::1:1162", 1162])
def test_where_nobody_can_listen(at: object) -> None:
    with pytest.raises(ValidationError, match="is not an address and a port to listen at"):
        ups(str(at) if not isinstance(at, int) else at)  # type: ignore[arg-type]


def heard(**written: Any) -> dict[str, str]:
    """Where each source of a configuration is heard."""
    nut = {"id": "ups-n", "nut": {"address": "192.0.2.4", "ups": "ups1"}}
    card = {"address": "192.0.2.5", **credentials("ups")}
    strip = {"address": "192.0.2.6", "model": "eaton", **credentials("ups")}
    sources = [
        nut, {"id": "a", "snmp_ups": card}, {"id": "b", "snmp_ups": {**card, "traps": "192.0.2.1:162"}},
        {"id": "c", "snmp_pdu": strip}, {"id": "d", "snmp_pdu": {**strip, "traps": "off"}},
    ]  # fmt: skip
    told = Power.model_validate({"sources": sources, **written})
    again = Power.model_validate({"sources": sources, "traps": str(told.traps or "off")})
    assert again == told
    return {one.id: str(one.settings.traps) for one in told.sources if hasattr(one.settings, "traps")}


def test_all_sources_are_heard_at_one_place_unless_they_say_otherwise() -> None:
    assert heard() == {"a": "None", "b": "192.0.2.1:162", "c": "None", "d": "None"}
    assert heard(traps="[::]:1162") == {"a": "[::]:1162", "b": "192.0.2.1:162", "c": "[::]:1162", "d": "None"}
    with pytest.raises(ValidationError) as wrong:
        heard(traps="everywhere")
    (mistake,) = wrong.value.errors()
    assert mistake["loc"] == ("traps",)


def test_our_engine_has_the_same_name_after_each_start() -> None:
    at = ups("0.0.0.0:1162").traps
    assert at is not None
    first, second = Post(at), Post(at)
    assert first._engine().id == second._engine().id
    assert len(first._engine().id) <= usm.ENGINE_BYTES_MAX
    assert first._engine().boots > 3_000_000
