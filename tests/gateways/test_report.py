"""What mails that come back say: the kinds of them in a table, and what hostile ones never do."""

from __future__ import annotations

import random
import re
from typing import Final

import pytest

from hostwatch.gateways import _report
from hostwatch.gateways._report import Said, read
from tests.gateways import mails
from tests.gateways.mails import about, report

TOKEN: Final = "abcdefghijklmnopqrstuvwxyz"
OTHER: Final = "zyxwvutsrqponmlkjihgfedcba"

SAID: Final = [
    ("no such mailbox", mails.FAILED, Said.RETURNED),
    ("it lies in the mailbox", mails.DELIVERED, Said.DELIVERED),
    ("handed to one who reports no more", report("relayed", "2.0.0"), Said.RELAYED),
    ("a list took it", report("expanded", "2.0.0"), Said.RELAYED),
    ("still trying", report("delayed", "4.4.1"), Said.DELAYED),
    ("tried in vain for days", report("failed", "4.4.1"), Said.RETURNED),
    ("no action, and for ever", report("", "5.7.1"), Said.RETURNED),
    ("no action, and for now", report("", "4.7.1"), Said.DELAYED),
    ("known by the envelope", mails.BY_ENVELOPE, Said.RETURNED),
    ("known by our headers", mails.BY_HEADERS, Said.RETURNED),
    ("plain words, by qmail", mails.PLAIN, Said.RETURNED),
    ("plain words, by Exim", mails.EXIM, Said.RETURNED),
    ("out of office", mails.VACATION, Said.NOTHING),
    ("a machine answers, as postmaster", mails.ROBOT, Said.NOTHING),
    ("a person answers", mails.HUMAN, Said.NOTHING),
    ("it was displayed", mails.READ, Said.NOTHING),
    ("a complaint", mails.COMPLAINT, Said.COMPLAINED),
]


@pytest.mark.parametrize(("what", "mail", "said"), SAID, ids=[what for what, _, _ in SAID])
def test_what_a_mail_says(what: str, mail: bytes, said: Said) -> None:
    found = read(about(mail, TOKEN))
    assert (found.said, found.token) == (said, TOKEN), what


def test_the_evidence_is_what_the_other_side_said() -> None:
    assert read(about(mails.FAILED, TOKEN)).words == "failed, 5.1.1, X-Postfix; what the other side said"
    assert read(about(mails.PLAIN, TOKEN)).words == "reason unclear: failure notice"


def test_of_several_recipients_one_who_has_it_is_enough() -> None:
    both = about(mails.FAILED, TOKEN).replace(
        b"\nAction: failed\n",
        b"\nAction: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@c\nAction: delivered\n",
    )
    assert read(both).said is Said.DELIVERED


def test_the_address_that_it_came_to_counts_before_what_stands_inside() -> None:
    mixed = about(mails.FAILED, TOKEN).replace(
        b"Arrival-Date", b"Original-Envelope-Id: %s\nArrival-Date" % OTHER.encode()
    )
    assert read(mixed).token == TOKEN


@pytest.mark.parametrize("case", [str.upper, str.title])
def test_who_changes_the_case_of_an_address_is_understood(case: object) -> None:
    changed = about(mails.FAILED, case(TOKEN))  # type: ignore[operator]
    assert read(changed).token == TOKEN


def test_without_a_token_it_is_about_no_mail_of_ours() -> None:
    for mail in (mails.FAILED, mails.PLAIN, mails.COMPLAINT):
        assert read(mail).token == ""


def test_a_token_inside_a_longer_word_is_none() -> None:
    assert read(about(mails.BY_ENVELOPE, TOKEN + "x")).token == ""
    assert read(about(mails.BY_HEADERS, TOKEN + "x")).token == ""
    assert read(about(mails.EXIM, TOKEN + "7")).token == ""


def test_what_is_too_much_says_nothing() -> None:
    part = b"--one/mx.example\nContent-Type: text/plain\n\nx\n"
    many = about(mails.FAILED, TOKEN).replace(b"--one/mx.example\n", part * (_report.PARTS_MAX + 1), 1)
    assert read(many) == _report.NOTHING
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3_000))
    assert read(b"To: bounces+%s@dc.example\n" % TOKEN.encode() + deep) == _report.NOTHING
    filler = b"X-Filler: " + b"x" * _report.MAIL_BYTES_MAX + b"\n"
    assert read(filler + about(mails.FAILED, TOKEN)).token == "", "what stands behind is not read"


@pytest.mark.parametrize("error", [RecursionError, ValueError, LookupError, UnicodeError])
def test_what_the_library_does_not_survive_says_nothing(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(data: bytes, policy: object) -> None:
        raise error

    monkeypatch.setattr(_report, "message_from_bytes", breaks)
    assert read(about(mails.FAILED, TOKEN)) == _report.NOTHING


WORDS: Final = [b"multipart/report", b"message/rfc822", b"base64", b"=?utf-8?b?", b"\0", b"\xff"]


def mutated(mail: bytes, chance: random.Random) -> bytes:
    """A mail changed in a few places: bytes, lines and pieces of other mails."""
    others = [known for _, known, _ in SAID]
    for _ in range(chance.randint(1, 8)):
        at, to = sorted(chance.randrange(len(mail) + 1) for _ in range(2))
        match chance.randrange(6):
            case 0:
                mail = mail[:at] + chance.randbytes(chance.randint(1, 20)) + mail[at:]
            case 1:
                mail = mail[:at] + mail[to:]
            case 2:
                mail = mail[:to] + mail[at:to] + mail[to:]
            case 3:
                lines = mail.split(b"\n")
                chance.shuffle(lines)
                mail = b"\n".join(lines)
            case 4:
                other = chance.choice(others)
                mail = mail[:at] + other[len(other) // 2 :] + mail[at:]
            case 5:
                word = chance.choice(
                    [b"multipart/report", b"message/rfc822", b"base64", b"=?utf-8?b?", b"\0", b"\xff"]
                )
                mail = mail[:at] + word + mail[at:]
    return mail


@pytest.mark.parametrize("seed", range(40))
def test_a_changed_mail_never_breaks_us_and_is_never_about_another_mail(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        _, mail, _ = chance.choice(SAID)
        data = about(mutated(mail, chance), TOKEN)
        found = read(data)
        assert found.token == "" or re.search(found.token.encode(), data, re.IGNORECASE), "it stands there"
        assert found.token != OTHER
        assert len(found.words) <= _report.SAID_CHARS_MAX
        assert found.words.isprintable()
