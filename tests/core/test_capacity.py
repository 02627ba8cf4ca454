"""Who would be told when: worked out by hand for small storms, and counted for large ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from hostwatch.core.budget import Budget
from hostwatch.core.capacity import Foretold, Lane, Message, Way, breached, enough, foretell
from hostwatch.core.terms import Told

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SLOW = Lane(at_once=16, takes=SECOND, budget=Budget(messages=1, every=SECOND))
FAST = Lane(at_once=32, takes=2 * SECOND)
DESK = Lane(at_once=2, takes=3 * MINUTE, by_people=True)
LANES = {"sms": SLOW, "mail": FAST, "person": DESK}


def message(customer: int, order: int = 0, *lanes: str, within: timedelta = 15 * MINUTE) -> Message:
    ways = tuple(Way(lane=lane, wait=5 * MINUTE) for lane in lanes or ("sms",))
    return Message(customer=f"c{customer:03}", contact=f"p{order}", within=within, ways=ways, order=order)


def storm(customers: int, contacts: int, *lanes: str) -> list[Message]:
    return [message(number, order, *lanes) for number in range(customers) for order in range(contacts)]


def in_time(found: tuple[Foretold, ...]) -> Counter[bool]:
    return Counter(one.in_time for one in found)


def test_one_a_second_tells_nine_hundred_in_fifteen_minutes() -> None:
    assert SLOW.within(15 * MINUTE) == 900
    assert in_time(foretell(storm(400, 2), LANES)) == {True: 800}
    assert in_time(foretell(storm(400, 3), LANES)) == {True: 900, False: 300}


def test_the_first_of_each_customer_is_told_before_the_third_of_any() -> None:
    found = foretell(storm(400, 3), LANES)
    assert {one.message.order for one in found if not one.in_time} == {2}
    customers = {one.message.customer for one in found}
    assert [*breached(found, dict.fromkeys(customers, Told.ANY))] == []
    assert len([*breached(found, dict.fromkeys(customers, Told.ALL))]) == 300


def test_whoever_has_waited_five_minutes_goes_by_the_next_way() -> None:
    found = foretell(storm(400, 3, "sms", "mail"), LANES)
    by = Counter(one.lane for one in found)
    assert in_time(found) == {True: 1200}
    assert by["sms"] + by["mail"] == 1200
    by_mail = [one.at for one in found if one.lane == "mail" and one.at is not None]
    assert min(by_mail) == 5 * MINUTE + FAST.takes
    assert max(by_mail) <= 6 * MINUTE


def test_people_and_minutes_per_call_count() -> None:
    """two people, three minutes a call: ten calls in a quarter of an hour"""
    assert DESK.within(15 * MINUTE) == 10
    found = foretell(storm(12, 1, "person"), LANES)
    assert [one.at and one.at / MINUTE for one in found] == [3, 3, 6, 6, 9, 9, 12, 12, 15, 15, 18, 18]
    assert in_time(found) == {True: 10, False: 2}
    assert enough(storm(12, 1, "person"), LANES)["person"].at_once == 3


def test_what_would_suffice() -> None:
    (lane,) = enough(storm(400, 3), {"sms": SLOW}).values()
    assert lane.budget == Budget(messages=2, every=SECOND)
    assert enough(storm(400, 2), LANES) == {}


def test_who_has_no_way_is_never_told_and_nothing_suffices() -> None:
    lonely = Message(customer="a", contact="b", within=MINUTE, ways=())
    (found,) = foretell([lonely], LANES)
    assert (found.at, found.in_time) == (None, False)
    assert [*breached([found], {"a": Told.ANY})] == ["a"]
    assert enough([lonely], LANES) == {}


def test_a_customer_of_whom_nobody_counts_is_not_told() -> None:
    assert [*breached([], {"a": Told.ANY, "b": Told.ALL})] == ["a", "b"]


def test_who_has_much_to_hear_takes_the_room_of_several() -> None:
    """two messages each: of 600 people 450 have both within 900 seconds"""
    found = foretell([replace(one, parts=2) for one in storm(600, 1)], LANES)
    assert len(found) == 600
    assert in_time(found) == {True: 450, False: 150}


def test_all_of_our_own_room_is_shared_and_calls_take_none_of_it() -> None:
    lanes = {**{f"l{n}": FAST for n in range(4)}, "person": DESK}
    many = [message(n, 0, f"l{n % 4}") for n in range(128)] + [message(999, 0, "person")]
    ends = Counter(one.at for one in foretell(many, lanes))
    assert ends == {2 * SECOND: 64, 4 * SECOND: 64, 3 * MINUTE: 1}


def test_who_is_late_costs_nobody_else_their_time() -> None:
    """one a minute: of five due in two minutes two are told; the ones due in four come before the rest"""
    lanes = {"sms": Lane(at_once=1, takes=MINUTE)}
    hasty = [message(n, within=2 * MINUTE) for n in range(5)]
    patient = [message(10 + n, within=4 * MINUTE) for n in range(2)]
    assert in_time(foretell([*hasty, *patient], lanes)) == {True: 4, False: 3}


@pytest.mark.parametrize("messages", [1, 5, 60])
def test_a_lane_takes_as_many_as_it_says(messages: int) -> None:
    lane = Lane(at_once=64, takes=2 * SECOND, budget=Budget(messages=messages, every=7 * SECOND))
    found = foretell(storm(1000, 1), {"sms": lane})
    assert in_time(found)[True] == min(1000, lane.within(15 * MINUTE))
