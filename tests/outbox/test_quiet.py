"""Quiet hours and waits, from the configuration to what leaves, as stories on the simulated clock.

The clock begins at 08:00; the person does not want to be called between 07:00 and 09:00.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hostwatch.channels.base import Failed, Message, Receipt, Refused
from tests.outbox.office import Office, Scripted, Site, simulate, site

CALL, MAIL = {"spoken": "call"}, {"simulated": "mail"}
QUIET = {"from": "07:00", "until": "09:00", "channels": ["spoken"]}


def quiet(*rungs: Any, hours: Any = QUIET) -> Site:
    """A customer whose agreement allows quiet hours."""
    made = site({"acme": [*rungs]})
    customer = made["customers"][0]
    customer["terms"] = {"quiet_hours": "allowed"}
    customer["contacts"][0]["quiet"] = hours
    return made


def minutes(side: Scripted) -> list[tuple[int, str]]:
    return [(round(second) // 60, to) for second, to, _ in side.sent]


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt(said="250")


async def only_calls(to: str, message: Message) -> Receipt:
    if to == "mail":
        raise Failed("451 not now")
    return Receipt(said="answered")


async def refuses_mail(to: str, message: Message) -> Receipt:
    if to == "mail":
        raise Refused("550 nobody")
    return Receipt(said="answered")


TELLS = {
    "mail is enough: nobody is called": (quiet(CALL, MAIL), accepts, [(0, "mail")]),
    "mail is refused: called at once": (quiet(CALL, MAIL), refuses_mail, [(0, "mail"), (0, "call")]),
    "only a telephone: called all the same": (quiet(CALL), accepts, [(0, "call")]),
    "all rest: the first is used": (
        quiet(CALL, MAIL, hours={"from": "07:00", "until": "09:00"}),
        accepts,
        [(0, "call")],
    ),
    "other hours: called": (
        quiet(CALL, MAIL, hours={**QUIET, "from": "22:00", "until": "07:00"}),
        accepts,
        [(0, "call")],
    ),
}


@pytest.mark.parametrize(("started", "answer", "sent"), TELLS.values(), ids=TELLS)
def test_who_is_called_in_quiet_hours(
    tmp_path: Path, started: Site, answer: Any, sent: list[tuple[int, str]]
) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        await asyncio.sleep(30 * 60)
        assert minutes(side) == sent

    simulate(tmp_path, started, answer, play)


def test_a_deadline_is_not_lost_by_quiet_hours(tmp_path: Path) -> None:
    """0:00 mail fails, and has 12 minutes ── 10:00 a third of the time is left: called"""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: office.notice(name).settled_at is not None)
        assert side.times("call") == [600]
        assert office.engine.world.duties[name].breached_at is None

    simulate(tmp_path, quiet(CALL, {**MAIL, "wait": "12m"}), only_calls, play)


def test_a_rung_that_waits_less_lets_the_next_one_sooner(tmp_path: Path) -> None:
    """Mail fails: it has 2 minutes and not 5."""

    async def play(office: Office, side: Scripted) -> None:
        (name,) = await office.owe("acme", "duty")
        await office.until(lambda: office.notice(name).settled_at is not None)
        assert side.times("mail") == [0, 15, 45, 105]
        assert side.times("call") == [120]

    simulate(tmp_path, site({"acme": [{**MAIL, "wait": "2m"}, CALL]}), only_calls, play)
