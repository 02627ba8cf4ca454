"""The timeline against plain sets of seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core.timeline import Span, Timeline


def span(start: int, length: int) -> Span:
    return Span(start, start + length)


SPANS = st.lists(st.builds(span, st.integers(-50, 50), st.integers(0, 20)), max_size=12)


def by_second(spans: list[Span]) -> set[int]:
    return {second for one in spans for second in range(one.start, one.end)}


def well_formed(line: Timeline) -> bool:
    """Sorted, not empty, disjoint and not touching: one timeline has one form."""
    whole = all(one.seconds > 0 for one in line)
    return whole and all(a.end < b.start for a, b in zip(line.spans, line.spans[1:], strict=False))


@given(SPANS)
def test_a_timeline_holds_the_seconds_of_its_spans(spans: list[Span]) -> None:
    line = Timeline.of(spans)
    assert by_second([*line]) == by_second(spans)
    assert line.total == len(by_second(spans))
    assert bool(line) == bool(by_second(spans))
    assert well_formed(line)
    assert Timeline.of(reversed(spans)) == line


@given(SPANS, SPANS)
def test_sums_mean_what_they_mean_for_sets(left: list[Span], right: list[Span]) -> None:
    a, b = Timeline.of(left), Timeline.of(right)
    one, other = by_second(left), by_second(right)
    for line, seconds in ((a | b, one | other), (a & b, one & other), (a - b, one - other)):
        assert by_second([*line]) == seconds
        assert well_formed(line)
    assert (a & b).total + (a - b).total == a.total


@given(st.integers(-100, 100), st.integers(-100, 100))
def test_between_is_empty_when_the_end_is_not_after_the_start(start: int, end: int) -> None:
    assert by_second([*Timeline.between(start, end)]) == set(range(start, end))
    assert well_formed(Timeline.between(start, end))


def test_a_span_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="ends at 1, before its start 2"):
        Span(2, 1)
