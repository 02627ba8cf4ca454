"""Whoever says that it speaks Redfish and means harm: each reading ends in time, as a miss that says why."""

from __future__ import annotations

import pytest

from tests.checks.certificates import Papers
from tests.checks.hostile import Act, Peer, hostile
from tests.checks.hostile_tls import HANDSHAKE_ACTS, secured
from tests.checks.test_hostile import LONG, SHORT, fair
from tests.checks.victim import Victim
from tests.power.manners import order


@pytest.mark.parametrize("act", HANDSHAKE_ACTS, ids=str)
async def test_whatever_it_does_while_tls_is_agreed_upon(victim: Victim, papers: Papers, act: Act) -> None:
    async with hostile(act.play, secure=secured(papers.valid)) as port:
        came = await victim.run(
            order("redfish", port, SHORT if act.hangs else LONG, scheme="https", fingerprint="0" * 64)
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
        found = fair(await victim.run(order("redfish", port, LONG)), seconds=20)

    assert found.why == "the answer is too long for JSON"
