"""An uplink by its reference points: the quorum, rounds of looks, and who is told of an outage (J7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from hostwatch.core import facts, instant
from hostwatch.core.device import State
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.schedule import Schedule
from hostwatch.core.uplink import address_in, is_reference, majority, named, quorum
from tests.sla.teller import LETTERS, Teller, carrier, device

START = datetime(2026, 10, 1, tzinfo=UTC)
A, M, U = Outcome.ANSWERED, Outcome.MISSED, Outcome.UNKNOWN

QUORUM = """
looks  needed  says
AAA    2       A
AAM    2       A
AMM    2       M
MMM    2       M
AM?    2       ?
A??    2       ?
???    2       ?
MM?    2       M
M??    2       ?
AA.    2       A
AA?    2       A
AM.    2       -
A..    2       -
MM.    2       M
M..    2       -
...    2       -
A?.    2       -
AMM    1       A
MM?    1       ?
MM.    1       -
MMM    1       M
AAA    3       A
AAM    3       M
..M    3       M
AA?    3       ?
AA.    3       -
AMMMM  3       M
AAMMM  3       M
AAMM?  3       ?
AAAMM  3       A
"""
"""A look `.` is not known yet; a round that says `-` is still open."""


@pytest.mark.parametrize("line", QUORUM.strip().splitlines()[1:])
def test_quorum(line: str) -> None:
    looks, needed, says = line.split()

    assert quorum([LETTERS.get(look) for look in looks], int(needed)) is LETTERS.get(says)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_a_quorum_never_takes_back_what_it_said(count: int) -> None:
    """As more looks become known an open round is decided once; nothing that comes later changes it."""
    for looks in product((A, M, U), repeat=count):
        for needed in range(1, count + 1):
            said = [quorum([*looks[:known], *[None] * (count - known)], needed) for known in range(count + 1)]
            decided = [one for one in said if one is not None]
            assert said[-1] is not None
            assert len(set(decided)) == 1
            could = sum(look is not M for look in looks)
            assert (said[-1] is A) == (sum(look is A for look in looks) >= needed)
            assert (said[-1] is M) == (could < needed)


def test_a_majority_is_more_than_half() -> None:
    assert [majority(count) for count in (3, 4, 5, 6)] == [2, 3, 3, 4]


def at(minute: float) -> datetime:
    """The instant of a round: minutes after the uplink was first due."""
    target = next(carrier().targets("main"))
    start_us = instant.micros(START)
    first = start_us + (target.phase_us - start_us) % target.interval_us
    return instant.from_micros(first) + timedelta(minutes=minute)


def watched(*rounds: str, **more) -> Teller:
    """An uplink with a device behind it, whose rounds, a minute apart, bring this back."""
    told = Teller()
    told.populate(START, device("web", uplink="chinanet"), uplinks=[carrier(**more)])
    for place, looks in enumerate(rounds):
        told.round("chinanet", at(place), looks)
    return told


def own(told: Teller):
    return told.world.signals["uplink:chinanet/reach@main"]


def happened(told: Teller, *kinds: type[facts.Fact]) -> list[tuple[str, datetime]]:
    mine = [
        f for f in told.record if isinstance(f, kinds) and getattr(f, "signal", "").endswith("/reach@main")
    ]
    return [(type(fact).__name__, fact.at) for fact in mine]


def test_references_are_due_together_and_the_uplink_itself_never() -> None:
    told = watched()
    due = [
        one
        for number in range(12 * 5)
        for one in Schedule(1, told.world.schedule.targets).due(told.world.schedule.slice_at(START) + number)
        if named(one.target.signal)
    ]

    assert {one.target.address for one in due} == {"203.0.113.1", "203.0.113.2", "203.0.113.3"}
    assert len(due) == 15
    assert len({one.at_us for one in due}) == 5
    assert all(is_reference(one.target.signal) for one in due)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("uplink:carrier/ping:192.0.2.1@main", "192.0.2.1"),
        ("uplink:carrier/ping:2001:db8::1@main", "2001:db8::1"),
        ("uplink:carrier/reach@main", None),
        ("web/ping@main", None),
    ],
)
def test_the_name_of_a_reference_holds_its_address(name: str, address: str | None) -> None:
    assert address_in(name) == address


def test_an_uplink_is_up_as_long_as_a_quorum_answers() -> None:
    told = watched("AAA", "AMA", "MAA", "AAM")

    assert own(told).proven
    assert own(told).silence is None
    assert own(told).last_reading == at(3)
    assert happened(told, facts.WentDown, facts.SilenceBegan) == []


def test_an_uplink_goes_down_and_comes_up() -> None:
    told = watched("AAA", "AMM", "MMM", "MMM", "AMM", "AMA")

    millisecond = timedelta(milliseconds=1)
    assert happened(told, facts.SilenceBegan, facts.WentDown, facts.CameUp, facts.SilenceEnded) == [
        ("SilenceBegan", at(1)),
        ("WentDown", at(2) + millisecond),
        ("SilenceEnded", at(5) + 2 * millisecond),
        ("CameUp", at(5) + 2 * millisecond),
    ]


def test_the_verdict_is_known_as_soon_as_the_quorum_cannot_be_any_more() -> None:
    told = watched("AAA", "MMM", "MM.")

    assert own(told).verdict == at(2) + timedelta(milliseconds=1)


def test_what_cannot_be_decided_is_unknown_and_never_down() -> None:
    told = watched("AAA", "M??", "AM?", "???")

    assert own(told).silence is None
    assert own(told).blind_since == at(1)
    assert own(told).misses == 0


def test_a_reference_that_has_never_answered_proves_nothing() -> None:
    """Its address may be wrong: one that fails beside it must not look like an outage."""
    told = watched("AAM", "AMM")
    assert own(told).silence is None
    assert own(told).blind_since == at(1)

    told = watched("AMM", "AMM", "MMM")
    assert not own(told).proven


def test_a_round_says_something_once() -> None:
    told = watched("AAA", "MM.")
    told.round("chinanet", at(1) + timedelta(seconds=30), "..M", Kind.CATCH_UP)

    assert own(told).misses == 1
    assert own(told).last_reading == at(1)


def test_a_round_that_has_spoken_is_not_asked_again() -> None:
    told = watched("AAA", "MMM")
    told.round("chinanet", at(1) + timedelta(seconds=30), "AAA", Kind.CATCH_UP)

    assert own(told).silence is not None
    assert own(told).last_reading == at(1)


def test_looks_of_two_rounds_make_no_quorum() -> None:
    told = watched("AAA", "M..")
    told.round("chinanet", at(2), ".M.")

    assert own(told).silence is None
    assert own(told).last_reading == at(0)


def test_a_caught_up_round_speaks_and_does_not_count() -> None:
    told = watched("AAA", "MMM")
    told.round("chinanet", at(2) + timedelta(seconds=20), "MMM", Kind.CATCH_UP)
    assert own(told).misses == 1

    told.round("chinanet", at(3), "MMM")
    assert own(told).verdict is not None


def test_bounds_are_drawn_from_the_answer_that_made_the_quorum() -> None:
    told = watched("AAA")

    assert own(told).last_answer == at(0) + timedelta(milliseconds=1)


def test_a_step_of_the_clock_is_followed() -> None:
    told = watched("AAA", "MMM")
    told.step(at(1.5), at(31.5))
    told.round("chinanet", at(32), "MMM")

    assert own(told).verdict is not None


def told_of(told: Teller, kind: str) -> list[tuple[str, str, int, tuple[str, ...], int]]:
    return [
        (notice.customer, notice.contact, story.behind, story.devices, story.customers)
        for notice in told.world.notices.values()
        if notice.kind == kind
        for story in notice.stories
    ]


def silent_town() -> Teller:
    told = Teller()
    told.populate(
        START,
        device("a1", "acme", uplink="chinanet"),
        device("a2", "acme", uplink="chinanet"),
        device("a3", "acme", uplink="chinanet", state=State.SUSPENDED),
        device("b1", "beta", uplink="other"),
        device("c1", "core", uplink="chinanet"),
        device("n1", "noc", uplink="chinanet"),
        uplinks=[carrier(), carrier("other")],
        contacts=("duty", "boss"),
        operator="noc",
    )
    for place, looks in enumerate(("AAA", "MMM", "MMM")):
        told.round("chinanet", at(place), looks)
    return told


def test_each_customer_behind_is_told_once_and_the_operator_too() -> None:
    told = silent_town()

    assert told_of(told, "emergency") == [
        *[("acme", contact, 2, ("a1", "a2"), 0) for contact in ("duty", "boss")],
        *[("core", contact, 1, ("c1",), 0) for contact in ("duty", "boss")],
        *[("noc", contact, 4, (), 3) for contact in ("duty", "boss")],
    ]
    verdict = own(told).verdict
    assert {duty.due for duty in told.world.duties.values()} == {verdict + timedelta(minutes=15)}
    assert {duty.emergency for duty in told.world.duties.values()} == {"E-000001"}


def test_the_record_says_who_was_behind_it() -> None:
    told = silent_town()

    owed = [fact.notice for fact in told.record if isinstance(fact, facts.NoticeOwed)]
    assert len(owed) == len(set(owed)) == 6
    (opened,) = [fact for fact in told.record if isinstance(fact, facts.UplinkEmergencyOpened)]
    assert (opened.uplink, opened.customers) == ("chinanet", ("acme", "core", "noc"))
    assert not any(isinstance(fact, facts.EmergencyOpened) for fact in told.record)


def test_a_silent_reference_obliges_nobody() -> None:
    told = watched("AAA", "MAA", "MAA", "MAA")

    assert told.world.signals["uplink:chinanet/ping:203.0.113.1@main"].verdict is not None
    assert told.world.emergencies == {}
    assert told.world.notices == {}


def test_the_recovery_is_told_to_whoever_was_told_of_the_beginning() -> None:
    told = silent_town()
    told.round("chinanet", at(3), "AAM")

    assert [row[:4] for row in told_of(told, "recovery")] == [row[:4] for row in told_of(told, "emergency")]
    story = told.world.notices["E-000001.recovery.acme.duty"].stories[0]
    assert story.last_miss == at(2)
    assert story.first_answer == at(3) + timedelta(milliseconds=1)


def test_a_device_that_falls_silent_behind_a_dead_uplink_is_told_of_as_ever() -> None:
    told = silent_town()
    for minute in (0, 5, 10):
        told.read("a1", START + timedelta(minutes=10 + minute), A if minute == 0 else M)

    devices = [n for n in told.world.notices.values() if n.stories[0].device == "a1"]
    assert [notice.emergencies for notice in devices] == [("E-000002",)] * 2


def test_an_uplink_that_is_taken_out_while_silent_withdraws_its_emergency() -> None:
    told = silent_town()
    told.populate(at(4), device("a1", "acme"), contacts=("duty",))

    assert [row[:2] for row in told_of(told, "withdrawn")] == [
        (name, contact) for name in ("acme", "core", "noc") for contact in ("duty", "boss")
    ]
    assert [name for name in told.world.signals if named(name)] == []
    assert told.world.emergencies == {}


def test_other_reference_points_leave_the_uplink_as_it_was() -> None:
    told = watched("AAA", "MMM")
    more = carrier(references=5, quorum=2)
    told.populate(at(1.5), device("web", uplink="chinanet"), uplinks=[more])

    told.round("chinanet", at(2), "MMMMM")
    assert own(told).verdict is None, "the two new ones have never answered"
    told.round("chinanet", at(3), "AA...")
    assert own(told).silence is None
