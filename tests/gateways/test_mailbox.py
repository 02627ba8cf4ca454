"""What comes back of mails: a real postfix reports and bounces, a real dovecot is read from.

```
us ──smtp──▶ postfix ──▶ gone@ : 5.1.1 ──▶ bounces+TOKEN@ ◀── dovecot ◀──imap── checkers ──▶ us: returned
                   └──▶ probe@: delivered ──▶ bounces+TOKEN@ …                                    delivered
```
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from hostwatch.callbacks import Callbacks
from hostwatch.channels import base, email
from hostwatch.checks.base import Finding, Visit
from hostwatch.clock import SystemClock
from hostwatch.configuration.returns import is_token
from hostwatch.configuration.secret import Places
from hostwatch.core.emergency import NoticeState
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.gateways import base as gateways
from hostwatch.gateways import mailbox
from hostwatch.heartbeats import email as heartbeats
from hostwatch.returned import Returned
from hostwatch.servicing import Servicing
from tests.channels import servers
from tests.channels.conftest import NOW
from tests.checks import mailroom as rooms
from tests.checks.certificates import Papers
from tests.checks.conftest import surroundings
from tests.checks.mailroom import BOUNCES, PASSWORD, Mailroom
from tests.gateways.mails import DELIVERED, FAILED, VACATION, about
from tests.outbox.office import KEY, Office, opened, site

TOKEN: Final = "abcdefghijklmnopqrstuvwxyz"
OTHER: Final = "zyxwvutsrqponmlkjihgfedcba"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def mailroom(papers: Papers) -> Iterator[Mailroom]:
    with rooms.mailroom(papers) as room:
        yield room


@pytest.fixture
def by_imap(mailroom: Mailroom, papers: Papers) -> dict[str, Any]:
    """The mailbox as it is written, empty."""
    shutil.rmtree(mailroom.dovecot.at / "mail" / "bounces", ignore_errors=True)
    login = {"user": BOUNCES, "password": {"env": "PASSWORD"}}
    tls = {"ca": str(papers.ca)}
    imap = {"address": "127.0.0.1", "port": mailroom.dovecot.imaps, "implicit_tls": True, "tls": tls}
    return {"to": BOUNCES, "every": "200ms", "imap": {**imap, "login": login}}


def settings(written: dict[str, Any]) -> mailbox.Settings:
    mailbox._memories.clear()
    places = Places(environment={"PASSWORD": PASSWORD})
    return mailbox.Settings.model_validate({**written, "of": "email"}, context=places)


async def look(one: mailbox.Settings) -> Finding:
    """One round."""
    return await gateways.run(
        mailbox, one, Visit(kind="mailbox", address=one.address, surroundings=surroundings())
    )


async def brought(one: mailbox.Settings) -> list[tuple[str, str]]:
    """What one round brings: what is said of which mail."""
    found = await look(one)
    assert found.outcome is Outcome.ANSWERED, found
    return [(receipt, said) for _, receipt, said, _ in json.loads(found.value)["words"]]


def names(found: Finding) -> list[str]:
    return [name for name, *_ in json.loads(found.value)["words"]]


def flags(room: Mailroom) -> list[str]:
    """Of each mail in the mailbox, what is marked there."""
    return sorted(file.name.rpartition(",")[2] for file in room.dovecot.mail("bounces"))


def put(room: Mailroom, mail: bytes) -> None:
    room.dovecot.deliver(mail.decode(), "bounces")


async def test_a_mail_is_put_away_when_it_is_on_record_and_not_before(
    mailroom: Mailroom, by_imap: dict[str, Any]
) -> None:
    one = settings(by_imap)
    put(mailroom, about(FAILED, TOKEN))
    assert names(await look(one)) == ["1"]
    found = await look(one)
    assert names(found) == ["1"], "said again"
    assert json.loads(found.value)["words"][0][1:3] == [f"email/{TOKEN}", "returned"]
    assert flags(mailroom) == [""]

    mailbox.took(one, ["1", "99"])
    assert await brought(one) == []
    assert flags(mailroom) == ["S"]


@pytest.mark.parametrize("handled", ["moved", "deleted"])
async def test_what_becomes_of_it_is_set(mailroom: Mailroom, by_imap: dict[str, Any], handled: str) -> None:
    by_imap["imap"] |= {"handled": handled, "moved_to": "Old"}
    one = settings(by_imap)
    put(mailroom, about(DELIVERED, TOKEN))
    old = mailroom.dovecot.at / "mail" / "bounces" / ".Old"
    if handled == "moved":
        for folder in (old, old / "cur", old / "new", old / "tmp"):
            folder.mkdir()
            shutil.chown(folder, rooms.NOBODY, rooms.NOBODY)
    assert await brought(one) == [(f"email/{TOKEN}", "delivered")]
    mailbox.took(one, ["1"])
    assert await brought(one) == []
    assert flags(mailroom) == []
    if handled == "moved":
        assert len([*old.glob("cur/*"), *old.glob("new/*")]) == 1


async def test_what_is_about_no_mail_of_ours_is_left_unread_and_marked(
    mailroom: Mailroom, by_imap: dict[str, Any]
) -> None:
    one = settings(by_imap)
    for mail in (
        about(VACATION, TOKEN),
        b"From: a@b.example\n\nHello?\n",
        FAILED,
    ):
        put(mailroom, mail)
    found = json.loads((await look(one)).value)
    assert (found["words"], found["counts"]) == ([], {"nothing": 1, "unmatched": 2})
    assert flags(mailroom) == ["F", "F", "F"]
    mailbox.took(one, ["1", "2", "3"])
    await look(one)
    assert flags(mailroom) == ["F", "F", "F"], "nobody was told of these"
    assert json.loads((await look(one)).value)["counts"] == {"unmatched": 0}


async def test_words_that_nobody_knows_are_not_repeated_for_ever(
    mailroom: Mailroom, by_imap: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged token: said for 15 minutes, then left alone."""
    one = settings(by_imap)
    put(mailroom, about(FAILED, OTHER))
    assert await brought(one) == [(f"email/{OTHER}", "returned")]
    monkeypatch.setattr(mailbox, "WAIT_S", -1.0)
    assert await brought(one) == []
    assert flags(mailroom) == ["F"]


