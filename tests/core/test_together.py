"""A service and its device (J8): the table of `docs/judgement.md`, and what is owed and said in its cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch.core import facts, judge, telling
from hostwatch.core.emergency import Notice
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.service import Service
from hostwatch.core.signal import Signal, Silence
from hostwatch.core.terms import AgreementTerms, ServiceTerms
from hostwatch.core.together import Stand, patience, stand
from tests.core.pictures import PAGE, clock, instant
from tests.core.together_pictures import Case, Stage, cases

CASES = cases(PAGE.read_text(encoding="utf-8"))
END = 3600
A, M, U = Outcome.ANSWERED, Outcome.MISSED, Outcome.UNKNOWN
DIES = Case("the device dies", "A A f@1:03 M M A", "A M M M A", "–", "")
AGAIN = Case("silent again", "A A f@1:03 M M F@3:00 M M A", "A M M M M M A", "–", "")
GIVEN = Case("given away", "A A f@1:03 ? M M A", "A M M o@2:00 M M A", "–", "")
OPENS_ALONE = Case("no verdict in time", "A A f@1:03 ? ? M M A", "A M M M M M A", "–", "")

Played = Callable[[Case], Stage]


@pytest.fixture
def played(tmp_path: Path) -> Played:
    def play(case: Case) -> Stage:
        stage = Stage(tmp_path / "hostwatch.db")
        stage.play(case, END)
        return stage

    return play


def test_the_page_has_a_table() -> None:
    assert len(CASES) > 20
    assert len({(case.device, case.www, case.email) for case in CASES}) == len(CASES), "a case stands twice"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, played: Played) -> None:
    assert played(case).told == case.told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_verdict_is_told_once_and_every_emergency_ends(case: Case, played: Played) -> None:
    """Each verdict opens an emergency, or is told under one; and nothing waits or is open at the end."""
    stage = played(case)
    verdicts = [fact.signal for fact in stage.facts if isinstance(fact, facts.WentDown)]
    told = [
        fact.signal for fact in stage.facts if isinstance(fact, facts.EmergencyOpened | facts.EmergencyJoined)
    ]

    assert set(verdicts) == set(told)
    assert not stage.world.holds
    assert not [one for one in stage.world.emergencies.values() if one.signal not in stage.world.signals]


def test_who_gets_a_device_that_came_back_is_told_at_the_next_scheduled_miss(played: Played) -> None:
    """A look in between that would have told its former customer tells the other one nothing."""
    given = Case("given away", "A A f@1:03 M M A A", "A M M . . o@2:00 f@4:00 M A", "–", "")
    assert played(given).told == (
        "11:02 www waits; 15:02 E1 device; E1 + www; 20:00 E1 over; 26:02 E2 www; 31:00 E2 over"
    )


@pytest.mark.parametrize(("end", "known"), [("A", ["web/ping@main"]), ("A x@2:00", [])])
def test_that_a_removed_device_came_back_is_forgotten(end: str, known: list[str], played: Played) -> None:
    stage = played(Case("", f"A M M {end}", "A A A A", "–", ""))
    assert [*stage.world.came_up] == known


def notices(stage: Stage, kind: str) -> list[Notice]:
    return [notice for notice in stage.world.notices.values() if notice.kind == kind]


def dues(stage: Stage) -> list[str]:
    return [clock(fact.due) for fact in stage.facts if isinstance(fact, facts.DutyArose)]


@pytest.mark.parametrize(
    ("case", "due"),
    [
        (DIES, ["26:02"]),
        (OPENS_ALONE, ["26:02"]),
        (Case("alone", "A A F@1:03 A A", "A M M A", "–", ""), ["26:02"]),
        (Case("back and down", "A A f@1:03 M M A A", "A M M M M A", "–", ""), ["26:02", "36:02"]),
        (AGAIN, ["26:02", "36:02"]),
        (Case("the device", "A M M A", "A A A", "–", ""), ["25:02"]),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else None,
)
def test_the_time_to_tell_runs_from_the_first_verdict(case: Case, due: list[str], played: Played) -> None:
    """Waiting for the device does not lengthen what was promised; telling more of it makes no new duty."""
    assert dues(played(case)) == due


def test_one_notice_tells_of_the_device_and_its_services(played: Played) -> None:
    stage = played(DIES)
    ((begun,), (ended,)) = [one.stories for one in notices(stage, "emergency") + notices(stage, "recovery")]

    assert (begun.device, begun.service, begun.failing, begun.answering) == ("web", "", ("www",), ())
    assert (ended.reference, ended.failing) == (begun.reference, ("www",)), "www is back a minute later"


def test_who_waits_anew_was_told_of_twice_already(played: Played) -> None:
    """With the device, and at its end as what is left: nobody loses time when it runs anew."""
    stage = played(AGAIN)
    first, then = (one.stories[0] for one in notices(stage, "emergency"))
    over = notices(stage, "recovery")[0].stories[0]

    assert [one.failing for one in (first, over, then)] == [("www",)] * 3
    assert (first.reference, over.reference, then.reference) == ("E-000001", "E-000001", "E-000002")


def test_a_device_that_only_drops_pings_is_told_as_such(played: Played) -> None:
    stage = played(Case("no pings", "A M M M A", "A A A A A", "A M A A", ""))
    (notice,) = notices(stage, "emergency")

    assert notice.stories[0].answering == ("www",)


@pytest.mark.parametrize(
    ("device", "itself"),
    [
        ("A A F@1:03 A", "answers"),
        ("A A f@1:03 ? ?", "silent"),
        ("A ? ? ?", "unknown"),
        ("M M M", "not proven"),
    ],
)
def test_a_service_alone_is_told_with_how_its_device_stands(device: str, itself: str, played: Played) -> None:
    (notice,) = notices(played(Case("", device, "A M M M", "–", "")), "emergency")
    story = notice.stories[0]

    assert (story.service, story.itself, story.interval) == ("www", itself, timedelta(minutes=5))


def test_an_update_follows_the_first_notice_and_the_recovery_follows_the_update(played: Played) -> None:
    stage = played(OPENS_ALONE)
    (first,), (more,), (last,) = (notices(stage, kind) for kind in ("emergency", "update", "recovery"))

    assert (first.stories[0].service, more.stories[0].service, last.stories[0].service) == ("www", "", "")
    assert (more.after, last.after, more.duty) == (first.id, more.id, None)
    assert {one.stories[0].reference for one in (first, more, last)} == {"E-000001"}
    assert more.stories[0].failing == ("www",)


def test_the_end_of_a_service_names_those_that_were_told_with_it_and_are_still_down(played: Played) -> None:
    """Whoever was told of both must not take the end of one for the end of all."""
    stage = played(Case("", "A A f@1:03 ? ? A", "A M M M M A", "A M M M M M", ""))
    (first,), (ended,) = (notices(stage, kind)[:1] for kind in ("emergency", "recovery"))

    assert (first.stories[0].service, first.stories[0].failing) == ("www", ("email",))
    assert (ended.stories[0].service, ended.stories[0].failing) == ("www", ("email",))


def test_the_first_verdict_of_those_that_waited_starts_the_time_to_tell(tmp_path: Path) -> None:
    """Under other terms the one that came later may be the one that need not wait longer."""
    stage = Stage(tmp_path / "h.db")
    stage.play(Case("", "A A f@1:03 ?", "A M M", "A M", ""))
    stage._open()
    customers = {
        name: replace(one, terms=replace(one.terms, interval=timedelta(minutes=1)))
        for name, one in stage.people.customers.items()
    }
    stage._enrol(replace(stage.people, customers=customers), 665)
    stage.look("email", 720, M)
    stage.wait(END)

    assert stage.told == "11:02 www waits; 12:02 email waits; 13:02 E1 email; E1 + www"
    assert dues(stage) == ["26:02"]


def test_a_service_that_does_not_oblige_has_no_emergency(tmp_path: Path) -> None:
    quiet = Service(name="www", terms=ServiceTerms(obliges=False))
    stage = Stage(tmp_path / "h.db", (quiet,))
    stage.play(Case("", "A A f@1:03 A", "A M M M", "–", ""))

    assert stage.told == "–"
    assert [type(fact).__name__ for fact in stage.facts if isinstance(fact, facts.WentDown)] == ["WentDown"]


def test_a_service_that_obliges_no_more_while_it_waits_is_told_with_its_device(tmp_path: Path) -> None:
    """The verdict was given under the terms of then; and the emergency of the device ends with the device."""
    stage = Stage(tmp_path / "h.db")
    stage.play(Case("", "A A f@1:03", "A M M", "–", ""))
    stage._open()
    quiet = Service(name="www", terms=ServiceTerms(obliges=False))
    stage._enrol(replace(stage.people, devices={"web": replace(stage.device, services=(quiet,))}), 665)
    for at, row, what in ((600, "device", M), (900, "device", M), (960, "www", M), (1200, "device", A)):
        stage.look(row, max(at, 670), what)
    stage.wait(END)

    assert stage.told == "11:02 www waits; 15:02 E1 device; E1 + www; 20:00 E1 over"
    assert not stage.world.emergencies


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (Case("down", "A M M o@2:00 M A", "A M M M A", "–", ""), [("acme", "25:02"), ("bolt", "30:02")]),
        (
            Case("alone", "A A F@1:03 A A", "A M M o@2:00 M A", "–", ""),
            [("acme", "26:02"), ("bolt", "31:02")],
        ),
        (GIVEN, [("acme", "26:02"), ("bolt", "31:02")]),
        (Case("was told", "A A f@1:03 ?", "A M M M o@1:10", "–", ""), [("acme", "26:02")]),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else None,
)
def test_a_device_that_is_another_customers_is_told_to_that_one(
    case: Case, told: list[tuple[str, str]], played: Played
) -> None:
    """What was told the former one ends for them; the first miss that is the other's is theirs to know."""
    stage = played(case)
    duties = [fact for fact in stage.facts if isinstance(fact, facts.DutyArose)]
    owed = [fact for fact in stage.facts if isinstance(fact, facts.NoticeOwed)]

    assert [(one.duty.split(".")[2], clock(one.due)) for one in duties] == told
    assert [one.kind for one in owed if one.customer == "acme"] == ["emergency", "withdrawn"]
    assert [one.kind for one in owed if one.customer == "bolt"] == ["emergency", "recovery"][
        : 2 * len(told) - 2
    ]
    assert not stage.world.emergencies


