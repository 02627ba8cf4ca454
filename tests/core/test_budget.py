"""A budget of messages: no window, wherever it begins, holds more; and nobody waits longer than needed."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core.budget import PAUSE_MAX, Budget, Budgets

SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.at = timedelta(hours=5)

    def __call__(self) -> timedelta:
        return self.at


@given(st.integers(1, 5), st.lists(st.integers(0, 1_500), max_size=60))
def test_no_window_holds_more(messages: int, pauses_ms: list[int]) -> None:
    clock = Clock()
    left: list[timedelta] = []
    budgets, budget = Budgets(clock), Budget(messages=messages, every=SECOND)
    for pause in pauses_ms:
        clock.at += timedelta(milliseconds=pause)
        recent = [one for one in left if one + SECOND > clock.at]
        may = budgets.spend("sms/main", budget)
        assert may is (len(recent) < messages)
        if may:
            budgets.leaves("sms/main")
            left.append(clock.at)
            assert budgets.next_in() is None
        else:
            assert budgets.next_in() == recent[-messages] + SECOND - clock.at


def test_each_lane_has_its_own_and_most_have_none() -> None:
    budgets, budget = Budgets(Clock()), Budget(messages=1, every=SECOND)

    assert [budgets.spend(lane, budget) for lane in ("a", "b", "a", "b")] == [True, True, False, False]
    assert all(budgets.spend("webhook", None) for _ in range(100))


def test_who_asks_to_be_left_alone_is_for_a_minute_at_most() -> None:
    clock = Clock()
    budgets, budget = Budgets(clock), Budget(messages=9, every=SECOND)
    budgets.pause("a", timedelta(seconds=7))
    assert not budgets.spend("a", budget)
    assert budgets.next_in() == timedelta(seconds=7)
    assert budgets.spend("b", budget)

    assert budgets.alone_for("a") == timedelta(seconds=7)
    budgets.pause("a", timedelta(hours=1))
    budgets.pause("a", SECOND)
    assert budgets.alone_for("a") == timedelta(hours=1)
    assert not budgets.spend("a", budget)
    assert budgets.next_in() == PAUSE_MAX
    clock.at += PAUSE_MAX
    assert budgets.spend("a", budget)

    budgets.resume("a")
    assert budgets.alone_for("a") is None


def test_what_counts_is_when_a_message_leaves() -> None:
    """0.0 s two may leave, and no third ── 0.4 s one leaves, 0.9 s the other ── 1.4 s and 1.9 s the next"""
    clock = Clock()
    began, budgets, budget = clock.at, Budgets(clock), Budget(messages=2, every=SECOND)

    def may(at: float) -> bool:
        clock.at = began + at * SECOND
        return budgets.spend("a", budget)

    assert [may(0), may(0), may(0)] == [True, True, False]
    assert budgets.next_in() == SECOND, "none of them is gone before"
    for at in (0.4, 0.9):
        clock.at = began + at * SECOND
        budgets.leaves("a")
    assert [may(1.3), may(1.4), may(1.5)] == [False, True, False]
    budgets.leaves("a")
    assert [may(1.8), may(1.95)] == [False, True]
