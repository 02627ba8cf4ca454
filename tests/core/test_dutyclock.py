"""The clock of the duty to tell: the verdict falls at 00:15, the customer is to be told by 00:30.

```
 00:15 verdict   00:20 10 min left   00:25 5 min left   00:30 too late
```
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from hostwatch.core import delivery, dutyclock, facts
from hostwatch.core.emergency import AttemptOutcome
from hostwatch.core.population import Customer
from hostwatch.core.reading import Outcome
from hostwatch.core.warned import What
from tests.core.test_delivery import Story, at

DUE = "2026-10-01 00:30Z"
FIRST, SECOND, LAST = What.NOT_TOLD, What.NOT_TOLD_SOON, What.NOT_TOLD_IN_TIME


class Desk(Story):
    """Acme's device is down, and the operator has people of their own."""

    def __init__(self) -> None:
        super().__init__()
        ours = Customer(id="dc", contacts=("noc",))
        self.population = replace(
            self.population, customers={**self.population.customers, "dc": ours}, operator="dc"
        )
        self.enrol("00:01")
        self.down()

    def look(self, when: str) -> list[str]:
        """What is told to operators then: what begins with +, what is over with -."""
        told = []
        happened = [
            *self.do(delivery.breaches(self.world, at(when))),
            *self.do(dutyclock.look(self.world, at(when))),
        ]
        for fact in happened:
            match fact:
                case facts.WarningBegan():
                    told.append(f"+ {fact.what}")
                case facts.WarningEnded():
                    told.append(f"- {fact.what}")
                case facts.NoticeOwed():
                    assert (fact.customer, fact.contact) == ("dc", "noc")
                    told.append(fact.kind)
                case _:
                    pass
        return told


def test_operators_hear_of_it_at_ten_and_at_five_minutes_and_when_it_is_too_late() -> None:
    desk = Desk()

    assert desk.look("00:16") == []
    assert desk.look("00:19:59") == []
    assert desk.look("00:20") == [f"+ {FIRST}", "warning"]
    assert desk.look("00:21") == []
    assert desk.look("00:25") == [f"+ {SECOND}", "warning"]
    assert desk.look("00:30") == [f"+ {LAST}", "warning"]
    desk.attempt("00:40", AttemptOutcome.ACCEPTED)
    over = [f"- {what}" for what in (FIRST, SECOND, LAST)]
    assert sorted(desk.look("00:40")) == sorted([*over, "cleared", "cleared", "cleared"])
    assert desk.world.warned == {}


def test_who_is_told_in_time_is_no_longer_warned_of_at_once() -> None:
    desk = Desk()
    desk.look("00:20")
    assert dutyclock.lasts(desk.world)
    desk.attempt("00:22", AttemptOutcome.ACCEPTED)

    assert desk.look("00:22") == [f"- {FIRST}", "cleared"]
    assert desk.look("00:30") == []
    assert not dutyclock.lasts(desk.world)


def test_a_watch_that_slept_over_the_first_warnings_gives_them_at_once() -> None:
    desk = Desk()

    assert [one for one in desk.look("00:31") if one[0] == "+"] == [f"+ {FIRST}", f"+ {SECOND}", f"+ {LAST}"]


def test_what_it_says_and_about_what() -> None:
    desk = Desk()
    desk.look("00:20")

    (warned,) = desk.world.warned.values()
    assert (warned.about, warned.said) == (DUE, "acme E-000001: no try to tell duty in 5 min")


@pytest.mark.parametrize("operator", ["", "acme"])
def test_without_people_of_the_operators_it_is_recorded_and_nobody_is_told(operator: str) -> None:
    """Who is the operator is not warned of what they were not told themselves."""
    desk = Desk()
    desk.population = replace(desk.population, operator=operator)
    desk.enrol("00:16")

    told = desk.look("00:20")

    assert told == ([] if operator else [f"+ {FIRST}"])


def test_a_reading_of_the_house_does_not_end_it() -> None:
    desk = Desk()
    desk.look("00:20")

    desk.enrol("00:21")
    desk.ping("00:22", Outcome.MISSED)

    assert [one.quiet_since for one in desk.world.warned.values()] == [None]
