"""A name server is asked itself: BIND, and servers that lie, hang or die."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.checks import dns as kind
from hostwatch.checks._question import question
from hostwatch.checks.base import Step
from hostwatch.core.reading import Outcome
from tests.checkers.liar import answer, lying
from tests.checks.bind import named
from tests.checks.conftest import look, serving, surroundings


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with named(tmp_path_factory.mktemp("bind")) as port:
        yield port


WELL: list[dict[str, Any]] = [
    {"name": "www.example.test"},
    {"name": "www.example.test", "protocol": "tcp"},
    {"name": "www.example.test", "answers": ["127.0.0.2"], "authoritative": True},
    {"name": "WWW.example.test.", "type": "aaaa", "answers": ["0:0::1"]},
    {"name": "both.example.test", "answers": ["127.0.0.9", "127.0.0.10"]},
    {"name": "both.example.test", "answers": ["127.0.0.10"], "only": False, "at_least": 2},
    {"name": "alias.example.test", "answers": ["127.0.0.2"]},
    {"name": "alias.example.test", "type": "CNAME", "answers": ["WWW.example.test"]},
    {"name": "example.test", "type": "MX", "answers": ["10 mail.example.test."]},
    {"name": "example.test", "type": "TXT", "answers": ["v=spf1 -all"]},
    {"name": "example.test", "type": "TXT", "answers": ['"v=spf1" " -all"']},
    {"name": "example.test", "type": "NS", "answers": ["ns.example.test"]},
    {"name": "example.test", "type": "SOA", "at_least": 1},
    {"name": "gone.example.test", "rcode": "NXDOMAIN"},
    {"name": "mail.example.test", "type": "AAAA", "at_least": 0},
    {"name": "www.elsewhere.test", "rcode": "REFUSED"},
    {"name": "many.example.test", "at_least": 100},
]


@pytest.mark.parametrize("written", WELL, ids=str)
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_it_answers_as_expected(bind: int, written: dict[str, Any], address: str) -> None:
    found = await look("dns", {"port": bind, **written}, address=address)
    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")


def about(name: str, **more: Any) -> dict[str, Any]:
    """A question about a name of the zone."""
    return {"name": f"{name}.example.test".removeprefix("@."), **more}


NO_NAME, A_NAME = "the server says that there is no such name", "the server says that there is such a name"
UNSIGNED = "the server has not verified the signatures"
MAIL = {"type": "MX", "answers": ["20 mail.example.test"]}

BADLY: list[tuple[dict[str, Any], Step, str, str]] = [
    (about("gone"), Step.ANSWER, NO_NAME, "NXDOMAIN"),
    (about("www", rcode="NXDOMAIN"), Step.ANSWER, A_NAME, "NOERROR"),
    ({"name": "www.elsewhere.test"}, Step.ANSWER, "the server refuses to answer", "REFUSED"),
    (about("www", authenticated=True), Step.ANSWER, UNSIGNED, "QR AA RD"),
    (about("www", answers=["127.0.0.5"]), Step.CONTENT, "not answered: “127.0.0.5”", "127.0.0.2"),
    (
        about("both", answers=["127.0.0.9"]),
        Step.CONTENT,
        "answered as well: “127.0.0.10”",
        "127.0.0.10, 127.0.0.9",
    ),
    (about("both", at_least=3), Step.CONTENT, "fewer than 3 records of type A", "127.0.0.10, 127.0.0.9"),
    (about("mail", type="AAAA"), Step.CONTENT, "fewer than 1 records of type AAAA", "no record"),
    (about("@", **MAIL), Step.CONTENT, "not answered: “20 mail.example.test.”", "10 mail.example.test."),
]


@pytest.mark.parametrize(("written", "step", "why", "came"), BADLY)
async def test_another_answer_is_told(
    bind: int, written: dict[str, Any], step: Step, why: str, came: str
) -> None:
    found = await look("dns", {"port": bind, **written})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why)
    assert found.came == came


async def test_what_does_not_fit_is_asked_for_by_tcp(bind: int) -> None:
    found = await look("dns", {"port": bind, "name": "many.example.test"})
    assert found.notes == ("the answer does not fit into a datagram: asked for by TCP",)
    assert sum(said.who == "<" for said in found.transcript) == kind.RECORDS_SHOWN + 1
    assert found.transcript[-1].text == "and 80 more"


async def test_the_transcript_tells_question_and_answer(bind: int) -> None:
    found = await look("dns", {"port": bind, "name": "alias.example.test"})
    assert [f"{said.who} {said.text}" for said in found.transcript] == [
        f"> alias.example.test. A? by UDP to 127.0.0.1:{bind}",
        "< NOERROR, QR AA RD",
        "< alias.example.test. 300 CNAME www.example.test.",
        "< www.example.test. 300 A 127.0.0.2",
    ]
    assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.ANSWER, Step.ANSWER, Step.CONTENT]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_nobody_listens(protocol: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    found = await look("dns", {"port": port, "name": "www.example.test", "protocol": protocol})
    assert (found.outcome, found.why) == (Outcome.MISSED, "connection refused")
    assert found.step is (Step.CONNECT if protocol == "tcp" else Step.ANSWER)


async def test_a_server_that_hangs_ends_with_the_time() -> None:
    async with lying(lambda asked: []) as liar:
        found = await look("dns", {"port": liar.server.port, "name": "www.example.test", "timeout": "200ms"})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.ANSWER, "no answer within 200ms")


async def test_a_server_that_hangs_over_tcp_ends_with_the_time(ever: asyncio.Event) -> None:
    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x01\x00" + bytes(20))
        await ever.wait()

    async with serving(begin) as port:
        written = {"port": port, "name": "www.example.test", "protocol": "tcp", "timeout": "200ms"}
        found = await look("dns", written)
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.ANSWER, "no answer within 200ms")


async def test_a_datagram_that_gets_lost_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "AGAIN_S", 0.05)
    lost = iter([True, True, False])

    def tells(asked: dns.message.Message) -> list[bytes]:
        return [] if next(lost) else [answer(asked, "127.0.0.2").to_wire()]

    async with lying(tells) as liar:
        found = await look("dns", {"port": liar.server.port, "name": "www.example.test"})
    assert found.outcome is Outcome.ANSWERED
    assert [said.text for said in found.transcript if said.who == ">"][1:] == ["the same again"] * 2


async def test_a_server_that_dies_in_the_middle(tmp_path: Path) -> None:
    """The connection is open, and then the server is killed."""
    with named(tmp_path) as port:
        pid = int((tmp_path / "named.pid").read_text())
        os.kill(pid, signal.SIGSTOP)
        looking = asyncio.create_task(
            look("dns", {"port": port, "name": "www.example.test", "protocol": "tcp"})
        )
        while not _is_connected(port):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        found = await looking
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.ANSWER)
    assert found.why in ("connection reset", "the server closed the connection")


def _is_connected(port: int) -> bool:
    """Whether this process has a connection to a port: from the kernel's own table."""
    lines = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    return any(f":{port:04X} 01" in line for line in lines)