async def test_strangers_with_forged_tokens_keep_no_bounce_from_being_read(
    mailroom: Mailroom, by_imap: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many forged mails as may wait, and behind them a bounce: it is read in the next round."""
    monkeypatch.setattr(mailbox, "WAITING_MAX", 3)
    one = settings(by_imap)
    for _ in range(3):
        put(mailroom, about(FAILED, OTHER))
    put(mailroom, about(FAILED, TOKEN))
    assert await brought(one) == [(f"email/{OTHER}", "returned")] * 3
    mailbox.took(one, ["1", "2", "3"], is_ours=False)
    assert mailbox.memory_of(one).more, "the next round comes at once"
    assert await brought(one) == [(f"email/{TOKEN}", "returned")]
    assert flags(mailroom) == ["", "F", "F", "F"], "left alone, and not put away"


async def test_more_mail_than_a_round_takes_is_read_soon(
    mailroom: Mailroom, by_imap: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAILS_MAX", 2)
    one = settings(by_imap)
    for _ in range(3):
        put(mailroom, about(DELIVERED, TOKEN))
    assert len(await brought(one)) == 2
    assert mailbox.memory_of(one).more
    assert len(await brought(one)) == 3
    assert not mailbox.memory_of(one).more


async def test_a_server_that_lets_nobody_in_is_said(mailroom: Mailroom, by_imap: dict[str, Any]) -> None:
    by_imap["imap"]["login"]["password"] = {"env": "WRONG"}
    mailbox._memories.clear()
    places = Places(environment={"WRONG": "Tr0ub4dor & three"})
    one = mailbox.Settings.model_validate({**by_imap, "of": "email"}, context=places)
    found = await look(one)
    assert (found.outcome, found.why) == (Outcome.MISSED, "the login was refused (NO)")
    assert "Tr0ub4dor" not in str(found.as_data())


def maildir(folder: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (folder / "box" / part).mkdir(parents=True)
    return folder / "box"


async def test_a_maildir_is_only_read(tmp_path: Path) -> None:
    box = maildir(tmp_path)
    (box / "new" / "1.one.here").write_bytes(about(FAILED, TOKEN))
    (box / "cur" / "2.two.here:2,S").write_bytes(about(DELIVERED, OTHER))
    (box / "new" / "3.old.here").write_bytes(about(FAILED, "a" * 26))
    (box / "new" / "4.pipe.here").symlink_to("/etc/hostname")
    (box / "new" / "5.folder").mkdir()
    long_ago = time.time() - mailbox.AGE_MAX_S - 60
    os.utime(box / "new" / "3.old.here", (long_ago, long_ago))
    before = sorted(box.rglob("*"))
    one = settings({"maildir": str(box)})
    found = await look(one)
    assert sorted(names(await look(one))) == sorted(names(found)), "said again"
    assert sorted(names(found)) == ["1.one.here", "2.two.here"], found
    mailbox.took(one, ["1.one.here"])
    assert await brought(one) == [(f"email/{OTHER}", "delivered")]
    assert sorted(box.rglob("*")) == before


async def test_a_maildir_that_is_not_there_is_said(tmp_path: Path) -> None:
    found = await look(settings({"maildir": str(tmp_path / "none")}))
    assert found.outcome is Outcome.UNKNOWN
    assert "is no Maildir" in found.why


def channel(by_imap: dict[str, Any], port: int, **more: Any) -> email.Email:
    written = {"smtp": f"smtp://127.0.0.1:{port}", "from": "noc@example.test", "returns": by_imap, **more}
    found = email.Site.model_validate(written, context=Places(environment={"PASSWORD": PASSWORD}))
    around = base.Surroundings(site={"email": found}, webhook_key=b"k", now=lambda: NOW)
    return email.build(email.Settings(address="ops@acme.example"), around)


async def test_each_try_has_a_token_of_its_own_and_asks_for_reports_where_they_are_offered(
    by_imap: dict[str, Any],
) -> None:
    message = base.Message(key="n-1", subject="s", text="t\n", payload={}, repeat=False)
    async with servers.relay() as relay:  # it offers no reports
        receipt = await channel(by_imap, relay.port).send(message)
        token = receipt.receipt.removeprefix("email/")
        assert receipt.proof is Proof.ACCEPTED, "250 is no more than that"
        assert relay.received[0].mail_from == f"bounces+{token}@example.test"
        assert relay.received[0].mail_options == []
        assert relay.mail()["From"] == "noc@example.test"
        assert relay.mail()["X-Hostwatch-Try"] == token
        assert "X-Hostwatch-Try" not in (await _plain(relay.port, relay, message))

        bare = await channel({**by_imap, "separator": ""}, relay.port).send(message)
        assert relay.received[2].mail_from == BOUNCES
        assert bare.receipt == receipt.receipt
    other = channel(by_imap, relay.port)
    other._key = b"another"
    assert other.written(message).token != token


@pytest.mark.parametrize(("wrong", "is_known"), [("drops after data", True), ("drops at data", False)])
async def test_a_mail_that_perhaps_arrived_is_known_by_its_token(
    by_imap: dict[str, Any], wrong: str, is_known: bool
) -> None:
    message = base.Message(key="n-1", subject="s", text="t\n", payload={}, repeat=False)
    async with servers.relay(wrong) as relay:
        sending = channel(by_imap, relay.port)
        with pytest.raises(base.Failed) as caught:
            await sending.send(message)
    assert caught.value.receipt == (sending.written(message).receipt if is_known else "")


async def test_another_try_has_another_token(by_imap: dict[str, Any]) -> None:
    message = base.Message(key="n-1", subject="s", text="t\n", payload={}, repeat=False)
    one = channel(by_imap, 25)
    before = one.written(message).token
    one._now = lambda: NOW + timedelta(seconds=15)
    assert one.written(message).token != before


async def test_of_a_heartbeat_nobody_asks_what_became_of_it(by_imap: dict[str, Any]) -> None:
    written = {"smtp": "smtp://127.0.0.1:25", "from": "noc@example.test", "returns": by_imap}
    found = email.Site.model_validate(written, context=Places(environment={"PASSWORD": PASSWORD}))
    around = base.Surroundings(site={"email": found}, webhook_key=b"k", now=lambda: NOW)
    one = heartbeats.build(heartbeats.Settings(address="deadman@elsewhere.example"), around)
    message = base.Message(key="n-1", subject="s", text="t\n", payload={}, repeat=False)
    mail = one._channel.written(message)
    assert (mail.sender, mail.token) == ("noc@example.test", "")


async def _plain(port: int, relay: servers.Relay, message: base.Message) -> Any:
    site_ = email.Site.model_validate({"smtp": f"smtp://127.0.0.1:{port}", "from": "noc@example.test"})
    around = base.Surroundings(site={"email": site_}, webhook_key=b"k", now=lambda: NOW)
    plain = email.build(email.Settings(address="ops@acme.example"), around)
    assert (await plain.send(message)).receipt == ""
    assert relay.received[1].mail_from == "noc@example.test"
    return relay.mail(1)


@contextlib.asynccontextmanager
async def reading(office: Office) -> AsyncIterator[Returned]:
    """The checkers read the mailbox, and what they bring goes to the record."""
    callbacks = Callbacks(office.engine, office.writer, office.clock)
    checkers = Servicing(office.clock)
    returned = Returned(office.engine, office.clock, callbacks, checkers.took, partial(is_token, KEY))
    checkers.on_said = returned.hear
    services = office.directory.services
    returned.attend(services.listened)
    checkers.configure(
        lambda signal: None, folder=Path("/"), around={}, wanted=True, listened=services.listened
    )
    tasks = [asyncio.create_task(one.run()) for one in (checkers, callbacks, returned)]
    try:
        yield returned
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_bounce_opens_the_duty_again_and_the_next_channel_is_used(
    mailroom: Mailroom, by_imap: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """accepted by the relay ── given back ── the duty is open ── the webhook takes it ── met"""
    monkeypatch.setenv("PASSWORD", PASSWORD)
    async with servers.receiver() as receiver:
        hook = f"http://{servers.LOOPBACK}:{receiver.port}/"
        started = site(
            {"acme": [{"email": "gone@example.test"}, {"webhook": hook}]},
            mail={
                "smtp": f"smtp://127.0.0.1:{mailroom.postfix.smtp}",
                "from": "noc@example.test",
                "returns": by_imap,
            },
        )
        async with opened(SystemClock(), tmp_path, started) as office, reading(office):
            (name,) = await office.owe("acme", "duty")
            await office.until(lambda: office.outcomes(name) == ["returned", "accepted"])
            assert office.notice(name).state is NoticeState.ACCEPTED
            assert office.engine.world.duties[name].met_at is not None
            await office.until(lambda: flags(mailroom) == ["S"])
            kinds = [kind for (kind,) in office.db.execute("SELECT kind FROM facts ORDER BY seq")]
            words = [value for (value,) in office.db.execute("SELECT value FROM personal")]
    told = [kind for kind in kinds if kind.startswith(("Attempt", "Duty", "Notice"))]
    assert told == TOLD
    assert any(said.startswith("failed, 5.4.0, ") and "too many hops" in said for said in words)


async def test_a_relay_that_greylists_is_overtaken_by_the_next_channel(
    mailroom: Mailroom, tmp_path: Path
) -> None:
    """450 again and again ── after a second the webhook takes it ── met"""
    async with servers.receiver() as receiver:
        hook = f"http://{servers.LOOPBACK}:{receiver.port}/"
        started = site(
            {"acme": [{"email": "grey@example.test"}, {"webhook": hook}]},
            mail={"smtp": f"smtp://127.0.0.1:{mailroom.postfix.smtp}", "from": "noc@example.test"},
            notices={"next_channel_after": "1s", "first_retry": "200ms"},
        )
        async with opened(SystemClock(), tmp_path, started) as office:
            (name,) = await office.owe("acme", "duty")
            await office.until(lambda: office.notice(name).state is NoticeState.ACCEPTED)
            tried = [(one.channel, one.outcome.value, one.repeat) for one in office.notice(name).attempts]
            words = [value for (value,) in office.db.execute("SELECT value FROM personal")]
    assert len(tried) >= 3
    assert {*tried[:-1]} == {("email", "failed", False)}
    assert tried[-1] == ("webhook", "accepted", False)
    assert any("450 4.2.0" in said and "Greylisted" in said for said in words)


async def test_what_postfix_puts_into_a_maildir_is_read_there(
    mailroom: Mailroom, by_imap: dict[str, Any]
) -> None:
    """Without sub-addresses: the report names the envelope, and gives our headers back."""
    message = base.Message(key="n-1", subject="s", text="t\n", payload={}, repeat=False)
    written = {"smtp": f"smtp://127.0.0.1:{mailroom.postfix.smtp}", "from": "noc@example.test"}
    found = email.Site.model_validate(
        {**written, "returns": {**by_imap, "separator": ""}},
        context=Places(environment={"PASSWORD": PASSWORD}),
    )
    around = base.Surroundings(site={"email": found}, webhook_key=b"k", now=lambda: NOW)
    to_gone = email.build(email.Settings(address="gone@example.test"), around)
    receipt = (await to_gone.send(message)).receipt
    async with asyncio.timeout(30):
        while not mailroom.dovecot.mail("bounces"):  # noqa: ASYNC110 - postfix tells nobody
            await asyncio.sleep(0.05)
    box = mailroom.dovecot.at / "mail" / "bounces"
    assert await brought(settings({"maildir": str(box)})) == [(receipt, "returned")]


TOLD: Final = [
    "AttemptBegan", "AttemptEnded", "NoticeSettled", "DutyMet",
    "AttemptReturned", "NoticeReopened", "DutyReopened",
    "AttemptBegan", "AttemptEnded", "NoticeSettled", "DutyMet",
]  # fmt: skip


async def test_a_report_of_delivery_meets_a_duty_that_asks_for_it(
    mailroom: Mailroom, by_imap: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """accepted by the relay ── it lies in the mailbox ── delivered: met, and not before"""
    monkeypatch.setenv("PASSWORD", PASSWORD)
    started = site(
        {"acme": [{"email": "probe@example.test"}]},
        mail={
            "smtp": f"smtp://127.0.0.1:{mailroom.postfix.smtp}",
            "from": "noc@example.test",
            "returns": by_imap,
        },
    )
    async with opened(SystemClock(), tmp_path, started) as office, reading(office) as returned:
        (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
        await office.until(lambda: office.notice(name).state is NoticeState.DELIVERED)
        assert len(office.outcomes(name)) == 1
        counted = next(one for one in returned.figures() if one.name == "hostwatch_mails_back_total")
        assert counted.value == {("delivered",): 1}
        assert list(returned.warnings()) == []
