"""Supplies that take the place of others while power is interrupted (J10): nobody is told of an end too soon.

```
 ups-a ── web (acme)        ups-b ── db (beta)        any(ups-a,ups-b) ── nas (gamma)        ups-c
```
At a time devices hang on other supplies: `web=ups-c db=ups-c`; whatever nothing hangs on is taken out. Who is
suspended, `db=ups-a,suspended`, keeps a supply in.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hostwatch.core import facts, supply
from hostwatch.core.device import State
from hostwatch.core.emergency import Notice
from hostwatch.core.notice import Part, Story
from hostwatch.core.place import Place
from hostwatch.core.population import Population
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.signal import Signal, Silence
from hostwatch.core.succession import successor
from hostwatch.core.supply import Supply
from tests.core.pictures import clock, instant, seconds
from tests.core.shared_pictures import BOTH, SIGNALS, WATCHED, Stage

NEW = "any(ups-a,ups-b,ups-c)"
SHORT = {"both": BOTH, "new": NEW}
LETTERS = {"A": Outcome.ANSWERED, "M": Outcome.MISSED, "?": Outcome.UNKNOWN}
TABLE = """
a third UPS, and power stays away
  A0:00:a,b M0:10:a M0:20:a M0:30:a | 0:35 web=ups-c | M0:40:c M0:50:c A1:00:c
  0:20 E1 (acme); E1 + ups-c; 1:00 E1 over
it has power: over
  A0:00:a,b M0:10:a M0:20:a | 0:25 web=ups-c | A0:30:c
  0:20 E1 (acme); E1 + ups-c; 0:30 E1 over
nobody hears it: the emergency goes on
  A0:00:a,b M0:10:a M0:20:a | 0:25 web=ups-c | ?0:30:c ?0:40:c A5:00:c
  0:20 E1 (acme); E1 + ups-c; 5:00 E1 over
one miss before and one after make the verdict
  A0:00:a,b M0:10:a | 0:15 web=ups-c | M0:20:c A0:30:c
  0:20 E1 (acme); 0:30 E1 over
it had power, and loses it at once
  A0:00:a,b | 0:05 web=ups-c | M0:10:c M0:20:c A0:30:c
  0:20 E1 (acme); 0:30 E1 over
never seen with power: not proven, as before
  M0:00:a M0:10:a | 0:15 web=ups-c | M0:20:c M0:30:c A0:40:c
  –
two interrupted ones become one
  A0:00:a,b M0:10:a,b M0:20:a,b | 0:25 web=ups-c db=ups-c | M0:30:c A0:40:c
  0:20 E1 (acme, beta); E1 + ups-b; E1 + ups-c; 0:40 E1 over
two emergencies become one supply: who is told under the other hears where
  A0:00:a,b M0:10:a M0:20:a,b M0:30:b | 0:35 web=ups-c db=ups-c | M0:40:c A0:50:c
  0:20 E1 (acme); 0:30 E2 (beta); E1 + ups-c; 0:35 E2 withdrawn under E1; E1 tells beta; 0:50 E1 over
with and without power become one that has it
  A0:00:a,b M0:10:a M0:20:a A0:20:b | 0:25 web=ups-c db=ups-c | A0:30:c
  0:20 E1 (acme); E1 + ups-c; 0:30 E1 over
with and without power become one that has none: the other is told after two misses
  A0:00:a,b M0:10:a M0:20:a A0:20:b | 0:25 web=ups-c db=ups-c | M0:30:c M0:40:c A0:50:c
  0:20 E1 (acme); E1 + ups-c; E1 tells beta; 0:50 E1 over
to one that has power: over
  A0:00:a,b M0:10:a M0:20:a A0:20:b | 0:25 web=ups-b | A0:30:b
  0:20 E1 (acme); 0:25 E1 over
to one that is interrupted too, under the same
  A0:00:a,b M0:10:a,b M0:20:a,b | 0:25 web=ups-b | M0:30:b A0:40:b
  0:20 E1 (acme, beta); E1 + ups-b; 0:40 E1 over
