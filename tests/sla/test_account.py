"""The account against a second, dumber one: an array with a cell for each second (T1, T2, T3, T9)."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core.instant import EPOCH
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla import backbone, power
from hostwatch.sla.account import Account, Books, Downtime, account, percent
from hostwatch.sla.records import (
    DeviceHistory,
    Ending,
    Hanging,
    Reach,
    SilenceRecord,
    SupplyHistory,
    Tenure,
    UplinkHistory,
)

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


@st.composite
def uplinks(draw):
    return UplinkHistory(
        uplink="u",
        name="U",
        service=Timeline.of(draw(st.lists(spans, max_size=2))),
        unknown=Timeline.of(draw(st.lists(spans, max_size=3))),
        silences=tuple(draw(st.lists(silences(), max_size=4))),
    )


@st.composite
def ports(draw):
    """Devices on up to three uplinks, one after the other, with stretches on none."""
    cuts = sorted(draw(st.lists(st.integers(0, LENGTH), min_size=4, max_size=4)))
    pieces = [Timeline.of([Span(start, end)]) for start, end in pairwise(cuts)]
    ways = [(span, draw(uplinks())) for span in pieces if draw(st.booleans())]
    reaches = tuple(Reach(uplink=uplink, span=span & uplink.service) for span, uplink in ways)
    return replace(draw(devices()), reaches=reaches)


def holds(timeline: Timeline, cell: int) -> bool:
    return any(span.start <= cell < span.end for span in timeline)


def states(
    cell: int, device: DeviceHistory, rule: Downtime, begin: str, end: str
) -> tuple[bool | None, list[bool | None]]:
    """Whether the device, and each uplink that it is on, was silent; None where nobody knows."""

    def state(one: DeviceHistory | UplinkHistory | SupplyHistory) -> bool | None:
        if holds(one.unknown, cell):
            return None
        lengths = [(floored(getattr(s, begin)), floored(getattr(s, end)), s.confirmed) for s in one.silences]
        return any(
            first <= cell < last
            and last - first > rule.longer_than_s
            and (confirmed or not rule.confirmed_only)
            for first, last, confirmed in lengths
        )

    ways = [state(reach.uplink) for reach in device.reaches if holds(reach.span, cell)]
    return state(device), ways or [state(on.supply) for on in device.hanging if holds(on.span, cell)]


def carrier_by_cells(period: Span, device: DeviceHistory, rule: Downtime) -> Account:
    """Whether the carrier could be reached, one second after the other."""
    counted = dict.fromkeys((field.name for field in fields(Account)), 0)
    for cell in range(period.start, period.end):
        if not holds(device.service, cell):
            continue
        counted["period_s"] += 1
        own, ways = states(cell, device, rule, "first_miss", "until")
        if not ways:
            what = "unknown_s"
        else:
            both = (own, *ways)
            what = "down_s" if True in both else "unknown_s" if None in both else "up_s"
            least, most = (
                states(cell, device, rule, *bounds)
                for bounds in (("first_miss", "last_miss"), ("last_answer", "until"))
            )
            counted["down_s_least"] += True in (least[0], *least[1])
            counted["down_s_most"] += what != "unknown_s" and True in (most[0], *most[1])
        counted[what] += 1
        counted["down_s_most"] += what == "unknown_s"
    return Account(**counted)


@settings(deadline=None)
@given(spans, ports(), rules)
def test_the_reach_of_the_carrier_agrees_with_the_cells(period, device, rule):
    assert backbone.books(period, device, rule).account() == carrier_by_cells(period, device, rule)


@settings(deadline=None)
@given(spans, ports(), rules)
def test_what_is_down_inside_is_down_for_the_carrier_where_somebody_looked(period, device, rule):
    inside, outside = Books.of(period, device, rule), backbone.books(period, device, rule)
    looked = backbone.measured(period, device)

    assert not (inside.down & looked) - outside.down
    assert not outside.down - looked
    assert not (inside.period - looked) - outside.unknown


@settings(deadline=None)
@given(places, st.integers(0, LENGTH), ports(), rules)
def test_the_reach_of_the_carrier_split_anywhere_loses_nothing(period, cut, device, rule):
    start, end = period
    cut = min(max(cut, start), end)

    whole, before, after = (
        backbone.books(Span(*part), device, rule).account()
        for part in ((start, end), (start, cut), (cut, end))
    )

    assert before + after == whole


@st.composite
def powered(draw):
    """Devices on up to three supplies, one after the other; none took the place of another."""
    cuts = sorted(draw(st.lists(st.integers(0, LENGTH), min_size=4, max_size=4)))
    hanging = []
    for start, end in pairwise(cuts):
        service = Timeline.of(draw(st.lists(spans, max_size=2)))
        begun = service.spans[0].start if service else 0
        lost = draw(st.lists(silences(), max_size=4))
        supply = SupplyHistory(
            supply="s",
            measured_at="source",
            service=service,
            unknown=Timeline.of(draw(st.lists(spans, max_size=3))),
            silences=tuple(one for one in lost if floored(one.last_answer) >= begun),
        )
        if draw(st.booleans()):
            hanging.append(Hanging(supply=supply, span=Timeline.of([Span(start, end)]) & supply.service))
    return replace(draw(devices()), hanging=tuple(hanging))


def power_by_cells(period: Span, device: DeviceHistory, rule: Downtime) -> Account:
    """Whether there was power, one second after the other; whatever is known of the device itself."""
    counted = dict.fromkeys((field.name for field in fields(Account)), 0)
    bounds = (("first_miss", "until"), ("first_miss", "last_miss"), ("last_answer", "until"))
    for cell in range(period.start, period.end):
        if not holds(device.service, cell):
            continue
        counted["period_s"] += 1
        point, least, most = (next(iter(states(cell, device, rule, *bound)[1]), None) for bound in bounds)
        counted["unknown_s" if point is None else "down_s" if point else "up_s"] += 1
        counted["down_s_least"] += least is True
        counted["down_s_most"] += most is not False
    return Account(**counted)


@settings(deadline=None)
@given(spans, powered(), rules)
def test_power_agrees_with_the_cells_and_adds_up(period, device, rule):
    made = power.books(period, device, rule).account()

    assert made == power_by_cells(period, device, rule)
    assert made.up_s + made.down_s + made.excluded_s + made.unknown_s == made.period_s


@settings(deadline=None)
@given(spans, powered(), rules)
def test_power_has_no_part_in_the_network(period, device, rule):
    without = replace(device, hanging=())

    assert account(period, device, rule) == account(period, without, rule)
    assert backbone.books(period, device, rule) == backbone.books(period, without, rule)
    assert power.books(period, device, rule).account().period_s == account(period, device, rule).period_s
    unmeasured = power.books(period, without, rule).account()
    assert unmeasured.unknown_s == unmeasured.period_s, "never up, and never down, out of missing data"


@settings(deadline=None)
@given(places, st.integers(0, LENGTH), powered(), rules)
def test_power_split_anywhere_loses_nothing(period, cut, device, rule):
    start, end = period
    cut = min(max(cut, start), end)

    whole, before, after = (
        power.books(Span(*part), device, rule).account() for part in ((start, end), (start, cut), (cut, end))
    )

    assert before + after == whole


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


def test_the_bound_before_a_supply_took_anothers_place_is_theirs_who_were_on_it() -> None:
    """
    last answer 2, first miss 4 on the old supply; the new one took its place at 5 and was back at 8

        0         5         10
    ann ─old─────┤─new──────┤        down 5..8 point; perhaps since 2
    bob ─other───────┤─new──┤        came at 7 from where there was power: perhaps since 7
    """
    lost = SilenceRecord(
        signal="supply:new/power@main",
        last_answer=EPOCH + timedelta(seconds=2),
        first_miss=EPOCH + timedelta(seconds=4),
        last_miss=EPOCH + timedelta(seconds=7),
        until=EPOCH + timedelta(seconds=8),
        ending=Ending.ANSWERED,
        confirmed=True,
    )

    def on(name: str, start: int, end: int, *silent: SilenceRecord) -> Hanging:
        begun = 5 if name == "new" else 0
        supply = SupplyHistory(
            supply=name,
            measured_at="source",
            service=Timeline.of([Span(begun, 10)]),
            unknown=Timeline(),
            silences=silent,
        )
        return Hanging(supply=supply, span=Timeline.of([Span(start, end)]))

    def most(*hanging: Hanging) -> int:
        device = DeviceHistory(
            customer="c",
            device="d",
            tenures=(
                Tenure(customer="c", device="d", address="a", signal="d", watched=True, span=Span(0, 10)),
            ),
            unknown=Timeline(),
            silences=(),
            hanging=hanging,
        )
        return power.books(Span(0, 10), device).account().down_s_most

    assert most(on("old", 0, 5), on("new", 5, 10, lost)) == 6
    assert most(on("other", 0, 7), on("new", 7, 10, lost)) == 1
