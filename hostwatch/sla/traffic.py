"""The traffic of a month: average, maximum and the 95th percentile, and what the field bills by.

The rule is the field's own, and no standard says it: the means of five minutes of a month are sorted, the
highest five of each hundred are left out, and the highest of the rest is the figure. Both ways are reckoned
apart, and the greater one bills. Of `n` figures exactly `n // 20` are left out. Five minutes without a figure
are not among the `n`, and are counted: neither zero nor guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hostwatch.core.timeline import Span
from hostwatch.core.traffic import DAY_STEPS, STEP_S, Passed, figures

LEFT_OUT: Final = 20
"""One in so many of the figures is left out: the highest."""

Series = Mapping[int, Passed]
"""What passed, by the number of the five minutes; those of which nobody knows are not there."""

Row = tuple[int, str, bytes]
"""A day since 1970, a port, and its figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One direction, in bits a second."""

    average: int
    maximum: int
    p95: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a port, or several together, carried in a span."""

    span: Span
    steps: int
    """Of how many times five minutes there should be a figure."""

    known: int
    """Of how many of them there is a figure."""

    received: Way | None
    """By the switch: what the machine sent. None: there is no figure at all."""

    sent: Way | None
    octets_received: int
    """In all, as far as it is known."""

    octets_sent: int

    @property
    def billed(self) -> int | None:
        """The greater of both 95th percentiles."""
        return max(self.received.p95, self.sent.p95) if self.received and self.sent else None

    @property
    def missing(self) -> int:
        """Of how many times five minutes nobody knows."""
        return self.steps - self.known


def steps(span: Span) -> range:
    """The numbers of the five minutes that lie wholly in a span."""
    return range(-(-span.start // STEP_S), span.end // STEP_S)


def days(span: Span) -> tuple[int, int]:
    """The rows that hold the figures of a span: from one day since 1970 to before another."""
    numbers = steps(span)
    return numbers.start // DAY_STEPS, -(-numbers.stop // DAY_STEPS)


def series(rows: Iterable[Row], span: Span) -> dict[str, dict[int, Passed]]:
    """What rows say of a span, by port."""
    wanted = steps(span)
    found: dict[str, dict[int, Passed]] = {}
    for day, port, row in rows:
        mine = found.setdefault(port, {})
        for place, passed in enumerate(figures(row)):
            number = day * DAY_STEPS + place
            if passed is not None and number in wanted:
                mine[number] = passed
    return found


def together(parts: Sequence[Series]) -> dict[int, Passed]:
    """Several ports as one: their sums. Where one of them has no figure there is none of all."""
    if not parts:
        return {}
    numbers = set(parts[0]).intersection(*parts[1:])
    return {
        number: Passed(sum(one[number].received for one in parts), sum(one[number].sent for one in parts))
        for number in sorted(numbers)
    }


def figure(known: Series, span: Span, expected: int | None = None) -> Traffic:
    """What a series comes to in a span. `expected`: how many figures there should be, if not of all of it."""
    numbers = steps(span)
    mine = [known[number] for number in sorted(known) if number in numbers]
    received, sent = [one.received for one in mine], [one.sent for one in mine]
    return Traffic(
        span=span,
        steps=len(numbers) if expected is None else expected,
        known=len(mine),
        received=_way(received),
        sent=_way(sent),
        octets_received=sum(received),
        octets_sent=sum(sent),
    )


def bits(octets: int) -> int:
    """Octets in five minutes as bits in a second, to the nearest."""
    return (octets * 8 + STEP_S // 2) // STEP_S


def _way(octets: Sequence[int]) -> Way | None:
    if not octets:
        return None
    ordered = sorted(octets, reverse=True)
    return Way(
        average=(sum(ordered) * 8 + STEP_S * len(ordered) // 2) // (STEP_S * len(ordered)),
        maximum=bits(ordered[0]),
        p95=bits(ordered[len(ordered) // LEFT_OUT]),
    )
