"""Email: what arrives at a real relay, and what each of its answers means."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.channels import base, email
from hostwatch.configuration.secret import Places
from tests.channels import servers
from tests.channels.conftest import NOW

Around = Callable[..., base.Surroundings]


@pytest.fixture
def channel(surroundings: Around) -> Callable[..., email.Email]:
    def make(port: int, *, scheme: str = "smtp", host: str = servers.LOOPBACK, **more: Any) -> email.Email:
        values = {"smtp": f"{scheme}://{host}:{port}", "from": "noc@dc.example", "timeout": "5s", **more}
        site = email.Site.model_validate(values, context=Places(environment={"PASSWORD": "right"}))
        return email.build(email.Settings(address="ops@acme.example"), surroundings(email=site))

    return make


async def failed(channel: base.Channel, message: base.Message) -> base.Failed:
    with pytest.raises(base.Failed) as caught:
        await channel.send(message)
    return caught.value


async def test_a_message_arrives_whole_and_the_last_answer_is_the_receipt(channel, message):
    async with servers.relay() as relay:
        receipt = await channel(relay.port).send(message)

    assert receipt.said == "250 2.0.0 OK: queued as 4ABC"
    envelope, mail = relay.received[0], relay.mail()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("noc@dc.example", ["ops@acme.example"])
    assert mail["Subject"] == message.subject
    assert mail.get_content().replace("\r\n", "\n") == message.text
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert mail["From"] == "noc@dc.example"
    assert mail["To"] == "ops@acme.example"
    assert parsedate_to_datetime(mail["Date"]) == NOW
    assert mail["Message-ID"] == "<n-7f3a@dc.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Hostwatch-Notice"] == "n-7f3a"
    assert mail["Content-Language"] == "zh-Hans"
    assert mail["X-Hostwatch-Repeat"] is None
    assert envelope.content is not None
    assert isinstance(envelope.content, bytes)
    assert envelope.content.isascii(), "every relay must take it unchanged"


PAGE = "<!DOCTYPE html>\n<p>\n.E-000042\uff1a未应答\n</p>\n"


async def test_html_stands_beside_the_text_which_comes_first(channel, message):
    async with servers.relay() as relay:
        await channel(relay.port).send(dataclasses.replace(message, html=PAGE))

    mail = relay.mail()
    text, html = mail.iter_parts()
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in (text, html)] == ["text/plain", "text/html"]
    assert text.get_content().replace("\r\n", "\n") == message.text
    assert html.get_content().replace("\r\n", "\n") == PAGE
    assert mail["Content-Language"] == "zh-Hans"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert isinstance(relay.received[0].content, bytes)
    assert relay.received[0].content.isascii()


async def test_a_site_may_send_the_text_alone(channel, message):
    async with servers.relay() as relay:
        await channel(relay.port, html=False).send(dataclasses.replace(message, html=PAGE))

    assert relay.mail().get_content_type() == "text/plain"
    assert relay.mail().get_content().replace("\r\n", "\n") == message.text


async def test_no_words_end_a_part_of_the_mail(channel, message):
    async with servers.relay() as relay:
        await channel(relay.port).send(dataclasses.replace(message, html=PAGE))
        boundary = relay.mail().get_boundary()
        evil = f"a\n--{boundary}--\nContent-Type: text/html\n\n<b>\n"
        await channel(relay.port).send(dataclasses.replace(message, html=PAGE, text=evil))

    assert len([*relay.mail(1).iter_parts()]) == 2
    assert relay.mail(1).get_content().replace("\r\n", "\n") == evil


async def test_a_plain_text_keeps_its_leading_dots(channel, message):
    text = "one\n.two\n..three\n.\nfour\n"
    async with servers.relay() as relay:
        await channel(relay.port).send(dataclasses.replace(message, text=text))

    assert relay.mail().get_content().replace("\r\n", "\n") == text


async def test_a_repeat_is_marked_and_keeps_its_message_id(channel, message):
    async with servers.relay() as relay:
        await channel(relay.port).send(message)
        await channel(relay.port).send(dataclasses.replace(message, repeat=True))

    assert relay.mail(0)["Message-ID"] == relay.mail(1)["Message-ID"]
    assert relay.mail(1)["X-Hostwatch-Repeat"] == "yes"


async def test_nothing_from_outside_adds_a_header_or_a_recipient(channel, message):
    evil = "x\r\nBcc: thief@evil.example\r\n\r\nbody\n.\r\nMAIL FROM:<thief@evil.example>"
    bad = dataclasses.replace(
        message, key=evil, subject=evil, text=evil, payload={"language": evil, "kind": evil}
    )
    async with servers.relay() as relay:
        await channel(relay.port).send(bad)

    assert len(relay.received) == 1
    assert relay.received[0].rcpt_tos == ["ops@acme.example"]
    mail = relay.mail()
    assert mail["Bcc"] is None
    assert mail["Content-Language"] is None
    assert mail["Subject"].startswith("x Bcc: thief@evil.example")
    assert "\n" not in mail["X-Hostwatch-Notice"]


@pytest.mark.parametrize(
    ("wrong", "error", "said", "perhaps"),
    [
        ("greylist", base.Failed, "451 4.7.1 greylisted", False),
        ("no such user", base.Refused, "550 5.1.1 no such user", None),
        ("needs login", base.Failed, "530 5.7.0 authentication required", False),
        ("content refused", base.Refused, "554 5.6.0 we do not like it", None),
        ("content deferred", base.Failed, "452 4.3.1 disk full", False),
        ("drops at data", base.Failed, "while announcing the message", False),
        ("drops after data", base.Failed, "while waiting for the answer to the message", True),
    ],
)
async def test_what_a_relay_says_decides(channel, message, wrong, error, said, perhaps):
    async with servers.relay(wrong) as relay:
        with pytest.raises(error) as caught:
            await channel(relay.port).send(message)

    assert said in str(caught.value)
    assert getattr(caught.value, "perhaps_arrived", None) is perhaps


async def test_silence_after_the_final_dot_is_perhaps_arrived(channel, message):
    async with servers.relay("silent after data") as relay:
        failure = await failed(channel(relay.port, timeout="300ms"), message)

    assert str(failure) == "timed out while waiting for the answer to the message"
    assert failure.perhaps_arrived


async def test_a_relay_that_never_greets_costs_the_time_limit_and_no_more(channel, message):
    with socket.create_server((servers.LOOPBACK, 0)) as silent:
        began = asyncio.get_running_loop().time()
        failure = await failed(channel(silent.getsockname()[1], timeout="200ms"), message)

    assert asyncio.get_running_loop().time() - began < 2
    assert not failure.perhaps_arrived


async def test_nobody_listening_is_a_failure_that_may_pass(channel, message):
    with socket.create_server((servers.LOOPBACK, 0)) as gone:
        port = gone.getsockname()[1]
    failure = await failed(channel(port), message)

    assert "refused" in str(failure).lower() or "connect" in str(failure).lower()
    assert not failure.perhaps_arrived


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_certificate_that_nobody_vouches_for_is_refused(channel, message, tmp_path, scheme):
    context, _ = servers.self_signed(tmp_path)
    options: dict[str, Any] = {"tls": context} if scheme == "smtps" else {"starttls": context}
    async with servers.relay(**options) as relay:
        failure = await failed(channel(relay.port, scheme=scheme), message)

    assert "CERTIFICATE_VERIFY_FAILED" in str(failure)
    assert not failure.perhaps_arrived
    assert relay.received == []


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_certificate_that_the_site_trusts_is_taken(channel, message, tmp_path, scheme):
    context, certificate = servers.self_signed(tmp_path)
    options: dict[str, Any] = {"tls": context} if scheme == "smtps" else {"starttls": context}
    async with servers.relay(**options) as relay:
        await channel(relay.port, scheme=scheme, ca_file=certificate).send(message)

    assert relay.sessions[0].ssl is not None or scheme == "smtps"
    assert len(relay.received) == 1


async def test_required_encryption_that_is_not_offered_stops_the_send(channel, message):
    async with servers.relay() as relay:
        failure = await failed(channel(relay.port, scheme="smtp+starttls"), message)

    assert "STARTTLS" in str(failure)
    assert relay.received == []


@pytest.mark.parametrize(("host", "encrypted"), [(servers.LOOPBACK, False), ("0.0.0.0", True)])
async def test_plain_smtp_encrypts_when_offered_but_not_on_loopback(
    channel, message, tmp_path, host, encrypted
):
    context, _ = servers.self_signed(tmp_path)
    async with servers.relay(starttls=context) as relay:
        await channel(relay.port, host=host).send(message)

    assert (relay.sessions[0].ssl is not None) is encrypted


async def test_a_login_is_made_with_the_revealed_password(channel, message):
    login = {"username": "noc", "password": {"env": "PASSWORD"}}
    async with servers.relay(login=True) as relay:
        await channel(relay.port, **login).send(message)

    assert relay.logins == [("noc", "right")]
    assert len(relay.received) == 1


async def test_a_wrong_password_is_the_operators_and_may_be_mended(surroundings, message):
    async with servers.relay(login=True) as relay:
        values = {
            "smtp": f"smtp://{servers.LOOPBACK}:{relay.port}",
            "from": "noc@dc.example",
            "username": "noc",
            "password": {"env": "PASSWORD"},
        }
        site = email.Site.model_validate(values, context=Places(environment={"PASSWORD": "wrong-one"}))
        channel = email.build(email.Settings(address="ops@acme.example"), surroundings(email=site))
        failure = await failed(channel, message)

    assert "535" in str(failure)
    assert "wrong-one" not in str(failure) + repr(site)


@pytest.mark.parametrize(
    "address",
    [
        "ops", "ops@", "@acme.example", "Ops <ops@acme.example>", "ops@acme.example\r\nBcc: x@y.example",
        "ops@acme.example\n", "ops@acme..example", ".ops@acme.example", "o ps@acme.example",
        "ops@münchen.example",
        "a@b.example,c@d.example", "ops@" + "a" * 64 + ".example", "o" * 65 + "@acme.example", "",
    ],
)  # fmt: skip
def test_an_address_that_is_not_one_bare_mailbox_is_refused(address):
    with pytest.raises(ValidationError):
        email.Settings.model_validate(address)
    with pytest.raises(ValidationError):
        email.Site.model_validate({"smtp": "smtp://127.0.0.1", "from": address})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"smtp": "http://relay.example"}, "is not the address of a relay"),
        ({"smtp": "smtp://u:p@relay.example"}, "a login may not stand in the address"),
        ({"smtp": "smtp://relay.example:99999"}, "is not the address of a relay"),
        ({"username": "noc"}, "half a login"),
        ({"username": "noc", "password": {"env": "P"}, "smtp": "smtp://relay.example"}, "in the clear"),
        ({"hello": "a b"}, "pattern"),
        ({"timeout": "1d"}, "out of range"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_bad_relay_is_refused_in_plain_words(values, said):
    whole = {"smtp": "smtp://127.0.0.1:25", "from": "noc@dc.example", **values}
    with pytest.raises(ValidationError, match=said):
        email.Site.model_validate(whole, context=Places(environment={"P": "p"}))


def test_without_a_relay_there_is_no_email(surroundings):
    with pytest.raises(base.Unusable, match="there is no mail relay"):
        email.build(email.Settings(address="ops@acme.example"), surroundings())


def test_certificates_that_cannot_be_read_are_said_at_start(surroundings, tmp_path: Path):
    site = email.Site.model_validate(
        {"smtp": "smtps://relay.example", "from": "noc@dc.example", "ca_file": tmp_path / "none.pem"}
    )
    with pytest.raises(base.Unusable, match=r"none\.pem"):
        email.build(email.Settings(address="ops@acme.example"), surroundings(email=site))
