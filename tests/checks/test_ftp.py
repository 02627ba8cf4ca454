"""FTP: two servers of different manners, and servers that play a written dialogue."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.checks import _ftp, base
from hostwatch.checks import ftp as kind
from hostwatch.checks.base import Missed, Step
from hostwatch.checks.ftp import Fetched
from hostwatch.core.reading import Outcome
from tests.checks import hostile
from tests.checks.certificates import Pair, Papers
from tests.checks.conftest import look, serving
from tests.checks.dialogues import played
from tests.checks.ftpds import KNOWN, PASSWORD, USER, Ftpd, closed_port, pure_ftpd, vsftpd

SHA256 = hashlib.sha256(KNOWN).hexdigest()
FILE = {"path": "pub/known.txt", "size": len(KNOWN), "sha256": SHA256, "holds": "all is well"}
ANYBODY = {"anonymous": True, "directory": "pub", "holds": "known.txt", "file": FILE}


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTP_PASSWORD", PASSWORD)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where servers look that give up their rights: everybody may go through it."""
    folder = tmp_path_factory.mktemp("ftp")
    for place in (folder, *folder.parents):
        if place.stat().st_uid == os.geteuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o011)
    return folder


def below(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def open_server(home: Path, papers: Papers) -> Iterator[Ftpd]:
    with vsftpd(below(home, "vsftpd"), papers.valid, "require_ssl_reuse=YES") as one:
        yield one


@pytest.fixture(scope="module")
def closed_server(home: Path, papers: Papers) -> Iterator[Ftpd]:
    with pure_ftpd(below(home, "pure"), papers.valid) as one:
        yield one


def trusting(papers: Papers) -> dict[str, Any]:
    return {"ca": str(papers.ca)}


def account(**more: Any) -> dict[str, Any]:
    login = {"user": USER, "password": {"env": "FTP_PASSWORD"}}
    return {"login": login, "authorisation": "letter of 2026-03-01", "unprotected_login": True, **more}


# Real servers


@pytest.mark.parametrize("listing", ["LIST", "NLST"])
async def test_anybody_lists_and_fetches(open_server: Ftpd, listing: str) -> None:
    found = await look("ftp", {"port": open_server.port, **ANYBODY, "listing": listing})
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
    steps = [phase.step for phase in found.phases]
    assert steps[:3] == [Step.CONNECT, Step.GREETING, Step.LOGIN]
    assert steps[-1] is Step.ANSWER


async def test_tls_by_command_with_a_server_that_demands_its_continuation(
    open_server: Ftpd, papers: Papers
) -> None:
    """vsftpd with `require_ssl_reuse=YES`: without the session of the control line it says 522."""
    written = {"port": open_server.port, **ANYBODY, "starttls": "required", "tls": trusting(papers)}
    found = await look("ftp", written)
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
    said = [line.text for line in found.transcript if line.who == ">"]
    assert said[:4] == ["AUTH TLS", "USER anonymous", "PASS hostwatch@", "PBSZ 0"]
    assert said[-1] == "QUIT"


async def test_tls_from_the_first_byte(home: Path, papers: Papers) -> None:
    with vsftpd(below(home, "implicit"), papers.valid, "implicit_ssl=YES") as one:
        written = {"port": one.port, **ANYBODY, "implicit_tls": True, "tls": trusting(papers)}
        found = await look("ftp", written)
        assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
        plain = await look("ftp", {"port": one.port, **ANYBODY, "timeout": "300ms"})
    assert (plain.outcome, plain.step) == (Outcome.MISSED, Step.GREETING)


async def test_ipv6(home: Path, papers: Papers) -> None:
    with vsftpd(below(home, "six"), papers.valid, address="::1") as one:
        found = await look("ftp", {"port": one.port, **ANYBODY}, address="::1")
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
    assert found.address == f"[::1]:{one.port}"


@pytest.mark.parametrize("protected", [False, True])
async def test_an_account_logs_in(closed_server: Ftpd, papers: Papers, protected: bool) -> None:
    tls = {"starttls": "required", "tls": trusting(papers), "unprotected_login": False} if protected else {}
    more = {"directory": "/pub", "listing": "MLSD", "holds": "with a space", "file": FILE}
    found = await look("ftp", {"port": closed_server.port, **account(**more), **tls})
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
    assert "PASS ***" in [line.text for line in found.transcript]
    assert not any(PASSWORD in line.text for line in found.transcript)


async def test_a_greeting_of_many_lines(closed_server: Ftpd) -> None:
    written = {"port": closed_server.port, "greeting": "after 15 minutes"}
    assert (await look("ftp", written)).outcome is Outcome.ANSWERED
    found = await look("ftp", {**written, "greeting": "ProFTPD"})
    assert (found.step, found.why) == (Step.GREETING, "the greeting is another one")


async def test_a_wrong_password(closed_server: Ftpd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTP_PASSWORD", "something else")
    found = await look("ftp", {"port": closed_server.port, **account()})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.LOGIN, "the login was refused")
    assert found.came.startswith("530 ")


WRONG: list[tuple[dict[str, Any], Step, str, str]] = [
    ({"directory": "nowhere"}, Step.CONTENT, "the name “known.txt” is not in the directory", "nothing"),
    ({"directory": "empty"}, Step.CONTENT, "the name “known.txt” is not in the directory", "nothing"),
    (
        {"holds": "index.html"},
        Step.CONTENT,
        "the name “index.html” is not in the directory",
        "known.txt, with a space",
    ),
    ({"file": {"path": "pub/gone"}}, Step.ANSWER, "the file was refused", "550 Failed to open file."),
    ({"file": {**FILE, "size": 7}}, Step.CONTENT, "the file has another size", f"{len(KNOWN):,} bytes"),
    ({"file": {**FILE, "sha256": "0" * 64}}, Step.CONTENT, "the file has another content", SHA256),
    (
        {"file": {**FILE, "holds": "all is lost"}},
        Step.CONTENT,
        "the text “all is lost” is not in the file",
        "all is well",
    ),
]


@pytest.mark.parametrize(("written", "step", "why", "came"), WRONG)
async def test_something_else_is_there(
    open_server: Ftpd, written: dict[str, Any], step: Step, why: str, came: str
) -> None:
    found = await look("ftp", {"port": open_server.port, **ANYBODY, **written})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why)
    assert found.came.startswith(came)


