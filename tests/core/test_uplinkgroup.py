"""Redundancy groups of uplinks (J7): the tables of `docs/judgement.md`, seconds, and who is told."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hostwatch.core import facts, instant
from hostwatch.core.device import State
from hostwatch.core.expression import parse
from hostwatch.core.reading import Kind
from hostwatch.core.timeline import Span, Timeline
from hostwatch.core.uplink import Uplink
from hostwatch.core.uplinkgroup import of
from hostwatch.sla.records import UplinkHistory
from tests.sla.teller import Teller, carrier, device

START = datetime(2026, 10, 1, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "judgement.md"
MINUTE = timedelta(minutes=1)
FIRST = {"main": timedelta(seconds=10), "backup": timedelta(seconds=40), "third": timedelta(seconds=55)}
ANY, ALL = "any(backup,main)", "all(backup,main)"


def ways(*groups: str, **intervals: timedelta) -> list[Uplink]:
    """Uplinks, and the groups over them."""
    single = {
        name: replace(carrier(name, interval=intervals.get(name, MINUTE)), name=name.title())
        for name in FIRST
    }
    return [*single.values(), *(of(parse(group), single) for group in groups)]


def site(*groups: str) -> Teller:
    """`web`, acme's, is behind the first group; `db`, beta's, behind `main` alone; noc is the operator."""
    told = Teller()
    told.populate(
        START,
        device("web", "acme", uplink=groups[0]),
        device("db", "beta", uplink="main"),
        uplinks=ways(*groups),
        contacts=("duty",),
        operator="noc",
    )
    return told


def play(told: Teller, **pictures: str) -> None:
    """Rounds of uplinks, a letter for each minute: `A`, `M`, `?`, or `.` for none."""
    looks = [
        (START + FIRST[name] + place * MINUTE, name, letter)
        for name, picture in pictures.items()
        for place, letter in enumerate(picture.replace(" ", ""))
        if letter != "."
    ]
    for at, name, letter in sorted(looks):
        told.round(name, at, letter * 3)


def clock(at: datetime) -> str:
    seconds = (at - START) // timedelta(seconds=1)
    return f"{seconds // 60}:{seconds % 60:02}"


def course(told: Teller, group: str) -> str:
    """What happened to the signal of a group."""
    found = []
    for fact in told.record:
        if getattr(fact, "signal", "") != f"uplink:{group}/reach@main":
            continue
        match fact:
            case facts.SilenceBegan():
                found.append(f"{clock(fact.at)} silent")
            case facts.WentDown():
                found.append(f"{clock(fact.at)} down")
            case facts.SilenceEnded(confirmed=False) | facts.CameUp():
                found.append(f"{clock(fact.at)} up")
            case facts.Unspoken() if fact.since > START:
                found.append(f"{clock(fact.since)} to {clock(fact.at)} unknown")
    return "; ".join(found) or "–"


def told_of(told: Teller) -> str:
    """Which emergencies opened, grew and ended, and who was told of their beginning."""
    found: list[str] = []
    short: dict[str, str] = {}
    for at, decision in told.decisions:
        for fact in decision.facts:
            match fact:
                case facts.UplinkEmergencyOpened():
                    short[fact.reference] = f"E{len(short) + 1}"
                    owed = [n for n in decision.notices if fact.reference in n.emergencies]
                    people = ", ".join(notice.customer for notice in owed)
                    found.append(f"{clock(at)} {short[fact.reference]} {fact.uplink} ({people})")
                case facts.EmergencyJoined():
                    name = fact.signal.removeprefix("uplink:").partition("/")[0]
                    found.append(f"{short[fact.reference]} + {name}")
                case facts.EmergencyEnded():
                    how = "withdrawn" if fact.withdrawn else "over"
                    found.append(f"{clock(at)} {short[fact.reference]} {how}")
    return "; ".join(found) or "–"


@dataclass(frozen=True)
class Case:
    name: str
    group: str
    main: str
    backup: str
    course: str
    told: str


def cases() -> list[Case]:
    """The tables of the page: each row a case, the group in the head of its column."""
    found, group = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        head = re.fullmatch(r"\| case \| main \| backup \| `(\S+)` \| told \|", line)
        if head is not None:
            group = head[1]
        elif not line.startswith("|"):
            group = ""
        elif group and not line.startswith("|---"):
            found.append(Case(cells[0], group, *cells[1:]))
    return found


CASES = cases()


def test_the_page_has_tables() -> None:
    assert len(CASES) > 12
    assert {case.group for case in CASES} == {ANY, ALL}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.group}: {case.name}")
def test_case(case: Case) -> None:
    told = site(case.group)
    play(told, main=case.main, backup=case.backup)

    assert course(told, case.group) == case.course
    assert told_of(told) == case.told


def uplink(told: Teller, name: str, until: datetime) -> UplinkHistory:
    return next(one for one in told.history(until).uplinks if one.uplink == name)


def known(history: UplinkHistory, period: Span) -> tuple[Timeline, Timeline]:
    """When an uplink was silent, and when it was up; all else is unknown."""
    spoken = (Timeline.of([period]) & history.service) - history.unknown
    silent = Timeline.of(silence.point for silence in history.silences) & spoken
    return silent, spoken - silent


GROUPS = (ANY, ALL, "any(all(backup,main),third)", "all(any(backup,main),third)")


@pytest.mark.parametrize("seed", range(25))
def test_each_second_of_a_group_is_what_the_expression_makes_of_its_members(seed: int) -> None:
    """Whatever each of three uplinks does, in rounds of its own, the account of a group follows."""
    dice = random.Random(seed)
    intervals = {name: MINUTE * dice.choice((1, 1, 3)) for name in FIRST}
    told = Teller()
    told.populate(START, device("web", uplink=ANY), uplinks=ways(*GROUPS, **intervals))
    looks = []
    for name, first in FIRST.items():
        letters = dice.choice(("AAM", "AMM", "AAM?", "AAMM?."))
        at = START + first
        while at < START + 40 * MINUTE:
            looks.append((at, name, dice.choice(letters) if at > START + 4 * MINUTE else "A"))
            at += intervals[name]
    for at, name, letter in sorted(looks):
        if letter != ".":
            told.round(name, at, letter * 3)
    until = START + 42 * MINUTE
    period = Span(instant.second(START), instant.second(until))
    members = {name: known(uplink(told, name, until), period) for name in FIRST}

    for group in GROUPS:
        whole, silent, up = parse(group), *known(uplink(told, group, until), period)
        for second in range(period.start, period.end):
            now = {
                name: False if _has(one[0], second) else True if _has(one[1], second) else None
                for name, one in members.items()
            }
            mine = False if _has(silent, second) else True if _has(up, second) else None
            assert mine == whole.value(now.get), (group, clock(instant.from_second(second)), now)


def _has(timeline: Timeline, second: int) -> bool:
    return any(span.start <= second < span.end for span in timeline.spans)


@pytest.mark.parametrize("seed", range(25))
def test_a_verdict_on_a_group_is_the_last_of_those_on_its_members(seed: int) -> None:
    """Never sooner, and never later while all are seen."""
    dice = random.Random(seed)
    told = site(ANY)
    pictures = {name: "A" + "".join(dice.choice("AMMM") for _ in range(25)) for name in ("main", "backup")}
    play(told, **pictures)
    down: set[str] = set()
    expected, group = [], []
    for fact in told.record:
        name = getattr(fact, "signal", "").removeprefix("uplink:").partition("/reach@")[0]
        if isinstance(fact, facts.WentDown) and name in pictures:
            down.add(name)
            expected += [fact.at] if len(down) == 2 else []
        elif isinstance(fact, facts.CameUp) and name in pictures:
            down.discard(name)
        elif isinstance(fact, facts.WentDown) and name == ANY:
            group.append(fact.at)

    assert group == expected


def test_rounds_that_are_decided_in_another_order_than_they_were_made() -> None:
    """
    1:10    both are looked at within a millisecond; the misses of `backup`, the later ones, are known first
    2:10    the same: the group is down when both are, and fell silent when both had missed
    """
    told = site(ANY)
    late = timedelta(milliseconds=10)
    for minute, looks in enumerate(("AAA", "MMM", "MMM")):
        at = START + minute * MINUTE + FIRST["main"]
        told.round("backup", at + late, looks)
        told.round("main", at, looks)

    own = told.world.signals[f"uplink:{ANY}/reach@main"]
    assert own.silence is not None
    assert own.verdict is not None
    assert own.silence.first_miss - (START + MINUTE + FIRST["main"]) in (late, late + instant.MICROSECOND)
    assert clock(own.silence.last_answer) == "0:10"
    assert clock(own.verdict) == "2:10"


def test_what_a_group_is_said_to_have_answered_is_an_answer_of_a_member() -> None:
    """`main` is dead; that the carrier was reached is shown by the last answer of `backup`, no later date."""
    told = site(ANY)
    play(told, main="AMMMMM", backup="AAA")

    own = told.world.signals[f"uplink:{ANY}/reach@main"]
    assert own.last_answer is not None
    assert clock(own.last_answer) == "2:40"
    backup = told.world.signals["uplink:backup/reach@main"]
    assert own.speaks_until == backup.speaks_until


@pytest.mark.parametrize(("group", "answered"), [(ANY, "1:40"), (ALL, "1:10")])
def test_the_last_answer_of_a_group_is_one_that_showed_that_all_of_it_was_there(
    group: str, answered: str
) -> None:
    """`main` answers at 1:10 last, `backup` at 1:40; then both are silent."""
    told = site(group)
    play(told, main="AAMM", backup="AAMM")

    own = told.world.signals[f"uplink:{group}/reach@main"]
    assert own.silence is not None
    assert clock(own.silence.last_answer) == answered


def test_a_member_that_was_down_when_it_was_looked_at_last_is_no_verdict_on_a_group() -> None:
    """
    2:40    backup is down, and is looked at no more: from 3:45 on it is unknown
    5:55    third is down
    6:10    main misses once: nothing is left, but only by that one miss
    7:10    main is down, and so is the group
    """
    group = "any(all(backup,main),third)"
    told = site(group)
    play(told, main="AAAAAAMM", backup="AMM", third="AAAAMMMM")

    assert course(told, group).split("; ")[-2:] == ["6:10 silent", "7:10 down"]


def test_why_a_group_is_unknown_is_what_its_members_were_unknown_for() -> None:
    told = site(ANY)
    play(told, main="AA?A", backup="AA?A")

    unspoken = [one for one in told.record if isinstance(one, facts.Unspoken) and one.since > START]
    why = {named: {one.why for one in unspoken if f":{named}/reach" in one.signal} for named in (ANY, "main")}
    assert why[ANY] == why["main"]
    assert len(why[ANY]) == 1


def test_a_caught_up_round_speaks_for_a_group_and_makes_no_verdict() -> None:
    told = site(ANY)
    play(told, main="AMM", backup="AM.")
    told.round("backup", START + timedelta(minutes=2, seconds=41), "MMM", Kind.CATCH_UP)

    assert course(told, ANY) == "1:40 silent"


# Who is told.


def stories(told: Teller, customer: str, kind: str = "emergency") -> list[tuple[str, int, int, int]]:
    found = [n for n in told.world.notices.values() if (n.customer, n.kind) == (customer, kind)]
    return [(s.uplink, s.behind, s.spared, s.spared_customers) for n in found for s in n.stories]


def test_the_operator_hears_who_still_reaches_the_carrier() -> None:
    """
    1:10    main dies; beta has a device behind it alone, acme one behind both
    3:40    backup dies; its own death is told with that of the group
    """
    told = site(ANY)
    play(told, main="AMMMM")
    assert stories(told, "noc") == [("Main", 1, 0, 0)], "backup has never answered: who is spared?"
    told = site(ANY)
    play(told, main="AMMMMM", backup="AAAMM")

    assert stories(told, "acme") == [("Backup / Main", 1, 0, 0)]
    assert stories(told, "beta") == [("Main", 1, 0, 0)]
    assert stories(told, "noc") == [("Main", 1, 1, 1), ("Backup / Main", 1, 0, 0)]
    (group,) = [n for n in told.world.notices.values() if n.customer == "acme"]
    assert group.stories[0].members == ("Backup", "Main")


def test_members_that_carry_many_groups() -> None:
    told = Teller()
    told.populate(
        START,
        device("a", "acme", uplink=ANY),
        device("b", "beta", uplink="any(main,third)"),
        device("b2", "beta", uplink=ANY),
        device("c", "core", uplink=ANY, state=State.SUSPENDED),
        uplinks=ways(ANY, "any(main,third)"),
        contacts=("duty",),
        operator="noc",
    )
    play(told, main="AMM", backup="AAA", third="AAA")

    assert stories(told, "noc") == [("Main", 0, 3, 2)]
    assert {notice.customer for notice in told.world.notices.values()} == {"noc"}


# Changes of the configuration.


def again(told: Teller, at: timedelta, *groups: str, **behind: str) -> None:
    """These devices of acme are behind these uplinks or groups from now on, and there are no others."""
    told.populate(
        START + at,
        *(device(name, "acme", uplink=way) for name, way in behind.items()),
        uplinks=ways(*groups),
        contacts=("duty",),
        operator="noc",
    )


def test_a_group_that_is_new_begins_as_its_members_are() -> None:
    """
    1:55    web, which was behind main, is behind both from now on
    2:10    main dies: web still reaches the carrier, and no second of the group is unknown
    """
    told = Teller()
    again(told, timedelta(0), web="main")
    play(told, main="AA", backup="AA")
    again(told, timedelta(minutes=1, seconds=55), ANY, web=ANY)
    play(told, main="..MMMM", backup="..AAAA")

    assert course(told, ANY) == "–"
    assert told.world.signals[f"uplink:{ANY}/reach@main"].proven
    assert {notice.customer for notice in told.world.notices.values()} == {"noc"}
    reach = uplink(told, ANY, START + 6 * MINUTE)
    assert not reach.unknown & reach.service


def test_a_group_that_comes_into_force_while_all_are_dead_is_judged() -> None:
    """
    2:40    main and backup are down, nobody is behind them
    3:05    web is put behind both: silent from then on, and by the next round of main it is told
    """
    told = Teller()
    again(told, timedelta(0), web="third")
    play(told, main="AMM", backup="AMM")
    again(told, timedelta(minutes=3, seconds=5), ANY, web=ANY)
    play(told, main="...MMA", backup="...MMA")

    assert course(told, ANY) == "3:05 silent; 3:10 down; 5:10 up"
    assert stories(told, "acme") == [("Backup / Main", 1, 0, 0)]
    reach = uplink(told, ANY, START + 6 * MINUTE)
    assert [clock(silence.last_answer) for silence in reach.silences] == ["0:40"]


def test_a_group_of_whose_members_none_has_ever_answered_is_not_proven() -> None:
    told = site(ANY)
    play(told, main="MMM", backup="MMM")

    assert course(told, ANY) == "–"
    assert not told.world.signals[f"uplink:{ANY}/reach@main"].proven
    assert told_of(told) == "–"


def test_a_group_that_needs_a_member_that_has_never_answered_is_not_proven() -> None:
    told = Teller()
    again(told, timedelta(0), web="main")
    play(told, main="AA", backup="MM")
    again(told, timedelta(minutes=1, seconds=55), ALL, web=ALL)

    assert not told.world.signals[f"uplink:{ALL}/reach@main"].proven


def test_a_group_that_is_taken_out_while_it_is_down_withdraws_its_emergency() -> None:
    """
    2:40    the group is down, and backup is told of with it
    3:00    web is behind main alone now: the group's emergency is withdrawn
    3:40    backup misses again, of which nobody is told any more: it is told to the operator
    """
    told = site(ANY)
    play(told, main="AMM", backup="AMM")
    again(told, timedelta(minutes=3), web="main")
    play(told, main="...MA", backup="...MA")

    assert told_of(told).split("; ")[1:] == [
        "2:40 E2 any(backup,main) (acme, noc)",
        "E2 + backup",
        "3:00 E2 withdrawn",
        "3:40 E3 backup (noc)",
        "4:10 E1 over",
        "4:40 E3 over",
    ]
    assert f"uplink:{ANY}/reach@main" not in told.world.signals


def test_members_of_a_group_that_change_make_another_group() -> None:
    """
    2:10    main is down; web is behind main and backup
    2:20    web is behind backup and third from now on
    3:40    backup is silent, third is not: web is reached
    """
    told = site(ANY)
    play(told, main="AMM", backup="AAA", third="AAA")
    again(told, timedelta(minutes=3), "any(backup,third)", web="any(backup,third)")
    play(told, main="...MMM", backup="...MMM", third="...AAA")

    assert course(told, "any(backup,third)") == "–"
    assert "acme" not in {notice.customer for notice in told.world.notices.values()}
