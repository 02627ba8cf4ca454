"""Mail moves: a message is given to a real postfix, arrives in a real dovecot, is seen there and deleted.

```
 connect  greeting  TLS  login     the server that sends
    connect  TLS  greeting  login     the mailbox, before anything is sent
                             answer     the message is accepted: 250 … queued as …
                                 content …… look … look … there it is; deleted
```
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.checks import _delivery, base
from hostwatch.checks.base import Finding, Step
from hostwatch.configuration.secret import Secret
from hostwatch.core.reading import Outcome
from tests.checks.certificates import Papers
from tests.checks.conftest import Anywhere, HostsFile, look
from tests.checks.dialogues import played
from tests.checks.mailroom import PASSWORD, USER, WRONG, Mailroom, keeps_silent, login, said, until

Write = Callable[..., dict[str, Any]]

ELEVEN_MINUTES_US = 11 * 60 * 1_000_000


@pytest.fixture
def write(mailroom: Mailroom, papers: Papers) -> Write:
    """Settings of a check that delivers to `to`; `mailbox` changes those of the mailbox."""
    tls = {"ca": str(papers.ca)}

    def written(to: str = "probe", mailbox: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        box = {"port": mailroom.dovecot.imaps, "implicit_tls": True, "tls": tls, "login": login()["login"]}
        return {
            "port": mailroom.postfix.smtp,
            "starttls": "required",
            "tls": tls,
            "delivery": {"from": USER, "to": f"{to}@example.test", "mailbox": {**box, **(mailbox or {})}},
            **login(),
            **more,
        }

    return written


@pytest.fixture(autouse=True)
def _empty(mailroom: Mailroom) -> None:
    for message in mailroom.dovecot.mail():
        message.unlink()


def later(us: int) -> base.Surroundings:
    """Those of a run that is made so much later."""
    return base.Surroundings(
        names=HostsFile(),
        policy=Anywhere(),
        monotonic_us=lambda: time.monotonic_ns() // 1_000,
        now_us=lambda: time.time_ns() // 1_000 + us,
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_mail_moves(mailroom: Mailroom, write: Write, address: str) -> None:
    found = await look("smtp", write(), address=address)
    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
    assert [phase.step for phase in found.phases][-2:] == [Step.ANSWER, Step.CONTENT]
    accepted = next(note for note in found.notes if "accepted" in note)
    number = accepted.rpartition(" ")[2]
    assert f"{number}: to=<{USER}>, relay=virtual" in mailroom.postfix.log
    assert "status=sent (delivered to maildir)" in mailroom.postfix.log
    assert mailroom.dovecot.mail() == []
    assert found.address.endswith(f":{mailroom.postfix.smtp}")
    keeps_silent(found)


async def test_what_is_accepted_and_thrown_away_never_arrives(mailroom: Mailroom, write: Write) -> None:
    found = await look("smtp", write("lost", timeout="2s"))
    assert found.sentence == "smtp: content: the message was accepted, and did not arrive within 2s"
    assert found.expected == "a message for lost@example.test in INBOX"
    assert found.came.startswith("250 2.0.0 Ok: queued as ")
    assert sum("UID SEARCH" in line for line in said(found)) > 1
    keeps_silent(found)


async def test_what_arrives_late_is_a_miss_and_is_cleared_away_later(
    mailroom: Mailroom, write: Write
) -> None:
    """It stays in the queue; somebody lets it go; it arrives when nobody waits for it any more.

    ```
    0 min   sent, held, missed
    1 min                       arrives
    2 min   (another run may still wait for it: it stays)
    13 min  deleted
    ```
    """
    found = await look("smtp", write("held", timeout="2s"))
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.CONTENT)

    mailroom.postfix.release()
    await asyncio.to_thread(until, lambda: bool(mailroom.dovecot.mail("held")))
    # What was for `held` is put where the check looks.
    (late,) = mailroom.dovecot.mail("held")
    late.rename(mailroom.dovecot.at / "mail" / "probe" / "new" / late.name)

    await look("smtp", write("held", timeout="2s"))
    assert len(mailroom.dovecot.mail()) == 1

    found = await look("smtp", write("held", timeout="2s"), around=later(2 * ELEVEN_MINUTES_US))
    assert mailroom.dovecot.mail() == []
    assert "messages of earlier runs were still there: 1" in found.notes


async def test_greylisting_is_told_with_its_code(mailroom: Mailroom, write: Write) -> None:
    found = await look("smtp", write("grey"))
    assert found.sentence == "smtp: answer: the recipient was refused for now with 450"
    assert found.came.endswith("Greylisted, come back in five minutes")


async def test_a_mailbox_that_nobody_knows(mailroom: Mailroom, write: Write) -> None:
    found = await look("smtp", write("nobody"))
    assert found.sentence == "smtp: answer: the recipient was refused with 550"


@pytest.mark.parametrize(
    ("mailbox", "step", "why"),
    [
        (
            {"login": {"user": USER, "password": Secret(WRONG)}},
            Step.LOGIN,
            "the mailbox: the login was refused (NO)",
        ),
        ({"tls": {}}, Step.TLS, "the mailbox: no trusted authority stands behind the certificate"),
        ({"folder": "Sent"}, Step.ANSWER, "the mailbox: the mailbox “Sent” was refused (NO)"),
        ({"port": 1}, Step.CONNECT, "the mailbox: connection refused"),
    ],
    ids=["wrong password", "wrong certificate", "no such mailbox", "nobody there"],
)
async def test_what_could_not_be_seen_to_arrive_is_not_sent(
    write: Write, mailbox: dict[str, Any], step: Step, why: str
) -> None:
    found = await look("smtp", write(mailbox=mailbox))
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why)
    assert not any("MAIL FROM" in line for line in said(found))
    keeps_silent(found)


async def test_mail_of_others_is_left_alone(mailroom: Mailroom, write: Write) -> None:
    lunch = "From: a@example.test\nSubject: lunch?\n\nAt noon.\n"
    of_another_check = f"{_delivery.HEADER}: {_delivery.new_token('another check', 0)}\n\n"
    for message in (lunch, of_another_check):
        mailroom.dovecot.deliver(message)
    found = await look("smtp", write(), around=later(ELEVEN_MINUTES_US))
    assert found.outcome is Outcome.ANSWERED
    assert {message.read_text() for message in mailroom.dovecot.mail()} == {lunch, of_another_check}


async def test_runs_at_the_same_time_take_only_their_own(mailroom: Mailroom, write: Write) -> None:
    found = await asyncio.gather(*(look("smtp", write()) for _ in range(3)))
    assert [one.sentence for one in found] == ["", "", ""]
    assert mailroom.dovecot.mail() == []


async def test_very_many_leftovers_are_cleared_away_by_and_by(mailroom: Mailroom, write: Write) -> None:
    (token,) = await tokens(write())
    old = token._replace(decade=token.decade - 3)
    for number in range(520):
        mailroom.dovecot.deliver(f"{_delivery.HEADER}: {old}{number}\n\n")
    for left in (20, 0):
        found = await look("smtp", write())
        assert (found.sentence, len(mailroom.dovecot.mail())) == ("", left)


async def tokens(written: dict[str, Any]) -> list[_delivery.Token]:
    """By what the messages of a check are known."""
    delivery = written["delivery"]
    what = f"127.0.0.1 None {written['port']} {delivery['from']} {delivery['to']}"
    return [_delivery.new_token(what, time.time_ns() // 1_000)]


SENDS = """
S: 220 ready
C: EHLO
S: 250 mx
C: MAIL FROM:<probe@example.test>
S: 250
C: RCPT TO:<probe@example.test>
S: 250
C: DATA
S: 354
"""
ENDS = """
MESSAGE
S: 250 accepted
C: QUIT
S: 221 goodbye
"""
OPENED = """
S: * OK
C: a1 CAPABILITY
S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
S: a1 OK
C: a2 AUTHENTICATE PLAIN
S: +
C:
S: a2 OK
C: a3 CAPABILITY
S: * CAPABILITY IMAP4rev1 UIDPLUS
S: a3 OK
C: a4 SELECT "INBOX"
S: * 0 EXISTS
S: * OK [UIDNEXT 7] next
S: a4 OK
"""
ARRIVES = f"""{OPENED}
C: a5 UID SEARCH UID 7:* OR HEADER
S: * SEARCH
S: a5 OK
C: a6 NOOP
S: a6 OK
C: a7 UID SEARCH UID 7:* OR HEADER
S: * SEARCH 7
S: a7 OK
C: a8 UID STORE 7 +FLAGS.SILENT (\\Deleted)
S: a8 OK
C: a9 UID EXPUNGE 7
S: a9 OK
C: a10 LOGOUT
S: * BYE
S: a10 OK
"""


async def delivered(sends: str, mailbox: str) -> Finding:
    """What a check finds with two servers that play this."""
    async with played(sends) as port, played(mailbox) as box:
        delivery = {
            "from": USER,
            "to": USER,
            "mailbox": {"port": box, "unprotected_login": True, "login": login()["login"]},
        }
        return await look("smtp", {"port": port, "delivery": delivery, "authorisation": "letter"})


async def test_the_whole_dialogue() -> None:
    found = await delivered(SENDS + ENDS, ARRIVES)
    assert found.sentence == ""


@pytest.mark.parametrize(
    ("sends", "mailbox", "step", "why"),
    [
        (SENDS.replace("S: 354", "HANGS"), OPENED, Step.ANSWER, "no answer within 1m"),
        (SENDS + "C: From\nHANGS", OPENED, Step.ANSWER, "no answer within 1m"),
        (SENDS + ENDS.replace("S: 221 goodbye", "HANGS"), OPENED, Step.ANSWER, "no answer within 1m"),
        (SENDS + "C: From\nCLOSES", OPENED, Step.ANSWER, "the server closed the connection"),
        (
            SENDS + "MESSAGE\nS: 554 5.7.1 we do not like it",
            OPENED,
            Step.ANSWER,
            "the message was refused with 554",
        ),
        (
            SENDS + ENDS,
            f"{OPENED}\nC: a5 UID SEARCH\nHANGS",
            Step.CONTENT,
            "the message was accepted, and did not arrive within 1m",
        ),
        (
            SENDS + ENDS,
            f"{OPENED}\nC: a5 UID SEARCH\nCLOSES",
            Step.CONTENT,
            "the mailbox: the server closed the connection",
        ),
        (
            SENDS + ENDS,
            f"{OPENED}\nC: a5\nS: * SEARCH 7 seven\nS: a5 OK",
            Step.CONTENT,
            "the mailbox: this is no answer to a search",
        ),
        (
            SENDS + ENDS,
            f"{OPENED}\nC: a5\nS: a5 OK",
            Step.CONTENT,
            "the mailbox: the search was not answered",
        ),
        (
            "S: 220\nC: EHLO\nS: 250",
            "S: * OK\nC: a1 CAPABILITY\nHANGS",
            Step.GREETING,
            "no answer within 1m",
        ),
    ],
)
async def test_what_can_go_wrong_on_the_way(sends: str, mailbox: str, step: Step, why: str) -> None:
    found = await delivered(sends, mailbox)
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why)
    keeps_silent(found)


MARKED = ARRIVES.replace("C: a9 UID EXPUNGE 7\nS: a9 OK\n", "").replace("a10", "a9")
TWICE = ARRIVES.replace("SEARCH 7\n", "SEARCH 7 8\n").replace("STORE 7", "STORE 7,8")


@pytest.mark.parametrize(
    ("mailbox", "note"),
    [
        (
            MARKED.replace("S: a8 OK", "S: a8 NO read-only"),
            "messages of ours cannot be deleted: deleting was refused (NO)",
        ),
        (
            MARKED.replace(" UIDPLUS", ""),
            "messages of ours are only marked as deleted: the server does not offer UIDPLUS",
        ),
        (TWICE.replace("EXPUNGE 7", "EXPUNGE 7,8"), "the message arrived 2 times"),
        (ARRIVES.partition("S: a8 OK")[0] + "HANGS 3", "the server accepted the message: 250 accepted"),
        (ARRIVES.partition("S: a8 OK")[0] + "HANGS", "the server accepted the message: 250 accepted"),
    ],
    ids=[
        "may not delete",
        "cannot delete ours alone",
        "arrives twice",
        "hangs when all is known",
        "hangs for good",
    ],
)
async def test_what_is_worth_a_note_and_no_miss(mailbox: str, note: str) -> None:
    found = await delivered(SENDS + ENDS, mailbox)
    assert (found.sentence, note in found.notes) == ("", True)


addresses = st.from_regex(
    r"[a-z0-9+_-]{1,20}(\.[a-z]{1,9})?@[a-z0-9]{1,60}(\.[a-z]{2,9}){1,2}", fullmatch=True
)


@given(addresses, addresses, st.text(), st.integers(0, 2**52))
def test_a_message_is_read_as_it_was_written(sender: str, to: str, what: str, now_us: int) -> None:
    box = {"login": {"user": "a", "password": Secret(PASSWORD)}, "implicit_tls": True}
    delivery = _delivery.Delivery.model_validate({"from": sender, "to": to, "mailbox": box})
    token = _delivery.new_token(what, now_us)
    message = _delivery.written(delivery, token, now_us)
    assert max(map(len, message.splitlines())) <= 998
    mail = BytesParser(policy=policy.default).parsebytes(message)
    assert (mail["From"], mail["To"]) == (sender, to)
    assert mail[_delivery.HEADER] == str(token)
    assert (mail["Message-ID"] or "").startswith(f"<{token}@")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert b"\r" not in token.leftovers + token.itself


def test_no_two_messages_have_one_token() -> None:
    assert len({str(_delivery.new_token("a check", 0)) for _ in range(100)}) == 100
