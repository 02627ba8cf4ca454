"""What became of pages: a real HylaFAX says that one was killed, a scripted one that one was printed.

```
us ──JSUBM──▶ queue ──(killed)──▶ doneq: failed ◀──LIST── checkers ──▶ us: returned, and the next channel
                    ──(printed)─▶ doneq: done   ◀──LIST── checkers ──▶ us: delivered
```
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hostwatch import hylafax as protocol
from hostwatch.callbacks import Callbacks
from hostwatch.channels import _typesetter, base, fax
from hostwatch.checks.base import Finding, Visit
from hostwatch.clock import SystemClock
from hostwatch.configuration.returns import is_token
from hostwatch.configuration.secret import Places
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.gateways import base as gateways
from hostwatch.gateways import hylafax
from hostwatch.returned import Returned
from hostwatch.servicing import Servicing
from tests.channels import faxroom as rooms
from tests.channels import servers
from tests.channels.conftest import KEY, NOW
from tests.channels.faxroom import LOOPBACK, PASSWORD, Faxroom, scripted
from tests.checks.conftest import surroundings
from tests.messages import faxed
from tests.outbox.office import KEY as OFFICE_KEY
from tests.outbox.office import Office, opened, site

PLACES = Places(environment={"P": PASSWORD})
TOKEN = "abcdefghijklmnopqrstuvwxyz"
OTHER = "zyxwvutsrqponmlkjihgfedcba"


@pytest.fixture(scope="module")
def room() -> Iterator[Faxroom]:
    with rooms.faxroom() as found:
        yield found


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_page: Any) -> bytes:
        return b"%PDF-1.7\nof a page\n"

    monkeypatch.setattr(_typesetter, "drawn", at_once)


def settings(port: int, **more: Any) -> hylafax.Settings:
    written = {"address": LOOPBACK, "port": port, "user": "watch", "password": {"env": "P"}, **more}
    return hylafax.Settings.model_validate(
        {"of": "fax/main", **written}, context=Places(environment={"P": PASSWORD})
    )


async def look(wanted: hylafax.Settings) -> Finding:
    return await gateways.run(
        hylafax, wanted, Visit(kind="gateways/hylafax", address=LOOPBACK, surroundings=surroundings())
    )


async def words(wanted: hylafax.Settings) -> list[list[str]]:
    finding = await look(wanted)
    assert finding.outcome is Outcome.ANSWERED, finding.why
    found: list[list[str]] = json.loads(finding.value)["words"]
    return found


async def kill(room: Faxroom, number: str) -> None:
    """Somebody of the operator's takes a page out of the queue."""
    talk = protocol.Talk()
    await talk.log_in(LOOPBACK, room.port, "watch", PASSWORD)
    await talk.ask("choosing a fax", f"JOB {number}", 200)
    await talk.ask("killing it", f"JKILL {number}", 200)
    talk.close()


@pytest.mark.usefixtures("drawn")
async def test_a_page_that_a_real_server_gives_up_comes_back_until_that_is_on_record(room: Faxroom) -> None:
    wanted = settings(room.port)
    server = {"address": LOOPBACK, "port": room.port, "user": "watch", "password": {"env": "P"}}
    site = fax.Site.model_validate(
        {"gateways": {"main": {"country": "CN", "hylafax": server}}},
        context=Places(environment={"P": PASSWORD}),
    )
    around = base.Surroundings(site={"fax": site}, webhook_key=KEY, now=lambda: NOW)
    message = base.Message(
        key="n-1", subject="s", text="t", payload={}, repeat=False, page=faxed.page_of("An emergency")
    )
    receipt = await fax.build(fax.Settings(number=faxed.NUMBER), around).send(message)
    assert await words(wanted) == [], "it waits for a line"

    number = receipt.said.split()[2]
    await kill(room, number)
    token = receipt.receipt.rpartition("/")[2]
    said = [token, receipt.receipt, "returned", f"{number} 0:0 0:3 Job aborted by request"]

    assert await words(wanted) == [said]
    assert await words(wanted) == [said], "nobody has it on record yet"
    hylafax.took(wanted, [token])
    assert await words(wanted) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"hostwatch-{TOKEN}|D|7| 1:1 | 1:3 |", [TOKEN, f"fax/main/{TOKEN}", "delivered", "7 1:1 1:3"]),
        (
            f"hostwatch-{TOKEN}|F|7|0:1|3:3|No answer",
            [TOKEN, f"fax/main/{TOKEN}", "returned", "7 0:1 3:3 No answer"],
        ),
        (f"hostwatch-{TOKEN}|S|7|0:1|1:3|Busy", None),
        (f"hostwatch-{TOKEN}x|D|7|1:1|1:3|", None),
        (f"another-{TOKEN}|D|7|1:1|1:3|", None),
        (f"|D|7|1:1|1:3|hostwatch-{TOKEN}", None),
        ("", None),
    ],
)
async def test_what_a_line_means(line: str, expected: list[str] | None) -> None:
    async with scripted(done=[line, "someone's|D|3|1:1|1:3|"]) as server:
        assert await words(settings(server.port)) == ([] if expected is None else [expected])

    assert server.heard == [
        "USER watch",
        "PASS right",
        f'JOBFMT "{hylafax.FORM}"',
        "EPSV",
        "LIST doneq",
        "QUIT",
    ]


