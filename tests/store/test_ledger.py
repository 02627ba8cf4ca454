"""The ledger: all of a decision or nothing, one writer, and facts that nobody can change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.core import canonical, facts, judge
from hostwatch.core.cause import Cause, Confidence, Finding
from hostwatch.core.element import Element
from hostwatch.core.element import Kind as Of
from hostwatch.core.place import Place
from hostwatch.core.power import Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.scene import Scene, What
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch
from hostwatch.core.world import Decision, Seen, Slice
from hostwatch.store.connection import connect
from hostwatch.store.errors import Damaged, Fenced, StoreError
from hostwatch.store.ledger import Ledger, Personal, facts_of
from hostwatch.store.rows import names
from tests.store.stories import BEGINNING, Story, device, population

WEB = "d0/ping@main"
FACT = facts.BlindBegan(at=BEGINNING, why="late", detail="loop")


def a_device_is_down(connection: sqlite3.Connection) -> Story:
    story = Story(connection)
    story.enrol(population(device(0)))
    story.answer(WEB)
    story.miss(WEB)
    story.miss(WEB)
    assert story.world.signals[WEB].verdict is not None
    return story


def everything(connection: sqlite3.Connection) -> list[str]:
    """All tables, as text."""
    return [*connection.iterdump()]


def test_a_verdict_and_all_that_follows_lie_in_one_transaction() -> None:
    story = a_device_is_down(connect(None))
    db = story.connection
    kinds = [type(fact).__name__ for fact in facts_of(db)]
    told = ["DutyArose", "NoticeOwed", "DutyArose", "NoticeOwed"]
    assert kinds[-8:] == ["WentDown", "EmergencyOpened", "CustomerDutyArose", *told, "CauseFound"]
    for table, count in (
        ("emergencies", 1),
        ("duties", 2),
        ("customer_duties", 1),
        ("notices", 2),
        ("notice_emergencies", 2),
    ):
        assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)
    story.agrees()


@pytest.mark.parametrize(
    "table", ["facts", "signals", "slices", "emergencies", "duties", "notices", "personal"]
)
def test_a_failure_anywhere_leaves_nothing_of_a_decision(table: str) -> None:
    """The write to one table is refused; the writes before it must be undone."""
    story = Story(connect(None))
    story.enrol(population(device(0)))
    story.answer(WEB)
    story.miss(WEB)
    condition = " WHEN new.kind = 'NoticeOwed'" if table == "facts" else ""
    story.connection.execute(
        f"CREATE TRIGGER no BEFORE INSERT ON {table}{condition} BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    before = everything(story.connection)
    personal = [Personal(commitment="c", salt=b"s", value="ops@dc.example")]
    decision = _verdict(story)
    with pytest.raises(Damaged, match="refused"):
        story.ledger.commit(decision, story.now, personal)
    assert everything(story.connection) == before
    assert not story.connection.in_transaction
    story.agrees()
    story.connection.execute("DROP TRIGGER no")
    story.ledger.commit(decision, story.now, personal)
    story.world.apply(decision)
    story.agrees()


def _verdict(story: Story) -> Decision:
    """The decision that a second miss leads to, not yet committed."""
    story.now += timedelta(seconds=30)
    missed = Reading(signal=WEB, at=story.now, known_at=story.now, outcome=Outcome.MISSED, why="no answer")
    decision = judge.readings(story.world, (1, 0), [missed], closes=True, now=story.now)
    assert decision.emergencies
    return decision


def test_a_watch_that_lost_the_store_writes_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "hostwatch.db"
    story = a_device_is_down(connect(path))
    other = Ledger(connect(path), "boot")
    other.open()
    assert other.epoch == story.ledger.epoch + 1
    before = everything(story.connection)
    with pytest.raises(Fenced, match="another watch has taken the store over"):
        story.ledger.commit(Decision(facts=(FACT,)), story.now)
    assert everything(story.connection) == before
    assert other.commit(Decision(facts=(FACT,)), story.now) > 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET body = '{}'",
        "UPDATE facts SET recorded_at = 0 WHERE seq = 1",
        "DELETE FROM facts",
        "DELETE FROM facts WHERE seq = (SELECT max(seq) FROM facts)",
        "UPDATE OR REPLACE facts SET seq = 1 WHERE seq = 2",
        "REPLACE INTO facts SELECT seq, 'Other', happened_at, recorded_at, boot_id, body, leaf FROM facts",
        "INSERT OR REPLACE INTO facts SELECT * FROM facts WHERE seq = 1",
    ],
)
def test_facts_are_neither_changed_nor_deleted(statement: str) -> None:
    story = a_device_is_down(connect(None))
    before = everything(story.connection)
    with pytest.raises(sqlite3.IntegrityError, match=r"a fact is never (changed|deleted)"):
        story.connection.execute(statement)
    assert everything(story.connection) == before


def test_a_signal_has_at_most_one_open_emergency() -> None:
    story = a_device_is_down(connect(None))
    (emergency,) = story.world.emergencies.values()
    second = replace(emergency, reference="E-000002")
    with pytest.raises(Damaged, match="UNIQUE constraint failed"):
        story.ledger.commit(Decision(emergencies=(second,)), story.now)
    over = replace(second, ended_at=story.now)
    story.ledger.commit(Decision(emergencies=(over,)), story.now)


def test_a_notice_and_a_duty_need_their_emergency() -> None:
    story = a_device_is_down(connect(None))
    notice = replace(next(iter(story.world.notices.values())), id="stray", emergencies=("E-000009",))
    duty = replace(next(iter(story.world.duties.values())), id="stray", emergency="E-000009")
    for decision in (Decision(notices=(notice,)), Decision(duties=(duty,))):
        with pytest.raises(Damaged, match="FOREIGN KEY constraint failed"):
            story.ledger.commit(decision, story.now)


def test_the_record_keeps_its_order_when_the_clock_goes_back() -> None:
    story = a_device_is_down(connect(None))
    last = story.ledger.commit(Decision(facts=(FACT, replace(FACT, why="first"))), BEGINNING)
    assert [*facts_of(story.connection, [facts.BlindBegan])] == [FACT, replace(FACT, why="first")]
    assert story.ledger.commit(Decision(), story.now) == last, "a decision without facts adds none"


def test_a_locked_file_may_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "hostwatch.db"
    story = a_device_is_down(connect(path))
    story.connection.execute("PRAGMA busy_timeout = 0")
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another program holds it") as caught:
        story.ledger.commit(Decision(facts=(FACT,)), story.now)
    assert not isinstance(caught.value, Damaged | Fenced)
    stranger.execute("ROLLBACK")
    story.ledger.commit(Decision(facts=(FACT,)), story.now)
    story.agrees()


@pytest.mark.parametrize("deed", ["loaded and told again", "another story"])
def test_the_same_story_gives_the_same_record(deed: str) -> None:
    """Nothing of the machine, of the process or of chance gets into a leaf."""
    stories: dict[str, Callable[[], Story]] = {
        "loaded and told again": lambda: a_device_is_down(connect(None)),
        "another story": lambda: _longer(a_device_is_down(connect(None))),
    }
    first, again = stories[deed](), stories[deed]()
    assert everything(first.connection) == everything(again.connection)


def _longer(story: Story) -> Story:
    story.do(judge.go_blind(story.world, "late", "loop", story.now))
    story.answer(WEB)
    return story


def test_one_entry_stands_for_everybody_when_we_see_nothing() -> None:
    """Else an hour with our own cable cut would take a hundred megabytes of a large site."""
    story = Story(connect(None))
    story.enrol(population(device(0), device(1), device(2)))
    story.round(lambda _: Outcome.ANSWERED)
    blind = Seen(signal=WEB, at=BEGINNING, why="own gateway silent")
    others = tuple(replace(blind, signal=f"d{n}/ping@main") for n in (1, 2))
    whole = Slice(version=9, number=1, unknown=(blind, *others), closed_at=BEGINNING, latencies=bytes(6))
    answered = replace(whole, number=2, latencies=bytes(8))
    mixed = replace(whole, number=3, unknown=(blind, *(replace(one, why="other") for one in others)))
    for evidence in (whole, answered, mixed):
        story.do(Decision(slice=evidence))

    rows = story.connection.execute("SELECT unknown FROM slices WHERE version = 9 ORDER BY number")

    assert [len(json.loads(text)) for (text,) in rows] == [1, 3, 3]
    (text,) = story.connection.execute(
        "SELECT unknown FROM slices WHERE version = 9 AND number = 1"
    ).fetchone()
    assert json.loads(text)[0][0] == "*"
    assert names(text, WEB)
    assert not names("[]", WEB)


def test_the_house_and_what_its_sources_said_come_back() -> None:
    story = Story(connect(None))
    house = replace(
        population(replace(device(0), place=Place(rack="r1", feeds="r1-a", supply="ups-a", ports="sw-1/7"))),
        sources={"a": Source(id="a", kind="power/nut")},
        elements={
            "grid": Element(id="grid", kind=Of.UTILITY),
            "ups-a": Element(id="ups-a", kind=Of.UPS, input="grid", witness="a"),
        },
        supplies={"ups-a": Supply(id="ups-a")},
        switches={"sw-1": Switch(id="sw-1", name="Row 1", address="192.0.2.2", behind="core", feeds="ups-a")},
    )
    story.enrol(house)
    story.agrees()
    said = ""
    for utility in (Utility.PRESENT, Utility.ABSENT):
        said = PowerReading(points=(Point(utility=utility, ups=Ups.ABLE),), runtime_s=600).text
        story.now += timedelta(seconds=10)
        reading = Reading(
            signal="source:a/read@main", at=story.now, known_at=story.now, outcome=Outcome.ANSWERED, said=said
        )
        story.do(judge.readings(story.world, None, [reading], closes=False, now=story.now))
        story.agrees()
    assert story.world.heard["a"].said == said
    assert story.world.signals["supply:ups-a/power@main"].proven
    story.start()
    story.agrees()
    assert story.world.population.sources == house.sources
    assert story.world.population.switches == house.switches
    story.enrol(population(device(0)))
    story.agrees()
    assert story.world.heard == {}


def test_what_was_written_before_switches_had_feeds_still_reads() -> None:
    """A version of the population, and the scene of an outage that goes on, without the newer words."""
    story = Story(connect(None))
    switches = {"sw-1": Switch(id="sw-1", name="Row 1", address="192.0.2.2")}
    story.enrol(replace(population(device(0)), switches=switches))
    db = story.ledger._db
    ((body,),) = db.execute("SELECT body FROM population WHERE thing = 'switch'").fetchall()
    told = json.loads(body)
    assert told.pop("feeds") == ""
    assert told["terms"].pop("one_event") == "both"
    db.execute("UPDATE population SET body = ? WHERE thing = 'switch'", (json.dumps(told),))
    finding = Finding(cause=Cause.NETWORK, confidence=Confidence.LIKELY, rule="switch")
    scene = canonical.plain(Scene(of=What.SWITCH, silent=2))
    assert scene.pop("switch_power") == "unknown"
    row = ("switch:sw-1/ping@main", 2, 1, json.dumps(scene), json.dumps(canonical.plain(finding)))
    db.execute("INSERT INTO causes VALUES (?, ?, ?, ?, ?)", row)

    world = story.ledger.load()
    assert world.population.switches == switches
    assert world.causes["switch:sw-1/ping@main"].scene == Scene(of=What.SWITCH, silent=2)
