"""From the pings to the telephone: what happened, who was told what by what, and what stands on record.

Each story is a picture of its evening. acme-1 is pinged every five minutes; it misses at 00:10 and at 00:15,
which is the verdict, and Acme is to be told by 00:30. What is sent, and what is recorded of the duty, follows
from that alone. The operator's people, noc, have a way of their own.
"""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hostwatch.channels.base import Failed, Message, Receipt, Refused
from hostwatch.core import acknowledging, breachreason, facts, judge
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.reading import Outcome, Reading
from hostwatch.store.ledger import facts_of
from tests.outbox.office import START, Office, Scripted, Site, simulate, site

SIGNAL = "acme-1/ping@main"
MISSES = (10, 15)
Answer = Callable[[str, int], str]
"""What an address says in a minute: an answer that begins with 2, 4 or 5, as mail relays do."""


def made(*people: str, **terms: Any) -> Site:
    """Acme's people, each with so many ways: `duty: mail sms`; and the operator's."""
    found = site({"acme": [], "dc": [{"simulated": "noc"}]}, operator="dc")
    acme = found["customers"][0]
    acme["terms"] = {"interval": "5m", **terms}
    acme["contacts"] = [
        {
            "id": who,
            "name": who.title(),
            "channels": [{"simulated": f"{who}'s {way}"} for way in ways.split()],
        }
        for who, _, ways in (one.partition(": ") for one in people)
    ]
    return found


def clock(when: datetime) -> str:
    """The time since the beginning, as a clock shows it."""
    seconds = round((when - START).total_seconds())
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")


async def until(office: Office, minute: float) -> None:
    await asyncio.sleep(minute * 60 - (office.clock.now() - START).total_seconds())


async def look(office: Office, minute: int, outcome: Outcome) -> None:
    """The device is pinged."""
    await until(office, minute)
    at = office.clock.now()
    one = Reading(signal=SIGNAL, at=at, known_at=at, outcome=outcome, why="no answer")
    await office.engine.do(
        lambda world, now: replace(judge.readings(world, None, [one], closes=True, now=now), alive_at=now)
    )


async def has_it(office: Office, contact: str) -> None:
    """One of Acme's people says that they have it."""
    said = Acknowledgement(
        customer="acme", contact=contact, who="Chen", how=How.CLI, actor="me", at=office.clock.now()
    )
    await office.engine.do(lambda world, now: acknowledging.acknowledge(world, "E-000001", said, now))


def recorded(office: Office) -> list[tuple[datetime, str]]:
    """What stands on record of the duties to Acme."""
    found = []
    for fact in facts_of(office.db):
        match fact:
            case facts.EmergencyOpened():
                found.append((fact.at, "verdict"))
            case facts.DutyMet(duty=duty) | facts.CustomerDutyMet(duty=duty):
                found.append((fact.at, f"{_whose(duty)} told" + (", late" if fact.late else "")))
            case facts.DutyBreached(duty=duty) | facts.CustomerDutyBreached(duty=duty):
                found.append((fact.at, f"{_whose(duty)} not told in time: a breach"))
            case facts.BreachExplained(duty=duty) if "customer" in duty:
                found += [(fact.at, f"  since {breachreason.words_of(one)}") for one in fact.reasons]
            case facts.Acknowledged():
                found.append((fact.at, f"{fact.contact} has it"))
    return found


def _whose(duty: str) -> str:
    return "Acme" if ".customer." in duty else duty.rpartition(".")[2]


def drawn(lines: list[tuple[datetime, str]]) -> str:
    """What was sent and what was recorded, by the clock; tries in vain at the first of them."""
    times: dict[str, list[datetime]] = {}
    for when, what in sorted(lines, key=lambda line: (line[0], what_first(line[1]))):
        times.setdefault(what if "✘" in what else f"{what}\0{when}", []).append(when)
    return "\n".join(f"{_when(found)} {what.partition(chr(0))[0]}" for what, found in times.items())


