"""Somebody on the link answers for an address: what counts as an answer, and what as nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address

import pytest

from hostwatch.core.reading import Outcome
from tests.icmp.conftest import Cable
from tests.reach.conftest import PATIENT, looks
from tests.reach.liar import MAC, Question, advertisement, arp, lying

pytestmark = pytest.mark.lab

TARGET = {4: "10.99.0.77", 6: "fd99::77"}
OTHER = {4: ip_address("10.99.0.78").packed, 6: ip_address("fd99::78").packed}
Answers = Callable[[Question], Sequence[bytes]]

RIGHT: dict[str, tuple[int, Answers]] = {
    "ARP": (4, lambda q: [arp(q)]),
    "ARP, fifty times": (4, lambda q: [arp(q)] * 50),
    "ARP, filled up to a frame": (4, lambda q: [arp(q) + bytes(18)]),
    "ARP, after nonsense": (4, lambda q: [b"", b"\0" * 28, arp(q)[:27], arp(q)]),
    "discovery": (6, lambda q: [advertisement(q)]),
    "discovery, fifty times": (6, lambda q: [advertisement(q)] * 50),
    "discovery, after another option": (
        6,
        lambda q: [advertisement(q, option=b"\x0e\x01abcdef\x02\x01" + MAC)],
    ),
}
WRONG: dict[str, tuple[int, Answers]] = {
    "ARP for another address": (4, lambda q: [arp(q, said=OTHER[4])]),
    "ARP to another asker": (4, lambda q: [arp(q, to=OTHER[4])]),
    "a question instead of an answer": (4, lambda q: [arp(q, operation=1)]),
    "ARP with the address of a group": (4, lambda q: [arp(q, mac=b"\x01" + MAC[1:])]),
    "ARP with no address": (4, lambda q: [arp(q, mac=bytes(6))]),
    "ARP cut short": (4, lambda q: [arp(q)[:length] for length in range(28)]),
    "discovery for another address": (6, lambda q: [advertisement(q, said=OTHER[6])]),
    "discovery that passed a router": (6, lambda q: [advertisement(q, hops=254)]),
    "discovery that nobody asked for": (6, lambda q: [advertisement(q, flags=0x20)]),
    "discovery without an address": (6, lambda q: [advertisement(q, option=b"")]),
    "discovery with an option of no length": (6, lambda q: [advertisement(q, option=b"\x02\x00" + MAC)]),
    "discovery with an option beyond the end": (6, lambda q: [advertisement(q, option=b"\x02\x02" + MAC)]),
    "discovery with a group's address": (6, lambda q: [advertisement(q, option=b"\x02\x01\x33" + MAC[1:])]),
    "discovery with a code": (6, lambda q: [advertisement(q, code=1)]),
    "an echo reply": (6, lambda q: [advertisement(q, kind=129)]),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_an_answer(cable: Cable, name: str) -> None:
    family, answers = RIGHT[name]

    with lying(cable.there, TARGET[family], answers):
        (look,) = looks(cable, f"neighbour mac={MAC.hex(':')}", TARGET[family], manner=PATIENT)

    assert (look.outcome, look.why, look.lost) == (Outcome.ANSWERED, "", 0)


@pytest.mark.parametrize("name", WRONG)
def test_no_answer(cable: Cable, name: str) -> None:
    family, answers = WRONG[name]

    with lying(cable.there, TARGET[family], answers):
        (look,) = looks(cable, "neighbour", TARGET[family])

    assert (look.outcome, look.why) == (Outcome.MISSED, "no answer")


def test_an_answer_to_everybody_is_not_to_us(cable: Cable) -> None:
    with lying(cable.there, TARGET[4], lambda q: [arp(q)], broadcast=True):
        (look,) = looks(cable, "neighbour", TARGET[4])

    assert look.outcome is Outcome.MISSED


@pytest.mark.parametrize("family", [4, 6])
def test_whoever_answers_first_does_not_drown_the_device(cable: Cable, family: int) -> None:
    """Two machines claim one address: with a witness the device is there if it is one of them."""
    thief = bytes.fromhex("525400666666")
    both: dict[int, Answers] = {
        4: lambda q: [arp(q, mac=thief), arp(q)],
        6: lambda q: [advertisement(q, option=b"\x02\x01" + thief), advertisement(q)],
    }

    with lying(cable.there, TARGET[family], both[family]):
        (look,) = looks(cable, f"neighbour mac={MAC.hex(':')}", TARGET[family], manner=PATIENT)

    assert look.outcome is Outcome.ANSWERED
