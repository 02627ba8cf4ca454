"""Our own resolver: what each answer means, whom a dead server concerns, and what is remembered.

```
 what came                                   reading
 addresses of the family                     go on with the lowest
 no such name, no address of the family      MISSED, at "resolve"
 SERVFAIL, REFUSED, a referral from all      UNKNOWN, for this name
 nothing from anybody                        UNKNOWN, for every name, and at once for five seconds
```
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.checkers import resolver as resolving
from hostwatch.checkers.nameservers import LOOK_EVERY_US, SystemServers, servers_in
from hostwatch.checkers.resolver import FAULT_US, NEGATIVE_MAX_US, TTL_MAX_US, TTL_MIN_US, Resolver
from hostwatch.checks._question import fitting, question
from hostwatch.checks.base import Fault, Missed, Step
from hostwatch.configuration.checks import Server
from hostwatch.core.reading import Outcome
from tests.checkers.liar import answer, lying
from tests.checks.conftest import look, serving, surroundings

SOON = (0.2, 0.2)
"""Patience of a test with those who never answer."""


class Now:
    """A clock that goes when it is told to."""

    us = 1_000_000

    def __call__(self) -> int:
        return self.us


def nobody() -> Server:
    """Where nobody listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return Server(ip_address("127.0.0.1"), sock.getsockname()[1])


@asynccontextmanager
async def resolver(*servers: Server, now: Now | None = None) -> AsyncIterator[Resolver]:
    made = Resolver(lambda: servers, now or Now(), SOON)
    try:
        yield made
    finally:
        await made.close()


async def why_missed(made: Resolver, name: str, family: int = 4) -> str:
    with pytest.raises(Missed) as missed:
        await made.addresses(name, family)
    assert missed.value.step is Step.RESOLVE
    return missed.value.why


async def why_fault(made: Resolver, name: str = "www.example.test") -> str:
    with pytest.raises(Fault) as fault:
        await made.addresses(name, 4)
    return str(fault.value)


@pytest.mark.parametrize(
    ("name", "family", "expected"),
    [
        ("www.example.test", 4, ("127.0.0.2",)),
        ("www.example.test", 6, ("::1",)),
        ("WWW.Example.Test.", 4, ("127.0.0.2",)),
        ("alias.example.test", 6, ("::1",)),
        ("both.example.test", 4, ("127.0.0.9", "127.0.0.10")),
        ("many.example.test", 4, tuple(f"127.1.0.{last}" for last in range(1, 17))),  # truncated, then TCP
    ],
)
async def test_what_bind_knows(bind: Server, name: str, family: int, expected: tuple[str, ...]) -> None:
    async with resolver(bind) as made:
        assert await made.addresses(name, family) == expected


@pytest.mark.parametrize(
    ("name", "family", "why"),
    [
        ("gone.example.test", 4, "there is no name gone.example.test"),
        (
            "nowhere.example.test",
            4,
            "nowhere.example.test is an alias of “gone.example.test”, and there is no such name",
        ),
        ("only6.example.test", 4, "only6.example.test has no IPv4 address"),
        ("mail.example.test", 6, "mail.example.test has no IPv6 address"),
    ],
)
async def test_what_bind_does_not_know(bind: Server, name: str, family: int, why: str) -> None:
    async with resolver(bind) as made:
        assert await why_missed(made, name, family) == why


@pytest.mark.parametrize("links", [["a b", "b a"], [f"n{number} n{number + 1}" for number in range(20)]])
async def test_aliases_without_end_are_not_followed(links: list[str]) -> None:
    def tells(asked: dns.message.Message) -> list[bytes]:
        told = answer(asked)
        for link in links:
            alias, of = (f"{word}.example.test." for word in link.split())
            told.answer.append(dns.rrset.from_text(alias, 300, "IN", "CNAME", of))
        return [told.to_wire()]

    name = f"{links[0].split()[0]}.example.test"
    async with lying(tells) as liar, resolver(liar.server) as made:
        assert await why_missed(made, name) == f"{name} is an alias of too many others"


async def test_a_server_that_does_not_look_up_for_others_is_our_fault(bind: Server) -> None:
    async with resolver(bind) as made:
        fault = await why_fault(made, "www.elsewhere.test")
    assert fault == f"www.elsewhere.test could not be looked up ({bind}: REFUSED)"


NO_NAMES = [
    "",
    ".",
    "..",
    "a..b",
    "a b",
    "-a.test",
    "x" * 64 + ".test",
    "a." * 127 + "test",
    "a\\.b.test",
    "a/b",
]
NUMBERS = ["127.1", "2130706433", "0x7f.1", "127.0.0.1.", "1.2.3.4.5", "0x7f000001"]


