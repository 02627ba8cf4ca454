"""Whoever says that it is a meter and means harm: each reading ends in time, as a miss that says why."""

from __future__ import annotations

import struct

import pytest

from hostwatch.core.reading import Outcome
from tests.checks.hostile import Peer, hostile
from tests.checks.test_hostile import LONG, fair
from tests.checks.victim import Victim
from tests.power.manners import FIRST_OF_A_METER, order


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
        found = fair(await victim.run(order("modbus", port, LONG)), seconds=20)

    assert found.outcome is Outcome.MISSED
    assert found.why.startswith(why), found.why


async def test_an_answer_in_pieces_is_an_answer(victim: Victim) -> None:
    async def says(peer: Peer) -> None:
        for number in (1, 2):
            await peer.hear(struct.pack(">H", 1))
            answer = struct.pack(">H", number) + FIRST_OF_A_METER[2:]
            await peer.say(answer[:3])
            await peer.say(answer[3:8])
            await peer.say(answer[8:])
        await peer.wait()

    async with hostile(says) as port:
        came = await victim.run(order("modbus", port, LONG))

    assert came.found.outcome is Outcome.ANSWERED, came.found.why
