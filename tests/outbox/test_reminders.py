"""Reminders from the configuration to what leaves: stories on the simulated clock, which begins at 08:00."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.core.emergency import NoticeState
from hostwatch.core.world import Decision
from hostwatch.reminders import Reminders
from tests.outbox.office import START, Office, Scripted, Site, simulate, site

Play = Callable[[Office, Scripted], Awaitable[None]]


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt(said="250")


def made(hours: dict[str, str] | None = None, **terms: Any) -> Site:
    """One customer with one person, who are reminded every 30 minutes."""
    found = site({"acme": [{"simulated": "mail"}]})
    customer = found["customers"][0]
    customer["terms"] = {"remind_every": "30m", **terms}
    if hours is not None:
        customer["terms"]["quiet_hours"] = "allowed"
        customer["contacts"][0]["quiet"] = hours
    return found


def played(folder: Path, on: Site, play: Play, answer: Any = accepts) -> list[tuple[int, str, int]]:
    """At which minute which kind of notice was sent, of how many emergencies."""
    sent: list[tuple[int, str, int]] = []

    async def story(office: Office, side: Scripted) -> None:
        reminding = asyncio.create_task(
            Reminders(office.engine, office.clock, lambda: office.directory).run()
        )
        try:
            await play(office, side)
            assert not reminding.done()
        finally:
            reminding.cancel()
        sent.extend(
            (round(second) // 60, message.payload["kind"], len(message.payload["emergencies"]))
            for second, _, message in side.sent
        )

    simulate(folder, on, answer, story)
    return sent


async def until(office: Office, minute: int) -> None:
    await asyncio.sleep(minute * 60 - (office.clock.now() - START).total_seconds())


async def over(office: Office, reference: str) -> None:
    """One of them is over; nobody is told here."""
    one = office.engine.world.emergencies[reference]
    ended = Decision(emergencies=(replace(one, ended_at=office.clock.now()),))
    await office.engine.do(lambda world, now: ended)


def test_what_lasts_is_told_again_as_one_message_until_it_is_over(tmp_path: Path) -> None:
    """08:00 two emergencies ── 08:30, 09:00 reminded ── 09:10 one is over ── 09:30 of the other alone"""

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty", 2)
        await until(office, 70)
        await over(office, "E-000001")
        await until(office, 100)
        await over(office, "E-000002")
        await until(office, 170)

    assert played(tmp_path, made(), play) == [
        (0, "emergency", 2),
        (30, "reminder", 2),
        (60, "reminder", 2),
        (90, "reminder", 1),
    ]


def test_a_restart_neither_repeats_nor_forgets(tmp_path: Path) -> None:
    """08:00 told ── 08:30 reminded ── 08:45 a new process ── 09:00 reminded"""

    async def story(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        for minute in (45, 61):
            before = Reminders(office.engine, office.clock, lambda: office.directory)
            task = asyncio.create_task(before.run())
            await until(office, minute)
            task.cancel()
            kept = (await office.writer.load()).notices
            assert {**kept} == {**office.engine.world.notices}
        assert [round(second) // 60 for second, _, _ in side.sent] == [0, 30, 60]

    simulate(tmp_path, made(), accepts, story)


@pytest.mark.parametrize(
    ("hours", "sent"),
    [
        ({"from": "08:20", "until": "09:10"}, [0, 70, 100]),
        ({"from": "08:20", "until": "09:10", "channels": ["spoken"]}, [0, 30, 60, 90]),
    ],
    ids=["all channels rest", "only a telephone rests"],
)
def test_in_quiet_hours_a_reminder_waits(tmp_path: Path, hours: Any, sent: list[int]) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        await until(office, 40)
        assert not office.engine.world.notices.reminding, "nothing is made that can only wait"
        await until(office, 105)

    assert [minute for minute, _, _ in played(tmp_path, made(hours), play)] == sent


def test_one_that_nobody_takes_is_tried_again_and_dropped_when_it_is_over(tmp_path: Path) -> None:
    """08:30 the relay is down ── 08:40 it is over ── nothing more is sent"""

    async def answer(to: str, message: Message) -> Receipt:
        if message.payload["kind"] == "reminder":
            raise Failed("451 not now")
        return Receipt(said="250")

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty")
        await until(office, 40)
        await over(office, "E-000001")
        await asyncio.sleep(1)
        tried = len(side.sent)
        assert tried > 2, "it is tried again, as any other"
        await until(office, 150)
        assert len(side.sent) == tried
        (kept,) = office.db.execute("SELECT state FROM notices WHERE id LIKE '%.reminder-1.%'")
        assert kept[0] == NoticeState.OVERTAKEN.value

    played(tmp_path, made(), play, answer)


def test_two_thousand_that_last_are_one_reminder(tmp_path: Path) -> None:
    async def play(office: Office, side: Scripted) -> None:
        await office.owe("acme", "duty", 2_000)
        await until(office, 55)

    sent = played(tmp_path, made(), play)

    reminders = [entry for entry in sent if entry[1] == "reminder"]
    assert [entry[2] for entry in reminders] == [50]
