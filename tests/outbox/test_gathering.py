"""Ten thousand emergencies of four hundred customers, told by a provider of one message a second."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.channels import base
from hostwatch.channels.base import Message, Receipt
from hostwatch.core import judge
from hostwatch.core.budget import Budget
from hostwatch.core.emergency import NoticeState
from hostwatch.core.reading import Outcome, Reading
from hostwatch.store.ledger import facts_of
from tests.outbox.office import START, WITHIN, Office, Scripted, Site, simulate, site

CUSTOMERS = [f"c{number}" for number in range(400)]
DEVICES = 25


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt("202")


@pytest.fixture
def one_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.Channel, "budget", Budget(messages=1, every=timedelta(seconds=1)))


def town(customers: list[str], contacts: int) -> Site:
    """Customers with several people each, all reached through the same provider."""
    found = site({customer: [{"simulated": customer}] for customer in customers})
    for place, one in enumerate(found["customers"]):
        one["devices"][0]["address"] = f"10.0.{place // 200}.{place % 200 + 1}"
        people = [
            {"id": f"p{number}", "name": "P", "channels": [{"simulated": f"{one['id']}/{number}"}]}
            for number in range(contacts)
        ]
        one["contacts"] = people
    return found


@pytest.mark.usefixtures("one_a_second")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("customers", [40, pytest.param(400, marks=pytest.mark.long)])
def test_each_of_two_people_gets_one_message_and_the_last_one_is_in_time(
    customers: int, tmp_path: Path
) -> None:
    """0:00 verdicts on 25 devices of each of 400 ── one message a second ── 13:20 the last of 800"""

    async def play(office: Office, side: Scripted) -> None:
        for customer in CUSTOMERS[:customers]:
            for number in range(2):
                await office.owe(customer, f"p{number}", DEVICES)
        await office.until(lambda: not office.engine.world.pending())

        seconds = [second for second, _, _ in side.sent]
        assert len(seconds) == 2 * customers
        assert {len(message.payload["emergencies"]) for _, _, message in side.sent} == {DEVICES}
        assert all(later - sooner >= 0.99 for sooner, later in itertools.pairwise(seconds))
        assert seconds[-1] < WITHIN.total_seconds()
        duties = office.engine.world.duties.values()
        assert len(duties) == 2 * customers * DEVICES
        assert all(duty.met_at is not None and duty.breached_at is None for duty in duties)

    simulate(tmp_path, town(CUSTOMERS[:customers], 2), accepts, play)


def falling(devices: int) -> Site:
    """One customer with many devices."""
    found = site({"acme": [{"simulated": "duty"}]})
    found["customers"][0]["devices"] = [
        {"id": f"d{number:02}", "address": f"192.0.2.{number + 1}"} for number in range(devices)
    ]
    return found


async def look(office: Office, outcome: Outcome, *devices: int) -> None:
    now = office.clock.now()
    readings = [
        Reading(signal=f"d{number:02}/ping@main", at=now, known_at=now, outcome=outcome, why="no answer")
        for number in devices
    ]
    await office.engine.do(lambda world, now: judge.readings(world, None, readings, closes=True, now=now))


def test_a_rack_that_dies_within_an_interval_is_told_of_in_two_messages(tmp_path: Path) -> None:
    """0:00 the first verdict of 25 ── 0:30 three ── 4:48 twenty-two, as soon as the last has fallen"""

    async def play(office: Office, side: Scripted) -> None:
        everybody = range(DEVICES)
        await look(office, Outcome.ANSWERED, *everybody)
        await asyncio.sleep(12)
        for _ in range(2):
            for number in everybody:
                await look(office, Outcome.MISSED, number)
                await asyncio.sleep(12)
        await office.until(lambda: not office.engine.world.pending())

        told = [(round(second), len(message.payload["emergencies"])) for second, _, message in side.sent]
        began = (office.engine.world.emergencies["E-000001"].opened_at - START).total_seconds()
        assert [(second - began, count) for second, count in told] == [(30, 3), (288, 22)]
        assert sum(count for _, count in told) == DEVICES
        assert not [fact for fact in facts_of(office.db) if type(fact).__name__ == "DutyBreached"]

    simulate(tmp_path, falling(DEVICES), accepts, play)


def test_one_that_falls_alone_is_told_of_at_once_and_gathering_can_be_switched_off(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await look(office, Outcome.ANSWERED, 0, 1, 2)
        await asyncio.sleep(300)
        await look(office, Outcome.MISSED, 0, 1)
        await asyncio.sleep(300)
        await look(office, Outcome.MISSED, 0)
        await asyncio.sleep(1)
        await look(office, Outcome.MISSED, 1)
        await office.until(lambda: not office.engine.world.pending())

        began = (office.engine.world.emergencies["E-000001"].opened_at - START).total_seconds()
        states = {notice.state for notice in office.engine.world.notices.values()}
        assert states == {NoticeState.ACCEPTED}
        when.append([round(second - began) for second, _, _ in side.sent])

    when: list[list[int]] = []
    for folder, gather in (("on", "30s"), ("off", "0s")):
        (tmp_path / folder).mkdir()
        simulate(tmp_path / folder, {**falling(3), "notices": {"gather": gather}}, accepts, play)

    assert when == [[1], [0, 1]], "as soon as nobody else is silent; or at once"