@pytest.mark.parametrize("name", [*NO_NAMES, *NUMBERS])
async def test_what_is_no_name_is_not_asked(name: str) -> None:
    async with lying(lambda asked: []) as liar, resolver(liar.server) as made:
        assert "is not a name of a machine" in await why_missed(made, name)
        assert liar.asked == []


@pytest.mark.parametrize("name", ["localhost", "a.localhost", "LOCALHOST."])
async def test_the_file_of_our_own_names_is_not_read(name: str) -> None:
    async with lying(lambda asked: []) as liar, resolver(liar.server) as made:
        assert "is this machine itself" in await why_missed(made, name)


async def test_a_name_in_other_letters_is_asked_for_by_idna() -> None:
    async with (
        lying(lambda asked: [answer(asked, "127.0.0.2").to_wire()]) as liar,
        resolver(liar.server) as made,
    ):
        assert await made.addresses("日本.example.test", 4) == ("127.0.0.2",)
        assert liar.asked == ["xn--wgv71a.example.test"]


# Whom to believe


def _with(change: Callable[[dns.message.Message], object]) -> Callable[[dns.message.Message], list[bytes]]:
    """A false answer, and then the true one."""

    def tells(asked: dns.message.Message) -> list[bytes]:
        false = answer(asked, "127.6.6.6")
        change(false)
        return [false.to_wire(), answer(asked, "127.0.0.2").to_wire()]

    return tells


def _other_number(false: dns.message.Message) -> None:
    false.id = false.id ^ 1


def _other_question(false: dns.message.Message) -> None:
    false.question = [dns.rrset.from_text("evil.example.test.", 0, "IN", "A")]


def _other_kind(false: dns.message.Message) -> None:
    false.question = [dns.rrset.from_text("www.example.test.", 0, "IN", "AAAA")]


def _no_response(false: dns.message.Message) -> None:
    false.flags &= ~dns.flags.QR


@pytest.mark.parametrize("change", [_other_number, _other_question, _other_kind, _no_response])
async def test_what_is_no_answer_to_our_question_is_passed_over(
    change: Callable[[dns.message.Message], object],
) -> None:
    async with lying(_with(change)) as liar, resolver(liar.server) as made:
        assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)


async def test_who_is_not_the_server_is_not_heard() -> None:
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def tells(asked: dns.message.Message) -> list[bytes]:
        stranger.sendto(answer(asked, "127.6.6.6").to_wire(), liar.came_from)
        return [answer(asked, "127.0.0.2").to_wire()]

    with stranger:
        async with lying(tells) as liar, resolver(liar.server) as made:
            assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)


async def test_addresses_of_other_names_in_an_answer_are_not_taken() -> None:
    def tells(asked: dns.message.Message) -> list[bytes]:
        told = answer(asked)
        told.answer.append(dns.rrset.from_text("evil.example.test.", 300, "IN", "A", "127.6.6.6"))
        return [told.to_wire()]

    async with lying(tells) as liar, resolver(liar.server) as made:
        assert await why_missed(made, "www.example.test") == "www.example.test has no IPv4 address"


async def test_a_flood_of_nonsense_ends() -> None:
    async with lying(lambda asked: [b"\0" * 40] * 100) as liar, resolver(liar.server) as made:
        assert "64 messages came, and none is an answer" in await why_fault(made)


async def test_a_truncated_answer_without_tcp_is_our_fault() -> None:
    def tells(asked: dns.message.Message) -> list[bytes]:
        told = answer(asked)
        told.flags |= dns.flags.TC
        return [told.to_wire()]

    async with lying(tells) as liar, resolver(liar.server) as made:
        assert "connection refused" in await why_fault(made)


def read(asked: dns.message.QueryMessage, wire: bytes) -> dns.message.QueryMessage | None:
    """What is taken for an answer; one of too many records is not."""
    with suppress(Missed):
        return fitting(asked, wire)
    return None


@given(wire=st.binary(max_size=200), keep_number=st.booleans())
def test_no_bytes_are_taken_for_an_answer_or_break_us(wire: bytes, keep_number: bool) -> None:
    asked = question(resolving.canonical("www.example.test"), resolving._FAMILIES[4])
    number = asked.id.to_bytes(2, "big") if keep_number else b""
    came = read(asked, number + wire)
    assert came is None or came.question in ([], asked.question)


@given(data=st.data())
def test_an_answer_with_wrong_bytes_is_read_or_refused(data: st.DataObject) -> None:
    asked = question(resolving.canonical("www.example.test"), resolving._FAMILIES[4])
    wire = bytearray(answer(asked, "127.0.0.2", "127.0.0.3").to_wire())
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))
    came = read(asked, bytes(wire[: data.draw(st.integers(12, len(wire)))]))
    if came is not None and came.rcode() == dns.rcode.NOERROR and came.question:
        resolving._read(resolving.Asked(asked.question[0].name, 4), came)


