"""Mail can be read by IMAP, or it is said why not: with a real dovecot, and with servers that misbehave."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch import checks
from hostwatch.checks import _imap
from hostwatch.checks._finding import Missed
from hostwatch.checks.base import Step
from hostwatch.configuration.secret import Secret
from hostwatch.core.reading import Outcome
from tests.checks.certificates import Papers
from tests.checks.conftest import look
from tests.checks.dialogues import played
from tests.checks.mail import PROTECTIONS, broken_off, let_in, misbehaving, protected, unprotected
from tests.checks.mailroom import PASSWORD, USER, WRONG, Mailroom, keeps_silent, login, reading_room, said
from tests.checks.middle import in_the_middle


class TestDovecot:
    """A real server."""

    @pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
    async def test_it_greets(self, mailroom: Mailroom, address: str) -> None:
        written = {"port": mailroom.dovecot.imap, "greeting": "Dovecot", "capabilities": ["idle", "STARTTLS"]}
        found = await look("imap", written, address=address)
        assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
        assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.GREETING, Step.ANSWER]
        assert said(found) == ["a1 CAPABILITY", "a2 LOGOUT"]

    @pytest.mark.parametrize("protection", PROTECTIONS)
    async def test_it_lets_in_who_may_over_a_line_that_is_protected(
        self, mailroom: Mailroom, papers: Papers, protection: str
    ) -> None:
        ports = (mailroom.dovecot.imap, mailroom.dovecot.imaps)
        found, by_command = await let_in("imap", papers, protection, ports)
        begins = ["a1 CAPABILITY", "a2 STARTTLS"] if by_command else []
        assert said(found)[: len(begins)] == begins
        assert [line.partition(" ")[2] or line for line in said(found)[len(begins) :]] == [
            "CAPABILITY", "AUTHENTICATE PLAIN", "***", 'EXAMINE "INBOX"', "LOGOUT",
        ]  # fmt: skip
        assert [phase.step for phase in found.phases if phase.step in (Step.LOGIN, Step.ANSWER)] == [
            Step.LOGIN,
            Step.ANSWER,
        ]

    async def test_a_wrong_password_is_said_and_not_told(self, mailroom: Mailroom, papers: Papers) -> None:
        written = protected(papers, mailroom.dovecot.imap)
        found = await look("imap", {**written, **login(WRONG)})
        assert (found.outcome, found.step) == (Outcome.MISSED, Step.LOGIN)
        assert found.why == "the login was refused (NO)"
        assert found.came == "NO [AUTHENTICATIONFAILED] Authentication failed."
        keeps_silent(found)

    async def test_the_usual_delay_after_a_wrong_password_is_waited_for(self, papers: Papers) -> None:
        with reading_room(papers, delay_s=2) as dovecot:
            written = {"port": dovecot.imaps, "implicit_tls": True, "tls": {"ca": str(papers.ca)}}
            found = await look("imap", {**written, **login(WRONG)})
        assert found.sentence == "imap: login: the login was refused (NO)"

    async def test_a_mailbox_that_is_not_there(self, mailroom: Mailroom, papers: Papers) -> None:
        written = protected(papers, mailroom.dovecot.imap)
        found = await look("imap", {**written, **login(folder='no "such" one')})
        assert (found.step, found.why) == (Step.ANSWER, 'the mailbox “no "such" one” was refused (NO)')
        assert "doesn't exist" in found.came

    @pytest.mark.parametrize(
        ("tls", "starttls"),
        [({}, "required"), ({}, "opportunistic"), ({"name": "mail.other.test"}, "required")],
        ids=["nobody vouches for it", "nor when it need not be", "for another name"],
    )
    async def test_a_wrong_certificate(
        self, mailroom: Mailroom, papers: Papers, tls: dict[str, str], starttls: str
    ) -> None:
        tls = {**tls, "ca": str(papers.ca)} if tls else tls
        written = {"port": mailroom.dovecot.imap, "starttls": starttls, "tls": tls}
        found = await look("imap", {**written, **login()})
        assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
        if "name" in tls:
            assert (found.why, found.expected) == ("the certificate is for another name", "mail.other.test")
            assert found.came.startswith("it is for localhost, *.example.test")
        else:
            assert found.why == "no trusted authority stands behind the certificate"
            assert found.came == "it is signed by Test authority"
        assert "***" not in said(found)

    async def test_a_capability_that_it_does_not_have(self, mailroom: Mailroom) -> None:
        found = await look("imap", {"port": mailroom.dovecot.imap, "capabilities": ["IDLE", "X-MOON"]})
        assert (found.step, found.why) == (Step.ANSWER, "the server does not offer X-MOON")
        assert "IDLE" in found.came

    async def test_another_greeting(self, mailroom: Mailroom) -> None:
        found = await look("imap", {"port": mailroom.dovecot.imap, "greeting": "Cyrus"})
        assert (found.step, found.why) == (Step.GREETING, "the greeting is another one")
        assert (found.expected, found.came[:6]) == ("Cyrus", "* OK [")

    async def test_tls_where_plain_text_is_spoken(self, mailroom: Mailroom, papers: Papers) -> None:
        written = {"port": mailroom.dovecot.imap, "implicit_tls": True, "tls": {"ca": str(papers.ca)}}
        found = await look("imap", written)
        assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)

    @pytest.mark.parametrize("when", [b"CAPABILITY", b"LOGOUT"])
    async def test_a_server_that_is_killed_while_it_is_asked(self, papers: Papers, when: bytes) -> None:
        with reading_room(papers) as dovecot:
            async with in_the_middle(dovecot.imap, when, dovecot.kill) as port:
                found = await look("imap", port)
        if when == b"LOGOUT":  # by then all is known
            assert found.outcome is Outcome.ANSWERED
        else:
            assert (found.outcome, found.step) == (Outcome.MISSED, Step.GREETING)
            assert found.why in ("the server closed the connection", "connection reset")

    async def test_a_server_that_is_gone(self, papers: Papers) -> None:
        with reading_room(papers) as dovecot:
            dovecot.kill()
            found = await look("imap", dovecot.imap)
        assert (found.step, found.why) == (Step.CONNECT, "connection refused")


OFFERS = """
S: * OK ready
C: a1 CAPABILITY
S: * CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN
S: a1 OK done
"""
BEGINS = f"""{OFFERS}
C: a2 STARTTLS
S: a2 OK begin
"""
PROTECTED = f"""{BEGINS}
TLS
C: a3 CAPABILITY
S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
S: a3 OK done
"""
LOGGED_IN = f"""{PROTECTED}
C: a4 AUTHENTICATE PLAIN
S: +
C:
S: a4 OK done
"""


@pytest.mark.parametrize(
    ("story", "step"),
    [
        ("S: * OK ready\nC: a1 CAPABILITY\nHANGS", Step.GREETING),
        (f"{OFFERS}\nC: a2 STARTTLS\nHANGS", Step.TLS),
        (f"{BEGINS}\nHELLO\nHANGS", Step.TLS),
        (f"{BEGINS}\nTLS\nC: a3 CAPABILITY\nHANGS", Step.GREETING),
        (f"{PROTECTED}\nC: a4 AUTHENTICATE PLAIN\nHANGS", Step.LOGIN),
        (f"{PROTECTED}\nC: a4 AUTHENTICATE PLAIN\nS: +\nC:\nHANGS", Step.LOGIN),
        (f"{LOGGED_IN}\nC: a5 EXAMINE\nHANGS", Step.ANSWER),
    ],
)
@pytest.mark.parametrize("ends", ["HANGS", "CLOSES"])
async def test_a_server_that_hangs_or_hangs_up_anywhere(
    papers: Papers, story: str, step: Step, ends: str
) -> None:
    await broken_off("imap", papers, story, step, ends)


async def test_a_server_that_never_greets() -> None:
    async with played("C: never") as port:
        found = await look("imap", {"port": port, "timeout": "500ms"})
    assert found.sentence == "imap: greeting: no answer within 500ms"


@pytest.mark.parametrize("hangs", ["HANGS 3", "HANGS"])
async def test_one_that_hangs_when_all_is_known_runs(hangs: str) -> None:
    """Also until the time of the whole check is over."""
    async with played(f"{OFFERS}\nC: a2 LOGOUT\n{hangs}") as port:
        found = await look("imap", port)
    assert found.outcome is Outcome.ANSWERED


CASES = {
    "an answer that is none": (
        "S: * OK ready\nC: a1\nS: a2 OK done",
        Step.GREETING, "this is no answer by IMAP",
    ),
    "a web server": (
        "S: HTTP/1.1 400 Bad Request", Step.GREETING, "this is no greeting by IMAP",
    ),
    "a goodbye instead of a greeting": (
        "S: * BYE overloaded", Step.GREETING, "this is no greeting by IMAP",
    ),
    "a goodbye instead of an answer": (
        f"{OFFERS}\nC: a2\nS: * BYE overloaded", Step.TLS, "the server ends the dialogue",
    ),
    "nobody need log in": (
        "S: * PREAUTH welcome", Step.GREETING, "the server lets everybody in without a login",
    ),
    "TLS is taken out of what is offered": (
        "S: * OK\nC: a1\nS: * CAPABILITY IMAP4rev1\nS: a1 OK", Step.TLS, "the server does not offer STARTTLS",
    ),
    "TLS is refused": (
        f"{OFFERS}\nC: a2\nS: a2 BAD out of order", Step.TLS, "STARTTLS was refused (BAD)",
    ),
    "something is put in before TLS": (
        f"{BEGINS}S: * CAPABILITY IMAP4rev1\nS: a3 OK done\n", Step.TLS,
        "the server went on in plain text before TLS",
    ),
    "it asks for more where there is none": (
        f"{OFFERS}\nC: a2\nS: + go on", Step.TLS, "this is no answer by IMAP",
    ),
    "it does not say how much mail there is": (
        f"{LOGGED_IN}\nC: a5\nS: a5 OK", Step.ANSWER, "the server does not say how many messages there are",
    ),
    "a flood of lines": (
        "S: * OK ready\nC: a1\n" + "S: * OK still here\n" * 1_001, Step.GREETING,
        "an answer of more than 1,000 lines came",
    ),
    "an endless line": (
        f"S: * OK {'x' * 10_000}", Step.GREETING, "a line of more than 8,192 bytes came",
    ),
    "a literal beyond all bounds": (
        "S: * OK\nC: a1\nS: * CAPABILITY {4000000000}", Step.GREETING,
        "a literal of more than 65,536 bytes is announced",
    ),
    "very many literals": (
        "S: * OK\nC: a1\nS: * CAPABILITY {0}\n" + "S:  {0}\n" * 1_000, Step.GREETING,
        "a line with more than 1,000 literals came",
    ),
    "literals that are long together": (
        "S: * OK\nC: a1\nS: * CAPABILITY {65536}\n" + f"S: {'aaa ' * 16_383}aa\nS:  {{65536}}\n" * 5,
        Step.GREETING,
        "an answer of more than 262,144 bytes came",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_a_server_that_misbehaves(papers: Papers, name: str) -> None:
    await misbehaving("imap", papers, CASES[name])


async def test_no_password_goes_over_a_line_that_turned_out_to_be_unprotected() -> None:
    found = await unprotected("imap", "S: * OK\nC: a1\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN\nS: a1 OK")
    assert found.notes == ("the line is not protected: the server does not offer STARTTLS",)


@pytest.mark.parametrize("password", ['with "quotes" and \\', "plain enough"])
async def test_an_old_server_and_a_password_that_it_says_again(password: str) -> None:
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    story = f"""
        S: * OK
        C: a1 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: a1 OK
        C: a2 LOGIN "{USER}" "{quoted}"
        S: a2 NO "{quoted}" is wrong, and so is {password}
    """
    async with played(story) as port:
        found = await look("imap", {"port": port, **login(password), "unprotected_login": True})
    assert (found.step, found.came) == (Step.LOGIN, 'NO "***" is wrong, and so is ***')
    assert said(found)[-1] == f'a2 LOGIN "{USER}" ***'
    keeps_silent(found, password)


async def test_no_way_to_log_in() -> None:
    story = "S: * OK\nC: a1\nS: * CAPABILITY IMAP4rev1 LOGINDISABLED\nS: a1 OK"
    async with played(story) as port:
        found = await look("imap", {"port": port, **login(), "unprotected_login": True})
    assert (found.step, found.why) == (Step.LOGIN, "no way to log in is offered")


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (login(), "the password would go over the line in plain text"),
        (login(starttls="required", tls={"verify": False}), "would be given to whoever answers"),
        (login(starttls="required", authorisation=None), "needs the customer's written permission"),
        (login("two\r\na2 LOGOUT", starttls="required"), "holds a line break"),
        (login(starttls="required", folder="INBOX\r\na9 DELETE INBOX"), "not the name of a mailbox"),
        (login(starttls="required", login={"user": "a\r\nb", "password": Secret("x")}), "control character"),
        ({"starttls": "required", "implicit_tls": True}, "TLS would begin twice"),
        ({"tls": {"name": "mail.example.test"}}, "how TLS is spoken, but not when"),
        ({"capabilities": ["IDLE\r\nX"]}, "not the name of an extension"),
        ({"capabilities": [f"X{number}" for number in range(51)]}, "at most 50"),
        ({"greeting": "two\nlines"}, "line break"),
        ({"port": 65_536}, "65535"),
    ],
)
def test_what_may_not_be_configured(written: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as raised:
        checks.room("imap").Settings.model_validate(written)
    assert wrong in str(raised.value)
    assert "a2 LOGOUT" not in str(raised.value)


@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_the_shortest_ways_to_write_it(kind: str) -> None:
    settings = checks.room(kind).Settings
    usual = {"imap": (143, 993), "pop3": (110, 995)}[kind]
    assert settings.model_validate({}).port_used == usual[0]
    assert settings.model_validate({"implicit_tls": True}).port_used == usual[1]
    assert settings.model_validate(1143).port_used == 1143
    assert settings.model_validate({"starttls": False}).starttls == "off"
    assert not settings.model_validate({}).intrudes


def test_no_password_is_printed_with_the_settings(tmp_path: Path) -> None:
    written = {"starttls": "required", **login()}
    settings = checks.room("imap").Settings.model_validate(written)
    for shown in (repr(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert PASSWORD not in shown
        assert "***" in shown


lines = st.binary(max_size=60) | st.from_regex(
    rb"(a1|\*|\+) (OK|NO|SEARCH|CAPABILITY)?[ 0-9]{0,9}(\{[0-9]{1,12}\+?\})?", fullmatch=True
)


@given(lines)
def test_whatever_comes_is_understood_or_refused(line: bytes) -> None:
    with suppress(Missed):
        literal = _imap.literal_after(line)
        assert literal is None or 0 <= literal <= _imap.LITERAL_BYTES_MAX
        word, _ = _imap.last_words(b"a1", line)
        assert word in ("OK", "NO", "BAD")


@given(st.lists(lines, max_size=5))
def test_a_search_finds_numbers_or_is_refused(said: list[bytes]) -> None:
    with suppress(Missed):
        assert all(number >= 0 for number in _imap.numbers_found(tuple(said)))


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_what_was_found_is_read_as_it_was_said(numbers: list[int]) -> None:
    line = " ".join(["SEARCH", *map(str, numbers)]).encode()
    assert _imap.numbers_found((b"5 EXISTS", line)) == tuple(numbers)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_a_quoted_string_ends_where_it_ends(text: str) -> None:
    quoted = _imap.quoted(text)
    inside = quoted[1:-1].replace(b"\\\\", b"").replace(b'\\"', b"")
    assert (quoted[:1], quoted[-1:], b'"' in inside, b"\\" in inside) == (b'"', b'"', False, False)
