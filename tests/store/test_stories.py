"""Whatever happens in whatever order: the store tells the same world as the one in memory."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hostwatch.core import calling, canonical, delivery, judge
from hostwatch.core.calls import Outcome as CallOutcome
from hostwatch.core.device import State
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.instant import from_micros
from hostwatch.core.reading import Kind, Outcome
from hostwatch.store.connection import connect
from tests.store.stories import Story, device, population

DEVICES = st.builds(
    device,
    st.integers(0, 3),
    customer=st.sampled_from(["acme", "other"]),
    state=st.sampled_from([State.IN_SERVICE, State.IN_SERVICE, State.NOT_WATCHED, State.SUSPENDED]),
    address=st.integers(1, 2),
)
OUTCOMES = st.sampled_from([*Outcome, Outcome.MISSED])
PLACES = st.integers(0, 9)


class Stories(RuleBasedStateMachine):
    """Every deed of the watch, at random."""

    def __init__(self) -> None:
        super().__init__()
        self.given_away: set[str] = set()
        """Signals of devices that another customer has got."""

        self.story = Story(connect(None))
        self.story.enrol(population(device(0), device(1)))

    @rule(data=st.data(), kind=st.sampled_from([Kind.SCHEDULED, Kind.SCHEDULED, *Kind]), closes=st.booleans())
    def look(self, data: st.DataObject, kind: Kind, closes: bool) -> None:
        names = sorted(self.story.world.signals)
        chosen = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
        self.story.look([(name, data.draw(OUTCOMES)) for name in chosen], kind, closes=closes)

    @rule(data=st.data(), wells=st.booleans())
    def round(self, data: st.DataObject, wells: bool) -> None:
        """A minute in which everybody is due once: all answer, or each does as it likes."""
        drawn: dict[str, Outcome] = {}

        def outcome(name: str) -> Outcome:
            if name not in drawn:
                drawn[name] = Outcome.ANSWERED if wells else data.draw(OUTCOMES)
            return drawn[name]

        self.story.round(outcome)

    @rule()
    def all_go_down(self) -> None:
        for outcome in (Outcome.ANSWERED, Outcome.MISSED, Outcome.MISSED):
            self.story.look([(name, outcome) for name in self.story.world.signals])

    @rule(
        devices=st.lists(DEVICES, max_size=4, unique_by=lambda one: one.id),
        contacts=st.sampled_from([(), ("duty",), ("duty", "boss")]),
        misses=st.integers(1, 3),
    )
    def enrol(self, devices: list[Any], contacts: tuple[str, ...], misses: int) -> None:
        before, after = self.story.world.population, population(*devices, contacts=contacts, misses=misses)
        self.given_away |= {
            device.signal(after.vantage)
            for device in after.devices.values()
            if device.id in before.devices and before.devices[device.id].customer != device.customer
        }
        self.story.enrol(after)

    @rule(place=PLACES, outcome=st.sampled_from([*AttemptOutcome]))
    def attempt(self, place: int, outcome: AttemptOutcome) -> None:
        self.story.attempt(place, outcome)

    @rule(place=PLACES, who=st.sampled_from(["a", "b"]), contact=st.sampled_from(["", "duty", "boss"]))
    def acknowledge(self, place: int, who: str, contact: str) -> None:
        self.story.acknowledge(place, who, contact)

    @rule(place=PLACES, who=st.sampled_from(["a", "b"]))
    def take_a_call(self, place: int, who: str) -> None:
        self.story.take_a_call(place, who)

    @rule(place=PLACES, outcome=st.sampled_from([*CallOutcome]), has_it=st.booleans())
    def end_a_call(self, place: int, outcome: CallOutcome, has_it: bool) -> None:
        self.story.end_a_call(place, outcome, has_it=has_it and outcome is CallOutcome.SPOKE)

    @rule()
    def calls_come_back(self) -> None:
        self.story.now += timedelta(minutes=1)
        self.story.do(calling.come_back(self.story.world, self.story.now))

    @rule(place=PLACES)
    def has_it_no_more(self, place: int) -> None:
        self.story.has_it_no_more(place)

    @rule(place=PLACES, state=st.sampled_from([NoticeState.GIVEN_UP, NoticeState.FORBIDDEN]))
    def settle(self, place: int, state: NoticeState) -> None:
        self.story.settle(place, state)

    @rule()
    def run_out_of_time(self) -> None:
        self.story.now += timedelta(minutes=10)
        self.story.do(delivery.breaches(self.story.world, self.story.now))

    @rule(why=st.sampled_from(["no sight", "late"]))
    def go_blind(self, why: str) -> None:
        if why not in self.story.world.blind:
            self.story.do(judge.go_blind(self.story.world, why, "detail", self.story.now))

    @rule(why=st.sampled_from(["no sight", "late"]))
    def see_again(self, why: str) -> None:
        self.story.do(judge.see_again(self.story.world, why, self.story.now))

    @rule(seconds=st.integers(-600, 600))
    def step_the_clock(self, seconds: int) -> None:
        before, after = self.story.now, self.story.now + timedelta(seconds=seconds)
        self.story.now = after
        self.story.do(judge.follow_clock(self.story.world, before, after))

    @rule()
    def restart(self) -> None:
        self.story.start()
        self.story.do(delivery.interrupted(self.story.world, self.story.now))

    @invariant()
    def the_store_agrees(self) -> None:
        self.story.agrees()

    @invariant()
    def at_most_one_emergency_is_open_for_a_signal(self) -> None:
        world = self.story.world
        signals = [emergency.signal for emergency in world.emergencies.values()]
        assert len(set(signals)) == len(signals)
        down = {s.name for s in world.signals.values() if s.verdict is not None}
        assert set(signals) <= down
        assert down - set(signals) <= self.given_away, "whose new customers are told at its next miss"

    @invariant()
    def duties_notices_and_references_are_whole(self) -> None:
        world, db = self.story.world, self.story.connection
        (references,) = db.execute("SELECT count(*) FROM emergencies").fetchone()
        (opened,) = db.execute("SELECT count(*) FROM facts WHERE kind = 'EmergencyOpened'").fetchone()
        (arose,) = db.execute("SELECT count(*) FROM facts WHERE kind = 'DutyArose'").fetchone()
        (duties,) = db.execute("SELECT count(*) FROM duties").fetchone()
        assert world.references == references == opened
        assert arose == duties

    def teardown(self) -> None:
        """The record is whole: numbered without a gap, and every leaf is that of its entry."""
        rows = self.story.connection.execute(
            "SELECT seq, kind, recorded_at, boot_id, body, leaf FROM facts ORDER BY seq"
        ).fetchall()
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        for seq, kind, recorded_at, boot_id, body, leaf in rows:
            entry = {
                "seq": seq,
                "kind": kind,
                "recorded_at": from_micros(recorded_at),
                "boot_id": boot_id,
                "body": json.loads(body),
            }
            assert canonical.leaf(canonical.encode(entry)) == leaf
            assert canonical.encode(canonical.decode(kind, json.loads(body))) == body.encode()
        self.story.connection.close()


TestStories = Stories.TestCase
TestStories.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