CERTIFICATES = {
    "expired": "the certificate expired",
    "other_name": "the certificate is for",
    "self_signed": "signed by nobody but itself",
    "unknown": "authority",
}


@pytest.mark.parametrize("which", [*CERTIFICATES])
@pytest.mark.parametrize("implicit", [False, True])
async def test_a_wrong_certificate_is_explained(
    home: Path, papers: Papers, which: str, implicit: bool
) -> None:
    pair: Pair = getattr(papers, which)
    begins = {"implicit_tls": True} if implicit else {"starttls": "required"}
    settings = [f"implicit_ssl={'YES' if implicit else 'NO'}"]
    with vsftpd(below(home, f"{which}-{implicit}"), pair, *settings) as one:
        found = await look("ftp", {"port": one.port, **ANYBODY, **begins, "tls": trusting(papers)})
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
    assert CERTIFICATES[which] in found.why


@pytest.mark.parametrize("starttls", ["required", "opportunistic"])
async def test_a_server_without_tls(home: Path, papers: Papers, starttls: str) -> None:
    with vsftpd(below(home, f"plain-{starttls}"), papers.valid, "ssl_enable=NO") as one:
        found = await look("ftp", {"port": one.port, **ANYBODY, "starttls": starttls})
    if starttls == "required":
        assert (found.step, found.why) == (Step.TLS, "the server does not begin TLS")
    else:
        assert found.outcome is Outcome.ANSWERED
        assert found.notes == ("the line is not protected: the server does not begin TLS",)


