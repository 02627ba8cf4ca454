"""What devices hang on (J10): the tables of `docs/judgement.md`, and who is owed what in their cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.core import facts, judge, telling, testimony
from hostwatch.core.emergency import Notice
from hostwatch.core.notice import Part
from hostwatch.core.population import Changes, Customer, Population
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.terms import AgreementTerms
from tests.core.pictures import PAGE, clock, instant
from tests.core.shared_pictures import BOTH, SIGNALS, WATCHED, Case, Stage, cases, device, switch

CASES = cases(PAGE.read_text(encoding="utf-8"))
END = 7200
A, M, U = Outcome.ANSWERED, Outcome.MISSED, Outcome.UNKNOWN

Played = Callable[..., Stage]


@pytest.fixture
def played(tmp_path: Path) -> Played:
    def play(people: Population = WATCHED, **rows: str) -> Stage:
        stage = Stage(tmp_path / "hostwatch.db", people)
        pictures = tuple((name.replace("_", "-"), picture) for name, picture in rows.items())
        stage.play(Case("", pictures, ""), END)
        return stage

    return play


def test_the_page_has_tables() -> None:
    assert len(CASES) > 40
    assert len({case.rows for case in CASES}) == len(CASES), "a case stands twice"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    stage = Stage(tmp_path / "hostwatch.db")
    stage.play(case, END)

    assert stage.told == case.told
    assert not stage.world.holds, "nobody waits for ever"


def notices(stage: Stage, kind: str, customer: str) -> list[Notice]:
    every = (notice for decision in stage.decisions for notice in decision.notices)
    return [one for one in every if one.kind == kind and one.customer == customer]


def dues(stage: Stage) -> list[tuple[str, str]]:
    owed = {duty.id: duty for decision in stage.decisions for duty in decision.duties}
    return sorted((name.split(".")[2], clock(duty.due)) for name, duty in owed.items())


GROWS = {
    "ups_a": "A0:00 M0:10 M0:20 A5:00",
    "both": "A0:00 M2:10 M2:20 A4:00",
    "ups_b": "A0:00 M2:10 M2:20 A6:00",
}


def test_each_customer_is_told_once_with_what_is_theirs(played: Played) -> None:
    stage = played(**GROWS)
    told = {name: notices(stage, "emergency", name) for name in ("acme", "beta", "gamma", "delta", "noc")}

    assert {name: len(one) for name, one in told.items()} == {
        "acme": 1,
        "beta": 1,
        "gamma": 1,
        "delta": 0,
        "noc": 1,
    }
    stories = {name: one[0].stories[0] for name, one in told.items() if one}
    assert {name: (one.devices, one.behind, one.supplies) for name, one in stories.items()} == {
        "acme": (("web",), 1, ("ups-a",)),
        "beta": (("db",), 1, ("ups-b",)),
        "gamma": (("nas",), 1, (BOTH,)),
        "noc": ((), 1, ("ups-a",)),
    }
    assert dues(stage) == [("acme", "15:20"), ("beta", "17:20"), ("gamma", "17:20"), ("noc", "15:20")]


def test_bounds_are_those_of_what_is_theirs(played: Played) -> None:
    stage = played(**GROWS)
    bounds = [
        (name, clock(one.last_answer), clock(one.first_miss), clock(one.last_miss), clock(one.first_answer))
        for name in ("gamma", "acme", "beta", "noc")
        for one in notices(stage, "recovery", name)[0].stories
        if one.last_miss is not None and one.first_answer is not None
    ]

    assert bounds == [
        ("gamma", "0:00", "2:10", "2:20", "4:00"),
        ("acme", "0:00", "0:10", "0:20", "5:00"),
        ("beta", "0:00", "2:10", "2:20", "6:00"),
        ("noc", "0:00", "0:10", "2:20", "6:00"),
    ]


def test_the_operator_hears_of_what_is_more_and_of_the_end_of_all(played: Played) -> None:
    stage = played(**GROWS)
    updates = [one.stories[0] for one in notices(stage, "update", "noc")]

    assert [(one.customers, one.behind) for one in updates] == [(2, 2), (3, 3)]
    assert updates[-1].supplies == ("ups-a", BOTH, "ups-b")
    assert len(notices(stage, "recovery", "noc")) == 1
    assert not [one for name in ("acme", "beta", "gamma") for one in notices(stage, "update", name)]


def test_nobody_hears_of_an_end_before_the_beginning(played: Played) -> None:
    stage = played(**GROWS)
    for name in ("acme", "beta", "gamma"):
        (began,), (ended,) = notices(stage, "emergency", name), notices(stage, "recovery", name)
        assert ended.after == began.id


def test_supplies_that_go_down_in_one_deed_are_one_emergency(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "h.db")
    for at, outcome in ((0, A), (10, M), (20, M), (30, A)):
        stage.look_at_all(("ups-a", "ups-b"), at, outcome)
        assert len(stage.world.emergencies) == (at == 20)

    (opened,) = [one for one in stage.facts if isinstance(one, facts.SupplyEmergencyOpened)]
    assert (opened.supplies, opened.customers) == (("ups-a", "ups-b"), ("acme", "beta"))
    assert dues(stage) == [("acme", "15:20"), ("beta", "15:20"), ("noc", "15:20")]


def test_it_ends_when_nobody_is_concerned_any_more(played: Played) -> None:
    """One of two switches is back: the other one is silent still, and cuts nobody off."""
    stage = played(
        replace(WATCHED, devices={"nas": WATCHED.devices["nas"]}),
        sw_1="A0:00 M1:00 M2:00 M3:00 A20:00",
        sw_2="A0:00 M4:00 M5:00 A15:00",
        nas="A0:30 f5:03",
    )

    assert stage.told.endswith("5:05 E1 sw-1 (gamma); E1 + sw-2; 15:00 E1 over")


def with_log(customer: str) -> Population:
    """With a device that hangs on sw-2 alone."""
    log = device("log", customer, "", "sw-2/4")
    return replace(WATCHED, devices={**WATCHED.devices, "log": log})


def test_of_several_emergencies_it_is_told_under_the_one_that_cuts_it_off_by_itself(played: Played) -> None:
    """Behind sw-2 alone nas is not: it answers. It falls silent with core, which takes sw-1 with it."""
    stage = played(
        with_log("acme"),
        sw_2="A0:00 M1:00 M2:00 M3:00 A20:00",
        core="A0:10 A1:10 A4:10 M5:10 M6:10 A19:10",
        sw_1="A0:20 A4:20 M5:20 M6:20 A19:20",
        log="A0:30 f2:03",
        web="A0:31 A4:31 f6:15",
        db="A0:32 A4:32 f6:15",
        nas="A0:33 F2:03 M5:33 M10:33 A20:33",
    )

    assert stage.told == (
        "2:02 sw-2 waits; 2:05 E1 sw-2 (acme); 6:12 core waits; 6:17 E2 core (acme, beta, gamma);"
        " E2 + sw-1; E2 + nas; 19:10 E2 over for gamma; 19:20 E2 over; 20:00 E1 over"
    )
    assert [one.emergencies for one in notices(stage, "emergency", "gamma")] == [("E-000002",)]


def test_of_several_that_cut_it_off_it_is_told_under_the_nearest(played: Played) -> None:
    stage = played(
        sw_1="A0:20 M1:20 M2:20 A19:20",
        core="A0:10 A1:10 A2:10 A3:10 M4:10 M5:10",
        db="A0:32 f2:25",
        web="A0:31 ?2:25 M5:31 M10:31",
        nas="A0:33 F2:25 f5:13",
    )

    assert stage.told == (
        "2:22 sw-1 waits; 2:27 E1 sw-1 (acme, beta); 5:12 core waits; 5:15 E2 core (acme, beta, gamma);"
        " E1 + web; 19:20 E1 over; 19:20 E2 over"
    )


def test_where_no_emergency_tells_of_enough_a_device_has_its_own(played: Played) -> None:
    """Gamma has heard that the emergency of sw-1 is over, and the one of sw-2 alone does not concern nas."""
    stage = played(
        with_log("delta"),
        sw_1="A0:00 M1:00 M2:00 A40:00",
        sw_2="A0:00 M4:00 M5:00 A15:00 M20:00 M21:00 A41:00",
        web="A0:31 f2:03",
        db="A0:32 f2:03",
        nas="A0:33 F2:03 f5:03 F15:03 M20:33 f21:03 M25:33 A42:00",
        log="A0:34 f5:03 F15:04 f21:03",
    )

    assert "E1 over for gamma" in stage.told
    assert [one.emergencies for one in notices(stage, "emergency", "gamma")] == [
        ("E-000001",),
        ("E-000003",),
    ]


def crowd(count: int) -> Population:
    names = {f"d{number:03}": device(f"d{number:03}", "acme", "ups-a", "sw-1/1") for number in range(count)}
    return replace(WATCHED, devices={**WATCHED.devices, **names})


def test_a_customer_of_whom_more_is_lost_gets_an_update(played: Played) -> None:
    mine = {"a": device("a", "acme", BOTH, ""), "b": device("b", "acme", "ups-a", "")}
    stage = played(replace(WATCHED, devices=mine), ups_a="A0:00 M0:10 M0:20", both="A0:00 M2:10 M2:20")
    (began,), (more,) = notices(stage, "emergency", "acme"), notices(stage, "update", "acme")

    assert (began.stories[0].devices, more.stories[0].devices) == (("b",), ("a", "b"))
    assert (more.after, more.duty) == (began.id, None)


def dates(part: Part) -> tuple[str | None, ...]:
    bounds = (part.last_answer, part.first_miss, part.last_miss, part.first_answer)
    return (part.on, *(None if one is None else clock(one) for one in bounds))


def test_each_supply_is_told_with_its_own_dates(played: Played) -> None:
    """`b` loses power two minutes before `a`, and has it back a minute later."""
    mine = {"a": device("a", "acme", BOTH, ""), "b": device("b", "acme", "ups-a", "")}
    stage = played(
        replace(WATCHED, devices=mine), ups_a="A0:00 M0:10 M0:20 A5:00", both="A0:00 M2:10 M2:20 A4:00"
    )
    (began,), (more,) = notices(stage, "emergency", "acme"), notices(stage, "update", "acme")
    (over,), (noc,) = notices(stage, "recovery", "acme"), notices(stage, "recovery", "noc")

    assert [dates(one) for one in began.stories[0].parts] == [("ups-a", "0:00", "0:10", None, None)]
    assert [dates(one) for one in more.stories[0].parts] == [
        ("ups-a", "0:00", "0:10", None, None),
        (BOTH, "0:00", "2:10", None, None),
    ]
    ends = [("ups-a", "0:00", "0:10", "0:20", "5:00"), (BOTH, "0:00", "2:10", "2:20", "4:00")]
    assert [dates(one) for one in over.stories[0].parts] == ends
    assert [(one.devices, one.behind) for one in over.stories[0].parts] == [(("b",), 1), (("a",), 1)]
    assert [dates(one) for one in noc.stories[0].parts] == ends
    assert [(one.devices, one.behind) for one in noc.stories[0].parts] == [((), 1), ((), 1)]


def test_a_supply_that_goes_down_again_meanwhile_has_two_dates(played: Played) -> None:
    mine = {"a": device("a", "acme", BOTH, ""), "b": device("b", "acme", "ups-a", "")}
    stage = played(
        replace(WATCHED, devices=mine),
        ups_a="A0:00 M0:10 M0:20 A5:00",
        both="A0:00 M0:10 M0:20 A1:00 M2:10 M2:20 A4:00",
    )
    (over,) = notices(stage, "recovery", "acme")

    assert sorted(dates(one)[1:] for one in over.stories[0].parts if one.on == BOTH) == [
        ("0:00", "0:10", "0:20", "1:00"),
        ("1:00", "2:10", "2:20", "4:00"),
    ]


def test_those_behind_a_switch_are_told_with_their_own_first_misses(played: Played) -> None:
    stage = played(sw_1="A0:00 M1:00 M2:00 A20:00", web="A0:30 M1:30 f2:01", db="A0:40 f2:05 A20:00")
    told = {name: notices(stage, "emergency", name)[0].stories[0] for name in ("acme", "beta")}

    assert {name: [dates(one)[:3] for one in story.parts] for name, story in told.items()} == {
        "acme": [("sw-1", "0:00", "1:00")],
        "beta": [("sw-1", "0:00", "1:00")],
    }
    missed = {name: [*map(clock, filter(None, story.parts[0].missed))] for name, story in told.items()}
    assert missed == {"acme": ["1:30"], "beta": ["2:05"]}


def test_devices_are_listed_as_far_as_there_is_room_and_counted(played: Played) -> None:
    stage = played(crowd(50), ups_a="A0:00 M0:10 M0:20")
    story = notices(stage, "emergency", "acme")[0].stories[0]

    assert (len(story.devices), story.behind) == (20, 51)


def test_the_time_to_tell_runs_from_the_verdict_of_who_waited(played: Played) -> None:
    stage = played(ups_a="A0:00 M10:00 M10:10", web="A0:05 M5:05 M10:01")

    assert dues(stage) == [("acme", "25:03"), ("noc", "25:10")]


def test_nobody_waits_longer_than_a_third_of_the_time_to_tell(played: Played) -> None:
    hasty = Customer(id="acme", contacts=("duty",), terms=AgreementTerms(notice_within=timedelta(seconds=12)))
    people = replace(WATCHED, customers={**WATCHED.customers, "acme": hasty})
    stage = played(people, ups_a="A0:00 M10:00 A10:09", web="A0:05 M5:05 M10:01")

    assert stage.told == "10:03 web waits; 10:07 E1 web"


def test_a_customer_whose_device_came_later_is_told_when_it_goes_down(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "h.db")
    for at, outcome in ((0, A), (10, M), (20, M)):
        stage.look("ups-a", at, outcome)
    new = device("new", "delta", "ups-a", "")
    stage.enrol(replace(WATCHED, devices={**WATCHED.devices, "new": new}), 60)
    for at, outcome in ((61, A), (361, M), (661, M)):
        stage.look("new", at, outcome)
    stage.look("ups-a", 900, A)

    assert stage.told == ("0:20 E1 ups-a (acme); E1 tells delta; E1 + new; 15:00 E1 over")
    assert notices(stage, "emergency", "delta")[0].stories[0].devices == ("new",)
    assert dues(stage) == [("acme", "15:20"), ("delta", "26:03"), ("noc", "15:20")]
    assert len(notices(stage, "recovery", "delta")) == 1


def test_a_device_that_is_another_customers_is_told_to_them(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "h.db")
    for row, at, outcome in (
        ("ups-a", 0, A),
        ("web", 5, A),
        ("ups-a", 10, M),
        ("ups-a", 20, M),
        ("web", 305, M),
        ("web", 605, M),
    ):
        stage.look(row, at, outcome)
    theirs = replace(WATCHED.devices["web"], customer="delta")
    stage.enrol(replace(WATCHED, devices={**WATCHED.devices, "web": theirs}), 700)
    stage.look("web", 905, M)

    assert stage.told == "0:20 E1 ups-a (acme); E1 + web; E1 tells delta; E1 + web"


def test_a_look_under_way_when_only_a_management_came_back_counts(played: Played) -> None:
    """Nobody was told of the switch, so that nobody was told of the device with it."""
    stage = played(
        sw_1="A0:00 A10:00 M16:00 M17:00 A20:31", web="A0:30 M15:30 M20:30", db="A0:40 A15:40 A16:30"
    )

    assert stage.told == "20:32 E1 web"


def test_those_behind_a_switch_are_asked_for_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "h.db")
    for row, at, outcome in (
        ("sw-1", 0, A),
        ("web", 30, A),
        ("db", 40, A),
        ("sw-1", 60, M),
        ("sw-1", 120, M),
    ):
        stage.look(row, at, outcome)
    assert stage.world.holds.switches == {"sw-1": SIGNALS["sw-1"]}
    assert testimony.wanted(stage.world, "sw-1") == [SIGNALS["db"], SIGNALS["web"]]

    stage.look("web", 123, M, Kind.FOLLOW_UP)
    stage.ledger.close()
    stage._open()
    assert testimony.wanted(stage.world, "sw-1") == [SIGNALS["db"]]
    stage.ledger.close()


def test_of_thousands_some_of_each_way_are_asked(tmp_path: Path) -> None:
    many = {f"d{number:03}": device(f"d{number:03}", "acme", "", "sw-1/1") for number in range(300)}
    few = {f"e{number:03}": device(f"e{number:03}", "beta", "", "sw-2/1") for number in range(3)}
    stage = Stage(tmp_path / "h.db", replace(WATCHED, devices={**many, **few}))
    stage.look_at_all((*many, *few), 10, A)
    for at, outcome in ((0, A), (60, M), (120, M)):
        stage.look("core", at, outcome)
    asked = testimony.wanted(stage.world, "core")

    assert len(asked) == 200
    assert {name for name in asked if name.startswith("e")} == {f"{name}/ping@main" for name in few}


def test_verdict_and_recovery_in_one_deed_are_told(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "h.db")
    stage.look("ups-a", 0, A)
    stage.look("ups-a", 10, M)
    late = [
        Reading(signal=SIGNALS["ups-a"], at=instant(at), known_at=instant(at), outcome=outcome)
        for at, outcome in ((20, M), (30, A))
    ]
    stage.do(judge.readings(stage.world, None, late, closes=False, now=late[-1].known_at), 40)

    assert stage.told == "0:20 E1 ups-a (acme); 0:30 E1 over"


def test_those_who_wait_are_told_of_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "AT_ONCE_MAX", 1)
    stage = Stage(tmp_path / "h.db", crowd(3))
    stage.look_at_all(("d000", "d001", "d002"), 1, A)
    stage.look("ups-a", 0, A)
    stage.look_at_all(("d000", "d001", "d002"), 301, M)
    stage.look("ups-a", 600, M)
    stage.look_at_all(("d000", "d001", "d002"), 601, M)
    assert len(stage.world.holds) == 3
    stage.wait(END)

    assert len(stage.world.emergencies) == 3


def test_switches_behind_one_another_without_end_are_no_harm(tmp_path: Path) -> None:
    """The configuration refuses a circle; the core would only not find its end."""
    circle = {"sw-1": switch("sw-1", "sw-2"), "sw-2": switch("sw-2", "sw-1")}
    stage = Stage(tmp_path / "h.db", replace(WATCHED, switches=circle))
    for at, outcome in ((0, A), (60, M), (120, M)):
        stage.look("sw-1", at, outcome)
    stage.wait(END)

    assert not stage.world.holds


def test_a_device_that_hangs_on_nothing_known_is_its_own(tmp_path: Path) -> None:
    people = WATCHED.changed(Changes(supplies_gone=("ups-a",), switches_gone=("sw-1", "core")))
    stage = Stage(tmp_path / "h.db", people)
    for at, outcome in ((5, A), (305, M), (605, M)):
        stage.look("web", at, outcome)

    assert stage.told == "10:07 E1 web"


def test_a_look_that_left_before_the_switch_was_back_and_is_known_after_says_nothing(tmp_path: Path) -> None:
    """```
    sw-1  ✕ ✕━━━━━━━━━━━╸ (db answers: it carries)
    db    ✕ ✕━━━━━━━━━━━╸
    web   ✕ ✕━━━━━━━━━✕ ╸ left before that, and known after
    ```
    """
    stage = Stage(tmp_path / "store")
    for row in ("sw-1", "web", "db"):
        stage.look(row, 0, Outcome.ANSWERED)
    for at in (300, 600):
        for row in ("sw-1", "web", "db"):
            stage.look(row, at, Outcome.MISSED)
    assert [one.signal for one in stage.world.emergencies.values()] == ["switch:sw-1/ping@main"]
    stage.look("db", 900, Outcome.ANSWERED)
    assert stage.world.emergencies == {}
    stage.look("web", 899, Outcome.MISSED)
    assert stage.world.emergencies == {}
    stage.look("web", 1200, Outcome.MISSED)
    assert [one.signal for one in stage.world.emergencies.values()] == ["web/ping@main"]
    stage.ledger.close()


def test_a_clock_that_is_set_back_lets_nobody_answer(tmp_path: Path) -> None:
    """What was answered before is dated then, as the silence of the switch is: that proves nothing of it."""
    stage = Stage(tmp_path / "hostwatch.db")
    for row, at in (("sw-1", 0), ("web", 30), ("db", 40)):
        stage.look(row, at, A)
    stage.look("sw-1", 60, M)
    stage.do(judge.follow_clock(stage.world, instant(70), instant(20)), 20)
    stage.look("sw-1", 80, M)
    assert "sw-1 waits" in stage.told
    stage.look("web", 83, M, Kind.FOLLOW_UP)
    stage.look("db", 84, U, Kind.FOLLOW_UP)
    assert "E1 sw-1 (acme, beta)" in stage.told
    stage.do(judge.follow_clock(stage.world, instant(90), instant(10)), 10)
    stage.look("db", 60, U, Kind.FOLLOW_UP)
    assert "over" not in stage.told
