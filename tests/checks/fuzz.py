"""Feeds every kind of check with answers that were changed at random.

    scripts/fuzz answers [--inputs N] [--seed S]

A server's whole side of a talk is put into a real socket before the check begins, changed in a few places,
and the socket is closed behind it. Whatever it is, the check must end with a finding: it answered, or it
missed and why, in words that may be shown; never with a failure of our own.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import random
import re
import secrets
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

import dns.message
import dns.rrset

from hostwatch import checks
from hostwatch.checks import base
from hostwatch.configuration.secret import Places
from hostwatch.core.reading import Outcome
from tests.checks.aiming import aimed
from tests.checks.conftest import surroundings
from tests.checks.manners import MANNERS
from tests.checks.victim import SECRET

BYTES_MAX: Final = 40_000
"""So much fits into a socket before anybody reads."""

INTERESTING: Final = (
    *(b"", b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"-", b"*", b"+", b":", b";", b"(", b"{", b"%"),
    *(b"\xff", b"\xfe\xff", b"\xc0\x0c", b"\x1b[2J", "\u202e".encode(), b"\xff\xff\xff\xff", b"\x80\0\0\0"),
    *(b"0", b"-1", b"1e9", b"99999999999999999999", b"0x10", b"{65536}", b"{10}\r\n", b"a1 OK\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Encoding: gzip\r\n"),
    *(b"227 Entering Passive Mode (127,0,0,1,1,1)\r\n", b"421 no\r\n", b"250-", b"220 ", b"530 no\r\n"),
    *(b"ffffffff\r\n", b"\r\n.\r\n", b"+OK\r\n", b"SSH-2.0-", b"HTTP/1.1 200 OK\r\n\r\n"),
)

PAGE: Final = b'{"status": {"db": "up", "list": [1, 2.5, null, true]}, "text": "everything runs"}'
OK: Final = b"HTTP/1.1 200 OK\r\n"
HTTP: Final = (
    OK + b"Content-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE),
    OK + b"Transfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%s\r\n0\r\nA: b\r\n\r\n" % (len(PAGE), PAGE),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 302 Found\r\nLocation: /elsewhere?a=b#c\r\n\r\n",
    OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(PAGE, mtime=0),
)
"""Answers of the web, to begin with."""

WRITTEN: Final[dict[str, dict[str, Any]]] = {
    "http": {"contains": "everything runs", "json": {"status.db": "up", "/status/list/1": 2.5}},
}
"""What is set beside the example, so that more of a kind is gone through."""


NUMBER: Final = 0x2020
"""Of every question that a check draws a number for."""


def _of_dns() -> list[bytes]:
    """Answers of a name server to the question of the example, as they go over TCP."""
    asked = dns.message.make_query("www.example.com", "A", id=NUMBER)
    found = []
    for records in (["192.0.2.7"], ["192.0.2.7", "192.0.2.8"], []):
        told = dns.message.make_response(asked)
        alias = dns.rrset.from_text("www.example.com.", 60, "IN", "CNAME", "web.example.com.")
        if records:
            told.answer = [alias, dns.rrset.from_text_list("web.example.com.", 60, "IN", "A", records)]
        wire = told.to_wire()
        found.append(len(wire).to_bytes(2, "big") + wire)
    return found


def beginnings(kind: str) -> list[bytes]:
    """What a server of a kind may say, before it is changed."""
    if kind in ("http", "dns"):
        return [*HTTP] if kind == "http" else _of_dns()
    found = b"".join(MANNERS[kind].says) if kind in MANNERS else b""
    return [found or b"hello, PONG\r\n"]


class Canned(base.Visit):
    """A visit to a server that has said everything already."""

    script = b""

    async def _connected(self, address: str, port: int, kind: socket.SocketKind) -> socket.socket:
        """A socket with all of it in it; also for data that go beside."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            ours = socket.create_connection(listening.getsockname())
            theirs, _ = listening.accept()
        theirs.sendall(self.script)
        theirs.shutdown(socket.SHUT_WR)
        ours.setblocking(False)
        self._open += [ours, theirs]
        return ours