async def test_a_foreign_address_for_data_is_ignored(home: Path, papers: Papers) -> None:
    """vsftpd without EPSV, which names an address in a private network."""
    settings = ("cmds_denied=EPSV", "pasv_address=10.1.2.3")
    with vsftpd(below(home, "foreign"), papers.valid, *settings) as one:
        found = await look("ftp", {"port": one.port, **ANYBODY})
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
    assert found.notes == ("the server names another address for data, 10.1.2.3: it is ignored",)
    assert not any("to 10.1.2.3" in line.text for line in found.transcript)


async def test_nobody_listens() -> None:
    found = await look("ftp", closed_port())
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.CONNECT, "connection refused")


async def test_a_server_that_dies_in_the_middle(home: Path, papers: Papers) -> None:
    """A long file comes slowly, and then every process of the server is killed."""
    folder = below(home, "dying")
    with vsftpd(folder, papers.valid, "anon_max_rate=20000") as one:
        big = folder / "root" / "pub" / "big"
        big.write_bytes(bytes(3_000_000))
        big.chmod(0o644)
        visiting = asyncio.create_task(
            look("ftp", {"port": one.port, "anonymous": True, "file": {"path": "pub/big"}, "timeout": "50s"})
        )
        while not any(_opens(pid, big) for pid in _all_below(one.process.pid)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # the kernel tells nobody
        for pid in (one.process.pid, *_all_below(one.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        found = await visiting
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.ANSWER)
    assert found.why in ("the server closed the connection", "connection reset")


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _all_below(pid: int) -> list[int]:
    return [one for child in _children(pid) for one in (child, *_all_below(child))]


def _opens(pid: int, file: Path) -> bool:
    try:
        return any(fd.samefile(file) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.exists())
    except OSError:
        return False


# Servers that play a dialogue

IN = """
S: 220 ready
C: USER anonymous
S: 331 who?
C: PASS
S: 230 in
"""
LIST = f"{IN}C: TYPE A\nS: 200 text\nC: EPSV\n"
WRITTEN = {"anonymous": True, "directory": "pub"}


@asynccontextmanager
async def giving(data: bytes, *, ends: bool = True) -> AsyncIterator[int]:
    """A data connection on which this comes; its port."""

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if not ends:
            await reader.read()

    async with serving(give) as port:
        yield port


HANGING: list[tuple[str, Step]] = [
    ("HANGS", Step.GREETING),
    ("S: 220-ready\nHANGS", Step.GREETING),
    ("S: 120 soon\nHANGS", Step.GREETING),
    ("S: 220 ready\nC: USER\nHANGS", Step.LOGIN),
    ("S: 220 ready\nC: USER\nS: 331 who?\nC: PASS\nHANGS", Step.LOGIN),
    (f"{IN}C: TYPE\nHANGS", Step.ANSWER),
    (f"{LIST}HANGS", Step.ANSWER),
    (f"{LIST}S: 229 ok (|||PORT|)\nC: LIST pub\nHANGS", Step.ANSWER),
    (f"{LIST}S: 229 ok (|||PORT|)\nC: LIST pub\nS: 150 here\nHANGS", Step.ANSWER),
]


@pytest.mark.parametrize(("story", "step"), HANGING)
async def test_a_server_that_hangs_at_any_point(story: str, step: Step) -> None:
    async with giving(b"one\r\n") as data, played(story.replace("PORT", str(data))) as port:
        found = await look("ftp", {"port": port, **WRITTEN})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, "no answer within 10s")


async def test_a_data_connection_that_hangs() -> None:
    async with giving(b"one\r\n", ends=False) as data:
        story = f"{LIST}S: 229 ok (|||{data}|)\nC: LIST pub\nS: 150 here\nHANGS"
        async with played(story) as port:
            found = await look("ftp", {"port": port, **WRITTEN})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, Step.ANSWER, "no answer within 10s")


