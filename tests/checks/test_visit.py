"""What a run of a check keeps, and what it must not."""

from __future__ import annotations

import base64
import errno
import html
import json
import ssl
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.checks import base
from hostwatch.checks._finding import SAID_CHARS_MAX, WHY_CHARS_MAX, Fault, Missed
from tests.checks.conftest import surroundings

SECRET = 'correct "horse" & bätteri'


def visit() -> base.Visit:
    return base.Visit(kind="tcp", address="127.0.0.1", surroundings=surroundings())


@pytest.mark.parametrize(
    "said",
    [
        f"no such password: {SECRET}",
        f"no such password: {SECRET}".encode(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(SECRET.encode()),
        quote(SECRET),
        quote_plus(SECRET),
        json.dumps({"said": SECRET}),
        json.dumps({"said": SECRET}, ensure_ascii=False),
        html.escape(SECRET),
        "x" * (WHY_CHARS_MAX - 10) + SECRET,
        b"x" * (4 * WHY_CHARS_MAX - 10) + SECRET.encode(),
        b"x" * (4 * SAID_CHARS_MAX - 10) + SECRET.encode(),
    ],
    ids=[
        "text",
        "bytes",
        "base64",
        "bytes in base64",
        "in a web address",
        "in a form",
        "in JSON of ASCII",
        "in JSON",
        "in HTML",
        "cut by a bound",
        "cut in a finding",
        "cut in a line",
    ],
)
def test_a_secret_that_the_other_side_says_is_not_kept(said: str | bytes) -> None:
    run = visit()
    run.conceal(SECRET)
    run.tell("<", said)
    text = said if isinstance(said, str) else said.decode()
    run.note(text)
    for error in (
        Missed(text, expected=text, came=said),
        Missed("TLS broke: {text}", text=said),
        Fault(text),
    ):
        kept = str(run.finding(error).as_data())
        for piece in (SECRET, SECRET[:7], SECRET[-4:], base64.b64encode(SECRET.encode()).decode()[:8]):
            assert piece not in kept


def test_a_secret_is_hidden_in_what_was_said_before_we_knew_it() -> None:
    run = visit()
    run.tell("<", f"welcome, {SECRET}")
    run.conceal(SECRET)
    assert [line.text for line in run.finding().transcript] == ["welcome, ***"]


words = st.text(st.characters(categories=["L", "N"]))


@given(words.filter(lambda word: len(word) >= 4), words, words)
def test_no_text_around_a_secret_brings_it_back(secret: str, before: str, after: str) -> None:
    run = visit()
    run.conceal(secret)
    run.tell("<", (before + secret + after).encode())
    run.tell("<", before + secret + after)
    said = [line.text for line in run.finding().transcript]
    assert all(secret not in text for text in said)


def test_what_is_too_short_for_a_secret_does_not_make_texts_unreadable() -> None:
    run = visit()
    run.conceal("e")
    run.tell("<", "the server")
    assert run.finding().transcript[0].text == "the server"


def test_a_number_of_openssl_is_none_of_the_kernel() -> None:
    """Number 1 is "sending not permitted here" of the kernel, and to OpenSSL "something about TLS"."""
    assert isinstance(base.failed(PermissionError(1, "Operation not permitted")), Fault)
    broken = ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed")
    broken.reason = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    found = base.failed(broken)
    assert isinstance(found, Missed)
    assert found.why == "TLS broke: “decryption failed or bad record mac”"


@pytest.mark.parametrize(
    "number", [errno.ENOMEM, errno.EMFILE, errno.EAFNOSUPPORT, errno.ENOSPC, errno.EINVAL, errno.EBADF]
)
def test_where_no_socket_can_be_made_it_is_our_fault(number: int) -> None:
    assert isinstance(base.failed(OSError(number, "no socket")), Fault)