def changed(script: bytes, draw: random.Random) -> bytes:
    """The same with a few changes."""
    found = bytearray(script)
    for _ in range(draw.randint(0, 5)):
        place = draw.randrange(len(found) + 1)
        match draw.randrange(8):
            case 0:
                del found[place:]
            case 1:
                del found[place : place + draw.choice((1, 2, 10))]
            case 2:
                found[place:place] = draw.randbytes(draw.choice((1, 2, 8, 300)))
            case 3:
                found[place:place] = draw.choice(INTERESTING) * draw.choice((1, 1, 1, 2, 300))
            case 4:
                end = min(len(found), place + draw.choice((1, 4, 40)))
                found[place:place] = found[place:end] * draw.choice((1, 2, 150))
            case 5:
                what = draw.choice(INTERESTING)
                found[place : place + len(what)] = what
            case _ if place < len(found):
                found[place] ^= 1 << draw.randrange(8)
    return bytes(found[:BYTES_MAX])


def check(finding: base.Finding) -> None:
    """What holds of every finding. Raises `AssertionError`."""
    assert finding.outcome is not Outcome.UNKNOWN, finding.why
    assert (finding.outcome is Outcome.ANSWERED) is (not finding.why)
    said = [finding.why, finding.expected, finding.came, *finding.notes]
    said += [line.text for line in finding.transcript]
    for text in said:
        assert text.isprintable(), repr(text)
        assert len(text) <= 300
        assert SECRET not in text
    assert not re.search(r"[a-z](Error|Exception)\b|object at 0x|Errno", finding.why), finding.why
    data = json.loads(json.dumps(finding.as_data()))
    assert base.of_data(data) == finding


@contextmanager
def known_numbers() -> Iterator[None]:
    """What a check draws by lot is always the same, so that answers can fit."""
    with patch.object(secrets, "randbelow", return_value=NUMBER):
        yield


async def feed(kind: str, script: bytes) -> base.Finding:
    """One check with one script."""
    module, manners = checks.room(kind), MANNERS.get(kind)
    more = {**(manners.written if manners else {}), **WRITTEN.get(kind, {}), "timeout": "20s"}
    settings = module.Settings.model_validate(aimed(kind, 4_242, **more), context=Places())
    visit = Canned(kind=kind, address="127.0.0.1", surroundings=surroundings())
    visit.script = script
    return await base.run(module, settings, visit)


async def _fuzz(kind: str, inputs: int, draw: random.Random) -> Counter[str]:
    found: Counter[str] = Counter()
    for _ in range(inputs):
        script = changed(draw.choice(beginnings(kind)), draw)
        try:
            finding = await feed(kind, script)
            check(finding)
        except AssertionError as error:
            raise AssertionError(f"{kind} with {script[:2_000]!r}: {error}") from error
        found[finding.step or "answered"] += 1
    return found


def fuzz(kind: str, inputs: int, seed: int) -> Counter[str]:
    """Feed a kind with so many scripts; at which step how many of them ended. Raises `AssertionError`."""
    os.environ["HOSTWATCH_TEST_SECRET"] = SECRET
    with known_numbers():
        return asyncio.run(_fuzz(kind, inputs, random.Random(f"{seed} {kind}")))


def main() -> None:
    """Fuzz for long, and say of what seed."""
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz answers", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many talks, shared by all kinds")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="which talks")
    given = parser.parse_args()
    print(f"{given.inputs:,} talks, seed {given.seed}", flush=True)
    began_s = time.monotonic()
    for kind in checks.kinds():
        print(f"{kind}: {dict(fuzz(kind, given.inputs // len(checks.kinds()), given.seed))}", flush=True)
    print(f"nothing broke in {time.monotonic() - began_s:.0f} s")


if __name__ == "__main__":
    main()