async def test_a_listing_without_end() -> None:
    """Of two million lines none is looked at."""
    async with giving(b"a\n" * 2_000_000, ends=False) as data:
        story = f"{LIST}S: 229 ok (|||{data}|)\nC: LIST pub\nS: 150 here"
        async with played(story) as port:
            found = await look("ftp", {"port": port, **WRITTEN})
    assert (found.outcome, found.why) == (Outcome.MISSED, "a listing of more than 1,048,576 bytes came")


@pytest.mark.parametrize("hangs", ["HANGS 3", "HANGS"])
async def test_a_server_that_hangs_at_the_goodbye_runs(hangs: str) -> None:
    async with giving(b"one\r\n") as data:
        story = f"{LIST}S: 229 ok (|||{data}|)\nC: LIST pub\nS: 150 here\nS: 226 done\nC: QUIT\n{hangs}"
        async with played(story) as port:
            found = await look("ftp", {"port": port, **WRITTEN})
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")


async def test_a_server_that_will_be_ready_soon() -> None:
    async with played("S: 120 soon\nS: 120 sooner\nS: 220 ready\nC: QUIT\nS: 221 bye") as port:
        assert (await look("ftp", port)).outcome is Outcome.ANSWERED


async def test_a_short_password_is_hidden_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTP_PASSWORD", "xyz")
    story = "S: 220 ready\nC: USER probe\nS: 331 who?\nC: PASS xyz\nS: 230 in\nC: QUIT\nS: 221 bye"
    async with played(story) as port:
        found = await look("ftp", {"port": port, **account()})
    assert "PASS ***" in [line.text for line in found.transcript]
    assert found.outcome is Outcome.ANSWERED


async def test_a_data_connection_that_fails_is_explained_by_the_server(papers: Papers) -> None:
    """The server hangs up instead of speaking TLS, and then says why."""
    begins, goes_on = IN.split("ready", 1)
    async with giving(b"") as data:
        story = (
            f"{begins}ready\nC: AUTH TLS\nS: 234 go\nTLS{goes_on}C: PBSZ 0\nS: 200 ok\nC: PROT P\nS: 200 ok\n"
            f"C: TYPE A\nS: 200 text\nC: EPSV\nS: 229 ok (|||{data}|)\n"
            "C: LIST pub\nS: 150 here\nS: 425 no key"
        )
        async with played(story, papers.valid) as port:
            tls = {"starttls": "required", "tls": trusting(papers)}
            found = await look("ftp", {"port": port, **WRITTEN, **tls})
    assert (found.outcome, found.why) == (Outcome.MISSED, "the data connection was broken off")
    assert found.came == "425 no key"


async def test_a_filter_before_the_data_connections_is_named() -> None:
    async with hostile.full_backlog() as data, played(f"{LIST}S: 229 ok (|||{data}|)") as port:
        found = await look("ftp", {"port": port, **WRITTEN, "timeout": "300ms"})
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.CONNECT)
    assert found.why == f"no data connection to port {data}: nobody answers"


GIVES = f"{LIST}S: 229 ok (|||PORT|)\nC: LIST pub\n"
NO_PORT = "the server does not name a port for data"
NOT_NAMED = "not connected to 127.0.0.1:22, a port that a server may not name"
DEMANDED = "the server demands that data continue the TLS session of the control line"

