"""Traffic from counters: two readings of a switch make what passed between them, or no figure.

No figure rather than a wrong one. Two readings of a port make none
- if the switch started between them: its clock did not go on as ours did;
- if it says that it lost count (`ifCounterDiscontinuityTime`), or counts in another length;
- if they are further apart than six minutes: nobody knows in which five minutes it passed;
- if more would have passed than the port can carry: then it lost count, and did not say so;
- if a counter of 32 bits could have gone round twice: at a gigabit it does in 34 s.
A counter that went round once is counted on.

What passed between two readings is spread evenly over that time, and cut at each five minutes of the clock.
Five minutes of which less than half is known have no figure; else it is the mean of what is known.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from datetime import datetime
from typing import Final

from hostwatch.core import instant, portsheard, source
from hostwatch.core.counted import Count, Counted, Part
from hostwatch.core.ports import TICKS_END, PortsReading
from hostwatch.core.traffic import STEP_US, Figure, Passed
from hostwatch.core.world import Decision, World

GAP_US_MAX: Final = 360_000_000
"""Readings that are further apart make no figure."""

CLOCKS_US: Final = 15_000_000
"""How far the switch's clock and ours may part between two readings: a look takes its time."""

FASTEST_MBPS: Final = 1_600_000
"""The fastest port that there is, for one that does not say how fast it is: 32 bits are too few for that."""

KNOWN_SHARE: Final = 2
"""One part in so many of five minutes must be known."""

_TICK_US: Final = 10_000


def count(world: World, names: Collection[str]) -> Generator[None, None, Decision]:
    """The deed: count what some sources said last on from where they were counted last."""
    counted: dict[str, Counted | None] = {}
    figures: list[Figure] = []
    for name in names:
        heard, mine = world.heard.get(name), world.population.sources.get(name)
        signal = world.signals.get(source.signal_of(name, world.population.vantage))
        if heard is None or mine is None or mine.room != portsheard.ROOM or signal is None:
            continue
        before, at = world.counted.get(name), signal.last_answer
        if at is None or (before is not None and at == before.at):
            continue
        if before is not None and at < before.at:  # the clock was set back: from here on anew
            before = None
        now, found = counted_on(before, name, at, portsheard.words(heard.said))
        counted[name] = now
        figures.extend(found)
        yield
    return Decision(counted=counted, traffic=tuple(figures))


def counted_on(
    before: Counted | None, name: str, at: datetime, said: PortsReading
) -> tuple[Counted, list[Figure]]:
    """A switch at its present reading, and the figures of the steps that are over now."""
    now_us = instant.micros(at)
    ports: dict[str, Count] = {}
    figures: list[Figure] = []
    switch = name.removeprefix(portsheard.PREFIX)
    for port in said.ports:
        last = None if before is None else before.ports.get(port.name)
        if port.octets is None and last is None:
            continue
        parts = [last.part] if last is not None and last.part is not None else []
        if port.octets is not None:
            now = Count(port.octets, port.speed_mbps)
            if before is not None and last is not None:
                then_us = instant.micros(before.at)
                ticks = (said.up_ticks - before.up_ticks) % TICKS_END
                passed = passed_between(last, now, now_us - then_us, ticks * _TICK_US)
                parts += [] if passed is None else spread(passed, then_us, now_us)
        else:  # it is not counted now, and what was known of it is closed below once it is over
            assert last is not None
            now = Count(last.octets, last.speed_mbps)
        still = None
        for part in _joined(parts):
            if part.number >= now_us // STEP_US:
                still = part
            elif part.known_us * KNOWN_SHARE >= STEP_US:
                figures.append(Figure(f"{switch}/{port.name}", part.number, _mean(part)))
        ports[port.name] = Count(now.octets, now.speed_mbps, still)
    return Counted(source=name, at=at, up_ticks=said.up_ticks, ports=ports), figures


def passed_between(before: Count, now: Count, apart_us: int, by_its_clock_us: int) -> Passed | None:
    """What passed between two readings of a port; None if nobody can say."""
    was, is_ = before.octets, now.octets
    if was.bits != is_.bits or was.since_ticks != is_.since_ticks:
        return None
    if not 0 < apart_us <= GAP_US_MAX or abs(by_its_clock_us - apart_us) > CLOCKS_US:
        return None
    speeds = [speed for speed in (before.speed_mbps, now.speed_mbps) if speed is not None]
    most = (max(speeds) if speeds else FASTEST_MBPS) * (apart_us + CLOCKS_US) // 8
    if was.bits < 64 and most >= 2**was.bits:
        return None
    end = 2**was.bits
    received, sent = (is_.received - was.received) % end, (is_.sent - was.sent) % end
    return None if received > most or sent > most else Passed(received, sent)


def spread(passed: Passed, since_us: int, until_us: int) -> Iterator[Part]:
    """What passed in a time, evenly, cut where steps begin. Not one octet is lost or made."""
    whole_us, done = until_us - since_us, Passed(0, 0)
    for number in range(since_us // STEP_US, -(-until_us // STEP_US)):
        end_us = min((number + 1) * STEP_US, until_us)
        so_far = Passed(*(octets * (end_us - since_us) // whole_us for octets in passed))
        known_us = end_us - max(number * STEP_US, since_us)
        yield Part(number, so_far.received - done.received, so_far.sent - done.sent, known_us)
        done = so_far


def _joined(parts: list[Part]) -> Iterator[Part]:
    """The parts, with those of one step as one."""
    by_number: dict[int, Part] = {}
    for part in parts:
        known = by_number.get(part.number, Part(part.number, 0, 0, 0))
        sums = (one + other for one, other in zip(known[1:], part[1:], strict=True))
        by_number[part.number] = Part(part.number, *sums)
    yield from by_number.values()


def _mean(part: Part) -> Passed:
    """What passed in the whole step, if all of it was as what is known."""
    known_us = min(part.known_us, STEP_US)
    return Passed(*((octets * STEP_US + known_us // 2) // known_us for octets in (part.received, part.sent)))