def what_first(line: str) -> int:
    """Of one instant: the verdict, what is sent, what comes of it."""
    return 0 if line == "verdict" else 1 if line.startswith("▶") else 2


def _when(times: list[datetime]) -> str:
    first, last = clock(times[0]), clock(times[-1])
    return (first if first == last else f"{first} … {last}") + (f" {len(times)} ×" if len(times) > 1 else "")


def played(
    folder: Path,
    on: Site,
    says: Answer,
    *,
    ends: int,
    then: Callable[[Office], Awaitable[None]] | None = None,
) -> str:
    """The evening as it went."""
    lines: list[tuple[datetime, str]] = []
    pictures: list[str] = []
    now: list[Callable[[], datetime]] = []

    async def answer(to: str, message: Message) -> Receipt:
        at = now[0]()
        said = says(to, int((at - START) / timedelta(minutes=1)))
        marks = "".join(mark for mark in ("[repeat] ", "[late] ") if mark.strip() in message.subject)
        about = message.payload.get("kind", "")
        lines.append((at, f"▶ {to}: {marks}{about}{'' if said.startswith('2') else f' ✘ {said}'}"))
        if said.startswith("5"):
            raise Refused(said)
        if said.startswith("4"):
            raise Failed(said)
        return Receipt(said)

    async def story(office: Office, side: Scripted) -> None:
        now.append(office.clock.now)
        await look(office, 5, Outcome.ANSWERED)
        for minute in MISSES:
            await look(office, minute, Outcome.MISSED)
        if then is not None:
            await then(office)
        await until(office, ends)
        pictures.append(drawn([*recorded(office), *lines]))

    simulate(folder, on, answer, story)
    return pictures[0]