PLAYED: list[tuple[str, Step, str]] = [
    ("S: 421 too many", Step.GREETING, "the server does not let anybody in"),
    ("S: SSH-2.0-x", Step.GREETING, "this is no reply of FTP"),
    ("S: 220-a\nCLOSES", Step.GREETING, "the server closed the connection"),
    ("S: 220 ready\nC: USER\nS: 530 no", Step.LOGIN, "the name of the user was refused"),
    ("S: 220 ready\nC: USER\nS: 331 who?\nC: PASS\nS: 332 account?", Step.LOGIN, "the login was refused"),
    ("S: 220 ready\nC: USER\nS: 421 gone", Step.LOGIN, "the server ends the talk"),
    (f"{LIST}S: 229 ok (|||22|)", Step.CONNECT, f"no data connection to port 22: {NOT_NAMED}"),
    (f"{LIST}S: 229 ok (|||99999|)", Step.ANSWER, NO_PORT),
    (f"{LIST}S: 229 ok", Step.ANSWER, NO_PORT),
    (f"{LIST}S: 425 later", Step.ANSWER, "the passive mode was refused"),
    (f"{LIST}S: 500 what?\nC: PASV\nS: 502 no", Step.ANSWER, "the passive mode was refused"),
    (f"{LIST}S: 500 what?\nC: PASV\nS: 227 (1,2,3,4,5,256)", Step.ANSWER, NO_PORT),
    (f"{LIST}S: 229 ok (|||CLOSED|)", Step.CONNECT, "no data connection to port CLOSED: connection refused"),
    (f"{GIVES}S: 550 no", Step.ANSWER, "the listing was refused"),
    (f"{GIVES}S: 150 here\nS: 426 lost", Step.ANSWER, "the listing was broken off"),
    (f"{GIVES}S: 150 here\nS: 522 reuse", Step.ANSWER, f"the listing was refused: {DEMANDED}"),
]  # fmt: skip


@pytest.mark.parametrize(("story", "step", "why"), PLAYED)
async def test_what_goes_wrong_is_told(story: str, step: Step, why: str) -> None:
    closed = str(closed_port())
    async with giving(b"one\r\n") as data:
        story = story.replace("PORT", str(data)).replace("CLOSED", closed)
        async with played(story) as port:
            found = await look("ftp", {"port": port, **WRITTEN})
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why.replace("CLOSED", closed))


async def test_what_comes_before_tls_is_not_taken_for_what_comes_within(papers: Papers) -> None:
    story = "S: 220 ready\nC: AUTH TLS\nS: 234 go\nS: 230 you are in"
    async with played(story, papers.valid) as port:
        found = await look("ftp", {"port": port, "starttls": "required", "tls": trusting(papers)})
    assert (found.step, found.why) == (Step.TLS, "the server went on in plain text before TLS")


async def test_data_that_are_not_protected_are_not_taken(papers: Papers) -> None:
    begins, goes_on = IN.split("ready", 1)
    story = f"{begins}ready\nC: AUTH TLS\nS: 234 go\nTLS{goes_on}C: PBSZ 0\nS: 200 ok\nC: PROT P\nS: 536 no"
    async with played(story, papers.valid) as port:
        found = await look("ftp", {"port": port, **WRITTEN, "starttls": "required", "tls": trusting(papers)})
    assert (found.step, found.why) == (Step.ANSWER, "the protection of data was refused")


