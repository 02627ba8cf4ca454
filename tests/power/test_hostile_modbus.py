"""Whoever says that it is a meter and means harm: each reading ends within its time, as a miss that says why.

turn 0    at once        turn 1    instead of the second answer
"""

from __future__ import annotations

import struct

import pytest

from hostwatch.core.reading import Outcome
from tests.checks.hostile import ACTS, Act, Manners, Peer, full_backlog, hostile
from tests.checks.test_hostile import LONG, SHORT, fair
from tests.checks.victim import Order, Victim

REGISTERS = [
    {"register": 0, "says": "output", "when": "== 1"},
    {"register": 9, "says": "utility", "when": "== 1"},
]
FIRST = bytes.fromhex("0001 0000 0005 01 03 02 0001")
MANNERS = Manners(says=(FIRST,), more=bytes.fromhex("0002 0000 00fe 01 03 02 0001"), ask_ends=b"\x00\x01")


def order(port: int, timeout: str) -> Order:
    return Order(
        kind="power/modbus",
        written={"address": "127.0.0.1", "port": port, "timeout": timeout, "registers": REGISTERS},
    )


@pytest.mark.parametrize("act", ACTS, ids=str)
@pytest.mark.parametrize("turn", [0, 1])
async def test_whatever_it_does_is_a_miss_that_says_why(victim: Victim, turn: int, act: Act) -> None:
    async with hostile(act.play, manners=MANNERS, turn=turn) as port:
        came = await victim.run(order(port, SHORT if act.hangs else LONG))

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert found.value == ""
    assert act.hangs or "no answer within" not in found.why, found.why


async def test_nobody_accepts(victim: Victim) -> None:
    async with full_backlog() as port:
        found = fair(await victim.run(order(port, SHORT)), seconds=0.25)

    assert found.why == f"no answer within {SHORT}"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("0002 0000 0005 01 03 02 0001", "an answer came to another question than ours"),
        ("0001 0000 0005 02 03 02 0001", "an answer came to another question than ours"),
        ("0001 0001 0005 01 03 02 0001", "what answers there does not speak Modbus"),
        ("0001 0000 0002 01 03", "what answers there does not speak Modbus"),
        ("0001 0000 00ff 01 03", "what answers there does not speak Modbus"),
        ("0001 0000 0005 01 04 02 0001", "the answer is not one to this question"),
        ("0001 0000 0005 01 03 04 0001", "the answer is not one to this question"),
        ("0001 0000 0007 01 03 02 00010001", "the answer is not one to this question"),
        ("0001 0000 0003 01 83 63", "the device refuses, with exception 99"),
        ("0001 0000 0003 01 84 02", "the answer is not one to this question"),
    ],
)
async def test_answers_that_are_none(victim: Victim, answer: str, why: str) -> None:
    async def says(peer: Peer) -> None:
        await peer.say(bytes.fromhex(answer))
        await peer.wait()

    async with hostile(says) as port:
        found = fair(await victim.run(order(port, LONG)), seconds=20)

    assert found.outcome is Outcome.MISSED
    assert found.why.startswith(why), found.why


async def test_an_answer_in_pieces_is_an_answer(victim: Victim) -> None:
    async def says(peer: Peer) -> None:
        for number in (1, 2):
            await peer.hear(struct.pack(">H", 1))
            answer = struct.pack(">H", number) + FIRST[2:]
            await peer.say(answer[:3])
            await peer.say(answer[3:8])
            await peer.say(answer[8:])
        await peer.wait()

    async with hostile(says) as port:
        came = await victim.run(order(port, LONG))

    assert came.found.outcome is Outcome.ANSWERED, came.found.why