async def test_old_servers_are_asked_without_extensions() -> None:
    def tells(asked: dns.message.Message) -> list[bytes]:
        bad = dns.rcode.FORMERR if asked.edns >= 0 else dns.rcode.NOERROR
        return [answer(asked, *(() if bad else ("127.0.0.2",)), rcode=bad).to_wire()]

    async with lying(tells) as liar:
        found = await look("dns", {"port": liar.server.port, "name": "www.example.test"})
    assert (found.outcome, found.notes) == (
        Outcome.ANSWERED,
        ("the server does not know EDNS: asked without it",),
    )


def _alien(told: dns.message.Message) -> None:
    told.id ^= 1


def _other(told: dns.message.Message) -> None:
    told.question = [dns.rrset.from_text("evil.example.test.", 0, "IN", "A")]


@pytest.mark.parametrize("change", [_alien, _other])
async def test_answers_to_others_are_not_taken(change: Callable[[dns.message.Message], None]) -> None:
    def tells(asked: dns.message.Message) -> list[bytes]:
        told = answer(asked, "127.6.6.6")
        change(told)
        return [told.to_wire(), answer(asked, "127.0.0.2").to_wire()]

    async with lying(tells) as liar:
        found = await look(
            "dns", {"port": liar.server.port, "name": "www.example.test", "answers": ["127.0.0.2"]}
        )
    assert found.outcome is Outcome.ANSWERED