async def test_of_many_so_many_are_told_in_a_round_and_then_the_others() -> None:
    tokens = ["".join("abcdefghij"[int(digit)] for digit in f"{number:026}") for number in range(150)]
    async with scripted(done=[f"hostwatch-{token}|D|1|1:1|1:3|" for token in tokens]) as server:
        wanted = settings(server.port)
        first = await words(wanted)
        hylafax.took(wanted, [one[0] for one in first])
        second = await words(wanted)

    assert [len(first), len(second)] == [100, 50]
    assert {one[0] for one in first + second} == {*tokens}


async def test_a_list_without_end_is_not_read_to_it() -> None:
    lines = [f"{'x' * 1000}|D|1||| "] * 1200 + [f"hostwatch-{TOKEN}|D|1|1:1|1:3|"]
    async with scripted(done=lines) as server:
        assert await words(settings(server.port)) == []


@pytest.mark.parametrize(
    ("wrong", "outcome", "why"),
    [
        ({"PASS": "530 Login incorrect."}, Outcome.UNKNOWN, "530 Login incorrect. (while logging in)"),
        ({"LIST": "550 doneq: no"}, Outcome.UNKNOWN, "550 doneq: no (while listing)"),
        ({"greeting": ""}, Outcome.MISSED, "the server closed the connection"),
        ({"EPSV": "…"}, Outcome.MISSED, "no answer within 500ms"),
    ],
)
async def test_a_server_that_cannot_be_asked_is_said(
    wrong: dict[str, str], outcome: Outcome, why: str
) -> None:
    async with scripted(wrong) as server:
        finding = await look(settings(server.port, timeout="500ms"))

    assert finding.outcome is outcome
    assert why in str(finding.why)


@contextlib.asynccontextmanager
async def asking(office: Office) -> AsyncIterator[None]:
    """The checkers ask the server, and what they bring goes to the record."""
    callbacks = Callbacks(office.engine, office.writer, office.clock)
    checkers = Servicing(office.clock)
    returned = Returned(office.engine, office.clock, callbacks, checkers.took, partial(is_token, OFFICE_KEY))
    checkers.on_said = returned.hear
    listened = office.directory.services.listened
    returned.attend(listened)
    checkers.configure(lambda signal: None, folder=Path("/"), around={}, wanted=True, listened=listened)
    tasks = [asyncio.create_task(one.run()) for one in (checkers, callbacks, returned)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def told_by(server: dict[str, Any], hook: str) -> dict[str, Any]:
    server = {"address": LOOPBACK, "user": "watch", "password": {"env": "P"}, "every": "200ms", **server}
    gateways_ = {"main": {"country": "CN", "hylafax": server}}
    return site(
        {"acme": [{"fax": faxed.NUMBER}, {"webhook": hook}]},
        channels={"fax": {"gateways": gateways_}},
    )


async def test_a_page_that_is_given_up_opens_the_duty_again_and_the_next_channel_is_used(
    room: Faxroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """queued by a real server ── killed there ── the duty is open ── the webhook takes it ── met"""
    monkeypatch.setenv("P", PASSWORD)
    before = {job["jobid"] for job in room.jobs("sendq")}
    async with servers.receiver() as receiver:
        started = told_by({"port": room.port}, f"http://{LOOPBACK}:{receiver.port}/")
        async with opened(SystemClock(), tmp_path, started) as office, asking(office):
            (name,) = await office.owe("acme", "duty")
            await office.until(lambda: office.outcomes(name) == ["accepted"])
            assert office.engine.world.duties[name].met_at is not None
            (number,) = {job["jobid"] for job in room.jobs("sendq")} - before
            await kill(room, number)
            await office.until(lambda: office.outcomes(name) == ["returned", "accepted"])
            assert office.engine.world.duties[name].met_at is not None
            words_ = [value for (value,) in office.db.execute("SELECT value FROM personal")]

    assert f"{number} 0:0 0:3 Job aborted by request" in words_


async def test_a_page_that_is_printed_meets_a_duty_that_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """queued ── accepted, and the duty is open ── done, in the list ── delivered ── met"""
    monkeypatch.setenv("P", PASSWORD)
    async with scripted() as server:
        started = told_by({"port": server.port}, "http://127.0.0.1:9/")
        async with opened(SystemClock(), tmp_path, started) as office, asking(office):
            (name,) = await office.owe("acme", "duty", met_by=Proof.DELIVERED)
            await office.until(lambda: office.outcomes(name) == ["accepted"])
            assert office.engine.world.duties[name].met_at is None
            token = office.notice(name).attempts[0].receipt.rpartition("/")[2]
            server.done.append(f"hostwatch-{token}|D|7|1:1|1:3|")
            await office.until(lambda: office.engine.world.duties[name].met_at is not None)
            assert office.notice(name).attempts[0].proof is Proof.DELIVERED