# Who is at fault


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"])
async def test_a_failing_server_is_our_fault_and_the_next_one_is_asked(rcode: str) -> None:
    bad = dns.rcode.from_text(rcode)
    async with (
        lying(lambda asked: [answer(asked, rcode=bad).to_wire()]) as failing,
        lying(lambda asked: [answer(asked, "127.0.0.2").to_wire()]) as good,
    ):
        async with resolver(failing.server) as made:
            assert rcode in await why_fault(made)
        async with resolver(failing.server, good.server) as made:
            assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)


async def test_old_servers_are_asked_again_without_extensions() -> None:
    def tells(asked: dns.message.Message) -> list[bytes]:
        bad = dns.rcode.FORMERR if asked.edns >= 0 else dns.rcode.NOERROR
        return [answer(asked, *(() if bad else ("127.0.0.2",)), rcode=bad).to_wire()]

    async with lying(tells) as liar, resolver(liar.server) as made:
        assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)


async def test_a_server_that_only_refers_to_others_is_passed_over() -> None:
    """It says whom to ask, and not what the answer is: no name follows from that, and no absence of one."""

    def refers(asked: dns.message.Message) -> list[bytes]:
        told = answer(asked)
        told.authority.append(dns.rrset.from_text("test.", 300, "IN", "NS", "ns.example.test."))
        return [told.to_wire()]

    async with (
        lying(refers) as referring,
        lying(lambda asked: [answer(asked, "127.0.0.2").to_wire()]) as good,
    ):
        async with resolver(referring.server) as made:
            assert "it does not look up names for others" in await why_fault(made)
        async with resolver(referring.server, good.server) as made:
            assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)


async def test_a_silent_server_is_passed_over() -> None:
    async with (
        lying(lambda asked: []) as silent,
        lying(lambda asked: [answer(asked, "127.0.0.2").to_wire()]) as good,
        resolver(nobody(), silent.server, good.server) as made,
    ):
        assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)


async def test_without_a_server_nothing_is_known() -> None:
    async with resolver() as made:
        assert "no resolver is known here" in await why_fault(made)


async def test_a_dead_resolver_is_unknown_for_all_names_and_waited_for_once() -> None:
    now = Now()
    async with lying(lambda asked: []) as dead, resolver(dead.server, now=now) as made:
        assert await why_fault(made) == f"no resolver answers ({dead.server}: no answer)"
        asked, root = len(dead.asked), dead.root_asked
        for number in range(100):
            await why_fault(made, f"other{number}.example.test")
        assert (len(dead.asked), dead.root_asked) == (asked, root), "no further name was asked for"

        now.us += FAULT_US
        dead.tells = lambda asked: [answer(asked, "127.0.0.2").to_wire()]
        assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)
        assert dead.root_asked == root + 1, "one question has found out for all"


async def test_ten_thousand_who_ask_while_it_dies_wait_together() -> None:
    async with lying(lambda asked: []) as dead, resolver(dead.server) as made:
        names = [f"device{number}.example.test" for number in range(10_000)]
        found = await asyncio.gather(*(made.addresses(name, 4) for name in names), return_exceptions=True)
        assert all(isinstance(one, Fault) for one in found)
        assert len(set(dead.asked)) <= resolving.QUESTIONS_MAX + 1


async def test_a_name_whose_own_servers_hang_blinds_nobody_else() -> None:
    def tells(asked: dns.message.Message) -> list[bytes]:
        name = asked.question[0].name.to_text()
        return [] if name.startswith("hang") else [answer(asked, "127.0.0.2").to_wire()]

    async with lying(tells) as liar, resolver(liar.server) as made:
        assert "hang.example.test could not be looked up" in await why_fault(made, "hang.example.test")
        assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)
        many = len(liar.asked)
        await why_fault(made, "hang.example.test")
        assert len(liar.asked) == many, "it is remembered of this name"


async def test_a_resolver_that_knows_no_root_comes_back_as_well() -> None:
    now = Now()
    tells: Callable[[dns.message.Message], list[bytes]] = lambda asked: []  # noqa: E731
    async with lying(tells) as liar, resolver(liar.server, now=now) as made:
        await why_fault(made)
        now.us += FAULT_US
        liar.tells = lambda asked: (
            [] if asked.question[0].name == dns.name.root else [answer(asked, "127.0.0.2").to_wire()]
        )
        assert await made.addresses("www.example.test", 4) == ("127.0.0.2",)