to one that another emergency tells of
  A0:00:a,b M0:10:a M0:20:a,b M0:30:b | 0:35 web=ups-b | M0:40:b A0:50:b
  0:20 E1 (acme); 0:30 E2 (beta); 0:35 E1 withdrawn under E2; E2 tells acme; 0:50 E2 over
to one of which nobody knows: until somebody does
  A0:00:a,b M0:10:a M0:20:a ?0:20:b | 0:25 web=ups-b | A0:30:b
  0:20 E1 (acme); E1 + ups-b; 0:30 E1 over
only some move, and have power
  A0:00:a,b M0:10:a,b M0:20:a,b | 0:22 db=ups-a | 0:25 db=ups-c | M0:30:a A0:30:c A0:40:a
  0:20 E1 (acme, beta); E1 + ups-b; E1 + ups-c; 0:30 E1 over for beta; 0:40 E1 over
who has power comes to one that is interrupted
  A0:00:a,b M0:10:a M0:20:a A0:20:b | 0:25 db=ups-a | M0:30:a A0:40:a
  0:20 E1 (acme); E1 tells beta; 0:40 E1 over
twice renamed
  A0:00:a,b M0:10:a M0:20:a | 0:22 web=ups-c | 0:24 web=new | M0:30:new A0:40:new
  0:20 E1 (acme); E1 + ups-c; E1 + any(ups-a,ups-b,ups-c); 0:40 E1 over
there, and back again
  A0:00:a,b M0:10:a M0:20:a | 0:22 web=ups-c | 0:24 web=ups-a | M0:30:a A0:40:a
  0:20 E1 (acme); E1 + ups-c; E1 + ups-a; 0:40 E1 over
a restart right after
  A0:00:a,b M0:10:a M0:20:a | 0:25 web=ups-c | R M0:30:c A0:40:c
  0:20 E1 (acme); E1 + ups-c; 0:40 E1 over
no longer watched, without any other
  A0:00:a,b M0:10:a M0:20:a | 0:25 web= | A0:30:b
  0:20 E1 (acme); 0:25 E1 withdrawn
to one that was read with power, though nobody in service was on it: over
  A0:00:a,b | 0:05 db=ups-c,suspended | M0:10:a A0:10:c M0:20:a A0:20:c | 0:25 web=ups-c | A0:30:c
  0:20 E1 (acme); 0:25 E1 over
to one that was never read, and on which others are: not proven, so nobody else is told
  A0:00:a | 0:05 nas=ups-c | M0:10:a M0:20:a | 0:25 web=ups-c | M0:30:c M0:40:c A0:50:c
  0:20 E1 (acme); E1 + ups-c; 0:50 E1 over
two of which one was never read become one: judged by what the other was
  A0:00:a | 0:05 web=ups-c nas=ups-c | M0:10:c M0:20:c A0:30:c
  0:20 E1 (acme, gamma); 0:30 E1 over
who is suspended takes nothing over
  A0:00:a | 0:05 web=ups-a,suspended | 0:08 web=ups-c,suspended | M0:10:c M0:20:c A0:30:c
  –
the last in service goes, and a suspended one keeps it: it is over for whoever went, and goes on
  A0:00:a,both | 0:05 db=ups-a,suspended | M0:10:a M0:20:a A0:20:both | 0:25 web=both | A0:30:both A0:40:a
  0:20 E1 (acme); 0:30 E1 over for acme; 0:40 E1 over
it is interrupted when only a suspended one is left, and others are changed meanwhile
  A0:00:a,both | 0:05 db=ups-a,suspended web=both | M0:10:a M0:20:a | 0:25 nas=ups-c | M0:30:a A0:30:c A0:40:a
  0:20 E1 (); 0:40 E1 over
