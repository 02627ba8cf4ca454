"""What goes first where there is not room for all: first notices, whatever else there is to say to others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from hostwatch import whatnext
from hostwatch.channels import base
from hostwatch.channels.base import Message, Receipt
from hostwatch.core.budget import Budget
from hostwatch.core.emergency import Notice, NoticeState, notice_id
from hostwatch.core.notice import Kind
from hostwatch.core.turns import Tier
from hostwatch.core.world import Decision
from tests.outbox.office import WITHIN, Office, Scripted, Site, simulate, site


def town(small: int, people: int) -> Site:
    """Customers with two people each, and one with many."""
    found = site({**{f"c{n}": [{"simulated": f"c{n}"}] for n in range(small)}, "big": [{"simulated": "big"}]})
    for place, one in enumerate(found["customers"]):
        one["devices"][0]["address"] = f"10.0.{place // 200}.{place % 200 + 1}"
        one["contacts"] = [
            {"id": f"p{n}", "name": "P", "channels": [{"simulated": one["id"]}]}
            for n in range(people if one["id"] == "big" else 2)
        ]
    return found


async def recover(office: Office, names: list[str]) -> None:
    """All is well again of which these told."""
    now, ends = office.clock.now(), list[Notice]()
    for name in names:
        first = office.notice(name)
        (story,) = first.stories
        ends.append(
            replace(
                first,
                id=notice_id(story.reference, "recovery", first.customer, first.contact),
                kind="recovery",
                stories=(replace(story, last_miss=now - timedelta(minutes=5), first_answer=now),),
                created_at=now,
                duty=None,
                after=name,
                state=NoticeState.PENDING,
                settled_at=None,
                attempts=(),
            )
        )
    await office.engine.do(lambda world, now: Decision(notices=tuple(ends)))


def test_each_kind_of_notice_has_its_place() -> None:
    kinds = sorted(get_args(Kind), key=lambda kind: whatnext.TIERS.get(kind, Tier.CONTACT_DATA))
    assert " < ".join(kinds) == (
        "emergency < update < recovery < withdrawn < correction < warning < cleared < reminder"
        " < running < verification < contact-changed < contact-failing < exercise"
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("tens", [2, pytest.param(20, marks=pytest.mark.long)])
def test_no_first_notice_is_late_because_others_are_well_again(
    tens: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """0:00 all are owed, for 13:20 of sending ── 3:20 half of the small ones are well again ── 13:20 all told

    The one with many people has something under way all the time; whoever is well again has nothing.
    """
    small, people = 10 * tens, 20 * tens
    every = timedelta(minutes=15) * 8 / 9 / (2 * small + people)
    monkeypatch.setattr(base.Channel, "budget", Budget(messages=1, every=every))

    async def answer(to: str, message: Message) -> Receipt:
        await asyncio.sleep(min(every.total_seconds() * 1.5, 20))
        return Receipt("202")

    async def play(office: Office, side: Scripted) -> None:
        first = [
            name
            for customer, count in [*((f"c{n}", 2) for n in range(small)), ("big", people)]
            for person in range(count)
            for name in await office.owe(customer, f"p{person}")
        ]
        await asyncio.sleep(200)
        await recover(office, first[:small])
        await office.until(lambda: not office.engine.world.pending())

        alone = [second for second, _, message in side.sent if ".recovery." in message.key]
        firsts = [second for second, _, message in side.sent if ".emergency." in message.key]
        assert len(firsts) == 2 * small + people
        assert alone, "some were told of the beginning by then"
        assert max(firsts) < min(alone)
        assert max(firsts) < WITHIN.total_seconds()
        duties = office.engine.world.duties.values()
        assert all(duty.met_at is not None and duty.breached_at is None for duty in duties)

    simulate(tmp_path, town(small, people), answer, play)
