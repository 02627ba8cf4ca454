"""A hundred device-years of the pure core, against sums made from the script by arithmetic alone."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hostwatch.core.calendar import Month
from hostwatch.core.instant import second
from hostwatch.core.reading import Outcome
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.account import Books
from hostwatch.sla.history import fold
from hostwatch.sla.month import month
from hostwatch.sla.records import History
from tests.simulation.years import INTERVAL, START, Years, life

YEAR = timedelta(days=365)


def slots(ran: Years, name: str) -> list[tuple[int, int, Outcome]]:
    """Each stretch of like readings, from its first slot to the first slot of the next."""
    changes = [*ran.lives[name], (START + ran.length, Outcome.UNKNOWN)]
    found, slot = [], ran.phase(name)
    for (_, outcome), (until, _) in pairwise(changes):
        first = slot
        while slot < until:
            slot += max((until - slot) // INTERVAL, 1) * INTERVAL
        if first < slot:
            found.append((second(first), second(slot), outcome))
    return found


def expected(ran: Years, name: str, until: int) -> tuple[Timeline, Timeline]:
    """Unknown and down seconds: J2 and J3 on stretches instead of readings."""
    stretches = slots(ran, name)
    unknown = [Span(second(START), stretches[0][0])]
    down, silent = [], None
    for start, end, outcome in stretches:
        if outcome is Outcome.UNKNOWN:
            unknown.append(Span(start, end))
        elif outcome is Outcome.MISSED:
            silent = start if silent is None else silent
        elif silent is not None:
            down.append(Span(silent, start))
            silent = None
    if silent is not None:
        down.append(Span(silent, until))
    gone, whole = Timeline.of(unknown), Timeline.between(0, until)
    return gone & whole, (Timeline.of(down) - gone) & whole


def books(ran: Years) -> History:
    """The account until the last slot that everybody has had."""
    return fold(ran.record, ran.world.signals, ran.world.blind, START + ran.length)


def test_coasting_is_the_same_as_looking_each_time() -> None:
    for seed in range(20):
        lives = {"d": life(random.Random(seed), timedelta(days=6), 12)}
        coasting = Years(lives=lives, length=timedelta(days=6), seed=seed).run()
        looking = Years(lives=lives, length=timedelta(days=6), seed=seed, every=True).run()
        assert coasting.record == looking.record, f"seed {seed}"
        assert coasting.world.signals == looking.world.signals, f"seed {seed}"
        assert coasting.observed < looking.observed == looking.stood_for


def test_a_hundred_device_years() -> None:
    """Over ten million looks. Each device's seconds are those that the script makes by arithmetic."""
    dice = random.Random(7)
    ran = Years(lives={f"d{n}": life(dice, YEAR, 40) for n in range(100)}, length=YEAR).run()
    assert ran.stood_for > 10_000_000
    history, end = books(ran), second(START + YEAR)
    for device in history.devices:
        found = Books.of(Span(0, end), device)
        unknown, down = expected(ran, device.device, end)
        assert found.period.total == 365 * 86400
        late = Timeline.of([Span(end - 700, end)])  # the last reading may not speak to the very end
        assert found.unknown - late == unknown - late, device.device
        assert found.down - late == down - late, device.device


def test_twelve_months_make_the_year() -> None:
    dice = random.Random(8)
    ran = Years(lives={f"d{n}": life(dice, YEAR, 40) for n in range(10)}, length=YEAR).run()
    history = books(ran)
    for zone in ("UTC", "Europe/Berlin", "America/St_Johns"):
        total = dict.fromkeys(("period_s", "up_s", "down_s", "unknown_s"), 0)
        for number in (Month(2025, 12), *(Month(2026, n) for n in range(1, 13)), Month(2027, 1)):
            try:
                report = month(history, number, ZoneInfo(zone), site="s", as_of_seq=0, as_of=None)
            except ValueError:
                continue
            for row in report.rows:
                for name in total:
                    total[name] += getattr(row.account, name)
        whole = [Books.of(Span(0, second(START + YEAR)), device).account() for device in history.devices]
        assert total == {name: sum(getattr(a, name) for a in whole) for name in total}, zone
