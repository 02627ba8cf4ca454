"""Figures that a part of the watch contributes to the metrics; `docs/metrics.md` tells of each.

A part has a function that returns its figures, and whoever builds the watch puts that function into
`Watch.figures`. It is called on the loop at each scrape: it reads numbers off, and reckons nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Gauge(NamedTuple):
    """What is so now."""

    name: str
    """Begins with `hostwatch_`, and ends with the unit if it has one: `_seconds`, `_bytes`."""

    about: str
    """One sentence."""

    value: float | Mapping[str, float] | None
    """One number, or one for each value of the label; None: not known, and then not shown."""

    label: str = ""
    """What the numbers are told apart by, if there are several."""


class Count(NamedTuple):
    """What has been counted since the start: it never falls."""

    name: str
    """As that of a gauge; ends with `_total`."""

    about: str
    value: float | Mapping[str, float] | Mapping[tuple[str, ...], float] | None
    label: str | tuple[str, ...] = ""
    """What the numbers are told apart by; several labels, if their keys are tuples."""


class Histogram(NamedTuple):
    """How large something was, each time it was measured."""

    name: str
    about: str
    value: Mapping[str, tuple[Sequence[int], float]]
    """For each value of the label: how many fell into each bucket, the last without a bound, and the sum."""

    bounds: Sequence[float]
    label: str


Figure = Gauge | Count | Histogram