def test_with_one_miss_the_look_at_the_device_is_waited_for(tmp_path: Path) -> None:
    """The verdict comes with the first miss, before anybody could look at the device."""
    hasty = Service(name="www", terms=ServiceTerms(misses=1))
    stage = Stage(tmp_path / "a.db", (hasty,))
    stage.play(Case("", "A A F@1:03 A", "A M A", "–", ""), END)
    assert stage.told == "6:02 www waits; 6:03 E1 www; 11:00 E1 over"

    stage = Stage(tmp_path / "b.db", (hasty,))
    stage.play(Case("", "A A f@1:03 M M A", "A M M M A", "–", ""), END)
    assert stage.told == "6:02 www waits; 11:02 E1 www; E1 + device; 15:02 E1 updated; 20:00 E1 over"


def test_a_service_may_be_looked_at_more_often_than_its_device(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path / "h.db", (Service(name="www", terms=ServiceTerms(interval=timedelta(minutes=1))),)
    )
    stage.look("device", 0, A)
    stage.look("www", 60, A)
    stage.look("www", 120, M)
    stage.look("device", 123, M, Kind.FOLLOW_UP)
    stage.look("www", 180, M)
    stage.look("device", 300, M)
    stage.wait(END)
    stage.look("device", 600, M)

    assert stage.told == "3:02 www waits; 8:02 E1 www; E1 + device; 10:02 E1 updated"
    assert stage.world.open_by_signal == {"web/ping@main": "E-000001", "web/www@main": "E-000001"}