def picture(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_a_relay_that_greylists_for_twelve_minutes(tmp_path: Path) -> None:
    """What the relay takes at last may be the second. No report of delivery comes: that is a breach."""

    def says(to: str, minute: int) -> str:
        return "451 greylisted" if to == "duty's mail" and minute < 27 else "250 taken"

    assert played(tmp_path, made("duty: mail sms", met_by="delivered"), says, ends=31) == picture("""
        00:15 verdict
        00:15 … 00:18:45 5 × ▶ duty's mail: emergency ✘ 451 greylisted
        00:20 ▶ noc: warning
        00:20 ▶ duty's sms: emergency
        00:25 ▶ noc: warning
        00:25 … 00:26:45 4 × ▶ duty's mail: [repeat] emergency ✘ 451 greylisted
        00:28:45 ▶ duty's mail: [repeat] emergency
        00:30 ▶ noc: warning
        00:30 ▶ duty's sms: [repeat] emergency
        00:30 duty not told in time: a breach
        00:30 Acme not told in time: a breach
        00:30   since 9 × simulated to duty not accepted
        00:30 2 ×   since 1 × simulated to duty taken and not proven enough
        """)


def test_a_provider_that_is_down(tmp_path: Path) -> None:
    """It does not answer: the next channel after five minutes. It refuses: the next at once."""

    def away(to: str, minute: int) -> str:
        return "421 no answer" if to.endswith("sms") else "250 taken"

    def refuses(to: str, minute: int) -> str:
        return "550 no account" if to.endswith("sms") else "250 taken"

    assert played(tmp_path, made("duty: sms mail"), away, ends=90) == picture("""
        00:15 verdict
        00:15 … 00:18:45 5 × ▶ duty's sms: emergency ✘ 421 no answer
        00:20 ▶ noc: warning
        00:20 ▶ duty's mail: emergency
        00:20 duty told
        00:20 Acme told
        00:20 ▶ noc: cleared
        """)
    assert played(tmp_path, made("duty: sms mail"), refuses, ends=90) == picture("""
        00:15 verdict
        00:15 ▶ duty's sms: emergency ✘ 550 no account
        00:15 ▶ duty's mail: emergency
        00:15 duty told
        00:15 Acme told
        """)


def test_all_channels_of_a_customer_are_dead(tmp_path: Path) -> None:
    """Operators hear of it with 10 and 5 minutes left, breaches are on record at 00:30; telling goes on."""

    def says(to: str, minute: int) -> str:
        return "250 taken" if to == "noc" or (to == "boss's mail" and minute >= 50) else "451 not now"

    assert played(tmp_path, made("duty: mail sms", "boss: mail"), says, ends=55) == picture("""
        00:15 verdict
        00:15 … 00:29:30 9 × ▶ duty's mail: emergency ✘ 451 not now
        00:15 … 00:26:45 7 × ▶ boss's mail: emergency ✘ 451 not now
        00:20 ▶ noc: warning
        00:20 … 00:23:45 5 × ▶ duty's sms: emergency ✘ 451 not now
        00:25 ▶ noc: warning
        00:30 ▶ noc: warning
        00:30 duty not told in time: a breach
        00:30 boss not told in time: a breach
        00:30 Acme not told in time: a breach
        00:30   since 9 × simulated to duty not accepted
        00:30   since 5 × simulated to duty not accepted
        00:30   since 7 × simulated to boss not accepted
        00:30:45 … 00:46:45 5 × ▶ boss's mail: [late] emergency ✘ 451 not now
        00:31:30 … 00:54 9 × ▶ duty's mail: [late] emergency ✘ 451 not now
        00:32:45 … 00:49:15 10 × ▶ duty's sms: [late] emergency ✘ 451 not now
        00:50:45 ▶ boss's mail: [late] emergency
        00:50:45 boss told, late
        00:50:45 Acme told, late
        00:50:45 3 × ▶ noc: cleared
        """)


def test_who_has_it_at_00_20_is_told_no_further_and_another_who_was_not_told_is(tmp_path: Path) -> None:
    """duty has it as the SMS leaves: no call follows. boss was not told: that goes on, and is a breach."""

    def says(to: str, minute: int) -> str:
        return "451 not now" if to == "boss's mail" and minute < 40 else "250 taken"

    async def then(office: Office) -> None:
        await until(office, 20.1)
        await has_it(office, "duty")

    on = made("duty: mail sms call", "boss: mail", met_by="acknowledged")
    assert played(tmp_path, on, says, ends=60, then=then) == picture("""
        00:15 verdict
        00:15 ▶ duty's mail: emergency
        00:15 … 00:26:45 7 × ▶ boss's mail: emergency ✘ 451 not now
        00:20 ▶ noc: warning
        00:20 ▶ duty's sms: [repeat] emergency
        00:20:06 ▶ noc: cleared
        00:20:06 duty has it
        00:20:06 duty told
        00:20:06 Acme told
        00:30 boss not told in time: a breach
        00:30:45 … 00:38:45 3 × ▶ boss's mail: [late] emergency ✘ 451 not now
        00:42:45 ▶ boss's mail: [late] emergency
        """)


def test_one_message_tells_what_was_over_before_anybody_was_told(tmp_path: Path) -> None:
    """The relay is away until 00:25; the device answers at 00:20."""

    def says(to: str, minute: int) -> str:
        return "451 not now" if to == "duty's mail" and minute < 25 else "250 taken"

    async def then(office: Office) -> None:
        await look(office, 20, Outcome.ANSWERED)

    assert played(tmp_path, made("duty: mail"), says, ends=60, then=then) == picture("""
        00:15 verdict
        00:15 … 00:18:45 5 × ▶ duty's mail: emergency ✘ 451 not now
        00:20 ▶ noc: warning
        00:22:45 ▶ duty's mail: recovery ✘ 451 not now
        00:25 ▶ noc: warning
        00:26:45 ▶ duty's mail: recovery
        00:26:45 duty told
        00:26:45 Acme told
        00:26:45 2 × ▶ noc: cleared
        """)
