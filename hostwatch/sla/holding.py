"""Who hung on which ports when: devices and customers, as the record tells it, by five minutes.

A port that changes hands in the middle of a month is told of each for its own time. Five minutes in which it
does are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from hostwatch.core import facts, instant
from hostwatch.core.device import State
from hostwatch.core.hanging import ports_in
from hostwatch.core.timeline import Span
from hostwatch.core.traffic import STEP_S, Passed
from hostwatch.sla.traffic import Series, steps, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A device on its ports."""

    device: str
    customer: str
    ports: tuple[str, ...]
    since: datetime
    until: datetime | None = None
    """None: it still is."""

    def steps(self, span: Span) -> range:
        """The five minutes of a span that lie wholly in it."""
        start = -(-instant.second(self.since) // STEP_S)
        end = steps(span).stop if self.until is None else instant.second(self.until) // STEP_S
        return range(max(start, steps(span).start), min(end, steps(span).stop))


def holdings(happened: Iterable[facts.Fact]) -> list[Holding]:
    """All that ever were, in the order of the record."""
    present: dict[str, Holding] = {}
    over: list[Holding] = []
    for fact in happened:
        if not isinstance(fact, facts.PopulationChanged) or fact.thing != "device":
            continue
        before = present.pop(fact.name, None)
        if before is not None:
            over.append(replace(before, until=fact.at))
        ports = (fact.body.get("place") or {}).get("ports", "")
        if ports and fact.state not in (State.ORDERED.value, State.REMOVED.value):
            present[fact.name] = Holding(
                device=fact.name, customer=fact.customer, ports=ports_in(ports), since=fact.at
            )
    return [*over, *present.values()]


def carried(mine: Sequence[Holding], by_port: Mapping[str, Series], span: Span) -> tuple[Series, int]:
    """What the ports of some holdings carried together, and in how many five minutes there was a port at all.

    A port that several of them share is counted once.
    """
    whole: dict[int, Passed] = {}
    expected = 0
    for part, ports in _parts(mine, span):
        expected += len(part)
        within = [
            {number: by_port[port][number] for number in part if number in by_port[port]}
            for port in sorted(ports)
            if port in by_port
        ]
        if len(within) == len(ports):
            whole.update(together(within))
    return whole, expected


def _parts(mine: Sequence[Holding], span: Span) -> Iterator[tuple[range, frozenset[str]]]:
    """The span, cut wherever the ports become others; without the parts in which there is none."""
    ranges = [(one.steps(span), one.ports) for one in mine]
    ranges = [(numbers, ports) for numbers, ports in ranges if numbers]
    edges = sorted({edge for numbers, _ in ranges for edge in (numbers.start, numbers.stop)})
    for start, stop in pairwise(edges):
        ports = frozenset(port for numbers, own in ranges if start in numbers for port in own)
        if ports:
            yield range(start, stop), ports
