"""Mail is accepted by SMTP, or it is said why not: with a real postfix, and with servers that misbehave."""

from __future__ import annotations

import asyncio
import base64
import logging
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch import checks
from hostwatch.checks import _smtp
from hostwatch.checks._finding import Missed
from hostwatch.checks.base import Step
from hostwatch.configuration.secret import Secret
from hostwatch.core.reading import Outcome
from tests.checks.certificates import Papers
from tests.checks.conftest import look
from tests.checks.dialogues import played
from tests.checks.mail import PROTECTIONS, broken_off, let_in, misbehaving, protected, unprotected
from tests.checks.mailroom import PASSWORD, USER, WRONG, Mailroom, keeps_silent, login, said, sending_room
from tests.checks.middle import in_the_middle


class TestPostfix:
    """A real server."""

    @pytest.mark.parametrize(
        ("address", "name"), [("127.0.0.1", "[127.0.0.1]"), ("::1", "[IPv6:::1]")], ids=["IPv4", "IPv6"]
    )
    async def test_it_greets(self, mailroom: Mailroom, address: str, name: str) -> None:
        written = {
            "port": mailroom.postfix.smtp,
            "greeting": "ESMTP Postfix",
            "extensions": ["size", "STARTTLS"],
        }
        found = await look("smtp", written, address=address)
        assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
        assert [phase.step for phase in found.phases] == [Step.CONNECT, Step.GREETING, Step.ANSWER]
        assert said(found) == [f"EHLO {name}", "QUIT"]

    @pytest.mark.parametrize("protection", PROTECTIONS)
    async def test_it_lets_in_who_may_over_a_line_that_is_protected(
        self, mailroom: Mailroom, papers: Papers, protection: str
    ) -> None:
        ports = (mailroom.postfix.smtp, mailroom.postfix.smtps)
        found, by_command = await let_in("smtp", papers, protection, ports, hello="watch.example.test")
        begins = ["EHLO watch.example.test", "STARTTLS"] if by_command else []
        assert said(found) == [*begins, "EHLO watch.example.test", "AUTH PLAIN ***", "QUIT"]

    async def test_the_older_way_to_log_in(self, mailroom: Mailroom) -> None:
        written = {"port": mailroom.postfix.plain, **login(), "unprotected_login": True}
        found = await look("smtp", written)
        assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
        user = base64.b64encode(USER.encode()).decode()
        assert said(found)[1:] == ["AUTH LOGIN", user, "***", "QUIT"]
        keeps_silent(found)

    @pytest.mark.parametrize("way", ["PLAIN", "LOGIN"])
    async def test_a_wrong_password_is_said_and_not_told(
        self, mailroom: Mailroom, papers: Papers, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        asyncio.get_running_loop().set_debug(True)
        to = (
            protected(papers, mailroom.postfix.smtp)
            if way == "PLAIN"
            else {"port": mailroom.postfix.plain, "unprotected_login": True}
        )
        found = await look("smtp", {**to, **login(WRONG)})
        assert found.sentence == "smtp: login: the login was refused with 535"
        assert found.came.startswith("535 5.7.8 Error: authentication failed")
        keeps_silent(found)
        assert WRONG not in caplog.text
        assert base64.b64encode(WRONG.encode()).decode() not in caplog.text

    @pytest.mark.parametrize(
        ("tls", "why"),
        [
            ({}, "no trusted authority stands behind the certificate"),
            ({"name": "mail.other.test"}, "the certificate is for another name"),
        ],
        ids=["unknown", "for another name"],
    )
    async def test_a_wrong_certificate(
        self, mailroom: Mailroom, papers: Papers, tls: dict[str, str], why: str
    ) -> None:
        tls = {**tls, "ca": str(papers.ca)} if tls else tls
        written = {"port": mailroom.postfix.smtp, "starttls": "required", "tls": tls}
        found = await look("smtp", {**written, **login()})
        assert (found.step, found.why) == (Step.TLS, why)
        assert found.came  # a second handshake has shown what it is
        assert not any("AUTH" in line for line in said(found))

    async def test_an_extension_that_it_does_not_have(self, mailroom: Mailroom) -> None:
        found = await look("smtp", {"port": mailroom.postfix.smtp, "extensions": ["SIZE", "X-MOON"]})
        assert (found.step, found.why) == (Step.ANSWER, "the server does not offer X-MOON")
        assert "PIPELINING SIZE" in found.came

    async def test_another_greeting(self, mailroom: Mailroom) -> None:
        found = await look("smtp", {"port": mailroom.postfix.smtp, "greeting": "Sendmail"})
        assert (found.step, found.why, found.came) == (
            Step.GREETING,
            "the greeting is another one",
            "220 mx.example.test ESMTP Postfix",
        )

    async def test_a_server_that_is_killed_while_it_is_asked_and_then_is_gone(self, papers: Papers) -> None:
        with sending_room(papers) as postfix:
            async with in_the_middle(postfix.smtp, b"EHLO", postfix.kill) as port:
                found = await look("smtp", port)
            gone = await look("smtp", postfix.smtp)
        assert (found.outcome, found.step) == (Outcome.MISSED, Step.GREETING)
        assert found.why in ("the server closed the connection", "connection reset")
        assert gone.sentence == "smtp: connect: connection refused"


OFFERS = """
S: 220 ready
C: EHLO [127.0.0.1]
S: 250-mx.example.test
S: 250 STARTTLS
"""
BEGINS = f"""{OFFERS}
C: STARTTLS
S: 220 begin
"""
PROTECTED = f"""{BEGINS}
TLS
C: EHLO
S: 250-mx.example.test
S: 250 AUTH PLAIN LOGIN
"""


@pytest.mark.parametrize(
    ("story", "step"),
    [
        ("S: 220 ready\nC: EHLO\nHANGS", Step.GREETING),
        ("S: 220 ready\nC: EHLO\nS: 250-mx\nHANGS", Step.GREETING),
        (f"{OFFERS}C: STARTTLS\nHANGS", Step.TLS),
        (f"{BEGINS}HELLO\nHANGS", Step.TLS),
        (f"{BEGINS}TLS\nC: EHLO\nHANGS", Step.GREETING),
        (f"{PROTECTED}C: AUTH PLAIN\nHANGS", Step.LOGIN),
    ],
)
@pytest.mark.parametrize("ends", ["HANGS", "CLOSES"])
async def test_a_server_that_hangs_or_hangs_up_anywhere(
    papers: Papers, story: str, step: Step, ends: str
) -> None:
    await broken_off("smtp", papers, story, step, ends)


async def test_a_server_that_never_greets() -> None:
    async with played("C: never") as port:
        found = await look("smtp", {"port": port, "timeout": "500ms"})
    assert found.sentence == "smtp: greeting: no answer within 500ms"


@pytest.mark.parametrize("hangs", ["HANGS 3", "HANGS"])
async def test_one_that_hangs_when_all_is_known_runs(hangs: str) -> None:
    """Also until the time of the whole check is over."""
    async with played(f"{OFFERS}C: QUIT\n{hangs}") as port:
        found = await look("smtp", port)
    assert found.outcome is Outcome.ANSWERED


CASES = {
    "it serves nobody": ("S: 554 no", Step.GREETING, "the greeting was refused with 554"),
    "it is busy": (
        "S: 421 4.3.2 too many of you", Step.GREETING, "the greeting was refused for now with 421",
    ),
    "a web server": ("S: HTTP/1.1 400 Bad Request", Step.GREETING, "this is no answer by SMTP"),
    "a file server": ("S: 220 (vsFTPd 3.0.3)\nC: EHLO\nS: 530 Please login", Step.GREETING,
                      "EHLO was refused with 530"),
    "two codes in one reply": (
        "S: 220 x\nC: EHLO\nS: 250-mx\nS: 350 AUTH", Step.GREETING, "one reply has two codes",
    ),
    "an answer of another kind": (
        "S: 220 x\nC: EHLO\nS: 354 go on", Step.GREETING, "EHLO was answered by 354",
    ),
    "TLS is taken out of what is offered": (
        "S: 220 x\nC: EHLO\nS: 250-mx\nS: 250 XXXXXXXX", Step.TLS, "the server does not offer STARTTLS",
    ),
    "TLS does not work today": (
        f"{OFFERS}C: STARTTLS\nS: 454 4.7.0 TLS not available", Step.TLS,
        "STARTTLS was refused for now with 454",
    ),
    "something is put in before TLS": (
        f"{BEGINS}S: 250-mx\nS: 250 AUTH PLAIN", Step.TLS, "the server went on in plain text before TLS",
    ),
    "it cannot look the login up today": (
        f"{PROTECTED}C: AUTH\nS: 454 4.7.0 later", Step.LOGIN, "the login was refused for now with 454",
    ),
    "it asks on after the login": (
        f"{PROTECTED}C: AUTH\nS: 334 what?", Step.LOGIN, "the login was answered by 334",
    ),
    "a login of another kind": (
        f"{BEGINS}TLS\nC: EHLO\nS: 250-mx\nS: 250 AUTH GSSAPI", Step.LOGIN, "no way to log in is offered",
    ),
    "a flood of lines": (
        "S: 220 x\nC: EHLO\n" + "S: 250-X\n" * 200, Step.GREETING, "a reply of more than 100 lines came",
    ),
    "an endless line": (f"S: 220 {'x' * 10_000}", Step.GREETING, "a line of more than 8,192 bytes came"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
async def test_a_server_that_misbehaves(papers: Papers, name: str) -> None:
    await misbehaving("smtp", papers, CASES[name])


async def test_no_password_goes_over_a_line_that_turned_out_to_be_unprotected() -> None:
    await unprotected("smtp", "S: 220 x\nC: EHLO\nS: 250-mx\nS: 250 AUTH PLAIN")


@pytest.mark.parametrize("way", ["PLAIN", "LOGIN"])
async def test_a_password_that_the_server_says_again(way: str) -> None:
    plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    word = base64.b64encode(PASSWORD.encode()).decode()
    asks = "C: AUTH LOGIN\nS: 334 who?\nC:\nS: 334 and?\nC:\n" if way == "LOGIN" else "C: AUTH PLAIN\n"
    story = f"S: 220 x\nC: EHLO\nS: 250-mx\nS: 250 AUTH={way}\n{asks}S: 535 not {plain}, {word}, {PASSWORD}"
    async with played(story) as port:
        found = await look("smtp", {"port": port, **login(), "unprotected_login": True})
    assert (found.step, found.came) == (Step.LOGIN, "535 not ***, ***, ***")
    keeps_silent(found)


async def test_a_password_too_short_to_be_searched_for_is_not_shown_when_it_is_sent() -> None:
    sent = base64.b64encode(b"abc").decode()
    asks = f"C: AUTH LOGIN\nS: 334 who?\nC:\nS: 334 and?\nC: {sent}\nS: 235 welcome\nC: QUIT\nS: 221 bye"
    async with played(f"S: 220 x\nC: EHLO\nS: 250-mx\nS: 250 AUTH LOGIN\n{asks}") as port:
        found = await look("smtp", {"port": port, **login("abc"), "unprotected_login": True})
    assert (found.sentence, said(found)[-2:]) == ("", ["***", "QUIT"])


BOX = {"login": {"user": USER, "password": Secret(PASSWORD)}, "implicit_tls": True}
DELIVERY = {"from": USER, "to": USER, "mailbox": BOX}
ALLOWED = {"authorisation": "letter of 2026-03-01"}


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (login(), "the password would go over the line in plain text"),
        (login("two\r\nQUIT", starttls="required"), "holds a line break"),
        (login(starttls="required", authorisation=None), "logs in, which needs the customer's written"),
        ({"delivery": DELIVERY}, "delivers mail, which needs the customer's written permission"),
        ({"delivery": {**DELIVERY, "from": "a@b>\r\nRCPT TO:<c@d"}, **ALLOWED}, "not a mailbox address"),
        ({"delivery": {**DELIVERY, "to": "a@b.example NOTIFY=NEVER"}, **ALLOWED}, "not a mailbox address"),
        ({"delivery": {**DELIVERY, "to": "<a@b.example>"}, **ALLOWED}, "not a mailbox address"),
        ({"delivery": {**DELIVERY, "mailbox": {"port": 143}}, **ALLOWED}, "does not say who logs in"),
        ({"delivery": {**DELIVERY, "mailbox": {**BOX, "folder": "\u90ae"}}, **ALLOWED}, "as IMAP writes it"),
        ({"delivery": {**DELIVERY, "mailbox": {**BOX, "implicit_tls": False}}, **ALLOWED}, "in plain text"),
        ({"delivery": DELIVERY, **ALLOWED, "timeout": "6m"}, "6m is out of range"),
        ({"timeout": "2m"}, "too long for a check that delivers nothing"),
        ({"hello": "watch example"}, "not the name of a machine"),
        ({"hello": "watch\r\nMAIL FROM:<a@b>"}, "not the name of a machine"),
        ({"extensions": ["8BITMIME SIZE"]}, "not the name of an extension"),
    ],
)
def test_what_may_not_be_configured(written: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as raised:
        checks.room("smtp").Settings.model_validate(written)
    assert wrong in str(raised.value)
    assert PASSWORD not in str(raised.value)


def test_how_long_a_check_takes_if_nothing_is_said() -> None:
    settings = checks.room("smtp").Settings
    taken = [
        settings.model_validate(written).timeout.total_seconds()
        for written in (
            {},
            {"delivery": DELIVERY, **ALLOWED},
            {"delivery": DELIVERY, **ALLOWED, "timeout": "5m"},
        )
    ]
    assert taken == [10, 60, 300]
    assert settings.model_validate({}).port_used == 25
    assert settings.model_validate({"implicit_tls": True}).port_used == 465


@given(st.binary(max_size=60) | st.from_regex(rb"[0-9]{3}[ -]?.{0,20}", fullmatch=True))
def test_whatever_comes_is_understood_or_refused(said: bytes) -> None:
    with suppress(Missed):
        line = _smtp.understood(said)
        assert 200 <= line.code <= 599
        assert said == str(line.code).encode() + (b"-" if line.more else said[3:4]) + line.text
        _smtp.judge("this", _smtp.Reply(line.code, (line.text,)), 250)
        assert 200 <= line.code <= 299


@given(st.lists(st.binary(max_size=40) | st.from_regex(rb"AUTH[ =][A-Z =]*", fullmatch=True)))
def test_whatever_is_offered_is_words(lines: list[bytes]) -> None:
    offered = _smtp.extensions(_smtp.Reply(250, (b"mx", *lines)))
    assert all(word and not word.isspace() for word in [*offered, *sum(offered.values(), ())])
    assert len(offered) <= len(lines)


@given(st.lists(st.sampled_from([b"", b".", b"..", b"a", b".a", b"QUIT"])))
def test_no_line_of_a_message_is_taken_for_its_end(lines: list[bytes]) -> None:
    message = b"".join(line + b"\r\n" for line in lines)
    sent = _smtp.stuffed(message)
    *inside, end, rest = sent.split(b"\r\n")
    assert (end, rest) == (b".", b"")
    assert b"." not in inside
    assert [line.removeprefix(b".") for line in inside] == [*lines]
