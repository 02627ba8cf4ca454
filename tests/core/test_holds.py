"""Who waits for the verdict on its device: who has waited long enough is found without a look at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core.holds import STALE_MAX, Hold, Holds
from tests.core.pictures import instant


def hold(number: int, until: int) -> Hold:
    return Hold(signal=f"d{number // 2}/s{number % 2}@main", since=instant(0), until=instant(until))


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 9), st.one_of(st.none(), st.integers(1, 20)), st.integers(0, 20), st.integers(1, 4)
    )
)


@given(CHANGES)
def test_they_come_up_in_the_order_in_which_they_have_waited_long_enough(
    changes: list[tuple[int, int | None, int, int]],
) -> None:
    """Whatever began, ended or was moved before: as if all were looked at each time."""
    holds, known = Holds(), dict[str, Hold]()
    for number, until, now, most in changes:
        one = hold(number, until or 0)
        if until is None:
            holds.drop(one.signal)
            known.pop(one.signal, None)
        else:
            holds.put(one)
            known[one.signal] = one
        in_order = sorted(known.values(), key=lambda one: (one.until, one.signal))

        assert (
            holds.overdue(instant(now), most) == [one for one in in_order if one.until <= instant(now)][:most]
        )
        assert holds.first_until == (in_order[0].until if in_order else None)
        assert dict(holds) == known


def test_nobody_looks_at_all_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    holds = Holds(hold(number, 60 + number) for number in range(10_000))

    def all_of_them(_: Holds) -> Iterator[str]:
        raise AssertionError("all were looked at")

    monkeypatch.setattr(Holds, "__iter__", all_of_them)

    assert holds.first_until == instant(60)
    assert [one.until for one in holds.overdue(instant(61), 100)] == [instant(60), instant(61)]


def test_what_does_not_count_any_more_does_not_pile_up() -> None:
    """A clock that is set moves all who wait, again and again."""
    holds = Holds(hold(number, 60) for number in range(100))
    for _ in range(50):
        for one in [*holds.values()]:
            holds.put(one.moved(timedelta(seconds=1)))

    assert len(holds._ends) <= 2 * len(holds) + STALE_MAX + 1
    assert holds.first_until == instant(110)
