"""Running notices from the configuration to what leaves: a device flaps on the simulated clock."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hostwatch.channels.base import Message, Receipt
from hostwatch.core import judge
from hostwatch.core.emergency import NoticeState
from hostwatch.core.reading import Outcome, Reading
from hostwatch.flapping import Flapping
from tests.outbox.office import START, Office, Scripted, Site, simulate, site

SIGNAL = "acme-1/ping@main"
TERMS = {"after": 2, "within": "1h", "calm_after": "30m", "every": "20m"}


async def accepts(to: str, message: Message) -> Receipt:
    return Receipt(said="250")


def made(**terms: Any) -> Site:
    found = site({"acme": [{"simulated": "mail"}]})
    found["customers"][0]["terms"] = {"interval": "1m", **terms}
    found["notices"] = {"gather": "0s"}
    return found


async def look(office: Office, minute: int, outcome: Outcome) -> None:
    """The device is looked at."""
    await until(office, minute)
    at = office.clock.now()
    one = Reading(signal=SIGNAL, at=at, known_at=at, outcome=outcome, why="no answer")
    await office.engine.do(
        lambda world, now: replace(judge.readings(world, None, [one], closes=True, now=now), alive_at=now)
    )


async def until(office: Office, minute: int) -> None:
    await asyncio.sleep(minute * 60 - (office.clock.now() - START) / timedelta(seconds=1))


async def down(office: Office, minute: int) -> None:
    """Silent from a minute on; the verdict falls at the next."""
    for later, outcome in enumerate((Outcome.ANSWERED, Outcome.MISSED, Outcome.MISSED)):
        await look(office, minute + later, outcome)


def played(folder: Path, on: Site, *, ends: int = 120) -> list[tuple[int, str]]:
    """Down four times, then calm: what was sent at which minute."""
    sent: list[tuple[int, str]] = []

    async def story(office: Office, side: Scripted) -> None:
        task = asyncio.create_task(Flapping(office.engine, office.clock).run())
        for minute in (1, 11, 21, 31):
            await down(office, minute)
            await look(office, minute + 5, Outcome.ANSWERED)
            kept = (await office.writer.load()).running
            assert kept == office.engine.world.running, "a restart knows what this process knows"
        await until(office, ends)
        assert not task.done()
        task.cancel()
        world = await office.writer.load()
        assert (world.emergencies, world.running.open) == ({}, {})
        states = [state for (state,) in office.db.execute("SELECT state FROM notices ORDER BY id")]
        spared = 2 if "running_notice" in on["customers"][0]["terms"] else 0
        assert states.count(NoticeState.RUNNING.value) == spared
        sent.extend((round(second) // 60, message.payload["kind"]) for second, _, message in side.sent)

    simulate(folder, on, accepts, story)
    return sent


def test_without_the_term_all_is_told(tmp_path: Path) -> None:
    assert [kind for _, kind in played(tmp_path, made())] == ["emergency", "recovery"] * 4


def test_with_it_there_are_summaries(tmp_path: Path) -> None:
    """Minute 13: the second, which says so ── 33: a summary ── 53: another ── 66: calm for 30 minutes"""
    assert played(tmp_path, made(running_notice=TERMS)) == [
        (3, "emergency"),
        (6, "recovery"),
        (13, "emergency"),
        (16, "recovery"),
        (33, "running"),
        (53, "running"),
        (66, "running"),
    ]
