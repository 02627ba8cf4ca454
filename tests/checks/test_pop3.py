"""Mail can be fetched by POP3, or it is said why not: with a real dovecot, and servers that misbehave."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch import checks
from hostwatch.checks import pop3
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
        written = {"port": mailroom.dovecot.pop3, "greeting": "Dovecot", "capabilities": ["uidl", "STLS"]}
        found = await look("pop3", written, address=address)
        assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
        assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.GREETING, Step.ANSWER]
        assert said(found) == ["CAPA", "QUIT"]

    @pytest.mark.parametrize("protection", PROTECTIONS)
    async def test_it_lets_in_who_may_over_a_line_that_is_protected(
        self, mailroom: Mailroom, papers: Papers, protection: str
    ) -> None:
        ports = (mailroom.dovecot.pop3, mailroom.dovecot.pop3s)
        found, by_command = await let_in("pop3", papers, protection, ports)
        begins = ["CAPA", "STLS"] if by_command else []
        assert said(found) == [*begins, "CAPA", f"USER {USER}", "PASS ***", "STAT", "QUIT"]

    async def test_a_wrong_password_is_said_and_not_told(self, mailroom: Mailroom, papers: Papers) -> None:
        written = protected(papers, mailroom.dovecot.pop3)
        found = await look("pop3", {**written, **login(WRONG)})
        assert found.sentence == "pop3: login: the login was refused"
        assert found.came == "-ERR [AUTH] Authentication failed."
        keeps_silent(found)

    @pytest.mark.parametrize("tls", [{}, {"name": "mail.other.test"}], ids=["unknown", "for another name"])
    async def test_a_wrong_certificate(self, mailroom: Mailroom, papers: Papers, tls: dict[str, str]) -> None:
        tls = {**tls, "ca": str(papers.ca)} if tls else tls
        found = await look(
            "pop3", {"port": mailroom.dovecot.pop3, "starttls": "required", "tls": tls, **login()}
        )
        assert (found.outcome, found.step) == (Outcome.MISSED, Step.TLS)
        assert "certificate" in found.why
        assert said(found) == ["CAPA", "STLS", "STLS"]  # the second time to see what is wrong

    async def test_a_capability_that_it_does_not_have(self, mailroom: Mailroom) -> None:
        found = await look("pop3", {"port": mailroom.dovecot.pop3, "capabilities": ["UIDL", "X-MOON"]})
        assert (found.step, found.why) == (Step.ANSWER, "the server does not offer X-MOON")

    async def test_another_greeting(self, mailroom: Mailroom) -> None:
        found = await look("pop3", {"port": mailroom.dovecot.pop3, "greeting": "Cyrus"})
        assert (found.step, found.why, found.came) == (
            Step.GREETING,
            "the greeting is another one",
            "+OK Dovecot (Debian) ready.",
        )

    async def test_a_server_that_is_killed_while_it_is_asked(self, papers: Papers) -> None:
        with reading_room(papers) as dovecot:
            async with in_the_middle(dovecot.pop3, b"CAPA", dovecot.kill) as port:
                found = await look("pop3", port)
        assert (found.outcome, found.step) == (Outcome.MISSED, Step.GREETING)
        assert found.why in ("the server closed the connection", "connection reset")

    async def test_a_server_that_is_gone(self, papers: Papers) -> None:
        with reading_room(papers) as dovecot:
            dovecot.kill()
            found = await look("pop3", dovecot.pop3)
        assert (found.step, found.why) == (Step.CONNECT, "connection refused")


OFFERS = """
S: +OK ready
C: CAPA
S: +OK
S: STLS
S: UIDL
S: .
"""
BEGINS = f"""{OFFERS}
C: STLS
S: +OK
"""
PROTECTED = f"""{BEGINS}
TLS
C: CAPA
S: +OK
S: .
"""
LOGGED_IN = f"""{PROTECTED}
C: USER
S: +OK
C: PASS
S: +OK
"""


@pytest.mark.parametrize(
    ("story", "step"),
    [
        ("S: +OK\nC: CAPA\nHANGS", Step.GREETING),
        ("S: +OK\nC: CAPA\nS: +OK\nS: UIDL\nHANGS", Step.GREETING),
        (f"{OFFERS}C: STLS\nHANGS", Step.TLS),
        (f"{BEGINS}HELLO\nHANGS", Step.TLS),
        (f"{BEGINS}TLS\nC: CAPA\nHANGS", Step.GREETING),
        (f"{PROTECTED}C: USER\nHANGS", Step.LOGIN),
        (f"{PROTECTED}C: USER\nS: +OK\nC: PASS\nHANGS", Step.LOGIN),
        (f"{LOGGED_IN}C: STAT\nHANGS", Step.ANSWER),
    ],
)
@pytest.mark.parametrize("ends", ["HANGS", "CLOSES"])
async def test_a_server_that_hangs_or_hangs_up_anywhere(
    papers: Papers, story: str, step: Step, ends: str
) -> None:
    await broken_off("pop3", papers, story, step, ends)


async def test_a_server_that_never_greets() -> None:
    async with played("C: never") as port:
        found = await look("pop3", {"port": port, "timeout": "500ms"})
    assert found.sentence == "pop3: greeting: no answer within 500ms"


@pytest.mark.parametrize("hangs", ["HANGS 3", "HANGS"])
async def test_one_that_hangs_when_all_is_known_runs(hangs: str) -> None:
    async with played(f"{OFFERS}C: QUIT\n{hangs}") as port:
        found = await look("pop3", port)
    assert found.outcome is Outcome.ANSWERED


CASES = {
    "it does not serve": ("S: -ERR out of order", Step.GREETING, "the greeting was refused"),
    "a mail server of another kind": (
        "S: * OK IMAP4rev1", Step.GREETING, "the greeting was not answered by POP3",
    ),
    "an old server without TLS": (
        "S: +OK\nC: CAPA\nS: -ERR what?", Step.TLS, "the server does not offer STLS",
    ),
    "TLS is refused": (f"{OFFERS}C: STLS\nS: -ERR out of order", Step.TLS, "STLS was refused"),
    "something is put in before TLS": (
        f"{BEGINS}S: +OK\nS: SASL PLAIN\nS: .", Step.TLS, "the server went on in plain text before TLS",
    ),
    "no such user": (
        f"{PROTECTED}C: USER\nS: -ERR who?", Step.LOGIN, "the name of the user was refused",
    ),
    "it does not say how much mail there is": (
        f"{LOGGED_IN}C: STAT\nS: +OK lots", Step.ANSWER, "this does not say how much mail there is",
    ),
    "a flood of capabilities": (
        "S: +OK\nC: CAPA\nS: +OK\n" + "S: X\n" * 200,
        Step.GREETING, "a list of more than 100 capabilities came",
    ),
    "an endless line": (f"S: +OK {'x' * 10_000}", Step.GREETING, "a line of more than 8,192 bytes came"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_a_server_that_misbehaves(papers: Papers, name: str) -> None:
    await misbehaving("pop3", papers, CASES[name])


async def test_no_password_goes_over_a_line_that_turned_out_to_be_unprotected() -> None:
    await unprotected("pop3", "S: +OK\nC: CAPA\nS: +OK\nS: .")


async def test_a_password_that_the_server_says_again() -> None:
    story = f"S: +OK\nC: CAPA\nS: +OK\nS: .\nC: USER\nS: +OK\nC: PASS {PASSWORD}\nS: -ERR not {PASSWORD}"
    async with played(story) as port:
        found = await look("pop3", {"port": port, **login(), "unprotected_login": True})
    assert (found.step, found.came) == (Step.LOGIN, "-ERR not ***")
    keeps_silent(found)


async def test_a_password_too_short_to_be_searched_for_is_not_shown_when_it_is_sent() -> None:
    story = (
        "S: +OK\nC: CAPA\nS: +OK\nS: .\nC: USER\nS: +OK\nC: PASS abc\nS: +OK\nC: STAT\nS: +OK 0 0\nC: QUIT"
    )
    async with played(f"{story}\nS: +OK") as port:
        found = await look("pop3", {"port": port, **login("abc"), "unprotected_login": True})
    assert (found.sentence, said(found)[-3:]) == ("", ["PASS ***", "STAT", "QUIT"])


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (login(), "the password would go over the line in plain text"),
        (login("two\r\nDELE 1", starttls="required"), "holds a line break"),
        (login(starttls="required", login={"user": "a\r\nb", "password": Secret("x")}), "control character"),
        (login(implicit_tls=True, authorisation=None), "needs the customer's written permission"),
        ({"timeout": "2m"}, "out of range"),
    ],
)
def test_what_may_not_be_configured(written: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as raised:
        checks.room("pop3").Settings.model_validate(written)
    assert wrong in str(raised.value)


@given(st.binary(max_size=60) | st.from_regex(rb"(\+OK|-ERR)[ -~]*", fullmatch=True))
def test_whatever_comes_is_understood_or_refused(line: bytes) -> None:
    name = pop3.capability(line)
    assert " " not in name
    with suppress(Missed):
        pop3.judge("this", line)
        assert line[:3].upper() == b"+OK"