def test_verdict_and_recovery_in_one_deed_are_told(tmp_path: Path) -> None:
    """As when the disk was full for long: what is told late is still told."""
    stage = Stage(tmp_path / "h.db")
    for at, row, what in ((0, "device", A), (60, "www", A), (303, "device", M), (360, "www", M)):
        stage.look(row, at, what)
    late = [
        Reading(signal="web/www@main", at=instant(at), known_at=instant(at), outcome=what, why="no answer")
        for at, what in ((660, M), (960, A))
    ]
    stage.do(judge.readings(stage.world, None, late, closes=False, now=instant(1000)), 1000)

    assert stage.told == "11:00 www waits; 16:00 E1 www; 16:00 E1 over"
    assert stage.world.references == 1


def test_those_who_have_waited_are_told_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one device together; thousands of devices a few at a time."""
    monkeypatch.setattr(telling, "AT_ONCE_MAX", 1)
    stage = Stage(tmp_path / "h.db")
    stage.play(Case("", "A A f@1:03 ?", "A M M", "A M M", ""))
    decision = telling.overdue(stage.world, instant(END))

    assert [type(fact).__name__ for fact in decision.facts][:2] == ["EmergencyOpened", "CustomerDutyArose"]
    assert dict(decision.holds) == {"web/www@main": None, "web/email@main": None}


BEFORE, SINCE, AFTER = instant(0), instant(60), instant(120)


@pytest.mark.parametrize(
    ("device", "stands"),
    [
        (None, Stand.NOT_PROVEN),
        ({}, Stand.NOT_PROVEN),
        ({"last_answer": BEFORE}, Stand.UNKNOWN),
        ({"last_answer": AFTER}, Stand.ANSWERS),
        ({"last_answer": SINCE}, Stand.ANSWERS),
        ({"last_answer": AFTER, "blind_since": AFTER}, Stand.UNKNOWN),
        ({"last_answer": AFTER, "silence": AFTER}, Stand.SILENT),
        ({"last_answer": BEFORE, "silence": AFTER}, Stand.SILENT),
        ({"last_answer": BEFORE, "silence": AFTER, "blind_since": AFTER}, Stand.SILENT),
    ],
)
def test_how_a_device_stands(device: dict[str, Any] | None, stands: Stand) -> None:
    signal = None
    if device is not None:
        signal = Signal(name="web/ping@main", speaks_until=BEFORE)
        silent = device.pop("silence", None)
        signal = replace(signal, **device)
        if silent is not None:
            silence = Silence(last_answer=BEFORE, first_miss=silent, last_miss=silent, why="no answer")
            signal = replace(signal, silence=silence)

    assert stand(signal, SINCE) is stands


@pytest.mark.parametrize(
    ("interval", "within", "waits"), [(5, 15, 5), (1, 15, 1), (60, 15, 5), (5, 60, 5), (5, 6, 2)]
)
def test_nobody_waits_longer_than_a_third_of_the_time_to_tell(interval: int, within: int, waits: int) -> None:
    terms = AgreementTerms(interval=timedelta(minutes=interval), notice_within=timedelta(minutes=within))

    assert patience(terms) == timedelta(minutes=waits)
