"""Whoever says that it speaks Redfish and means harm: each reading ends in time, as a miss that says why.

turn 0    at once        turn 1    instead of the page of the chassis        turn 2    in the middle of a body
"""

from __future__ import annotations

import pytest

from tests.checks.certificates import Papers
from tests.checks.hostile import ACTS, Act, Manners, Peer, full_backlog, hostile
from tests.checks.hostile_tls import HANDSHAKE_ACTS, secured
from tests.checks.test_hostile import LONG, SHORT, fair
from tests.checks.victim import Order, Victim

ROOT = b'{"Chassis": {"@odata.id": "/redfish/v1/Chassis"}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
MANNERS = Manners(says=(b"", HEAD % len(ROOT) + ROOT, HEAD % 200 + b'{"Members": ['), ask_ends=b"\r\n\r\n")


def order(port: int, timeout: str, **written: object) -> Order:
    return Order(
        kind="power/redfish",
        written={"address": "127.0.0.1", "port": port, "scheme": "http", "timeout": timeout, **written},
    )


@pytest.mark.parametrize("act", ACTS, ids=str)
@pytest.mark.parametrize("turn", [0, 1, 2])
async def test_whatever_it_does_is_a_miss_that_says_why(victim: Victim, turn: int, act: Act) -> None:
    async with hostile(act.play, manners=MANNERS, turn=turn) as port:
        came = await victim.run(order(port, SHORT if act.hangs else LONG))

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert found.value == ""
    assert act.hangs or "no answer within" not in found.why, found.why


@pytest.mark.parametrize("act", HANDSHAKE_ACTS, ids=str)
async def test_whatever_it_does_while_tls_is_agreed_upon(victim: Victim, papers: Papers, act: Act) -> None:
    async with hostile(act.play, secure=secured(papers.valid)) as port:
        came = await victim.run(
            order(port, SHORT if act.hangs else LONG, scheme="https", fingerprint="0" * 64)
        )

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert found.value == ""


@pytest.mark.parametrize(
    "body", [b'{"a": "' + b"x" * 70_000, b"[" * 70_000, b"\0" * 70_000], ids=["long", "deep", "zeros"]
)
async def test_a_body_without_end(victim: Victim, body: bytes) -> None:
    async def floods(peer: Peer) -> None:
        await peer.hear(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await peer.say(f"{len(body):x}\r\n".encode() + body + b"\r\n")

    async with hostile(floods) as port:
        found = fair(await victim.run(order(port, LONG)), seconds=20)

    assert found.why == "the answer is too long for JSON"


async def test_nobody_accepts(victim: Victim) -> None:
    async with full_backlog() as port:
        found = fair(await victim.run(order(port, SHORT)), seconds=0.25)

    assert found.why == f"no answer within {SHORT}"
