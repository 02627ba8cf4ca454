"""Where checks may connect to: a table of addresses, and the whole way with a resolver that lies."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.carrier import addresses_4, addresses_6
from hostwatch.checkers.policy import OWN_ADDRESSES_FOR_US, OutboundPolicy
from hostwatch.checkers.resolver import TTL_MIN_US, Resolver
from hostwatch.checks import base
from hostwatch.configuration.checks import NEVER, Checks
from hostwatch.core.reading import Outcome
from tests.checkers.liar import answer, lying
from tests.checks.conftest import look, serving, surroundings

EVERYWHERE = ["0.0.0.0/0", "::/0"]
HERE = "198.41.0.9"
"""An address of this machine, in these tests."""


def policy(*networks: str, never: tuple[str, ...] = (), ports: tuple[int, ...] = (80, 443)) -> OutboundPolicy:
    written = Checks.model_validate({"networks": networks, "never": never, "ports": ports})
    return OutboundPolicy(written, lambda: [HERE], lambda: 0)


def refusal(made: OutboundPolicy, address: str, port: int = 443) -> str:
    """Of an address that somebody else named."""
    return made.refusal(address, port, literal=False, own=False)


NAMED: list[tuple[str, tuple[str, ...], str]] = [
    # address                    checks.networks                      what is said
    ("8.8.8.8",                  (),                                  "not the device's address"),
    ("8.8.8.8",                  ("8.8.8.0/24",),                     ""),
    ("8.8.9.8",                  ("8.8.8.0/24",),                     "in no network of checks.networks"),
    ("8.8.8.8",                  ("0.0.0.0/0",),                      ""),
    ("2600::1",                  ("0.0.0.0/0",),                      "in no network of checks.networks"),
    ("2600::1",                  ("2600::/32",),                      ""),
    (HERE,                       ("0.0.0.0/0",),                      "an address of this machine"),
    # inner networks are meant only by who writes them
    ("10.1.2.3",                 ("0.0.0.0/0",),                      "must be in checks.networks by itself"),
    ("10.1.2.3",                 ("8.0.0.0/6",),                      "must be in checks.networks by itself"),
    ("10.1.2.3",                 ("10.1.0.0/16",),                    ""),
    ("10.1.2.3",                 ("0.0.0.0/0", "10.0.0.0/8"),         ""),
    ("172.31.255.255",           ("0.0.0.0/0",),                      "must be in checks.networks by itself"),
    ("192.168.0.1",              ("0.0.0.0/0",),                      "must be in checks.networks by itself"),
    ("100.64.0.1",               ("0.0.0.0/0",),                      "must be in checks.networks by itself"),
    ("fd00::1",                  ("::/0",),                           "must be in checks.networks by itself"),
    ("fd00::1",                  ("fd00::/64",),                      ""),
    # and these by nobody
    ("127.0.0.1",                ("0.0.0.0/0",),                      "loopback"),
    ("127.255.0.1",              ("0.0.0.0/0",),                      "loopback"),
    ("::1",                      ("::/0",),                           "this machine itself"),
    ("0.0.0.1",                  ("0.0.0.0/0",),                      "this machine itself"),
    ("169.254.169.254",          ("0.0.0.0/0",),                      "where clouds keep their metadata"),
    ("fe80::1",                  ("::/0",),                           "link-local"),
    ("fec0::1",                  ("::/0",),                           "site-local"),
    ("192.88.99.1",              ("0.0.0.0/0",),                      "a relay of 6to4"),
    ("240.0.0.1",                ("0.0.0.0/0",),                      "reserved or broadcast"),
    ("::ffff:127.0.0.1",         ("::/0",),                           "IPv4 in disguise"),
    ("::ffff:8.8.8.8",           ("::/0",),                           "IPv4 in disguise"),
    ("::127.0.0.1",              ("::/0",),                           "IPv4 in disguise"),
    ("::ffff:0:10.0.0.1",        ("::/0",),                           "IPv4 in disguise"),
    ("64:ff9b::a00:1",           ("::/0",),                           "behind a translator"),
    ("64:ff9b:1::7f00:1",        ("::/0",),                           "behind a translator"),
    ("2002:7f00:1::1",           ("::/0",),                           "6to4"),
    ("2001:0:4136:e378::1",      ("::/0",),                           "Teredo"),
]  # fmt: skip


@pytest.mark.parametrize(("address", "networks", "said"), NAMED)
def test_an_address_that_somebody_else_named(address: str, networks: tuple[str, ...], said: str) -> None:
    found = refusal(policy(*networks), address)
    assert (said in found) if said else found == ""


def test_the_operators_own_networks_are_left_out() -> None:
    made = policy("0.0.0.0/0", never=("8.8.8.0/24",))
    assert refusal(made, "8.8.8.8") == "it lies in 8.8.8.0/24, which is among checks.never"
    assert refusal(made, "8.8.4.4") == ""


@pytest.mark.parametrize(
    ("port", "said"), [(443, ""), (22, "port 22 is not among checks.ports"), (8443, "8443")]
)
def test_a_port_that_somebody_else_named(port: int, said: str) -> None:
    assert said in refusal(policy("8.8.8.0/24"), "8.8.8.8", port)
    assert bool(said) is bool(refusal(policy("8.8.8.0/24"), "8.8.8.8", port))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1", "fe80::1%lo", "169.254.169.254", HERE])
def test_what_the_operator_writes_is_allowed_at_any_port(address: str) -> None:
    assert policy().refusal(address, 31_337, literal=True, own=False) == ""


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"])
def test_what_is_no_machine_is_refused_to_the_operator_too(address: str) -> None:
    assert policy().refusal(address, 80, literal=True, own=True) == "no machine has this address"


def test_a_redirect_to_the_device_itself_is_allowed_at_allowed_ports() -> None:
    assert policy().refusal("127.0.0.1", 443, literal=False, own=True) == ""
    assert "port 22" in policy().refusal("127.0.0.1", 22, literal=False, own=True)
    assert policy().refusal("fe80::1%lo", 443, literal=False, own=True) == "the address names a link of ours"


def test_our_own_addresses_are_looked_at_again() -> None:
    now_us, ours = [0], ["8.8.8.8"]
    made = OutboundPolicy(Checks(networks=(ip_network("8.8.8.0/24"),)), lambda: ours, lambda: now_us[0])
    assert "this machine" in refusal(made, "8.8.8.8")
    ours[:] = ["8.8.8.9"]
    now_us[0] = OWN_ADDRESSES_FOR_US
    assert refusal(made, "8.8.8.8") == ""
    assert "this machine" in refusal(made, "8.8.8.9")


def test_our_own_addresses_are_known_in_this_form() -> None:
    ours = [address for _, address in (*addresses_4(), *addresses_6())]
    assert "127.0.0.1" in ours


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(NEVER)))
def test_no_setting_opens_what_is_never_allowed(number: int, never: str) -> None:
    network = ip_network(never)
    address = network[number % network.num_addresses]
    assert refusal(policy(*EVERYWHERE), str(address))


@given(st.integers(0, 2**32 - 1))
def test_no_form_of_an_inner_address_leads_there(number: int) -> None:
    inner = int(IPv4Address("10.0.0.0")) | number % 2**24
    made = policy(*EVERYWHERE)
    forms = (
        inner,
        0xFFFF << 32 | inner,
        0xFFFF0000 << 32 | inner,
        0x64FF9B << 96 | inner,
        0x2002 << 112 | inner << 80,
    )
    for form in forms:
        assert refusal(made, str(IPv6Address(form) if form != inner else IPv4Address(form)))


# The whole way: what was checked is what is connected to


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def _around(names: base.Names, *networks: str, ports: tuple[int, ...]) -> base.Surroundings:
    return surroundings(names=names, policy=policy(*networks, ports=ports))


async def test_a_name_that_leads_into_our_own_network_is_not_connected_to() -> None:
    visits: list[int] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(1)

    async with serving(note) as port, lying(lambda asked: [answer(asked, "127.0.0.1").to_wire()]) as liar:
        names = Resolver(lambda: (liar.server,), lambda: 0)
        written = {"port": port, "host": "www.example.test"}
        around = _around(names, *EVERYWHERE, ports=(port,))
        found = await look("tcp", written, address="127.0.0.2", around=around)
        await names.close()
    assert (found.outcome, found.step) == (Outcome.UNKNOWN, base.Step.CONNECT)
    assert found.why == f"not connected to 127.0.0.1:{port}: it lies in 127.0.0.0/8 (loopback)"
    assert visits == []


async def test_a_name_of_the_device_itself_is_connected_to_at_any_port() -> None:
    async with serving(_answers) as port, lying(lambda asked: [answer(asked, "127.0.0.1").to_wire()]) as liar:
        names = Resolver(lambda: (liar.server,), lambda: 0)
        found = await look(
            "tcp", {"port": port, "host": "www.example.test"}, around=_around(names, ports=(1,))
        )
        await names.close()
    assert found.outcome is Outcome.ANSWERED


async def test_the_device_is_chosen_among_the_addresses_of_a_name() -> None:
    both = ("127.0.0.1", "127.0.0.2")
    async with (
        serving(_answers, "127.0.0.2") as port,
        lying(lambda asked: [answer(asked, *both).to_wire()]) as liar,
    ):
        names = Resolver(lambda: (liar.server,), lambda: 0)
        written = {"port": port, "host": "www.example.test"}
        found = await look("tcp", written, address="127.0.0.2", around=_around(names, ports=(1,)))
        await names.close()
    assert (found.outcome, found.address) == (Outcome.ANSWERED, f"127.0.0.2:{port}")


async def test_a_name_that_changes_its_address_leads_nowhere_else() -> None:
    """The resolver says the device's address at first and another afterwards, and no answer may be kept.

    | look | says      | connected to                             |
    |------|-----------|------------------------------------------|
    | 1    | 127.0.0.2 | 127.0.0.2, as checked                    |
    | 2    | 127.0.0.1 | nobody: it is checked again, and refused |
    | 3    | 127.0.0.2 | 127.0.0.2                                |
    """
    now_us, says = [0], iter(["127.0.0.2", "127.0.0.1", "127.0.0.2"])
    visits: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(writer.get_extra_info("sockname")[0])
        await reader.read()

    def tells(asked: dns.message.Message) -> list[bytes]:
        return [answer(asked, next(says), ttl=0).to_wire()]

    found: list[Any] = []
    async with serving(note, "0.0.0.0") as port, lying(tells) as liar:
        names = Resolver(lambda: (liar.server,), lambda: now_us[0])
        around = _around(names, *EVERYWHERE, ports=(port,))
        for _ in range(3):
            written = {"port": port, "host": "www.example.test"}
            found.append(await look("tcp", written, address="127.0.0.2", around=around))
            now_us[0] += TTL_MIN_US
        await names.close()
        assert len(liar.asked) == 3, "each look asks once, and goes where that answer leads"
    assert [one.outcome for one in found] == [Outcome.ANSWERED, Outcome.UNKNOWN, Outcome.ANSWERED]
    assert set(visits) == {"127.0.0.2"}