async def test_the_check_says_whose_fault_it_is() -> None:
    async with lying(lambda asked: []) as liar:
        made = Resolver(lambda: (liar.server,), Now(), (5.0,))
        written = {"port": 9, "host": "www.example.test", "timeout": "200ms"}
        found = await look("tcp", written, around=surroundings(names=made))
        await made.close()
    assert (found.outcome, found.step) == (Outcome.UNKNOWN, Step.RESOLVE)
    assert found.why == "no answer from the resolver within 200ms"


async def test_the_check_says_that_there_is_no_such_name(bind: Server) -> None:
    async with resolver(bind) as made:
        found = await look("tcp", {"port": 9, "host": "gone.example.test"}, around=surroundings(names=made))
    assert (found.outcome, found.sentence) == (
        Outcome.MISSED,
        "tcp: resolve: there is no name gone.example.test",
    )


async def test_there_is_no_fallback_to_the_other_family(bind: Server) -> None:
    async with serving(lambda reader, writer: reader.read(), "::1") as port, resolver(bind) as made:
        around = surroundings(names=made)
        written = {"port": port, "host": "only6.example.test"}
        assert (await look("tcp", written, address="::1", around=around)).outcome is Outcome.ANSWERED
        found = await look("tcp", written, address="127.0.0.1", around=around)
    assert (found.outcome, found.why) == (Outcome.MISSED, "only6.example.test has no IPv4 address")


# What is remembered


@pytest.mark.parametrize(("ttl", "believed_us"), [(0, TTL_MIN_US), (60, 60_000_000), (10**8, TTL_MAX_US)])
async def test_an_address_is_believed_as_long_as_its_owner_says_within_bounds(
    ttl: int, believed_us: int
) -> None:
    now = Now()
    async with (
        lying(lambda asked: [answer(asked, "127.0.0.2", ttl=ttl).to_wire()]) as liar,
        resolver(liar.server, now=now) as made,
    ):
        for passed_us, questions in ((0, 1), (believed_us - 1, 1), (1, 2)):
            now.us += passed_us
            await made.addresses("www.example.test", 4)
            assert len(liar.asked) == questions


async def test_that_there_is_no_such_name_is_believed_shortly() -> None:
    now, gone = Now(), dns.rcode.NXDOMAIN
    async with (
        lying(lambda asked: [answer(asked, rcode=gone).to_wire()]) as liar,
        resolver(liar.server, now=now) as made,
    ):
        for passed_us, questions in ((0, 1), (NEGATIVE_MAX_US - 1, 1), (1, 2)):
            now.us += passed_us
            await why_missed(made, "gone.example.test")
            assert len(liar.asked) == questions


async def test_many_who_ask_for_one_name_ask_once(bind: Server) -> None:
    async with (
        lying(lambda asked: [answer(asked, "127.0.0.2").to_wire()]) as liar,
        resolver(liar.server) as made,
    ):
        found = await asyncio.gather(*(made.addresses("www.example.test", 4) for _ in range(1_000)))
        assert set(found) == {("127.0.0.2",)}
        assert len(liar.asked) == 1


async def test_who_asked_first_may_leave() -> None:
    async with lying(lambda asked: []) as liar, resolver(liar.server) as made:
        first = asyncio.create_task(made.addresses("www.example.test", 4))
        await liar.asked_once.wait()
        second = asyncio.create_task(made.addresses("www.example.test", 4))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(Fault):
            await second
        assert first.cancelled()


async def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "CACHE_MAX", 3)
    async with (
        lying(lambda asked: [answer(asked, "127.0.0.2").to_wire()]) as liar,
        resolver(liar.server) as made,
    ):
        for name in ("a", "b", "c", "a", "d", "a", "b"):
            await made.addresses(f"{name}.example.test", 4)
        assert [name[0] for name in liar.asked] == ["a", "b", "c", "d", "b"]


# The servers of this machine


RESOLV_CONF = """\
# made by hand
search example.test
nameserver 192.0.2.53
nameserver fe80::1%eth0
nameserver name.example.test
  nameserver   2001:db8::53
nameserver 192.0.2.54
options timeout:1
"""


def test_the_servers_in_a_file() -> None:
    assert [str(server) for server in servers_in(RESOLV_CONF)] == [
        "192.0.2.53",
        "fe80::1%eth0",
        "2001:db8::53",
    ]


@given(st.text())
def test_any_file_is_read(text: str) -> None:
    assert len(servers_in(text)) <= 3


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    now, file = Now(), tmp_path / "resolv.conf"
    servers = SystemServers(now, file)
    assert servers() == ()
    for text, count in ((RESOLV_CONF, 3), ("nameserver 192.0.2.1\n", 1)):
        file.write_text(text)
        now.us += LOOK_EVERY_US
        assert len(servers()) == count
    file.unlink()
    assert len(servers()) == 1, "looked at only every ten seconds"
    now.us += LOOK_EVERY_US
    assert servers() == ()
