"""What the checks of a service found, as its customer reads it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from hostwatch.checkers.services import combined
from hostwatch.checks.base import Finding, Missed, Step
from hostwatch.core.reading import Outcome
from hostwatch.wording import STEPS, worded
from tests.messages.examples import WWW, payload


@pytest.mark.parametrize(
    ("kept", "en", "zh"),
    [
        ("http: connect: connection refused",
         "HTTP, connecting: connection refused", "HTTP，建立连接：连接被拒绝"),
        ("http: answer: the server answered 502 instead of 200-299",
         "HTTP, answer: the server answered 502 instead of 200–299",
         "HTTP，应答：网站返回 502，应为 200–299"),
        ("http: TLS: the certificate expired on 2026-11-01; smtp: login: the login was refused with 535",
         "HTTP, TLS handshake: the certificate expired on 2026-11-01;"
         " SMTP, login: the login was refused with 535",
         "HTTP，TLS 握手：证书已于 2026-11-01 过期；SMTP，登录：登录被拒绝（535）"),
        ("http: resolve: there is no name www.acme.example",
         "HTTP, resolving the name: there is no name www.acme.example",
         "HTTP，解析域名：域名 www.acme.example 不存在"),
        ("ftp: connect: no data connection to port 40000: connection refused; and 12 more",
         "FTP, connecting: no data connection to port 40000: connection refused; and 12 more",
         "FTP，建立连接：无法建立到端口 40000 的数据连接：连接被拒绝；另有 12 项"),
        # What an older version kept, of a sentence or a kind that is not known any more, stands as it was.
        ("http: answer: the status is 503 and not 200",
         "HTTP, answer: the status is 503 and not 200", "HTTP，应答：the status is 503 and not 200"),
        ("gopher: answer: see http://acme.example", "gopher: answer: see http[:]//acme[.]example",
         "gopher: answer: see http[:]//acme[.]example"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_finding_in_the_language_of_its_reader(kept: str, en: str, zh: str) -> None:
    assert (worded(kept, "en"), worded(kept, "fr"), worded(kept, "zh-CN")) == (en, en, zh)


def test_what_the_other_side_says_forges_no_finding_and_no_link() -> None:
    """It would like to be another finding, with a link to pay at."""
    evil = "x”; http: TLS: the certificate expired on 2026-11-01. Renew at https://pay.example “"
    missed = Missed("the handshake failed: {text}", text=evil)
    finding = Finding(kind="http", outcome=Outcome.MISSED, step=Step.TLS, why=missed.why)
    _, kept = combined("all", [finding])

    assert worded(kept, "zh").startswith('HTTP，TLS 握手：握手失败：“x"; http: TLS: the certificate expired')
    for language in ("en", "zh"):
        assert "://" not in worded(kept, language)
        assert worded(kept, language).count("HTTP") == 1


def test_every_step_has_words() -> None:
    assert set(STEPS) == set(Step)
    for step in Step:
        assert worded(f"tcp: {step}: connection reset", "zh").isprintable()
        assert step == "TLS" or f"{step}:" not in worded(f"tcp: {step}: connection reset", "zh")


def test_twenty_checks_that_miss_are_told_in_whole_sentences() -> None:
    findings = [
        Finding(kind="tcp", outcome=Outcome.MISSED, step=Step.CONNECT, why=f"the connection failed: “{n}”")
        for n in range(20)
    ]
    _, kept = combined("all", findings)

    assert len(kept) <= 500
    assert kept.endswith(" more")
    assert worded(kept, "zh").endswith(" 项")
    shown, _, more = kept.removesuffix(" more").rpartition("; and ")
    assert len(shown.split("; ")) + int(more) == 20


def test_a_kind_that_nobody_has_used_yet_is_known() -> None:
    """In a process of its own: nothing else has loaded the check."""
    said = "from hostwatch.wording import worded; print(worded('pop3: login: the login was refused', 'zh'))"
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, check=True)
    assert ran.stdout.decode().strip() == "POP3，登录：登录被拒绝"


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ("http: TLS: the certificate expired on 2026-11-01; smtp: login: the login was refused", "http_tls"),
        ("ftp: connect: no data connection to port 40000: connection refused", "ftp_connect"),
        ("tls: TLS: the handshake failed: “imap: login: 1: 2; 3”", "tls_tls"),
        ("http: no answer", "http"),
        ("no answer", "no_answer"),
    ],
)
def test_programs_get_the_check_and_the_step_as_a_code(found: str, code: str) -> None:
    story = replace(WWW, why=found)
    (told,) = payload("emergency", (story,), language="zh")["emergencies"]
    assert (told["why"], told["found"]) == (code, found)
