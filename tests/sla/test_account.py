"""The account against a second, dumber one: an array with a cell for each second (T1, T2, T3, T9)."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core.instant import EPOCH
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.account import Account, Downtime, account, percent
from hostwatch.sla.records import DeviceHistory, Ending, SilenceRecord, Tenure

LENGTH = 60
moments = st.integers(0, LENGTH * 1_000_000).map(lambda us: EPOCH + timedelta(microseconds=us))
places = st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH)).map(sorted).map(tuple)
spans = places.map(lambda pair: Span(*pair))


@st.composite
def silences(draw):
    last_answer, first_miss, last_miss, until = sorted(draw(st.tuples(*[moments] * 4)))
    return SilenceRecord(
        signal="d/ping@main",
        last_answer=last_answer,
        first_miss=first_miss,
        last_miss=last_miss,
        until=until,
        ending=draw(st.sampled_from(Ending)),
        confirmed=draw(st.booleans()),
    )


@st.composite
def devices(draw):
    tenures = tuple(
        Tenure(customer="c", device="d", address="a", signal="d/ping@main", watched=True, span=span)
        for span in draw(st.lists(spans, max_size=3))
    )
    return DeviceHistory(
        customer="c",
        device="d",
        tenures=tenures,
        unknown=Timeline.of(draw(st.lists(spans, max_size=3))),
        silences=tuple(draw(st.lists(silences(), max_size=4))),
    )


rules = st.builds(Downtime, confirmed_only=st.booleans(), longer_than_s=st.sampled_from([0, 0, 3, 20]))


def floored(when) -> int:
    return int((when - EPOCH).total_seconds() // 1)


def by_cells(period: Span, device: DeviceHistory, rule: Downtime) -> Account:
    """The same account, one second after the other."""
    counted = dict.fromkeys((field.name for field in fields(Account)), 0)

    def silent(cell: int, begin: str, end: str) -> bool:
        for silence in device.silences:
            first, last = floored(getattr(silence, begin)), floored(getattr(silence, end))
            long_enough = last - first > rule.longer_than_s
            if first <= cell < last and long_enough and (silence.confirmed or not rule.confirmed_only):
                return True
        return False

    for cell in range(period.start, period.end):
        if not any(tenure.span.start <= cell < tenure.span.end for tenure in device.tenures):
            continue
        counted["period_s"] += 1
        if any(span.start <= cell < span.end for span in device.unknown):
            counted["unknown_s"] += 1
            counted["down_s_most"] += 1
            continue
        counted["down_s" if silent(cell, "first_miss", "until") else "up_s"] += 1
        counted["down_s_least"] += silent(cell, "first_miss", "last_miss")
        counted["down_s_most"] += silent(cell, "last_answer", "until")
    return Account(**counted)


@settings(deadline=None)
@given(spans, devices(), rules)
def test_the_sweep_agrees_with_the_cells(period, device, rule):
    assert account(period, device, rule) == by_cells(period, device, rule)


@settings(deadline=None)
@given(places, st.integers(0, LENGTH), devices(), rules)
def test_a_period_split_anywhere_loses_nothing(period, cut, device, rule):
    start, end = period
    cut = min(max(cut, start), end)

    parts = account(Span(start, cut), device, rule) + account(Span(cut, end), device, rule)

    assert parts == account(Span(start, end), device, rule)


@settings(deadline=None)
@given(devices())
def test_the_bounds_enclose_the_figure(device):
    made = account(Span(0, LENGTH), device)

    if made.unknown_s < made.period_s:
        assert made.availability_lower is not None
        assert made.availability is not None
        assert made.availability_upper is not None
        assert made.availability_lower <= made.availability <= made.availability_upper
    else:
        assert made.availability is made.availability_lower is made.availability_upper is None


@settings(deadline=None)
@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_percentage_is_rounded_down(part, more):
    whole = part + more

    shown = percent(part, whole)

    assert shown < 100, "what is not whole is never shown as whole"
    exact_shown = int(shown.scaleb(4))
    assert exact_shown * whole <= part * 10**6 < (exact_shown + 1) * whole
    assert shown.as_tuple().exponent == -4


def test_one_second_of_a_month_is_seen():
    assert percent(2_678_399, 2_678_400) == Decimal("99.9999")
    assert percent(2_678_400, 2_678_400) == Decimal("100.0000")


@pytest.mark.parametrize(
    "wrong",
    [
        {"period_s": 2, "up_s": 1},
        {"period_s": 1, "up_s": 2, "down_s": -1},
        {"period_s": 1, "up_s": 1, "down_s_least": 1, "down_s_most": 1},
        {"period_s": 1, "down_s": 1, "down_s_most": 0},
    ],
)
def test_an_account_that_does_not_add_up_cannot_be_made(wrong):
    with pytest.raises(AssertionError):
        Account(**wrong)
