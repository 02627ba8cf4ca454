"""Operators hear that customers are not told by another path than the one that fails.

```
 00:00 the relay is dead, and acme is owed a notice ── 5:00 ten minutes are left ── noc: the gateway first
```
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hostwatch import otherpath, whatnext
from hostwatch.channels.base import Failed, Message, Receipt, Refused
from hostwatch.configuration.load import load
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.world import Decision
from tests.outbox.office import WITHIN, Office, Scripted, simulate, site

MAIL = {"smtp": "smtp://127.0.0.1:9", "from": "noc@dc.example"}
NOC = [{"simulated": "noc"}, {"person": "+86 28 0000 0001"}]


async def dead(to: str, message: Message) -> Receipt:
    raise Failed("451 later")


async def no_such_address(to: str, message: Message) -> Receipt:
    if to == "noc":
        return Receipt("250 accepted")
    raise Refused("550 no such user")


async def _untold(office: Office) -> None:
    """Acme is not told for five minutes and a bit."""
    (name,) = await office.owe("acme", "duty")
    duty = CustomerDuty(
        emergency="E-000001", customer="acme", due=office.clock.now() + WITHIN, people=(name,)
    )
    await office.engine.do(lambda world, now: Decision(customer_duties=(duty,)))
    await asyncio.sleep(301)


def warned_by(office: Office) -> list[str]:
    """The channels by which noc was tried, of the first warning."""
    world = office.engine.world
    (warning,) = [one for one in world.notices.values() if one.kind == "warning"]
    return [attempt.channel for attempt in warning.attempts]


def test_a_way_that_does_not_share_the_broken_path_is_tried_first(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await _untold(office)
        assert otherpath.failing(office.engine.world, office.directory) == {"simulated"}
        assert warned_by(office) == ["person"]

    simulate(tmp_path, site({"acme": [{"simulated": "a"}], "dc": NOC}, operator="dc"), dead, play)


def test_an_address_that_is_wrong_is_no_broken_path(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await _untold(office)
        assert otherpath.failing(office.engine.world, office.directory) == frozenset()
        assert side.times("noc") == [300]

    simulate(tmp_path, site({"acme": [{"simulated": "a"}], "dc": NOC}, operator="dc"), no_such_address, play)


def test_what_customers_are_told_keeps_its_order(tmp_path: Path) -> None:
    """Only warnings that customers are not told go another way: the order of others is what people chose."""

    async def play(office: Office, side: Scripted) -> None:
        await _untold(office)
        (name,) = await office.owe("acme", "duty")
        notice = office.notice(name)
        assert whatnext.failing(office.engine.world, office.directory, notice) == frozenset()

    simulate(tmp_path, site({"acme": [{"simulated": "a"}], "dc": NOC}, operator="dc"), dead, play)


EMAIL = {"email": "duty@acme.example"}
HOOK, OTHER_HOOK = {"webhook": "https://a.example/x"}, {"webhook": "https://b.example/x"}


@pytest.mark.parametrize(
    ("customers", "operators", "told"),
    [
        ([EMAIL], [EMAIL], "goes by email, as the first of 1 of the customers' people does"),
        ([EMAIL], [EMAIL, HOOK], ""),
        ([HOOK], [HOOK], "goes by webhook a.example"),
        ([HOOK], [OTHER_HOOK], ""),
        ([HOOK, EMAIL], [EMAIL], ""),
        ([EMAIL], [], ""),
    ],
)
def test_a_configuration_is_warned_of_whose_operators_have_no_other_path(
    tmp_path: Path, customers: list[Any], operators: list[Any], told: str
) -> None:
    path = tmp_path / "hostwatch.yaml"
    path.write_text(
        str(site({"acme": customers, "dc": operators}, operator="dc", mail=MAIL)), encoding="utf-8"
    )

    found = [f"{wrong.wrong} {wrong.mend}" for _, wrong in otherpath.shared(load(path).configuration)]

    assert len(found) == bool(told)
    assert told in "".join(found)
