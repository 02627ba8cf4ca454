"""The figures of a month: by the field's rule, cut at the site's midnights, and never out of nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import facts
from hostwatch.core.calendar import Month
from hostwatch.core.timeline import Span
from hostwatch.core.traffic import DAY_STEPS, NOTHING, STEP_S, Figure, Passed
from hostwatch.sla.holding import Holding, carried, holdings
from hostwatch.sla.traffic import bits, days, figure, series, steps, together

NOVEMBER = Month(2026, 11).span(UTC)
FIRST = NOVEMBER.start // STEP_S
MBPS = 37_500_000
"""As many octets pass at a megabit a second in five minutes."""


def hours(count: float) -> Span:
    return Span(NOVEMBER.start, NOVEMBER.start + int(count * 3600))


def passed(*received: int | None, sent: int = 0) -> dict[int, Passed]:
    """What passed in the first five minutes of November, and on; None: nobody knows."""
    return {FIRST + place: Passed(one, sent) for place, one in enumerate(received) if one is not None}


def test_the_rule_of_the_field() -> None:
    """Of 8,640 figures of November the highest 432 are left out: bursts of 36 hours cost nothing."""
    for bursts, bills in ((432, 1_000_000), (433, 1_000_000_000)):
        octets = [1_000 * MBPS] * bursts + [MBPS] * (8_640 - bursts)
        found = figure(passed(*octets), NOVEMBER)
        assert found.steps == found.known == 8_640
        assert found.billed == bills
        assert found.received is not None
        assert found.received.maximum == 1_000_000_000


TABLE = """
figures of 5 minutes, Mbit/s                              p95   average   maximum
7                                                           7         7         7
1 2                                                         2         1         2
1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19            19        10        19
1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20         19        10        20
20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1         19        10        20
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 900                   0        45       900
"""
"""Of twenty figures one is left out, of fewer none."""


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:])
def test_a_table_of_figures(row: str) -> None:
    *octets, p95, average, maximum = (int(one) for one in row.split())
    way = figure(passed(*(one * MBPS for one in octets)), NOVEMBER).received
    assert way is not None
    assert [one // 1_000_000 for one in (way.p95, way.average, way.maximum)] == [p95, average, maximum]


def test_the_greater_way_bills_and_each_is_reckoned_apart() -> None:
    out = figure({FIRST: Passed(3 * MBPS, 9 * MBPS), FIRST + 1: Passed(8 * MBPS, 1 * MBPS)}, NOVEMBER)
    assert out.billed == 9_000_000, "and not the 11 that both ways carried together"
    assert (out.octets_received, out.octets_sent) == (11 * MBPS, 10 * MBPS)


def test_what_nobody_knows_is_left_out_and_counted() -> None:
    some = figure(passed(*[MBPS, None] * 10), hours(2))
    assert (some.steps, some.known, some.missing) == (24, 10, 14)
    assert some.received is not None
    assert some.received.average == 1_000_000, "and no zero"
    none = figure({}, hours(2))
    assert (none.billed, none.received, none.missing) == (None, None, 24)


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=300))
def test_the_percentile_is_a_figure_and_at_most_one_in_twenty_is_above(octets: list[int]) -> None:
    way = figure(passed(*octets), NOVEMBER).received
    assert way is not None
    assert way.p95 in {bits(one) for one in octets}
    assert sum(bits(one) > way.p95 for one in octets) * 20 <= len(octets)
    assert way.average <= way.maximum
    assert way.p95 <= way.maximum


def rows(port: str, numbers: range) -> list[tuple[int, str, bytes]]:
    """The rows of the store, with one octet in each of some five minutes."""
    found: dict[int, bytearray] = {}
    for number in numbers:
        row = found.setdefault(number // DAY_STEPS, bytearray(NOTHING * DAY_STEPS))
        at = number % DAY_STEPS * len(NOTHING)
        row[at : at + len(NOTHING)] = Figure(port, number, Passed(1, 1)).code
    return [(day, port, bytes(row)) for day, row in found.items()]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York"])
def test_a_month_is_cut_by_the_zone_of_the_site(zone: str) -> None:
    """In New York November has an hour more."""
    span = Month(2026, 11).span(ZoneInfo(zone))
    wanted = steps(span)
    assert len(wanted) == (30 * 24 + (zone == "America/New_York")) * 12
    assert wanted.start * STEP_S == span.start
    around = range(wanted.start - 500, wanted.stop + 500)
    first, last = days(span)
    kept = [row for row in rows("sw-1/7", around) if first <= row[0] < last]
    assert sorted(series(kept, span)["sw-1/7"]) == list(wanted)


def test_ports_together_are_their_sums_where_all_are_known() -> None:
    one, other = passed(1, 2, None, 4, sent=1), passed(10, None, 30, 40, sent=2)
    assert together([one, other]) == {FIRST: Passed(11, 3), FIRST + 3: Passed(44, 3)}
    assert together([one]) == one
    assert together([]) == {}


def at(minutes: float) -> datetime:
    return datetime.fromtimestamp(NOVEMBER.start, UTC) + timedelta(minutes=minutes)


def changed(minutes: float, device: str, customer: str, ports: str, state: str = "in-service") -> facts.Fact:
    body = {"address": "192.0.2.1", **({"place": {"ports": ports}} if ports else {"place": None})}
    return facts.PopulationChanged(
        at=at(minutes), thing="device", name=device, customer=customer, state=state, body=body
    )


def test_who_hung_on_which_port_when() -> None:
    """web-1 moves to another port, is another customer's, and goes."""
    record = [
        changed(-90, "web-1", "acme", "sw-1/7"),
        changed(0, "web-2", "acme", "any(sw-1/8,sw-2/8)"),
        facts.BlindBegan(at=at(1), why="late", detail="loop"),
        changed(10, "web-1", "acme", "sw-1/9"),
        changed(22, "web-1", "bolt", "sw-1/9"),
        changed(40, "web-1", "bolt", "sw-1/9", "removed"),
        changed(50, "web-3", "bolt", ""),
        changed(50, "web-4", "bolt", "sw-1/4", "ordered"),
    ]
    found = {(one.device, one.customer, one.ports): one.steps(hours(1)) for one in holdings(record)}
    assert {key: (numbers.start - FIRST, numbers.stop - FIRST) for key, numbers in found.items()} == {
        ("web-1", "acme", ("sw-1/7",)): (0, 2),
        ("web-1", "acme", ("sw-1/9",)): (2, 4),
        ("web-1", "bolt", ("sw-1/9",)): (5, 8),
        ("web-2", "acme", ("sw-1/8", "sw-2/8")): (0, 12),
    }


