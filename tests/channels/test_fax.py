"""Faxes: the page that is drawn, seen as a machine at the other end prints it, and the way by mail."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import os
import re
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiosmtplib
import pytest
from pydantic import ValidationError

from hostwatch import messages, unprivileged
from hostwatch.channels import _smtp, _typesetter, base, email, fax
from hostwatch.configuration.secret import Places
from hostwatch.core.proof import Proof
from tests.channels import servers
from tests.channels.conftest import NOW
from tests.messages import faxed
from tests.messages.examples import SILENT, compose
from tests.messages.faxed import drawn, laid_out, page_of, run, words_on

Around = Callable[..., base.Surroundings]

NUMBER = faxed.NUMBER
HOSTILE = '#panic("x") *bold* _it_ $x^2$ `c` <label> @ref = Head \\ // # [a] {b} "q" http://x.example'


def pages_of(pdf: bytes) -> int:
    found = re.search(rb"Pages:\s+(\d+)", run("pdfinfo", "-", pdf=pdf))
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize(
    ("heading", "language", "expected"),
    [
        (
            "An emergency",
            "en",
            ["FAX", "To Duty officer, Acme Trading", f"Fax number {NUMBER}", "Page 1/1", "What happens next:",
             "Sent by Chengdu 1, +862800000000", "Sent at 2026-10-03 14:31:00 +08:00 (Asia/Shanghai)",
             "Reference E-000042", "Device: acme-web-1, address 192.0.2.17"],
        ),
        (
            "An emergency",
            "zh-CN",
            ["传真", "收件方 Duty officer, Acme Trading", f"传真号码 {NUMBER}", "页码 1/1", "编号 E-000042"],
        ),
        (
            "A repeat that is late as well",
            "en",
            ["[repeat] [late] E-000042", "You may have received this notice already",
             "This notice is sent late"],
        ),
    ],
)  # fmt: skip
def test_the_page_says_to_whom_from_whom_when_and_what(
    heading: str, language: str, expected: list[str]
) -> None:
    pdf = drawn(page_of(heading, language))
    text = words_on(pdf)

    for words in expected:
        assert words in text
    assert pages_of(pdf) == 1
    assert b"A4" in run("pdfinfo", "-", pdf=pdf)


def test_nothing_on_it_is_grey_and_most_of_it_stays_white() -> None:
    pdf = drawn(page_of("A repeat that is late as well", "zh-CN"))
    picture = run("pdftoppm", "-gray", "-aa", "no", "-aaVector", "no", *faxed.COARSE, "-", pdf=pdf)
    head, size, _, dots = picture.split(b"\n", 3)

    assert head == b"P5"
    assert size.split() == [b"1687", b"1146"]
    assert {*dots} == {0, 255}
    assert 0.01 < dots.count(0) / len(dots) < 0.12
    assert b"DeviceRGB" not in pdf


def test_the_smallest_letters_are_higher_than_a_fax_needs() -> None:
    boxes = run("pdftotext", "-bbox", "-", "-", pdf=drawn(page_of("An emergency"))).decode()
    heights = [
        float(one[1]) - float(one[0]) for one in re.findall(r'yMin="([\d.]+)".*?yMax="([\d.]+)"', boxes)
    ]

    assert min(heights) >= 11.5, "points: what is smaller is lost at 98 dots an inch"


def test_the_same_page_is_the_same_bytes() -> None:
    assert drawn(page_of("An emergency")) == drawn(page_of("An emergency"))


def test_what_comes_from_outside_stays_text() -> None:
    named = dataclasses.replace(SILENT, device=HOSTILE[:60], why=HOSTILE[60:])
    page = {**laid_out("emergency", (named,)), "from": HOSTILE}
    text = words_on(drawn(page))

    assert re.sub(r"\s", "", HOSTILE) in re.sub(r"\s", "", text)


def test_many_emergencies_take_few_pages_and_the_rest_are_counted() -> None:
    many = tuple(
        dataclasses.replace(SILENT, reference=f"E-{number:06}", device=f"acme-{number}")
        for number in range(1, 201)
    )
    page = laid_out("emergency", many)
    pdf = drawn(page)
    text = words_on(pdf)

    assert len(page["blocks"]) == 20
    assert pages_of(pdf) <= 6
    assert f"Page 1/{pages_of(pdf)}" in text
    assert "180 more emergencies, for which there is no room here: E-000021, E-000022" in text


def test_a_long_value_is_cut_and_a_block_of_many_lines_says_how_many_are_left() -> None:
    sheet = dataclasses.replace(
        compose("emergency", (SILENT,), language="en").sheet,
        blocks=(("Device: " + "x" * 5_000, *(f"line {number}" for number in range(150))),),
    )
    page = messages.page(
        sheet, references=["E-1"], zone=ZoneInfo("UTC"), site="s", customer_name="c", contact_name="d"
    )

    assert len(page["blocks"][0][0]["value"]) == 600
    assert page["blocks"][0][-1]["value"] == "+51"


async def test_it_is_drawn_by_a_program_of_its_own() -> None:
    page = _typesetter.filled(page_of("An emergency"), number=NUMBER, sender="", at=NOW)

    assert await _typesetter.drawn(page) == _typesetter.draw(page)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import time; time.sleep(60)", "not drawn within 0 s"),
        ("import sys; sys.exit('no more memory')", "could not be drawn: no more memory"),
        ("import sys; sys.exit(3)", "could not be drawn: code 3"),
        ("print('this is no page')", "could not be drawn"),
    ],
)
async def test_a_page_that_cannot_be_drawn_is_a_try_that_failed(
    program: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    channel: Callable[..., fax.Fax],
    notice: base.Message,
) -> None:
    monkeypatch.setattr(unprivileged, "command", lambda *_: [sys.executable, "-c", program])
    if "sleep" in program:
        monkeypatch.setattr(_typesetter, "DRAWS_MAX_SECONDS", 0.3)

    with pytest.raises(base.Failed, match=why) as failed:
        await channel(1).send(notice)

    assert not failed.value.perhaps_arrived


async def test_who_gives_up_leaves_no_program_behind(
    monkeypatch: pytest.MonkeyPatch, channel: Callable[..., fax.Fax], notice: base.Message, tmp_path: Path
) -> None:
    said = tmp_path / "pid"
    os.mkfifo(said)
    program = f"import os,time; open({str(said)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    monkeypatch.setattr(unprivileged, "command", lambda *_: [sys.executable, "-c", program])
    sending = asyncio.create_task(channel(1).send(notice))
    process = os.pidfd_open(int(await asyncio.to_thread(said.read_text)))
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending

    assert (await asyncio.to_thread(select.select, [process], [], [], 30))[0], "it has ended"
    os.close(process)


@pytest.fixture
def notice(message: base.Message) -> base.Message:
    return dataclasses.replace(message, page=page_of("An emergency", "zh-CN"))


@pytest.fixture
def channel(surroundings: Around) -> Callable[..., fax.Fax]:
    def make(port: int, *, returns: bool = False, number: str = NUMBER, **more: Any) -> fax.Fax:
        context = Places(environment={"PIN": "PIN 4711"})
        relay: dict[str, Any] = {
            "smtp": f"smtp://127.0.0.1:{port}",
            "from": "noc@dc.example",
            "timeout": "5s",
        }
        if returns:
            relay["returns"] = {"maildir": "/var/mail/none"}
        mail = {"to": "{number}@fax.example", **more}
        site = fax.Site.model_validate(
            {"gateways": {"main": {"country": "CN", "mail": mail}}}, context=context
        )
        return fax.build(
            fax.Settings(number=number),
            surroundings(fax=site, email=email.Site.model_validate(relay, context=context)),
        )

    return make


async def test_a_page_goes_by_mail_to_the_number_at_the_gateway(
    channel: Callable[..., fax.Fax], notice: base.Message
) -> None:
    async with servers.relay() as relay:
        receipt = await channel(relay.port, secret_subject={"env": "PIN"}).send(notice)
        mail = relay.mail()

    assert relay.received[0].rcpt_tos == ["862812345678@fax.example"]
    assert mail["Subject"] == "PIN 4711"
    assert mail.get_content_type() == "application/pdf"
    assert mail.get_filename() == "n-7f3a.pdf"
    assert "收件方 Duty officer, Acme Trading" in words_on(mail.get_content())
    assert (receipt.said, receipt.proof, receipt.receipt) == (
        "250 2.0.0 OK: queued as 4ABC",
        Proof.ACCEPTED,
        "",
    )


async def test_words_beside_the_page_are_the_gateways(
    channel: Callable[..., fax.Fax], notice: base.Message
) -> None:
    async with servers.relay() as relay:
        await channel(relay.port, text="resolution=low", numbers="00").send(notice)
        mail = relay.mail()

    words, page = mail.iter_parts()
    assert relay.received[0].rcpt_tos == ["00862812345678@fax.example"]
    assert mail["Subject"] == notice.subject
    assert words.get_content().strip() == "resolution=low"
    assert page.get_content_type() == "application/pdf"


async def test_a_bounce_finds_its_page_and_nobody_is_asked_to_say_that_the_mail_arrived(
    channel: Callable[..., fax.Fax], notice: base.Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bytes] = []
    async with servers.relay() as relay:
        way = channel(relay.port, returns=True)
        plain = _smtp._Talk._say

        async def heard(talk: Any, doing: str, expected: Any, *words: bytes) -> None:
            said.append(b" ".join(words))
            await plain(talk, doing, expected, *(word for word in words if b"=" not in word))

        monkeypatch.setattr(_smtp._Talk, "_say", heard)
        monkeypatch.setattr(aiosmtplib.SMTP, "supports_extension", lambda _, name: name == "dsn")
        receipt = await way.send(notice)
        mail = relay.mail()

    token = receipt.receipt.removeprefix("email/")
    assert mail["X-Hostwatch-Try"] == token
    assert relay.received[0].mail_from == f"noc+{token}@dc.example"
    assert [words for words in said if b"NOTIFY" in words] == [
        b"RCPT TO:<862812345678@fax.example> NOTIFY=FAILURE"
    ]


@pytest.mark.parametrize(
    ("wrong", "error", "perhaps"),
    [
        ("greylist", base.Failed, False),
        ("no such user", base.Refused, None),
        ("drops after data", base.Failed, True),
    ],
)
async def test_the_relay_is_judged_as_for_any_mail(
    wrong: str,
    error: type[Exception],
    perhaps: bool | None,
    channel: Callable[..., fax.Fax],
    notice: base.Message,
) -> None:
    async with servers.relay(wrong) as relay:
        with pytest.raises(error) as caught:
            await channel(relay.port).send(notice)

    assert getattr(caught.value, "perhaps_arrived", None) == perhaps


@pytest.mark.parametrize(
    ("gateway", "why"),
    [
        ({"country": "CN", "mail": {"to": "fax@fax.example"}}, "has no one place for the number"),
        ({"country": "CN", "mail": {"to": "fax@{number}.example"}}, "has no one place for the number"),
        ({"country": "CN", "mail": {"to": "{number} x@fax.example"}}, "is not a mailbox address"),
        ({"country": "cn", "mail": {"to": "{number}@fax.example"}}, "pattern"),
        ({"mail": {"to": "{number}@fax.example"}}, "required"),
        ({"country": "CN", "mail": {"to": "{number}@f.example"}, "sender": "0800"}, "is no telephone number"),
        (
            {
                "country": "CN",
                "mail": {"to": "{number}@f.example", "subject": "a", "secret_subject": {"env": "P"}},
            },
            "two subjects",
        ),
    ],
)
def test_mistakes_of_a_gateway(gateway: Any, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        fax.Site.model_validate({"gateways": {"main": gateway}}, context=Places(environment={"P": "p"}))


def test_what_is_missing_is_said_with_the_line_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    site = fax.Site.model_validate(
        {"gateways": {"main": {"country": "CN", "mail": {"to": "{number}@f.example"}}}}
    )
    relay = email.Site.model_validate({"smtp": "smtp://127.0.0.1", "from": "noc@dc.example"})
    entry, whole = fax.Settings(number=NUMBER), {"fax": site, "email": relay}

    assert entry.wrong_among("fax", whole) is None
    assert "need a mail relay, add `mail:" in str(entry.wrong_among("fax", {"fax": site}))
    other = fax.Settings(number=NUMBER, gateway="other")
    assert "there is no gateway other" in str(other.wrong_among("fax", whole))
    monkeypatch.setattr(_typesetter, "PLACES", (Path("/nonexistent"),))
    assert "apt-get install fonts-noto-cjk" in str(entry.wrong_among("fax", whole))
    with pytest.raises(_typesetter.Undrawn, match="no font Noto Sans CJK SC"):
        _typesetter.draw(page_of("An emergency"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert f"run scripts/install {sys.prefix} fax" in str(entry.wrong_among("fax", whole))


def test_a_channel_without_its_gateway_or_its_relay_cannot_be_used(surroundings: Around) -> None:
    site = fax.Site.model_validate(
        {"gateways": {"main": {"country": "CN", "mail": {"to": "{number}@f.example"}}}}
    )

    with pytest.raises(base.Unusable, match="no such gateway"):
        fax.build(fax.Settings(number=NUMBER), surroundings())
    with pytest.raises(base.Unusable, match="need a mail relay"):
        fax.build(fax.Settings(number=NUMBER), surroundings(fax=site))
