"""A configuration in steps ends where one deed ends, also if it is killed on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core import enrolment, facts, judge
from hostwatch.core.device import State
from hostwatch.core.enrolment import Opening, Step
from hostwatch.core.population import Changes, Customer, Population
from hostwatch.core.service import Service
from hostwatch.core.terms import AgreementTerms, ServiceTerms
from hostwatch.core.world import World
from hostwatch.store.connection import connect
from tests.sla.teller import carrier
from tests.store.stories import Story, device, population

CUSTOMERS = ("acme", "other", "third")
OPENING = Opening(digest="wanted", author="somebody", difference=(), content={})

WWW, EMAIL = Service(name="www"), Service(name="email", terms=ServiceTerms(obliges=False))
SLOW = Service(name="www", terms=ServiceTerms(interval=timedelta(seconds=90)), intrudes=True)

devices = st.lists(
    st.builds(
        device,
        st.integers(0, 7),
        customer=st.sampled_from(CUSTOMERS),
        state=st.sampled_from([State.IN_SERVICE, State.IN_SERVICE, State.SUSPENDED]),
        address=st.integers(1, 3),
        method=st.sampled_from(["icmp", "icmp mac=52:54:00:12:34:56", "tcp port=443"]),
        services=st.sampled_from([(), (WWW,), (WWW, EMAIL), (SLOW,)]),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)

uplinks = st.lists(
    st.builds(
        carrier,
        st.sampled_from(["east", "west"]),
        references=st.integers(3, 5),
        interval=st.sampled_from([timedelta(seconds=30), timedelta(seconds=60)]),
    ),
    max_size=2,
    unique_by=lambda one: one.id,
)


@st.composite
def populations(draw: st.DrawFn) -> Population:
    """Any devices of customers with any intervals and contacts; perhaps of another vantage point."""
    ways = draw(uplinks)
    chosen = [
        replace(one, uplink=draw(st.sampled_from([None, *(way.id for way in ways)]))) for one in draw(devices)
    ]
    spare = draw(st.sets(st.sampled_from(CUSTOMERS)))
    names = sorted({one.customer for one in chosen} | spare)
    return Population(
        uplinks={way.id: way for way in ways},
        operator=draw(st.sampled_from(["", *names])),
        customers={
            name: Customer(
                id=name,
                contacts=draw(st.sampled_from([(), ("duty",), ("duty", "boss")])),
                terms=AgreementTerms(interval=timedelta(seconds=draw(st.sampled_from([30, 60])))),
            )
            for name in names
        },
        devices={one.id: one for one in chosen},
    )


def whole(world: World) -> dict[str, Any]:
    """What must be the same however one came there; versions of the schedule are counted as they come."""
    return {
        "population": world.population,
        "devices": dict(world.population.watched()),
        "signals": sorted(world.signals),
        "targets": world.schedule.targets,
        "configuration": world.configuration,
    }


def bring(story: Story, wanted: Population, most: int, steps: int | None = None) -> None:
    """Bring a population into force in steps; at most so many of them, as if killed then."""
    changes = enrolment.between(story.world.population, wanted)
    parts = [Step(changes=part) for part in enrolment.in_steps(changes, most)]
    parts[:0] = [Step(opening=OPENING)]
    for part in parts[:steps]:
        story.do(enrolment.step(story.world, part, story.now))
        story.agrees()
    if steps is not None and steps < len(parts):
        return
    moved = enrolment.behind(story.world.schedule, story.world.population)
    schedule = enrolment.rescheduled(story.world.schedule, moved)
    closing = Step(schedule=schedule, targets=moved, closes="wanted")
    story.do(enrolment.step(story.world, closing, story.now))
    story.agrees()


@settings(deadline=None, max_examples=40)
@given(before=populations(), after=populations(), most=st.integers(1, 3), steps=st.integers(0, 20))
def test_steps_end_where_one_deed_ends_also_after_a_kill(
    before: Population, after: Population, most: int, steps: int
) -> None:
    story, plain = Story(connect(None)), Story(connect(None))
    story.enrol(before)
    plain.enrol(before)

    bring(story, after, most, steps)
    story.start()
    if story.world.configuration != "wanted":
        bring(story, after, most)
    plain.do(enrolment.apply(plain.world, accepted(after), plain.now))

    assert whole(story.world) == whole(plain.world)
    watched = {name for name, _ in after.watched()}
    watched |= {name for uplink in after.uplinks.values() for name in uplink.signals(after.vantage)}
    assert {*story.world.signals} == watched
    assert {*story.ledger.load().signals} == watched


def accepted(population: Population) -> enrolment.Accepted:
    return enrolment.Accepted(
        population=population, digest="wanted", author="somebody", difference=({},), content={}
    )


@given(before=populations(), after=populations(), vantage=st.sampled_from(["main", "east"]))
def test_what_moves_in_the_schedule_is_the_difference_of_what_is_due(
    before: Population, after: Population, vantage: str
) -> None:
    after.vantage = vantage
    was, wanted = set(before.targets()), set(after.targets())

    moved = enrolment.moves(before, enrolment.between(before, after))

    assert set(moved.removed) == was - wanted
    assert set(moved.added) == wanted - was
    assert (len(moved.removed), len(moved.added)) == (len(was - wanted), len(wanted - was))


@given(before=populations(), after=populations(), most=st.integers(1, 3))
def test_no_step_is_large_and_none_leaves_a_device_without_its_customer(
    before: Population, after: Population, most: int
) -> None:
    for part in enrolment.in_steps(enrolment.between(before, after), most):
        assert len(part) <= most
        before.change(part)
        assert {one.customer for one in before.devices.values()} <= before.customers.keys()
        assert {one.uplink for one in before.devices.values()} <= {None, *before.uplinks}

    assert before == after


def test_a_change_of_the_vantage_point_renames_all_signals_in_one_deed() -> None:
    story = Story(connect(None))
    story.enrol(
        Population(customers={"acme": Customer(id="acme")}, devices={"d1": device(1), "d2": device(2)})
    )

    moved = enrolment.step(story.world, Step(changes=Changes(vantage="east"), closes="x"), story.now)
    story.do(moved)
    story.agrees()

    assert sorted(story.world.signals) == ["d1/ping@east", "d2/ping@east"]
    assert sorted(dict(story.world.population.watched())) == ["d1/ping@east", "d2/ping@east"]
    told = [fact.body["signal"] for fact in moved.facts if isinstance(fact, facts.PopulationChanged)]
    assert told == ["d1/ping@east", "d2/ping@east"]


def test_the_configuration_in_force_has_no_digest_while_another_comes_into_force() -> None:
    story = Story(connect(None))
    story.enrol(Population(customers={"acme": Customer(id="acme")}))

    story.do(enrolment.step(story.world, Step(opening=OPENING), story.now))
    story.start()

    assert story.world.configuration == enrolment.UNDER_WAY


def test_a_clock_that_is_set_back_while_a_schedule_is_made_takes_its_number() -> None:
    """Two versions of one number would be refused by the store, which is then called damaged."""
    story = Story(connect(None))
    story.enrol(population(device(0)))
    changes = enrolment.between(story.world.population, population(device(0), device(1)))
    moved = enrolment.moves(story.world.population, changes)
    made = enrolment.rescheduled(story.world.schedule, moved)
    story.do(judge.follow_clock(story.world, story.now, story.now - timedelta(hours=1)))

    part = Step(changes=changes, opening=OPENING, schedule=made, targets=moved, closes="wanted")
    story.do(enrolment.step(story.world, part, story.now))

    assert story.world.schedule.version == 3
    assert [target.signal for target in story.world.schedule.targets] == ["d0/ping@main", "d1/ping@main"]
    story.agrees()
