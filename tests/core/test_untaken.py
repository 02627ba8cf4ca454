"""Calls that nobody takes: the verdict falls at 00:15, the call is put on the sheet at 00:16.

```
 00:16 on the sheet ── 00:18 nobody took it: a warning ── taken ── five minutes without another: over
```
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hostwatch.core import calls, facts, untaken
from hostwatch.core.population import Customer
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.core.warned import URGENT, What
from hostwatch.core.world import Decision
from tests.core.test_calls import Desk
from tests.core.test_delivery import at


class Office(Desk):
    """The operator has people of their own, who hear of what nobody does."""

    def __init__(self) -> None:
        super().__init__(met_by=Proof.ACKNOWLEDGED)
        ours = Customer(id="dc", contacts=("noc",))
        self.population = replace(
            self.population, customers={**self.population.customers, "dc": ours}, operator="dc"
        )
        self.enrol("00:16")

    def look(self, when: str) -> list[str]:
        """What is told to operators then: what begins with +, what is over with -."""
        told = []
        for fact in self.do(untaken.look(self.world, at(when))):
            match fact:
                case facts.WarningBegan():
                    told.append(f"+ {fact.said}")
                case facts.WarningEnded():
                    told.append("-")
                case facts.NoticeOwed():
                    assert (fact.customer, fact.contact) == ("dc", "noc")
                case _:
                    pass
        return told


WHOM = "+ acme E-000001"


def test_a_call_that_nobody_takes_is_told_once_and_that_it_is_over_too() -> None:
    office = Office()

    assert office.look("00:17:59") == []
    assert office.look("00:18") == [WHOM]
    assert office.look("00:20") == []
    office.take("00:21", "li")
    office.end("00:22", calls.Outcome.SPOKE, has_it=True)
    assert office.look("00:22") == []
    assert office.look("00:26:59") == []
    assert office.look("00:27") == ["-"]
    assert office.world.warned == {}


def test_one_that_comes_back_once_has_its_two_minutes_again_and_twice_is_told_at_once() -> None:
    """00:17 taken ── 00:19 back ── 00:20 taken ── 00:22 back again: a warning"""
    office = Office()
    office.take("00:17", "li")
    assert office.look("00:18:59") == []
    office.come_back("00:19")
    assert office.look("00:20") == []
    office.take("00:20", "chen")
    office.come_back("00:22")

    assert office.look("00:22") == [WHOM]


def test_who_makes_it_is_left_in_peace() -> None:
    office = Office()
    office.take("00:17:30", "li")

    assert office.look("00:19") == []


def test_the_time_is_the_configurations() -> None:
    office = Office()
    office.do(Decision(planning=replace(office.world.planning, untaken_after=timedelta(minutes=5))))

    assert (office.look("00:20:59"), office.look("00:21")) == ([], [WHOM])


def test_of_many_calls_three_are_named() -> None:
    office = Office()
    notice = office.of("duty")
    names = [f"E-00000{number}" for number in range(1, 6)]
    for name in names:
        one = replace(notice, id=f"{name}.emergency.acme.duty", emergencies=(name,))
        duty = replace(office.world.duties[notice.id], id=one.id, emergency=name)
        office.do(Decision(notices=(replace(one, duty=one.id),), duties=(duty,)))

    assert office.look("00:18") == ["+ acme E-000001; acme E-000002; acme E-000003; 2 more"]


@pytest.mark.parametrize("what", ["end", "update"])
def test_what_is_owed_by_no_time_may_wait(what: str) -> None:
    office = Office()
    notice = office.of("duty")
    duty = office.world.duties[notice.id]
    gone = replace(duty, met_at=at("00:16")) if what == "end" else replace(duty, released_at=at("00:16"))
    office.do(Decision(duties=(gone,)))

    assert office.look("00:20") == []


def test_it_goes_before_what_is_owed_by_no_time() -> None:
    assert What.UNTAKEN in URGENT


def test_a_reading_of_the_house_does_not_end_it() -> None:
    office = Office()
    office.look("00:18")

    office.ping("00:20", Outcome.MISSED)

    assert [one.quiet_since for one in office.world.warned.values()] == [None]