async def test_nonsense_without_end_is_a_miss() -> None:
    async with lying(lambda asked: [b"\xff" * 20] * 200) as liar:
        found = await look("dns", {"port": liar.server.port, "name": "www.example.test"})
    assert (found.outcome, found.why) == (
        Outcome.MISSED,
        "64 messages came, and none is an answer to the question",
    )


async def test_an_answer_of_very_many_records_is_not_read() -> None:
    """Five thousand names of 126 parts each, which fit into one datagram, keep a reader busy for seconds."""
    name = ".".join("a" * 126)

    def tells(asked: dns.message.Message) -> list[bytes]:
        alias = b"\xc0\x0c" + struct.pack("!HHIH", dns.rdatatype.CNAME, 1, 60, 2) + b"\xc0\x0c"
        told = answer(asked).to_wire()
        return [told[:6] + struct.pack("!3H", 5_000, 0, 0) + told[12:] + alias * 4_600]

    async with lying(tells) as liar:
        found = await look("dns", {"port": liar.server.port, "name": name})
    assert (found.outcome, found.why) == (Outcome.MISSED, "the answer has more than 250 records")


async def test_nonsense_over_tcp_is_a_miss() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(65_536))
        await reader.read()

    async with serving(talk) as port:
        found = await look("dns", {"port": port, "name": "www.example.test", "protocol": "tcp"})
    assert (found.outcome, found.why) == (Outcome.MISSED, "what came is no answer to the question")


async def test_it_goes_where_the_policy_lets_it(bind: int) -> None:
    class Nowhere:
        def refusal(self, address: str, port: int, *, literal: bool, own: bool) -> str:
            return "nobody may"

    written = {"port": bind, "name": "www.example.test"}
    found = await look("dns", written, around=surroundings(policy=Nowhere()))
    assert (found.outcome, found.step) == (Outcome.UNKNOWN, Step.CONNECT)  # the rule is ours
    assert found.why == f"not connected to 127.0.0.1:{bind}: nobody may"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "a..b"}, "is not a name"),
    ({"name": "a" * 64}, "is not a name"),
    ({"name": "www.example.test", "type": "ANY"}, "is not a type of records"),
    ({"name": "www.example.test", "type": "AXFR"}, "is not a type of records"),
    ({"name": "www.example.test", "type": "NONSENSE"}, "is not a type of records"),
    ({"name": "www.example.test", "answers": ["mail.example.test"]}, "is not a record of type A"),
    (about("www", answers=["127.0.0.1"], rcode="NXDOMAIN"), "expects answers, and NXDOMAIN"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "wrong"), WRONG)
def test_what_cannot_be_asked_is_refused(written: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        kind.Settings.model_validate(written)


@given(pieces=st.lists(st.binary(max_size=255), min_size=1, max_size=4))
def test_how_a_text_is_cut_makes_no_difference(pieces: list[bytes]) -> None:
    asked = question(dns.name.from_text("www.example.test"), dns.rdatatype.TXT)
    text = " ".join('"' + "".join(f"\\{byte:03d}" for byte in piece) + '"' for piece in pieces)
    told = dns.message.make_response(asked)
    told.answer.append(dns.rrset.from_text("www.example.test.", 1, "IN", "TXT", text))
    (record,) = dns.message.from_wire(told.to_wire()).answer[0]
    assert kind._form(record) == b"".join(pieces)


@given(wire=st.binary(max_size=300))
async def test_no_answer_breaks_the_check(wire: bytes) -> None:
    """Whatever follows a right number: a finding comes, and it is not that the check itself failed."""

    def tells(asked: dns.message.Message) -> list[bytes]:
        return [asked.id.to_bytes(2, "big") + wire, answer(asked, rcode=dns.rcode.SERVFAIL).to_wire()]

    async with lying(tells) as liar:
        found = await look("dns", {"port": liar.server.port, "name": "www.example.test", "timeout": "5s"})
    assert found.outcome is not Outcome.UNKNOWN