# What may be written


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (
            {"login": {"user": "a", "password": {"env": "FTP_PASSWORD"}}, "implicit_tls": True},
            "written permission",
        ),
        ({**account(), "anonymous": True}, "logs in twice"),
        ({**account(), "unprotected_login": False}, "in plain text"),
        ({"directory": "pub"}, "nobody logs in"),
        ({"file": {"path": "x"}}, "nobody logs in"),
        ({"anonymous": True, "holds": "x"}, "in no directory"),
        ({"anonymous": True, "directory": "pub\r\nDELE x"}, "control character"),
        ({"anonymous": True, "file": {"path": "x", "sha256": "ab"}}, "pattern"),
    ],
)
def test_what_makes_no_sense_is_refused(written: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        kind.Settings.model_validate(written)


def test_what_anybody_may_do_needs_no_permission() -> None:
    assert kind.Settings.model_validate(ANYBODY).intrudes == ""
    assert kind.Settings.model_validate(account()).intrudes == "logs in"


# Parsers


LISTED = [
    (b"-rw-r--r--    1 0   0    5132 Nov 22 15:25 known.txt", "LIST", b"known.txt"),
    (b"-rw-r--r--    1 0   0    5132 Nov 22  2025 with a space", "LIST", b"with a space"),
    (b"lrwxrwxrwx    1 0   0       5 Nov 22 15:25 here -> there", "LIST", b"here"),
    (b"11-22-26  03:25PM       <DIR>          wwwroot", "LIST", b"wwwroot"),
    (b"11-22-26  03:25PM                 5132 known file.txt", "LIST", b"known file.txt"),
    (b"total 5", "LIST", b""),
    (b"pub/known.txt", "NLST", b"known.txt"),
    (b"2026 report of all", "NLST", b"2026 report of all"),
    (b"type=file;size=0;modify=20261122152538; a name; of files", "MLSD", b"a name; of files"),
    (b" ..", "MLSD", b".."),
]


@pytest.mark.parametrize(("line", "listing", "name"), LISTED)
def test_names_in_listings(line: bytes, listing: str, name: bytes) -> None:
    assert kind.listed_name(line, listing) == name


@given(st.binary(max_size=100), st.sampled_from(["LIST", "NLST", "MLSD"]))
def test_any_line_of_a_listing_has_a_name_or_none(line: bytes, listing: str) -> None:
    assert kind.listed_name(line, listing) in line


@given(st.binary(max_size=60) | st.from_regex(rb"227 .{0,9}\([0-9]{1,3}(,[0-9]{1,3}){5}\)", fullmatch=True))
def test_any_place_is_read_or_refused(text: bytes) -> None:
    try:
        address, port = _ftp.place_of_pasv(text)
    except Missed:
        return
    assert 1 <= port <= 65_535
    numbers = [*address.split("."), str(port // 256), str(port % 256)]
    assert [str(int(number)) for number in _ftp._PASV.findall(text)[0].decode().split(",")] == numbers


@given(st.binary(max_size=60) | st.from_regex(rb"229 x \(([!-~])\1\1[0-9]{1,6}\1\)", fullmatch=True))
def test_any_port_is_read_or_refused(text: bytes) -> None:
    try:
        port = _ftp.port_of_epsv(text)
    except Missed:
        return
    assert 1 <= port <= 65_535
    assert str(port).encode() in text


class Lines:
    """Lines that a server has said."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = iter(lines)

    async def read_line(self) -> bytes:
        for line in self._lines:
            return line
        raise Missed("the server closed the connection")


@given(
    code=st.integers(100, 599),
    middle=st.lists(st.binary(max_size=20), max_size=10),
    rest=st.binary(max_size=20),
)
async def test_replies_of_many_lines(code: int, middle: list[bytes], rest: bytes) -> None:
    """A reply ends at its own code and a space, whatever stands in between."""
    begun, ended = b"%d-" % code, b"%d " % code
    middle = [line for line in middle if not line.startswith(ended)]
    lines = Lines([begun + rest, *middle, ended + rest, b"220 the next one"])
    answer = await _ftp.reply(cast(base.Line, lines))
    assert answer == _ftp.Reply(code, b" ".join([begun + rest, *middle, ended + rest]))
    assert (await _ftp.reply(cast(base.Line, lines))).code == 220


@given(st.lists(st.binary(max_size=30), max_size=300))
async def test_any_lines_are_a_reply_or_refused(said: list[bytes]) -> None:
    try:
        answer = await _ftp.reply(cast(base.Line, Lines(said)))
    except Missed:
        return
    assert 100 <= answer.code <= 599


@given(st.lists(st.binary(max_size=5), max_size=8), st.binary(min_size=1, max_size=6))
def test_a_text_is_found_across_the_pieces_of_a_file(pieces: list[bytes], wanted: bytes) -> None:
    fetched, whole = Fetched(wanted), b"".join(pieces)
    for piece in pieces:
        fetched.feed(piece)
    assert (fetched.holds, fetched.size) == (wanted in whole, len(whole))
    assert fetched.sha256 == hashlib.sha256(whole).hexdigest()
    assert fetched.beginning == whole


def test_a_large_file_is_not_kept() -> None:
    fetched, piece = Fetched(b"never"), bytes(65_536)
    fetched.feed(piece)
    tracemalloc.start()
    for _ in range(63):
        fetched.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (fetched.size, peak < 4 * len(piece)) == (4 * 1024 * 1024, True)
