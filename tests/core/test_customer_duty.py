"""Whether a customer was told, by who of their people was: the duty is due at 00:30."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import delivery, facts
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.population import Customer
from hostwatch.core.terms import TellingTerms, Told
from tests.core.test_delivery import Story, at, kinds

PEOPLE = ("ann", "bob", "cyd")


class Office(Story):
    """A customer with three people, of whose device nothing is heard."""

    def __init__(self, told: Told, named: tuple[str, ...] = ()) -> None:
        super().__init__()
        acme = Customer(id="acme", contacts=PEOPLE, telling=TellingTerms(told=told, named=named))
        self.population = replace(self.population, customers={"acme": acme})
        self.enrol("00:01")
        self.down()

    def person(self, when: str, name: str, happens: str) -> list[facts.Fact]:
        """`told`, `silent`, `bounced` or `withdrawn` happens with one of the people."""
        notice = f"E-000001.emergency.acme.{name}"
        match happens:
            case "told":
                return self.attempt(when, AttemptOutcome.ACCEPTED, notice)
            case "silent":
                return self.attempt(when, AttemptOutcome.FAILED, notice)
            case "bounced":
                known = self.world.notices[notice]
                return self.do(
                    delivery.returned(self.world, known, len(known.attempts), said="", now=at(when))
                )
        known, why = self.world.notices[notice], NoticeState.FORBIDDEN
        return self.do(delivery.abandon(self.world, known, why, "left", at(when)))

    @property
    def duty(self) -> CustomerDuty:
        return self.world.customer_duties["E-000001.customer.acme"]


STORIES = {
    "any: one of three is enough": (
        Told.ANY, (), ["00:16 ann silent", "00:20 bob told"], "met 00:20",
    ),
    "any: nobody is": (
        Told.ANY, (), ["00:16 ann silent", "00:17 bob silent", "00:18 cyd silent"], "breached 00:30",
    ),
    "any: one of two was told in vain": (
        Told.ANY, (), ["00:16 ann told", "00:17 bob told", "00:25 ann bounced"], "met 00:16",
    ),
    "any: the only one was told in vain": (
        Told.ANY, (), ["00:16 ann told", "00:25 ann bounced"], "breached 00:30",
    ),
    "all: the last one meets it": (
        Told.ALL, (), ["00:16 ann told", "00:17 bob told", "00:18 cyd told"], "met 00:18",
    ),
    "all: one dead number is a breach": (
        Told.ALL, (), ["00:16 ann told", "00:17 bob told", "00:18 cyd silent"], "breached 00:30",
    ),
    "all: who left does not count": (
        Told.ALL, (), ["00:16 ann told", "00:17 bob told", "00:18 cyd withdrawn"], "met 00:18",
    ),
    "all: everybody left": (
        Told.ALL, (), ["00:16 ann withdrawn", "00:17 bob withdrawn", "00:18 cyd withdrawn"], "released 00:18",
    ),
    "named: others do not count": (
        Told.ALL, ("ann", "bob"), ["00:16 cyd told", "00:17 bob told"], "breached 00:30",
    ),
    "named: those who count": (
        Told.ALL, ("ann", "bob"), ["00:16 ann told", "00:17 bob told"], "met 00:17",
    ),
}  # fmt: skip


def stands(duty: CustomerDuty) -> str:
    """How a duty ended."""
    ends = {"met": duty.met_at, "breached": duty.breached_at, "released": duty.released_at}
    return ", ".join(f"{word} {when:%H:%M}" for word, when in ends.items() if when)


@pytest.mark.parametrize("name", STORIES)
def test_stories(name: str) -> None:
    told, named, happens, ends = STORIES[name]
    office = Office(told, named)
    for line in happens:
        office.person(*line.split())
    office.do(delivery.breaches(office.world, at("00:30")))

    assert stands(office.duty) == ends


def test_a_customer_who_is_told_after_all_was_told_late() -> None:
    office = Office(Told.ANY)
    office.do(delivery.breaches(office.world, at("00:30")))

    happened = office.person("00:40", "bob", "told")

    assert facts.CustomerDutyMet(at=at("00:40"), duty="E-000001.customer.acme", late=True) in happened


@pytest.mark.parametrize(
    ("breaches", "when", "late"), [("", "00:30", False), ("", "00:31", True), ("00:30", "00:30", True)]
)
def test_told_after_the_deadline_is_late_whether_or_not_the_breach_is_on_record_yet(
    breaches: str, when: str, late: bool
) -> None:
    office = Office(Told.ANY)
    if breaches:
        office.do(delivery.breaches(office.world, at(breaches)))

    happened = office.person(when, "bob", "told")

    assert [fact.late for fact in happened if isinstance(fact, facts.CustomerDutyMet)] == [late]


def test_of_a_customer_without_people_nothing_is_owed() -> None:
    story = Story()
    story.population = replace(story.population, customers={"acme": Customer(id="acme")})
    story.enrol("00:01")

    assert not {"CustomerDutyArose", "DutyArose", "NoticeOwed"} & {*kinds(story.down())}


HAPPENS = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(["told", "silent", "bounced", "withdrawn"]))


@given(st.sampled_from(Told), st.sets(st.sampled_from(PEOPLE)), st.lists(HAPPENS, max_size=10))
def test_it_is_met_exactly_while_enough_of_those_who_count_are(
    told: Told, named: set[str], happens: list[tuple[str, str]]
) -> None:
    office = Office(told, tuple(sorted(named)))
    counting = {f"E-000001.emergency.acme.{name}" for name in named or PEOPLE}
    for minute, (name, what) in enumerate(happens, 16):
        notice = office.world.notices[f"E-000001.emergency.acme.{name}"]
        is_told = bool(notice.attempts) and notice.attempts[-1].outcome is AttemptOutcome.ACCEPTED
        may = is_told if what == "bounced" else notice.state is NoticeState.PENDING
        if may:
            office.person(f"00:{minute}", name, what)

        people = [office.world.duties[one] for one in counting]
        met = [one.met_at is not None for one in people]
        gone = [one.released_at is not None for one in people]
        enough = any(met) and (told is Told.ANY or all(m or g for m, g in zip(met, gone, strict=True)))
        assert (office.duty.met_at is not None) == enough
        assert (office.duty.released_at is not None) == all(gone)
