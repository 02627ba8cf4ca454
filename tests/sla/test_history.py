"""From facts to histories: what the real core records, accounted for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core.device import State
from hostwatch.core.instant import second
from hostwatch.core.reading import Outcome
from hostwatch.core.terms import AgreementTerms
from hostwatch.core.timeline import Span
from hostwatch.sla.account import account
from hostwatch.sla.history import ENDING, fold
from hostwatch.sla.records import Ending
from tests.sla.teller import Teller, device, minutes

START = datetime(2026, 10, 1, tzinfo=UTC)
HIT, MISS, UNKNOWN = Outcome.ANSWERED, Outcome.MISSED, Outcome.UNKNOWN


def at(minute: float) -> datetime:
    return START + minutes(minute)


def sums(told: Teller, until: float, *, customer: str = "acme", name: str = "web") -> tuple[float, ...]:
    """Period, up, down and unknown in minutes, from the start until a minute that is now."""
    history = told.history(at(until))
    (found,) = [d for d in history.devices if (d.customer, d.device) == (customer, name)]
    made = account(Span(second(START), second(at(until))), found)
    return made.period_s / 60, made.up_s / 60, made.down_s / 60, made.unknown_s / 60


def watched(*outcomes: Outcome) -> Teller:
    """A device whose pings, five minutes apart from minute 0 on, bring this back."""
    told = Teller()
    told.populate(START, device("web"))
    for place, outcome in enumerate(outcomes):
        told.read("web", at(5 * place), outcome)
    return told


def test_a_device_that_never_answered_is_unknown():
    assert sums(watched(MISS, MISS, MISS), 15) == (15, 0, 0, 15)


def test_an_open_silence_is_down_until_now():
    told = watched(HIT, MISS, MISS)

    assert sums(told, 12) == (12, 5, 7, 0)
    (found,) = told.history(at(12)).devices
    assert [(s.ending, s.until, s.confirmed) for s in found.silences] == [(Ending.OPEN, at(12), True)]


def test_a_reading_speaks_no_longer_than_its_interval_and_tolerance():
    assert sums(watched(HIT), 5.25) == (5.25, 5.25, 0, 0)
    assert sums(watched(HIT), 20) == (20, 5.25, 0, 14.75)


def test_a_silence_that_nobody_looks_at_is_down_only_as_long_as_its_last_miss_speaks():
    assert sums(watched(HIT, MISS), 30) == (30, 5, 5.25, 19.75)


def test_unknown_inside_a_silence_is_not_down():
    assert sums(watched(HIT, MISS, UNKNOWN, MISS, HIT), 20) == (20, 5, 10, 5)


def test_a_suspended_device_is_not_accounted_and_starts_anew():
    told = watched(HIT, HIT)
    told.populate(at(10), device("web", state=State.SUSPENDED))
    told.populate(at(30), device("web"))
    told.read("web", at(32), HIT)

    assert sums(told, 37) == (17, 15, 0, 2)


def test_a_silence_is_cut_when_its_device_is_suspended():
    told = watched(HIT, MISS, MISS)
    told.populate(at(12), device("web", state=State.SUSPENDED))

    assert sums(told, 40) == (12, 5, 7, 0)
    (found,) = told.history(at(40)).devices
    assert [s.ending for s in found.silences] == [Ending.CUT]
    assert found.silences[0].first_answer is None
    assert [(e.reference, e.withdrawn, e.ended_at) for e in found.emergencies] == [("E-000001", True, at(12))]


def test_removed_and_added_again():
    told = watched(HIT, HIT)
    told.populate(at(10), device("other"))
    told.populate(at(20), device("other"), device("web"))
    told.read("web", at(20), HIT)

    assert sums(told, 25) == (15, 15, 0, 0)


def test_a_waiver_makes_all_time_unknown_though_it_is_billed():
    told = watched(HIT, HIT)
    told.populate(at(10), device("web", state=State.NOT_WATCHED))
    told.populate(at(20), device("web"))
    told.read("web", at(20), HIT)

    assert sums(told, 25) == (25, 15, 0, 10)


def test_ordered_and_installed_devices_have_no_period():
    told = Teller()
    told.populate(START, device("web", state=State.ORDERED), device("mail", state=State.INSTALLED))

    assert told.history(at(10)).devices == ()


def test_a_silence_over_a_change_of_customers_is_split_between_them():
    told = watched(HIT, MISS)
    told.populate(at(7), device("web", "beta"))
    told.read("web", at(10), HIT)

    assert sums(told, 12) == (7, 5, 2, 0)
    assert sums(told, 12, customer="beta") == (5, 2, 3, 0)


def test_a_new_vantage_point_begins_a_new_signal():
    told = watched(HIT, MISS)
    told.vantage = "east"
    told.populate(at(7), device("web"))
    told.read("web", at(8), HIT)

    assert sums(told, 10) == (10, 7, 2, 1)


def test_a_clock_set_forward_makes_the_time_between_unknown():
    told = watched(HIT, MISS)
    told.step(at(7), at(67))
    told.read("web", at(70), HIT)

    assert sums(told, 72) == (72, 7, 5, 60)


def test_a_clock_set_back_makes_the_time_that_comes_twice_unknown():
    told = watched(HIT, HIT, HIT, HIT)
    told.step(at(17), at(7))
    told.read("web", at(10), HIT)
    told.read("web", at(15), MISS)
    told.read("web", at(20), HIT)

    assert sums(told, 22) == (22, 9, 3, 10)


def test_a_device_added_before_a_step_back_keeps_the_seconds_it_had():
    told = Teller()
    told.populate(at(10), device("web"))
    told.read("web", at(10), HIT)
    told.step(at(12), at(2))
    told.populate(at(4), device("other"))

    assert sums(told, 20) == (4, 0, 0, 4)


def test_facts_from_before_the_period_may_be_left_out():
    told = watched(HIT, MISS, HIT, UNKNOWN, HIT, MISS, MISS, HIT)
    recent = [fact for fact in told.record if not isinstance(fact, ENDING) or fact.at >= at(20)]
    whole, part = (
        fold(record, told.world.signals, told.world.blind, at(40)).devices[0]
        for record in (told.record, recent)
    )

    period = Span(second(at(20)), second(at(40)))
    assert len(recent) < len(told.record)
    assert account(period, whole) == account(period, part)


def test_a_device_in_service_of_which_the_present_knows_nothing_is_unknown():
    told = watched(HIT, HIT)

    (found,) = fold(told.record, {}, {}, at(10)).devices

    assert account(Span(second(START), second(at(10))), found).unknown_s == 600


INTERVAL = 10


@st.composite
def stories(draw):
    """Instants of readings in seconds, and what they brought back."""
    pauses = draw(st.lists(st.sampled_from([10, 10, 10, 10, 11, 25]), max_size=25))
    at_s, readings = 0, []
    for pause in pauses:
        readings.append((at_s, draw(st.sampled_from([HIT, HIT, MISS, UNKNOWN]))))
        at_s += pause
    return readings, at_s + draw(st.integers(1, 30))


def by_rules(readings: list[tuple[int, Outcome]], until: int) -> tuple[int, int, int]:
    """Up, down and unknown straight from J2 and J3, a second at a time."""
    up = down = unknown = 0
    for cell in range(until):
        spoke = [(when, outcome) for when, outcome in readings if when <= cell]
        proven = any(outcome is HIT for _, outcome in spoke)
        latest = spoke[-1] if spoke else (0, UNKNOWN)
        # 10.5 s of speaking, floored with the instant at which it ends
        if not proven or latest[1] is UNKNOWN or cell >= latest[0] + INTERVAL:
            unknown += 1
        elif latest[1] is HIT:
            up += 1
        else:
            down += 1
    return up, down, unknown


@settings(deadline=None)
@given(stories())
def test_the_whole_way_from_readings_agrees_with_the_rules(story):
    readings, until = story
    told = Teller(terms=AgreementTerms(interval=timedelta(seconds=INTERVAL)))
    told.populate(START, device("web"))
    for when, outcome in readings:
        told.read("web", START + timedelta(seconds=when), outcome)

    (found,) = told.history(START + timedelta(seconds=until)).devices
    made = account(Span(second(START), second(START) + until), found)

    assert (made.up_s, made.down_s, made.unknown_s) == by_rules(readings, until)


def test_a_wrong_clock_at_boot_spoils_its_own_minute_and_not_the_months_between():
    """At minute 40 the machine starts anew, thinks that it is minute 10, and is set right a minute later."""
    told = watched(HIT, HIT, HIT, HIT, HIT, HIT, HIT, HIT, HIT)
    told.step(at(40), at(10))
    told.read("web", at(10.5), HIT)
    told.step(at(11), at(41))
    told.read("web", at(45), HIT)

    assert sums(told, 46) == (46, 44, 0, 2)


def test_seconds_that_the_clock_showed_twice_are_nobodys():
    told = watched(HIT, HIT, HIT)
    told.step(at(12), at(8))
    told.read("web", at(10), HIT)
    told.read("web", at(15), HIT)

    assert sums(told, 16) == (16, 12, 0, 4)
