"""Faxes by HylaFAX: a real hfaxd and its scheduler take the page; a scripted one misbehaves."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from hostwatch import hylafax
from hostwatch.channels import _typesetter, base, fax
from hostwatch.configuration.secret import Places
from hostwatch.core.proof import Proof
from tests.channels import faxroom as rooms
from tests.channels.faxroom import LOOPBACK, PASSWORD, Faxroom, scripted
from tests.messages import faxed

Around = Callable[..., base.Surroundings]
Make = Callable[..., fax.Fax]

SERVER = {"address": "192.0.2.9", "user": "watch"}
PDF = b"%PDF-1.7\nof a page\n"


@pytest.fixture(scope="module")
def room() -> Iterator[Faxroom]:
    with rooms.faxroom() as found:
        yield found


def site_of(port: int, secret: str = PASSWORD, **more: Any) -> fax.Site:
    server = {"address": LOOPBACK, "port": port, "user": "watch", "password": {"env": "P"}, **more}
    gateway = {"country": "CN", "sender": "+86 28 0000 0000", "hylafax": server}
    context = Places(environment={"P": secret})
    return fax.Site.model_validate({"gateways": {"main": gateway}}, context=context)


@pytest.fixture
def channel(surroundings: Around) -> Make:
    def make(port: int, **more: Any) -> fax.Fax:
        return fax.build(fax.Settings(number=faxed.NUMBER), surroundings(fax=site_of(port, **more)))

    return make


@pytest.fixture
def notice(message: base.Message) -> base.Message:
    return dataclasses.replace(message, page=faxed.page_of("An emergency"))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drawn(_page: Any) -> bytes:
        return PDF

    monkeypatch.setattr(_typesetter, "drawn", drawn)


async def test_a_page_stands_in_the_queue_of_a_real_server(
    room: Faxroom, channel: Make, notice: base.Message
) -> None:
    receipt = await channel(room.port, kill_after="45m", prefix="0,", numbers="00").send(notice)
    (job,) = [one for one in room.jobs("sendq") if one["jobtag"].endswith(receipt.receipt.rpartition("/")[2])]

    assert job["external"] == "+862812345678"
    assert job["number"] == "0,00862812345678"
    assert (job["maxtries"], job["maxdials"], job["resolution"]) == ("3", "6", "196")
    assert (job["sender"], job["tsi"], job["notify"]) == ("hostwatch", "+862800000000", "none")
    assert int(job["killtime"]) - int(job["tts"]) == 45 * 60
    page = room.page(job)
    assert page.startswith(b"%PDF")
    assert "To Duty officer, Acme Trading" in " ".join(
        faxed.run("pdftotext", "-layout", "-", "-", pdf=page).decode().split()
    )
    assert b"Pages:           1" in faxed.run("pdfinfo", "-", pdf=page)
    assert receipt.proof is Proof.ACCEPTED
    assert receipt.receipt.startswith("fax/main/")
    assert receipt.said == f"200 Job {job['jobid']} submitted."


async def test_a_wrong_password_is_the_operators_to_mend(
    room: Faxroom, channel: Make, notice: base.Message
) -> None:
    with pytest.raises(base.Failed, match=r"530 Login incorrect. \(while logging in\)") as failed:
        await channel(room.port, secret="wrong").send(notice)

    assert not failed.value.perhaps_arrived


async def test_a_user_without_a_password_logs_in(
    room: Faxroom, channel: Make, notice: base.Message, undrawn: None
) -> None:
    before = len(room.jobs("sendq"))
    await channel(room.port, user="open", password=None).send(notice)

    assert len(room.jobs("sendq")) == before + 1


SENT = [
    "USER watch", "PASS right", "TYPE I", "FORM PDF", "EPSV", "STOT", "JNEW", 'JPARM FROMUSER "hostwatch"',
    'JPARM JOBINFO "hostwatch-…"', 'JPARM EXTERNAL "+862812345678"', 'JPARM DIALSTRING "+862812345678"',
    'JPARM NOTIFY "none"', "JPARM LASTTIME 000010", "JPARM MAXTRIES 3", "JPARM MAXDIALS 6", "JPARM VRES 196",
    "JPARM PAGEWIDTH 209", "JPARM PAGELENGTH 296", 'JPARM PAGECHOP "none"', 'JPARM TSI "+862800000000"',
    'JPARM DOCUMENT "/tmp/doc1.pdf"', "JSUBM", "QUIT",
]  # fmt: skip


@pytest.mark.usefixtures("undrawn")
async def test_what_is_said_to_it(channel: Make, notice: base.Message) -> None:
    async with scripted() as server:
        receipt = await channel(server.port).send(notice)

    token = receipt.receipt.removeprefix("fax/main/")
    assert [line.replace(token, "…") for line in server.heard] == SENT
    assert len(token) == 26
    assert server.stored == [PDF]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("wrong", "error", "why", "perhaps"),
    [
        ({"greeting": "421 Server is being shut down."}, base.Failed, "421", False),
        ({"greeting": "550 Access denied."}, base.Failed, "550", False),
        ({"greeting": "SSH-2.0-x"}, base.Failed, "this is no answer: SSH-2.0-x", False),
        ({"greeting": "…"}, base.Failed, "timed out while waiting for the greeting", False),
        ({"USER": "530 who?"}, base.Failed, "while naming the user", False),
        ({"PASS": "530 not right"}, base.Failed, r"530 not \*\*\* \(while logging in", False),
        ({"EPSV": "229 Passive (|||22|)"}, base.Failed, "names no port for a second connection", False),
        ({"EPSV": "229 Passive"}, base.Failed, "names no port for a second connection", False),
        ({"EPSV": "421 too many"}, base.Failed, "421 too many", False),
        ({"STOT": "452 no space left"}, base.Failed, "452", False),
        ({"STOT": "550 not here"}, base.Refused, "550", False),
        ({"after": "226 done.", "STOT": "150 go on"}, base.Failed, "does not say what it stored", False),
        ({"after": "451 disk error"}, base.Failed, "451", False),
        ({"JNEW": ""}, base.Failed, "the server closed the connection", False),
        ({"JPARM": "504 no such number"}, base.Refused, "504", False),
        ({"JPARM": "2" * 2000}, base.Failed, "a line of more than 1024 bytes", False),
        ({"JNEW": "\r\n".join(["200-more"] * 200)}, base.Failed, "more than 100 lines", False),
        ({"JPARM": "331 password?"}, base.Failed, "an answer that fits nothing", False),
        ({"JSUBM": "460 try later"}, base.Failed, "460", False),
        ({"JSUBM": "550 no scheduler"}, base.Refused, "550", False),
        ({"JSUBM": ""}, base.Failed, "the server closed the connection", True),
        ({"JSUBM": "…"}, base.Failed, "timed out while waiting for the answer to JSUBM", True),
        ({"JSUBM": "what?"}, base.Failed, "this is no answer", True),
    ],
)  # fmt: skip
async def test_what_a_server_that_misbehaves_means(
    wrong: dict[str, str],
    error: type[Exception],
    why: str,
    perhaps: bool,
    channel: Make,
    notice: base.Message,
) -> None:
    async with scripted(wrong) as server:
        with pytest.raises(error, match=why) as caught:
            await channel(server.port, timeout="500ms" if "…" in wrong.values() else "20s").send(notice)

    assert getattr(caught.value, "perhaps_arrived", False) is perhaps
    tag = next((line for line in server.heard if "JOBINFO" in line), "")
    if perhaps:  # what it says of it later is known by the token
        assert getattr(caught.value, "receipt").rpartition("/")[2] in tag  # noqa: B009 - of Failed


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "wrong", [{"QUIT": ""}, {"QUIT": "500 what?"}, {"greeting": "130 soon down\r\n220 ready"}]
)
async def test_what_changes_nothing(wrong: dict[str, str], channel: Make, notice: base.Message) -> None:
    async with scripted(wrong) as server:
        assert (await channel(server.port).send(notice)).said == "200 Job 7 submitted."


@pytest.mark.usefixtures("undrawn")
async def test_an_old_server_is_asked_by_pasv_and_the_address_that_it_names_is_not_used(
    channel: Make, notice: base.Message
) -> None:
    async with scripted({"EPSV": "500 EPSV: command not understood."}) as server:
        await channel(server.port).send(notice)

    assert server.stored == [PDF]


@pytest.mark.usefixtures("undrawn")
async def test_nobody_there(channel: Make, notice: base.Message) -> None:
    async with scripted() as server:
        port = server.port
    with pytest.raises(base.Failed, match="Connect call failed") as failed:
        await channel(port).send(notice)

    assert not failed.value.perhaps_arrived


@pytest.mark.usefixtures("undrawn")
async def test_each_try_has_a_token_of_its_own(surroundings: Around, notice: base.Message) -> None:
    async with scripted() as server:
        around = surroundings(fax=site_of(server.port))
        first = await fax.build(fax.Settings(number=faxed.NUMBER), around).send(notice)
        later = dataclasses.replace(around, now=lambda: around.now().replace(year=2027))
        second = await fax.build(fax.Settings(number=faxed.NUMBER), later).send(notice)

    assert first.receipt != second.receipt


def test_what_may_stand_in_a_parameter_ends_no_line() -> None:
    assert hylafax.quoted('a"b\\c\r\nJSUBM é 中') == '"abcJSUBM  "'


def test_it_proves_delivery_and_a_mail_does_not() -> None:
    entry = fax.Settings(number=faxed.NUMBER)
    mail = {"gateways": {"main": {"country": "CN", "mail": {"to": "{number}@f.example"}}}}

    assert entry.proves_with(site_of(4559)) is Proof.DELIVERED
    assert entry.proves_with(fax.Site.model_validate(mail)) is Proof.ACCEPTED
    assert entry.wrong_among("fax", {"fax": site_of(4559)}) is None, "it needs no relay"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"address": "fax.example"}, "is not an IP address"),
        ({"user": "two words"}, "pattern"),
        ({"prefix": "0\r\nJKILL"}, "pattern"),
        ({"tries": 0}, "greater than or equal to 1"),
        ({"kill_after": "20s"}, "1m"),
    ],
)
def test_mistakes_of_a_server(more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        site_of(4559, **more)


def test_a_password_that_ends_the_line_and_two_ways_or_none() -> None:
    with pytest.raises(ValidationError, match="cannot be said by this protocol"):
        site_of(4559, secret="a\r\nJNEW")
    for ways in (
        {},
        {"mail": {"to": "{number}@f.example"}, "hylafax": {"address": "192.0.2.9", "user": "w"}},
    ):
        with pytest.raises(ValidationError, match="needs one way"):
            fax.Site.model_validate({"gateways": {"main": {"country": "CN", **ways}}})


async def test_who_gives_up_while_it_is_handed_over_leaves_no_connection(
    channel: Make, notice: base.Message, undrawn: None
) -> None:
    async with scripted({"JNEW": "…"}) as server:
        sending = asyncio.create_task(channel(server.port).send(notice))
        await server.hangs.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
