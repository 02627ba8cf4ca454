"""Pagers: what arrives at a gateway by SNPP, and what each of its answers means."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch.channels import base, pager
from hostwatch.configuration.secret import Places
from hostwatch.core.proof import Proof
from tests.channels import servers

Around = Callable[..., base.Surroundings]

LINE = "E-000042: acme-web-1 (127.0.0.2) has not answered our pings since 2026-10-03 14:05:00 +08:00"
TAKEN = [
    "ALERt 1", "PAGEr 5551234", f"MESSage {LINE}", "SEND", "QUIT",
]  # fmt: skip


@pytest.fixture
def page(message: base.Message) -> base.Message:
    return dataclasses.replace(message, brief=LINE)


@pytest.fixture
def channel(surroundings: Around) -> Callable[..., pager.Pager]:
    def make(port: int, *, timeout: str = "5s", **more: Any) -> pager.Pager:
        values = {"server": f"{servers.LOOPBACK}:{port}", "timeout": timeout, **more}
        site = pager.Site.model_validate(values, context=Places(environment={"PASSWORD": "hunter2"}))
        return pager.build(pager.Settings(number="5551234"), surroundings(pager=site))

    return make


async def failed(channel: base.Channel, message: base.Message) -> base.Failed:
    with pytest.raises(base.Failed) as caught:
        await channel.send(message)
    return caught.value


async def test_a_page_is_one_line_and_the_answer_to_send_is_the_receipt(channel, page):
    async with servers.gateway() as gateway:
        receipt = await channel(gateway.port).send(page)

    assert gateway.said == TAKEN
    assert gateway.pages == [("5551234", LINE)]
    assert receipt == base.Receipt("250 Message Sent Successfully")
    assert receipt.proof is Proof.ACCEPTED, "nobody knows whether the pager was within reach"


@pytest.mark.parametrize(
    ("kind", "asked"), [("emergency", True), ("update", False), ("recovery", False), ("warning", False)]
)
async def test_only_an_emergency_asks_that_the_pager_sounds(channel, page, kind, asked):
    async with servers.gateway(ALER=b"250 OK, Alert Override Accepted\r\n") as gateway:
        await channel(gateway.port).send(dataclasses.replace(page, payload={"kind": kind}))

    assert ("ALERt 1" in gateway.said) is asked
    assert len(gateway.pages) == 1


@pytest.mark.parametrize(
    "greeting",
    [
        b"220 SNPP (V3) Gateway Ready\r\n",
        b"214 Type HELP for more info\r\n250 SNPP Gateway Ready\r\n",
        b"220-Welcome\r\n220-to us\r\n220 Ready\r\n",
        b"220 Ready\n",
        b"220\r\n",
    ],
)
async def test_gateways_greet_in_many_ways(channel, page, greeting):
    async with servers.gateway(greeting=greeting) as gateway:
        await channel(gateway.port).send(page)

    assert len(gateway.pages) == 1


async def test_a_login_comes_first_and_the_password_is_never_repeated(channel, page):
    login = {"username": "noc", "password": {"env": "PASSWORD"}}
    async with servers.gateway(LOGI=b"250 Login Accepted\r\n") as gateway:
        await channel(gateway.port, **login).send(page)
    async with servers.gateway(LOGI=b"550 hunter2 is not the password of noc\r\n") as strict:
        failure = await failed(channel(strict.port, **login), page)

    assert gateway.said == ["LOGIn noc hunter2", *TAKEN]
    assert str(failure) == "550 *** is not the password of noc (while logging in)"
    assert not failure.perhaps_arrived


@pytest.mark.parametrize(
    ("command", "answer", "error", "perhaps"),
    [
        # command, answer, what follows, whether the page may have arrived
        ("greeting", b"421 Gateway Service Unavailable\r\n", base.Failed, False),
        ("greeting", b"554 no\r\n", base.Failed, False),
        ("greeting", b"HTTP/1.1 400 Bad Request\r\n", base.Failed, False),
        ("greeting", b"\xff\xfe\r\n", base.Failed, False),
        ("greeting", "drops", base.Failed, False),
        ("ALER", b"421 Too Many Errors, Goodbye\r\n", base.Failed, False),
        ("PAGE", b"550 Error, Invalid Pager ID\r\n", base.Refused, None),
        ("PAGE", b"530 Please login with LOGIN.\r\n", base.Failed, False),
        ("PAGE", b"554 Error, failed (database)\r\n", base.Failed, False),
        ("PAGE", b"421 Too Many Errors, Goodbye\r\n", base.Failed, False),
        ("PAGE", b"780 a two-way pager is needed\r\n", base.Failed, False),
        ("PAGE", "drops", base.Failed, False),
        ("MESS", b"550 Error, Invalid Message\r\n", base.Refused, None),
        ("MESS", b"552 Maximum Entries Exceeded\r\n", base.Refused, None),
        ("MESS", b"354 Begin Input\r\n", base.Failed, False),
        ("MESS", "drops", base.Failed, False),
        ("SEND", b"421 Gateway Service Unavailable\r\n", base.Failed, False),
        ("SEND", b"503 Error, Pager ID or Message Incomplete\r\n", base.Failed, False),
        ("SEND", b"550 Error, not in your contract\r\n", base.Refused, None),
        ("SEND", b"554 Error, failed (transmitter)\r\n", base.Failed, False),
        ("SEND", b"780 Message Expired Before Delivery\r\n", base.Failed, False),
        ("SEND", b"what?\r\n", base.Failed, True),
        ("SEND", b"", base.Failed, True),
        ("SEND", "drops", base.Failed, True),
        ("QUIT", b"554 Error, failed (transmitter)\r\n", base.Failed, True),
    ],
)  # fmt: skip
async def test_what_a_gateway_says_decides(channel, page, command, answer, error, perhaps):
    async with servers.gateway(**{command: answer}) as gateway:
        with pytest.raises(error) as caught:
            await channel(gateway.port, timeout="500ms").send(page)

    assert getattr(caught.value, "perhaps_arrived", None) is perhaps
    if isinstance(answer, bytes) and answer[:3].isdigit():
        assert answer.decode().strip() in str(caught.value)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("SEND", b"860 Delivered, Awaiting Read Ack\r\n"),
        ("SEND", b"960 OK, Message Queued; Awaiting Delivery\r\n"),
        ("QUIT", b"500 Command Not Implemented\r\n"),
        ("QUIT", "drops"),
        ("QUIT", "silent"),
        ("QUIT", "endless"),
        ("QUIT", "endless line"),
        ("QUIT", b"what?\r\n"),
    ],
)
async def test_a_page_that_the_gateway_took_is_accepted_and_no_more(
    channel, page, monkeypatch, command, answer
):
    monkeypatch.setattr(pager, "GOODBYE_SECONDS", 0.3)
    async with servers.gateway(**{command: answer}) as gateway:
        receipt = await channel(gateway.port).send(page)

    assert receipt.proof is Proof.ACCEPTED
    assert len(gateway.pages) == 1


@pytest.mark.parametrize(("command", "perhaps"), [("greeting", False), ("PAGE", False), ("SEND", True)])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("silent", "timed out while"),
        ("endless", "an answer of more than 50 lines came"),
        ("endless line", "a line of more than 1024 bytes came"),
    ],
)
async def test_hostile_gateways_cost_neither_time_nor_memory(channel, page, command, perhaps, wrong, said):
    async with servers.gateway(**{command: wrong}) as gateway:
        failure = await failed(channel(gateway.port, timeout="500ms"), page)

    assert failure.perhaps_arrived is perhaps
    assert said in str(failure)
    assert len(str(failure)) <= base.SAID_MAX_CHARS
    assert gateway.written < 32 * 1024 * 1024, "what it says is not read to its end"


async def test_a_gateway_that_answers_before_it_is_asked_is_not_believed(channel, page):
    ahead = b"250 Pager ID Accepted\r\n250 Message OK\r\n250 Message Sent Successfully\r\n"
    async with servers.gateway(PAGE=ahead) as gateway:
        failure = await failed(channel(gateway.port), page)

    assert "said more than was asked" in str(failure)
    assert not failure.perhaps_arrived
    assert gateway.pages == []


async def test_nobody_listening_is_a_failure_that_may_pass(channel, page):
    with socket.create_server((servers.LOOPBACK, 0)) as gone:
        port = gone.getsockname()[1]
    failure = await failed(channel(port), page)

    assert "connect" in str(failure).lower()
    assert not failure.perhaps_arrived


async def test_nothing_from_outside_becomes_a_command_or_a_second_page(channel, page):
    evil = "x\r\nSEND\r\nPAGEr 666\r\nMESSage 网关 " + "y" * 500
    async with servers.gateway() as gateway:
        await channel(gateway.port).send(dataclasses.replace(page, brief=evil))

    assert [number for number, _ in gateway.pages] == ["5551234"]
    ((_, line),) = gateway.pages
    assert line.startswith("x??SEND??PAGEr 666??MESSage ?? yyy")
    assert len(line) == pager.LINE_MAX_CHARS


def test_a_pager_of_its_own_gateway_does_not_get_the_login_of_another(surroundings):
    places = Places(environment={"PASSWORD": "hunter2"})
    site = pager.Site.model_validate(
        {"server": "one.example", "username": "noc", "password": {"env": "PASSWORD"}}, context=places
    )
    other = pager.Settings.model_validate({"number": "5551234", "server": "[2001:db8::9]:4444"})
    by_site = pager.build(pager.Settings.model_validate("5551234"), surroundings(pager=site))
    by_itself = pager.build(other, surroundings(pager=site))

    assert by_site.shown == "5551234 by one.example"
    assert by_itself.shown == "5551234 by 2001:db8::9"
    assert by_site._gateway.username == "noc"
    assert by_site._gateway.port == 444
    assert (by_itself._gateway.username, by_itself._gateway.password) == (None, None)
    assert "hunter2" not in repr(site) + repr(by_site._gateway) + site.model_dump_json()


def test_without_a_gateway_there_is_no_page(surroundings):
    with pytest.raises(base.Unusable, match="there is no gateway for pagers"):
        pager.build(pager.Settings.model_validate("5551234"), surroundings())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("", "number"),
        ("555 1234", "number"),
        ("5551234\r\nSEND", "number"),
        ("5551234\n", "number"),
        ({"number": "5", "server": "snpp://a.example"}, "is not the address of a gateway"),
        ({"number": "5", "server": "a.example:99999"}, "is not the address of a gateway"),
        ({"number": "5", "server": "a.example:0"}, "is not the address of a gateway"),
        ({"number": "5", "server": "noc@a.example"}, "is not the address of a gateway"),
        ({"number": "5", "server": "a.example/x"}, "is not the address of a gateway"),
        ({"number": "5", "server": ""}, "is not the address of a gateway"),
        ({"number": "5", "server": "a.example", "password": {"env": "P"}}, "half a login"),
        ({"number": "5", "username": "noc"}, "a login without a gateway"),
        ({"number": "5", "server": "a.example", "username": "a b"}, "username"),
        ({"number": "5", "server": "a.example", "username": "n", "password": {"env": "Q"}}, "cannot be said"),
        ({"number": "5", "colour": "red"}, "Extra inputs"),
    ],
)  # fmt: skip
def test_a_bad_pager_is_refused_in_plain_words(values, said):
    with pytest.raises(ValidationError, match=said):
        pager.Settings.model_validate(values, context=Places(environment={"P": "p", "Q": "a b"}))
