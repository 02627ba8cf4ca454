"""Half-open spans of whole seconds, and sums over them.

A timeline is a set of seconds. `a | b`, `a & b` and `a - b` mean what they mean for sets; `total`
counts. Everything that an auditor adds up is made here, so it always adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The seconds `start`, …, `end - 1` since 1970."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"cannot make a span that ends at {self.end}, before its start {self.start}")

    @property
    def seconds(self) -> int:
        """How many seconds the span holds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Timeline:
    """Disjoint, sorted, non-empty spans that do not touch. Make one with `Timeline.of`."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Timeline:
        """The seconds that any of the spans holds."""
        merged: list[Span] = []
        for span in sorted(s for s in spans if s.seconds):
            if merged and span.start <= merged[-1].end:
                merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
            else:
                merged.append(span)
        return cls(tuple(merged))

    @classmethod
    def between(cls, start: int, end: int) -> Timeline:
        """The seconds from `start` to `end`; none when `end` is not after `start`."""
        return cls((Span(start, end),)) if end > start else cls()

    @property
    def total(self) -> int:
        """How many seconds there are."""
        return sum(span.seconds for span in self.spans)

    def __or__(self, other: Timeline) -> Timeline:
        return Timeline.of((*self.spans, *other.spans))

    def __and__(self, other: Timeline) -> Timeline:
        return Timeline(tuple(_overlaps(self.spans, other.spans)))

    def __sub__(self, other: Timeline) -> Timeline:
        return Timeline(tuple(_rests(self.spans, other.spans)))

    def __iter__(self) -> Iterator[Span]:
        return iter(self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)


def _overlaps(left: tuple[Span, ...], right: tuple[Span, ...]) -> Iterator[Span]:
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i].start, right[j].start), min(left[i].end, right[j].end)
        if start < end:
            yield Span(start, end)
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1


def _rests(left: tuple[Span, ...], right: tuple[Span, ...]) -> Iterator[Span]:
    j = 0
    for span in left:
        start = span.start
        while j < len(right) and right[j].end <= start:
            j += 1
        k = j
        while k < len(right) and right[k].start < span.end:
            if right[k].start > start:
                yield Span(start, right[k].start)
            start = max(start, right[k].end)
            k += 1
        if start < span.end:
            yield Span(start, span.end)
