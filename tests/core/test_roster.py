"""Who of a customer's people is authorised, as tables, and as stories of emergencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from hostwatch.core import canonical, delivery, facts, telling, versions
from hostwatch.core.emergency import NoticeState
from hostwatch.core.population import Customer
from hostwatch.core.reading import Outcome
from hostwatch.core.roster import About, Between, Bound, Concern, Person, Right, Roster
from hostwatch.core.rotation import Rotation
from hostwatch.core.service import Service
from hostwatch.core.terms import TellingTerms, Told
from hostwatch.store.versions import population
from tests.core.test_delivery import Story, at

PING = About(concern=Concern.CONNECTIVITY, device="web-1", services=("www",))
WWW = About(concern=Concern.SERVICE, device="web-1", services=("www",))
POWER = About(concern=Concern.POWER)
UPLINK = About(concern=Concern.CONNECTIVITY)


def customer(*people: Person, rotations: tuple[Rotation, ...] = (), **more: object) -> Customer:
    made = Customer(
        id="acme", contacts=tuple(one.id for one in people), roster=Roster(people=people, rotations=rotations)
    )
    return replace(made, **more)  # type: ignore[arg-type]


def between(since: str | None, until: str | None) -> Between:
    return Between(since=None if since is None else at(since), until=None if until is None else at(until))


ANN, BOB, CYD = (Person(id=name) for name in ("ann", "bob", "cyd"))
DEPUTIES = {
    "nobody is away": ((ANN, BOB), "ann bob"),
    "who is not yet authorised": ((replace(ANN, valid=between("10:01", None)), BOB), "bob"),
    "who is from now on": ((replace(ANN, valid=between("10:00", None)), BOB), "ann bob"),
    "who was until now": ((replace(ANN, valid=between(None, "10:00")), BOB), "bob"),
    "who is away": ((replace(ANN, away=(between("09:00", "11:00"),)), BOB), "bob"),
    "who was away until now": ((replace(ANN, away=(between("09:00", "10:00"),)), BOB), "ann bob"),
    "a deputy who is told in no other case": (
        (replace(ANN, away=(between("09:00", "11:00"),), deputy="cyd"), BOB, replace(CYD, on_call=True)),
        "bob cyd",
    ),
    "a deputy whom nobody needs": ((replace(ANN, deputy="cyd"), BOB, replace(CYD, on_call=True)), "ann bob"),
    "a deputy who is told anyway is told once": (
        (replace(ANN, valid=between(None, "09:00"), deputy="bob"), BOB),
        "bob",
    ),
    "the deputy of a deputy": (
        (
            replace(ANN, valid=between(None, "09:00"), deputy="bob"),
            replace(BOB, valid=between("11:00", None), deputy="cyd", on_call=True),
            replace(CYD, on_call=True),
        ),
        "cyd",
    ),
    "deputies of each other, both away": (
        (
            replace(ANN, away=(between("09:00", "11:00"),), deputy="bob"),
            replace(BOB, away=(between("09:00", "11:00"),), deputy="ann"),
        ),
        "",
    ),
    "deputies of each other, one away": (
        (replace(ANN, away=(between("09:00", "11:00"),), deputy="bob"), replace(BOB, deputy="ann")),
        "bob",
    ),
    "who only claims money is not told": ((ANN, replace(BOB, rights=(Right.CLAIMS,))), "ann"),
    "nor stands in": (
        (replace(ANN, valid=between(None, "09:00"), deputy="bob"), replace(BOB, rights=(Right.CLAIMS,))),
        "",
    ),
}


@pytest.mark.parametrize(("people", "told"), DEPUTIES.values(), ids=DEPUTIES)
def test_at_ten_these_are_authorised(people: tuple[Person, ...], told: str) -> None:
    assert " ".join(customer(*people).authorised(at("10:00"))) == told


BOUND = {
    "nothing": (Bound(), "ping www power uplink"),
    "the device": (Bound(devices=("web-1",)), "ping www power uplink"),
    "another device": (Bound(devices=("db-1",)), "power uplink"),
    "a pattern that fits": (Bound(devices=("db-1", "web-*")), "ping www power uplink"),
    "a pattern that does not": (Bound(devices=("*-db",)), "power uplink"),
    "the service": (Bound(services=("www",)), "ping www power uplink"),
    "another service": (Bound(services=("email",)), "power uplink"),
    "power": (Bound(concerns=(Concern.POWER,)), "power"),
    "connectivity": (Bound(concerns=(Concern.CONNECTIVITY,)), "ping uplink"),
    "services": (Bound(concerns=(Concern.SERVICE,)), "ping www"),
    "another device and power": (Bound(devices=("db-1",), concerns=(Concern.POWER,)), "power"),
}


@pytest.mark.parametrize(("bound", "hears"), BOUND.values(), ids=BOUND)
def test_who_is_bound_to_something_hears_of_this(bound: Bound, hears: str) -> None:
    """What many share is told to each whose kind it is; a silent device takes its services with it."""
    abouts = {"ping": PING, "www": WWW, "power": POWER, "uplink": UPLINK}

    assert " ".join(name for name, about in abouts.items() if bound.covers(about)) == hears


def test_a_deputy_hears_of_what_the_other_would_have_heard_of() -> None:
    ann = replace(ANN, valid=between(None, "09:00"), deputy="bob", bound=Bound(concerns=(Concern.POWER,)))
    bob = replace(BOB, bound=Bound(concerns=(Concern.SERVICE,)))
    acme = customer(ann, bob)

    assert acme.authorised(at("10:00"), POWER) == ("bob",)
    assert acme.authorised(at("10:00"), WWW) == ("bob",)
    assert acme.authorised(at("10:00"), UPLINK) == ()


def test_without_a_word_of_it_all_contacts_always_are() -> None:
    acme = Customer(id="acme", contacts=("ann", "bob"))

    assert acme.authorised(at("10:00"), WWW) == ("ann", "bob")


DAILY = Rotation(id="shift", people=("ann", "bob"), begins="2026-09-30", days=1, minute=10 * 60)


def test_who_counts_is_whoever_has_the_place_of_one_that_is_named() -> None:
    away = replace(ANN, away=(between("09:00", "11:00"),), deputy="cyd")
    acme = customer(away, BOB, CYD, telling=TellingTerms(told=Told.ALL, named=("ann",)))

    assert acme.counting(at("08:00")) == ("ann",)
    assert acme.counting(at("10:00")) == ("cyd",)
    assert replace(acme, telling=TellingTerms(named=("shift",))).counting(at("10:00")) == ("bob", "cyd")

    on_call = customer(ANN, BOB, CYD, rotations=(DAILY,), telling=TellingTerms(named=("shift",)))
    assert (on_call.counting(at("09:59")), on_call.counting(at("10:00"))) == (("ann",), ("bob",))


def test_the_record_says_all_of_it_and_a_customer_without_it_reads_as_ever() -> None:
    ann = replace(
        ANN,
        valid=between("09:00", None),
        away=(between("10:00", "11:00"),),
        bound=Bound(devices=("web-1",), concerns=(Concern.POWER,)),
        rights=(Right.TOLD, Right.CLAIMS),
    )
    acme = customer(ann, replace(BOB, on_call=True), rotations=(DAILY,))
    said = versions.of_customer("acme", acme, at("08:00"))
    row = ("customer", "acme", "acme", said.state, canonical.text(said.body))
    assert population("main", [row]).customers["acme"] == acme

    plain = versions.of_customer("acme", Customer(id="acme", contacts=("ann",)), at("08:00"))
    assert "roster" not in plain.body


class Office(Story):
    """A customer with people, and a device of theirs with a service."""

    def __init__(self, *people: Person, rotations: tuple[Rotation, ...] = (), **more: object) -> None:
        super().__init__()
        self.population = replace(
            self.population, customers={"acme": customer(*people, rotations=rotations, **more)}
        )
        self.enrol("00:01")

    def owed(self) -> dict[str, datetime]:
        return {duty.contact: duty.due for duty in self.world.duties.values()}


def test_a_hand_over_in_the_middle_of_an_emergency() -> None:
    """Who is on call at the verdict is owed the duty, all that follows, and the end; the next one nothing.

    00:15   verdict: ann is on call until 00:20, and is owed to be told by 00:30
    00:20   bob takes over
    00:25   the mail to ann goes out: it is hers, though her turn is over
    00:40   the device answers: ann is told, bob is not
    01:15   it is silent again: bob is on call, and is told
    """
    shift = Rotation(id="shift", people=("ann", "bob"), begins="2026-09-30", minute=20, days=1)
    office = Office(replace(ANN, on_call=True), replace(BOB, on_call=True), rotations=(shift,))
    office.down()
    assert office.owed() == {"ann": at("00:30")}

    notice = office.world.notices["E-000001.emergency.acme.ann"]
    assert delivery.is_authorised(office.world, notice)
    office.ping("00:40", Outcome.ANSWERED)
    assert sorted(office.world.notices.pending) == [
        "E-000001.emergency.acme.ann",
        "E-000001.recovery.acme.ann",
    ]

    office.ping("01:10", Outcome.MISSED)
    office.ping("01:15", Outcome.MISSED)
    assert sorted(name for name in office.world.duties) == [
        "E-000001.emergency.acme.ann",
        "E-000002.emergency.acme.bob",
    ]


def test_when_nobody_is_authorised_the_duty_to_the_customer_does_not_vanish() -> None:
    """Ann is away at the verdict; that she is back later meets nothing. At the deadline it is a breach."""
    office = Office(replace(ANN, away=(between("00:10", "00:20"),)))
    office.down()
    duty = office.world.customer_duties["E-000001.customer.acme"]
    assert (office.owed(), duty.people, duty.due) == ({}, (), at("00:30"))

    breach, why = office.do(delivery.breaches(office.world, at("00:30")))
    assert isinstance(breach, facts.CustomerDutyBreached)
    assert isinstance(why, facts.BreachExplained)
    assert [one["why"] for one in why.reasons] == ["nobody"]


def test_of_what_nobody_is_bound_to_nothing_is_owed() -> None:
    office = Office(replace(ANN, bound=Bound(concerns=(Concern.POWER,))))
    office.down()

    assert (office.owed(), dict(office.world.customer_duties)) == ({}, {})


def test_who_is_bound_to_what_joins_an_emergency_is_told_then() -> None:
    """Bob hears of services, Ann of connectivity.

    00:10   www misses for the first time, 00:15 for the second; the device misses too: www waits for it
    00:20   we cannot look at the device
    00:21   www has waited long enough, and its emergency opens: bob is told
    00:25   the device is down: the emergency is the device's from now on (J8), and ann is told of it
    """
    office = Office(
        replace(ANN, bound=Bound(concerns=(Concern.CONNECTIVITY,))),
        replace(BOB, bound=Bound(concerns=(Concern.SERVICE,))),
        CYD,
    )
    device = replace(office.population.devices["web-1"], services=(Service(name="www"),))
    office.population = replace(office.population, devices={"web-1": device})
    office.enrol("00:02")
    office.ping("00:05", Outcome.ANSWERED)
    office.look_at_service("00:05", Outcome.ANSWERED)
    office.ping("00:10", Outcome.ANSWERED)
    office.look_at_service("00:10", Outcome.MISSED)
    office.ping("00:15", Outcome.MISSED)
    office.look_at_service("00:15", Outcome.MISSED)
    assert office.owed() == {}
    office.ping("00:20", Outcome.UNKNOWN)
    office.do(telling.overdue(office.world, at("00:21")))
    assert office.owed() == {"bob": at("00:30"), "cyd": at("00:30")}

    office.ping("00:25", Outcome.MISSED)
    assert office.owed() == {"bob": at("00:30"), "cyd": at("00:30"), "ann": at("00:40")}
    assert [*office.world.emergencies] == ["E-000001"]


def test_who_left_the_configuration_is_told_no_more() -> None:
    office = Office(ANN, BOB)
    office.down()
    office.population = replace(office.population, customers={"acme": customer(BOB)})
    office.enrol("00:20")
    notice = office.world.notices["E-000001.emergency.acme.ann"]

    assert not delivery.is_authorised(office.world, notice)
    assert notice.state is NoticeState.PENDING
    assert office.owed()["ann"] - at("00:15") == timedelta(minutes=15)


def test_who_was_told_may_answer_until_their_own_time_is_over() -> None:
    """00:15 ann and bob are told ── 00:30 ann's time is over, and bob's turn: only bob may still say so"""
    leaves = replace(ANN, valid=Between(until=at("00:30")))
    office = Office(leaves, replace(BOB, away=(Between(since=at("00:30")),)))
    office.down()
    notices = {one: office.world.notices[f"E-000001.emergency.acme.{one}"] for one in ("ann", "bob")}
    assert all(delivery.may_answer(office.world, one, at("00:29")) for one in notices.values())
    assert {one: delivery.may_answer(office.world, notices[one], at("00:30")) for one in notices} == {
        "ann": False,
        "bob": True,
    }
