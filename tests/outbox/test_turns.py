"""Whose turn it is: one dead channel, one busy customer or one slow kind holds up nobody else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hostwatch.channels import _threads
from hostwatch.channels._apprise import Apprise
from hostwatch.channels.base import Message, Receipt
from hostwatch.core.emergency import NoticeState
from hostwatch.core.turns import AT_ONCE_MAX, SHARE, STALE_MAX, Place, Tier, Turns, Wanted
from tests.outbox import plainly
from tests.outbox.office import START, Office, Scripted, simulate, site

KIND_MAX = 32


def place(customer: str, kind: str = "webhook", kind_max: int = KIND_MAX) -> Place:
    return Place(customer=customer, kind=kind, kind_max=kind_max)


def wanted(
    customer: str, number: int, *, kind: str = "webhook", retry: bool = False, minute: int = 15
) -> Wanted:
    return Wanted(
        notice=f"{customer}-{number:05}",
        place=place(customer, kind),
        retry=retry,
        deadline=START + timedelta(minutes=minute),
    )


def names(begin: Iterable[Wanted]) -> list[str]:
    return [one.notice for one in begin]


def under_way(turns: Turns, places: Iterable[Place]) -> None:
    """Have attempts begin at these places, one after another."""
    for number, one in enumerate(places):
        turns.want(Wanted(notice=f"before-{number}", place=one, retry=False, deadline=START))
        assert len([*turns.begin()]) == 1


def chosen(wanted: Iterable[Wanted], busy: Iterable[Place]) -> list[Wanted]:
    """Those that begin when all this is wanted, beside those under way; as it is worked out plainly, too."""
    many, taken = list(wanted), list(busy)
    turns = Turns()
    under_way(turns, taken)
    for name in dict.fromkeys(one.notice for one in many):
        turns.want(*(one for one in many if one.notice == name))
    begun = [*turns.begin()]
    assert begun == plainly.chosen(many, taken)
    return begun


def test_of_one_customer_first_attempts_go_first_and_then_the_oldest_deadline() -> None:
    many = [
        wanted("a", 1, retry=True, minute=1),
        wanted("a", 2, minute=30),
        wanted("a", 3, minute=15),
        wanted("a", 4, retry=True, minute=0),
    ]
    assert names(chosen(many, [])) == ["a-00003", "a-00002", "a-00004", "a-00001"]


ORDER = [
    (Tier.IN_TIME, False, "a first notice"),
    (Tier.IN_TIME, True, "another try of one"),
    (Tier.LATE, False, "one that is late, and was never tried"),
    (Tier.FIRST, False, "one that nobody is owed"),
    (Tier.UPDATE, False, "an update"),
    (Tier.END, False, "a recovery"),
    (Tier.WARNING, False, "a warning"),
    (Tier.REMINDER, False, "a reminder"),
    (Tier.CONTACT_DATA, False, "a code"),
    (Tier.LATE, True, "another try of what is late"),
]


@pytest.mark.parametrize("customers", ["a", "abcdefghi"])
def test_what_goes_before_what_whosever_it_is_and_however_old(customers: str) -> None:
    """The last of these is the oldest."""
    many = [
        replace(wanted(customers[row % len(customers)], row, retry=retry, minute=-row), tier=tier)
        for row, (tier, retry, _) in enumerate(ORDER)
    ]
    begun = chosen(reversed(many), [place("z")])
    assert [ORDER[int(one.notice[2:])][2] for one in begun] == [told for _, _, told in ORDER]


def test_a_first_notice_goes_before_a_recovery_of_whoever_has_nothing_under_way() -> None:
    first, end = wanted("a", 1, minute=99), replace(wanted("b", 1, minute=0), tier=Tier.END)
    assert names(chosen([end, first], [place("a")] * (SHARE + 1))) == ["a-00001", "b-00001"]


def test_a_recovery_finds_room_beside_a_thousand_first_notices_to_one_dead_channel() -> None:
    many = [wanted("dead", number) for number in range(1000)]
    end = replace(wanted("good", 1), tier=Tier.END)
    assert names(chosen([*many, end], []))[-1] == "good-00001"
    assert names(chosen([*many, end], [place("dead")] * (KIND_MAX // 2))) == ["good-00001"]


def test_what_is_late_and_fails_for_days_holds_up_nobody_who_is_new() -> None:
    """At a kind of which one place is free: two hundred others try again."""
    many = [replace(wanted(f"x{n}", 0, retry=True, minute=-99), tier=Tier.LATE) for n in range(200)]
    end = replace(wanted("good", 1), tier=Tier.CONTACT_DATA)
    busy = [place(f"y{number}") for number in range(KIND_MAX - 1)]
    assert names(chosen([*many, end], busy)) == ["good-00001"]


def test_of_what_is_due_at_one_time_the_first_person_of_each_customer_is_told_first() -> None:
    many = [
        replace(wanted(customer, number, kind="email"), order=2 - number)
        for customer in "ab"
        for number in range(3)
    ]
    busy = [place(f"c{number}", "email") for number in range(KIND_MAX - 2)]
    assert names(chosen(many, busy)) == ["a-00002", "b-00002"]


def test_what_several_ways_may_take_goes_once_and_by_the_first_that_has_room() -> None:
    sms, mail = wanted("a", 1, kind="sms"), replace(wanted("a", 1, kind="email"), way=1)
    assert [one.place.kind for one in chosen([sms, mail], [])] == ["sms"]
    full = [place(f"c{number}", "sms") for number in range(KIND_MAX)]
    assert [one.place.kind for one in chosen([sms, mail], full)] == ["email"]


def test_customers_take_turns() -> None:
    many = [wanted("a", number) for number in range(3)] + [wanted("b", 0, minute=99), wanted("c", 0)]
    assert names(chosen(many, [])) == ["a-00000", "c-00000", "b-00000", "a-00001", "a-00002"]


def test_who_has_the_fewest_under_way_is_next() -> None:
    many = [wanted("a", 1, minute=1), wanted("b", 1, minute=99, retry=True)]
    assert names(chosen(many, [place("a")])) == ["b-00001", "a-00001"]


def test_one_customer_alone_leaves_half_of_the_room_free() -> None:
    by_one_kind = chosen([wanted("a", number) for number in range(1000)], [])
    assert len(by_one_kind) == KIND_MAX // 2

    kinds = ("email", "webhook", "apprise")
    by_all = chosen([wanted("a", number, kind=kinds[number % 3]) for number in range(1000)], [])
    assert len(by_all) == AT_ONCE_MAX // 2


def test_everybody_finds_their_share_beside_one_who_has_much() -> None:
    busy = [place("a")] * (KIND_MAX // 2)
    begin = chosen([wanted(customer, number) for customer in "bcd" for number in range(100)], busy)
    assert Counter(one.place.customer for one in begin) == dict.fromkeys("bcd", SHARE)


def test_a_full_kind_holds_up_no_other() -> None:
    busy = [place(f"c{number % 8}") for number in range(KIND_MAX)]
    begin = chosen([wanted("x", 1), wanted("y", 1, kind="email"), wanted("c1", 1, kind="email")], busy)
    assert names(begin) == ["y-00001"] + ["c1-00001"] * (busy.count(place("c1")) < SHARE)
    assert names(chosen([wanted("x", 1)], busy[1:])) == ["x-00001"]


@pytest.mark.parametrize("customers", [1, 2, 40, 500])
def test_no_bound_is_ever_passed(customers: int) -> None:
    kinds = ("email", "webhook", "apprise")
    many = [
        wanted(f"c{number % customers}", number, kind=kinds[number % 3], retry=number % 2 == 0)
        for number in range(2000)
    ]
    begin = chosen(many, [])
    assert len(begin) <= AT_ONCE_MAX
    assert max(Counter(one.place.kind for one in begin).values()) <= KIND_MAX
    assert len(set(names(begin))) == len(begin)
    assert len(begin) == AT_ONCE_MAX or customers < AT_ONCE_MAX // SHARE


def test_nobody_waits_for_a_thread_of_apprise_and_takes_room_meanwhile() -> None:
    assert Apprise.at_once <= _threads.THREADS_MAX


def test_a_dead_webhook_with_two_hundred_notices_holds_up_no_other_customer(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        if to == "dead":
            await asyncio.sleep(3600)
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        await office.owe("bad", "duty", 200, apart=True)
        await asyncio.sleep(5)
        (good,) = await office.owe("good", "duty")
        await office.until(lambda: office.notice(good).state is NoticeState.ACCEPTED)

        assert side.times("alive") == [5]
        assert side.listening_max == 17
        first = [round(second) for second, to, _ in side.sent if to == "dead"][:32]
        assert first == [0] * 16
        await asyncio.sleep(60)
        assert side.times("dead")[:48] == [0] * 16 + [20] * 16 + [40] * 16
        tried = {message.key for _, to, message in side.sent[:49] if to == "dead"}
        assert len(tried) == 48, "first attempts go before retries"

    started = site(
        {"bad": [{"simulated": "dead"}], "good": [{"simulated": "alive"}]},
        notices={"attempt_timeout": "20s"},
    )
    simulate(tmp_path, started, answer, play)


def test_ten_dead_webhooks_hold_up_another_customer_by_one_attempt_at_most(tmp_path: Path) -> None:
    async def answer(to: str, message: Message) -> Receipt:
        if to == "dead":
            await asyncio.sleep(3600)
        return Receipt("250 accepted")

    async def play(office: Office, side: Scripted) -> None:
        for number in range(10):
            await office.owe(f"bad{number}", "duty", 100, apart=True)
        await asyncio.sleep(5)
        (good,) = await office.owe("good", "duty")
        await office.until(lambda: office.notice(good).state is NoticeState.ACCEPTED)

        assert side.times("alive")[0] <= 21

    bad = {f"bad{number}": [{"simulated": "dead"}] for number in range(10)}
    started = site({**bad, "good": [{"simulated": "alive"}]}, notices={"attempt_timeout": "20s"})
    simulate(tmp_path, started, answer, play)


def test_turns_that_do_not_count_any_more_do_not_pile_up() -> None:
    """They would all come up in one turn of the loop: each notice is more urgent than the one before."""
    turns, where = Turns(), place("a", "email", 4)
    for number in range(10_000):
        deadline = START - timedelta(seconds=number)
        turns.want(Wanted(notice=f"n{number}", place=where, retry=False, deadline=deadline))

    assert sum(map(len, turns._heads.values())) <= 2 + STALE_MAX
    assert next(turns.begin()).notice == "n9999"


PLACES = [
    place(customer, kind, kind_max)
    for customer in "abc"
    for kind, kind_max in (("email", 4), ("webhook", 9), ("apprise", 60))
]
EXERCISES = [replace(one, exercise=True) for one in PLACES]


class TurnsAsTheyAre(RuleBasedStateMachine):
    """Whatever comes in whatever order, those begin who would if all were put in order anew."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = Turns()
        self.wanted: dict[str, tuple[Wanted, ...]] = {}
        self.busy: list[Place] = []

    @rule(
        numbers=st.lists(st.integers(0, 99), min_size=1, max_size=40),
        customer=st.sampled_from("abc"),
        kinds=st.permutations(range(3)),
        ways=st.integers(1, 3),
        retry=st.booleans(),
        minute=st.integers(0, 3),
        tier=st.sampled_from(Tier),
        exercise=st.sampled_from([False, False, False, True]),
    )
    def want(
        self,
        numbers: list[int],
        customer: str,
        kinds: list[int],
        ways: int,
        retry: bool,
        minute: int,
        tier: Tier,
        exercise: bool,
    ) -> None:
        places = EXERCISES if exercise else PLACES
        mine = [place for place in places if place.customer == customer]
        for number in numbers:
            name = f"{customer}-{number:05}"
            self.wanted[name] = tuple(
                Wanted(
                    notice=name,
                    place=mine[kind],
                    retry=retry,
                    deadline=START + timedelta(minutes=minute),
                    tier=tier,
                    order=number % 3,
                    way=way,
                )
                for way, kind in enumerate(kinds[:ways])
            )
            self.turns.want(*self.wanted[name])

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """Nearly always the most urgent."""
        if self.wanted:
            urgent = sorted(self._all(), key=lambda one: (one.urgency, one.place.exercise))
            one = data.draw(st.sampled_from(urgent[:3]))
            del self.wanted[one.notice]
            self.turns.drop(one.notice)

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        if self.busy:
            self.turns.ended(self.busy.pop(data.draw(st.integers(0, len(self.busy) - 1))))

    @rule()
    def begin(self) -> None:
        begun = [*self.turns.begin()]
        assert begun == plainly.chosen(self._all(), self.busy)
        for one in begun:
            del self.wanted[one.notice]
            self.busy.append(one.place)

    def _all(self) -> list[Wanted]:
        return [one for ways in self.wanted.values() for one in ways]

    @invariant()
    def none_is_lost(self) -> None:
        assert len(self.turns) == len(self.wanted)


TurnsAsTheyAre.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_turns_as_they_are = TurnsAsTheyAre.TestCase