"""


def cases() -> list[tuple[str, str, str]]:
    lines = [line for line in TABLE.strip().splitlines() if line]
    return [(name, one.strip(), told.strip()) for name, one, told in zip(*[iter(lines)] * 3, strict=True)]


def moved(people: Population, wishes: str) -> Population:
    devices = dict(people.devices)
    for wish in wishes.split():
        name, _, where = wish.partition("=")
        on, _, word = where.partition(",")
        place = Place(rack="r1", supply=SHORT.get(on, on))
        state = State(word or State.IN_SERVICE)
        devices[name] = replace(devices[name], place=place, state=state)
    names = {one.place.supply for one in devices.values() if one.place is not None and one.place.supply}
    return replace(people, devices=devices, supplies={name: Supply(id=name) for name in sorted(names)})


class Renaming(Stage):
    """Plays a story in which supplies get other names."""

    def __init__(self, path: Path) -> None:
        bare = {name: replace(one, services=()) for name, one in WATCHED.devices.items()}
        people = replace(WATCHED, devices=bare, switches={}, operator="")
        super().__init__(path, moved(people, "web=ups-a db=ups-b nas=both"))

    def tell(self, story: str) -> None:
        for part in story.split("|"):
            first, *rest = part.split()
            if rest and "=" in rest[0]:
                self.enrol(moved(self.people, " ".join(rest)), seconds(first))
                continue
            for token in part.split():
                self.token(token)

    def token(self, token: str) -> None:
        if token == "R":
            self.ledger.close()
            self._open()
            return
        letter, at, names = token[0], *token[1:].rsplit(":", 1)
        rows = [f"ups-{name}" if len(name) == 1 else name for name in names.split(",")]
        signals = tuple(supply.signal_of(SHORT.get(row, row), "main") for row in rows)
        self.read(signals, seconds(at), LETTERS[letter])

    def read(self, signals: tuple[str, ...], at: int, outcome: Outcome, kind: Kind = Kind.SCHEDULED) -> None:
        for signal in signals:
            SIGNALS.setdefault(supply.named(signal) or "", signal)
        rows = tuple(supply.named(signal) or "" for signal in signals)
        self.look_at_all(rows, at, outcome, kind)

    @property
    def said(self) -> str:
        under = {
            notice.emergencies[0]: story.under
            for decision in self.decisions
            for notice in decision.notices
            for story in notice.stories
            if story.under
        }
        found = self.told
        for reference, other in under.items():
            short = f"E{int(reference[2:])} withdrawn"
            found = found.replace(short, f"{short} under E{int(other[2:])}")
        return re.sub(r"(E\d+) ups-\w \(", r"\1 (", found)

    @property
    def notices(self) -> list[Notice]:
        return [notice for decision in self.decisions for notice in decision.notices]


@pytest.mark.parametrize(("name", "story", "told"), cases(), ids=[case[0] for case in cases()])
def test_case(name: str, story: str, told: str, tmp_path: Path) -> None:
    stage = Renaming(tmp_path / "h.db")
    stage.tell(story)

    assert stage.said == told
    assert not stage.world.emergencies


def heard(name: str, answered: int, missed: int = 0, down: int = 0, read: int = 30) -> Signal:
    """Read at 0:30 last; it answered at that time, missed since then, and was found down then; 0: never."""
    last = instant(answered)
    silence = Silence(last_answer=last, first_miss=instant(missed), last_miss=instant(read), why="")
    return Signal(
        name=name,
        speaks_until=instant(read + 10),
        last_reading=instant(read),
        last_answer=last,
        silence=silence if missed else None,
        verdict=instant(down) if down else None,
    )


@pytest.mark.parametrize(
    ("olds", "base", "spoken"),
    [
        ([heard("a", 10), heard("b", 20)], "b", 40),
        ([heard("a", 20), heard("b", 10)], "a", 40),
        ([heard("a", 20, read=28), heard("b", 10)], "a", 38),  # it speaks no longer than each of them
        ([heard("a", 5, 10), heard("b", 10, 20)], "a", 40),
        ([heard("a", 10, 20), heard("b", 5, 10)], "b", 40),
        ([heard("a", 5, 10), heard("b", 10, 20, 30)], "b", 40),  # who was found to be down is first
        ([heard("a", 5, 10, 20), heard("b", 10, 20, 30)], "a", 40),
    ],
)
def test_as_which_of_them_it_goes_on(olds: list[Signal], base: str, spoken: int) -> None:
    chosen, new = successor("new", olds, instant(35))

    assert (chosen.name, new.name) == (base, "new")
    assert (new.silence, new.verdict, new.last_answer) == (chosen.silence, chosen.verdict, chosen.last_answer)
    assert (new.speaks_until, new.blind_since) == (instant(spoken), None)
    assert new.last_reading == instant(30)


def test_what_nobody_knows_of_one_of_them_nobody_knows_of_the_new_one() -> None:
    mute = replace(heard("a", 10), blind_since=instant(32), blind_why="no answer")
    _, new = successor("new", [mute, heard("b", 20)], instant(35))

    assert (new.blind_since, new.blind_why, new.speaks_until) == (instant(35), "no answer", instant(35))


def test_the_time_in_which_nothing_spoke_for_one_that_is_taken_over_is_on_record(tmp_path: Path) -> None:
    """A suspended device was put on ups-c at 0:05, and nobody had read that when web came."""
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a | 0:05 db=ups-c,suspended | A0:10:a | 0:15 web=ups-c | A0:20:c")

    unspoken = [one for one in stage.facts if isinstance(one, facts.Unspoken) and "ups-c" in one.signal]
    assert [(clock(one.since), clock(one.at), one.why) for one in unspoken] == [
        ("0:05", "0:15", "not proven")
    ]


def test_what_a_customer_reads_of_the_end_has_the_dates_of_all_of_it(tmp_path: Path) -> None:
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a,b M0:10:a M0:20:a | 0:25 web=ups-c | M0:30:c A0:40:c")
    begun, over = (notice.stories[0] for notice in stage.notices)

    assert (over.devices, over.first_miss, over.verdict) == (begun.devices, begun.first_miss, begun.verdict)
    assert dates(over) == ("0:10", "0:30", "0:40")
    assert [dates(part) for part in over.parts] == [("0:10", "0:30", "0:40")]


def test_who_comes_under_it_later_is_told_from_then_on(tmp_path: Path) -> None:
    """Their time to tell runs from the reading that found it, their outage from when they came."""
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a,b M0:10:a M0:20:a A0:20:b | 0:25 db=ups-a | M0:30:a A0:40:a")
    (first,) = [one for one in stage.notices if one.id == "E-000001.emergency.beta.duty"]
    (over,) = [one for one in stage.notices if one.id == "E-000001.recovery.beta.duty"]
    (due,) = [fact.due for fact in stage.facts if isinstance(fact, facts.DutyArose) and fact.duty == first.id]

    story = first.stories[0]
    assert [clock(one) for one in (story.last_answer, story.first_miss, story.verdict)] == [
        "0:25",
        "0:30",
        "0:30",
    ]
    assert clock(due) == "15:30"
    assert [dates(part) for part in over.stories[0].parts] == [("0:30", "0:30", "0:40")]


def test_to_one_that_has_power_the_end_is_when_they_came_there(tmp_path: Path) -> None:
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a,b M0:10:a M0:20:a A0:20:b | 0:25 web=ups-b")
    (over,) = [notice.stories[0] for notice in stage.notices if notice.kind == "recovery"]

    assert dates(over) == dates(over.parts[0]) == ("0:10", "0:20", "0:25")


def test_of_whom_more_is_without_power_gets_an_update(tmp_path: Path) -> None:
    stage = Renaming(tmp_path / "h.db")
    devices = {**stage.people.devices}
    devices["db"] = replace(devices["db"], customer="acme")
    stage.enrol(replace(stage.people, devices=devices), 0)
    stage.tell("A0:00:a,b M0:10:a M0:20:a A0:20:b | 0:25 db=ups-a | M0:30:a M0:40:a A0:50:a")

    assert [notice.id for notice in stage.notices] == [
        "E-000001.emergency.acme.duty",
        "E-000001.update-1.acme.duty",
        "E-000001.recovery.acme.duty",
    ]
    assert stage.notices[1].stories[0].devices == ("db", "web")


def dates(one: Story | Part) -> tuple[str, str, str]:
    assert one.last_miss is not None
    assert one.first_answer is not None
    return clock(one.first_miss), clock(one.last_miss), clock(one.first_answer)


def test_the_cause_that_was_found_goes_on(tmp_path: Path) -> None:
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a,b M0:10:a M0:20:a | 0:25 web=ups-c")
    found = [fact for fact in stage.facts if isinstance(fact, facts.CauseFound)]

    assert [(one.signal, one.cause, clock(one.first_miss)) for one in found] == [
        ("supply:ups-a/power@main", "operator's power", "0:10"),
        ("supply:ups-c/power@main", "operator's power", "0:10"),
    ]
    assert [*stage.world.causes] == ["supply:ups-c/power@main"]


def test_the_record_says_who_took_over_from_whom(tmp_path: Path) -> None:
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a,b M0:10:a,b M0:20:a,b | 0:25 web=ups-c db=ups-c")
    (taken,) = [fact for fact in stage.facts if isinstance(fact, facts.SupplyTookOver)]
    cut = [fact for fact in stage.facts if isinstance(fact, facts.SilenceCut)]

    assert taken.before == ("supply:ups-b/power@main", "supply:ups-a/power@main")
    assert [taken.first_miss, taken.verdict] == [instant(10), instant(20)]
    assert {one.why for one in cut} == {"nothing hangs on it any more"}
    assert not [fact for fact in stage.facts if isinstance(fact, facts.WentDown) and "ups-c" in fact.signal]


def test_who_heard_of_the_end_and_comes_under_it_again_is_told_of_another(tmp_path: Path) -> None:
    """Nobody reads twice of one reference; who is told of that already hears of the new one."""
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a,b M0:10:a,b M0:20:a,b | 0:22 db=ups-c | A0:30:c M0:30:a | 0:35 db=ups-a | M0:40:a")

    assert stage.said == (
        "0:20 E1 (acme, beta); E1 + ups-b; E1 + ups-c; 0:30 E1 over for beta;"
        " 0:40 E1 withdrawn under E2; 0:40 E2 (acme, beta)"
    )
    stage.tell("A0:50:a")
    assert not stage.world.emergencies


def test_who_has_power_again_elsewhere_and_is_silent_is_told_of_that(tmp_path: Path) -> None:
    """`web` fell with ups-a, which goes on for beta. Its own silence was told of with it, and is no more."""
    stage = Renaming(tmp_path / "h.db")
    stage.enrol(moved(stage.people, "db=ups-a nas=ups-b"), 0)
    stage.tell("A0:00:a,b")
    stage.look_at_all(("web",), 1, Outcome.ANSWERED)
    stage.tell("M0:10:a M0:20:a")
    for at in (301, 601):
        stage.look_at_all(("web",), at, Outcome.MISSED)
    stage.tell("M10:10:a A10:10:b | 10:20 web=ups-b | A10:30:b M10:30:a")
    stage.look_at_all(("web",), 901, Outcome.MISSED)

    assert stage.said == ("0:20 E1 (acme, beta); E1 + web; 10:30 E1 over for acme; 15:03 E2 web")
    assert stage.world.customer_duties.keys() >= {"E-000002.customer.acme"}


def test_who_moves_with_the_name_of_their_supply_stays_told_of(tmp_path: Path) -> None:
    stage = Renaming(tmp_path / "h.db")
    stage.tell("A0:00:a,b")
    stage.look_at_all(("web",), 1, Outcome.ANSWERED)
    stage.tell("M0:10:a M0:20:a")
    for at in (301, 601):
        stage.look_at_all(("web",), at, Outcome.MISSED)
    stage.tell("M10:10:a | 10:20 web=ups-c | M10:30:c")
    stage.look_at_all(("web",), 901, Outcome.MISSED)

    assert stage.said == "0:20 E1 (acme); E1 + web; E1 + ups-c"