def test_a_port_that_changes_hands_is_told_of_each_for_its_own_time() -> None:
    held = [
        Holding(device="web-1", customer="acme", ports=("sw-1/7",), since=at(-9), until=at(12)),
        Holding(device="web-2", customer="bolt", ports=("sw-1/7",), since=at(12)),
    ]
    by_port = {"sw-1/7": passed(1, 2, 3, 4, 5)}
    mine, expected = carried(held[:1], by_port, hours(0.5))
    assert ([one.received for one in mine.values()], expected) == ([1, 2], 2)
    theirs, expected = carried(held[1:], by_port, hours(0.5))
    assert ([one.received for one in theirs.values()], expected) == ([4, 5], 3)


def test_a_port_that_devices_of_one_customer_share_is_counted_once() -> None:
    held = [
        Holding(device="web-1", customer="acme", ports=("sw-1/7", "sw-2/7"), since=at(0)),
        Holding(device="web-2", customer="acme", ports=("sw-1/7",), since=at(5)),
    ]
    by_port = {"sw-1/7": passed(1, 2, 3), "sw-2/7": passed(10, 20, None)}
    known, expected = carried(held, by_port, hours(0.25))
    assert ([one.received for one in known.values()], expected) == ([11, 22], 3)


def test_a_port_that_nobody_asks_about_leaves_no_figure_of_its_device() -> None:
    held = [Holding(device="web-1", customer="acme", ports=("sw-1/7", "sw-9/1"), since=at(0))]
    assert carried(held, {"sw-1/7": passed(1, 2, 3)}, hours(0.25)) == ({}, 3)
