"""What Prometheus is told of each device, written straight as text.

A registry that holds an object for each sample takes seconds for 100,000 devices; text takes a tenth of
one. All devices have a place in columns: their labels are written once, and what the evidence says of
them is two numbers.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import NamedTuple

from hostwatch.core import instant, latency
from hostwatch.core.schedule import Turn
from hostwatch.core.signal import Signal

ON_ITS_WAY = timedelta(seconds=10)
"""From the instant at which a target is due until its answer is recorded: a slice and a ping at most."""

SUCCESS = "probe_success"
DURATION = "probe_icmp_duration_seconds"
TOOK = "probe_duration_seconds"
ABOUT = {
    SUCCESS: "1 while the device, or its service, answers, 0 in a silence.",
    DURATION: "Round-trip time of the last scheduled answer.",
    TOOK: "How long the last scheduled look at a service took that was answered.",
}


class Entry(NamedTuple):
    """A device as it is labelled, and how long one of its readings speaks (J2)."""

    signal: str
    customer: str
    device: str
    address: str
    speaking: timedelta
    service: str = ""


class Samples:
    """The samples of all devices of one population."""

    def __init__(self, entries: Iterable[Entry], before: Samples | None = None) -> None:
        """`before` tells what was known of those who were there already."""
        found = sorted(entries, key=lambda entry: (entry.customer, entry.device, entry.signal))
        self._place = {entry.signal: place for place, entry in enumerate(found)}
        self._labels = [_labels(entry) for entry in found]
        self._speaking_us = array("q", (entry.speaking // instant.MICROSECOND for entry in found))
        self._answered_us = array("q", bytes(8 * len(found)))
        self._codes = array("H", bytes(2 * len(found)))
        self._services = frozenset(place for place, entry in enumerate(found) if entry.service)
        self._restless: dict[int, Signal] = {}
        if before is not None:
            self._remember(before)

    def _remember(self, before: Samples) -> None:
        for signal, place in self._place.items():
            known = before._place.get(signal)
            if known is not None:
                self._answered_us[place] = before._answered_us[known]
                self._codes[place] = before._codes[known]

    def __len__(self) -> int:
        return len(self._labels)

    def rest(self, resting: Iterable[tuple[str, int]]) -> None:
        """These answered when they were due, in microseconds since 1970, and that is all there is to say."""
        for signal, due_us in resting:
            place = self._place.get(signal)
            if place is not None:
                self._answered_us[place] = due_us

    def restless(self, signals: Iterable[Signal]) -> None:
        """Of these there is more to say than when they answered; of nobody else."""
        self._restless = {self._place[s.name]: s for s in signals if s.name in self._place}
        for place in self._restless:
            self._answered_us[place] = 0

    def close(self, turns: Iterable[Turn], codes: Iterable[int]) -> None:
        """A slice is closed: who was due, and their codes (`core.latency`) in that order.

        Who did not answer is among the restless, who are to be told of after it.
        """
        for turn, code in zip_longest(turns, codes):
            place = self._place.get(turn.signal)
            if place is None or turn.at_us <= self._answered_us[place]:
                continue  # a slice that closed late tells nothing of those who have answered since
            self._answered_us[place] = turn.at_us
            if code:
                self._codes[place] = code

    def text(self, now: datetime) -> bytes:
        """Two metrics, and one more where there are services, as Prometheus reads them."""
        success = [head(SUCCESS, "gauge", ABOUT[SUCCESS]), *self._answered(now), *self._told(now)]
        duration = [head(DURATION, "gauge", ABOUT[DURATION]), *self._timed()]
        took = [head(TOOK, "gauge", ABOUT[TOOK]), *self._took()] if self._services else []
        return "".join((*success, *duration, *took)).encode()

    def _answered(self, now: datetime) -> list[str]:
        """Those who are at rest, and whose last reading still speaks."""
        expired_us = instant.micros(now - ON_ITS_WAY)
        columns = zip(self._labels, self._answered_us, self._speaking_us, strict=True)
        return [
            f"probe_success{{{labels}}} 1\n"
            for labels, answered_us, speaking_us in columns
            if answered_us + speaking_us >= expired_us
        ]

    def _told(self, now: datetime) -> Iterator[str]:
        """Those of whom there is more to say."""
        for place, signal in self._restless.items():
            value = _VALUES.get(state_of(signal, now))
            if value is not None:
                yield f"{SUCCESS}{{{self._labels[place]}}} {value}\n"

    def _timed(self) -> list[str]:
        seconds = {code: f"{(latency.rtt_us(code) or 0) / 1e6!r}" for code in set(self._codes)}
        return [
            f'probe_icmp_duration_seconds{{{labels},phase="rtt"}} {seconds[code]}\n'
            for place, (labels, code) in enumerate(zip(self._labels, self._codes, strict=True))
            if code and place not in self._services
        ]

    def _took(self) -> Iterator[str]:
        for place in sorted(self._services):
            if self._codes[place]:
                seconds = (latency.rtt_us(self._codes[place]) or 0) / 1e6
                yield f"{TOOK}{{{self._labels[place]}}} {seconds!r}\n"


_VALUES: Mapping[str, int] = {"up": 1, "silent": 0, "down": 0}


def state_of(signal: Signal, now: datetime) -> str:
    """`up`, `silent` (missed, not confirmed), `down`, `unknown` or `not proven`.

    A reading that is due may still be on its way into the record: for that long nothing is unknown.
    """
    if signal.verdict is not None:
        return "down"
    if not signal.proven:
        return "not proven"
    if signal.unspoken_since(now - ON_ITS_WAY) is not None:
        return "unknown"
    return "up" if signal.silence is None else "silent"


def head(name: str, kind: str, about: str) -> str:
    """The two lines before the samples of a metric."""
    text = about.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {name} {text}\n# TYPE {name} {kind}\n"


def _labels(entry: Entry) -> str:
    named = [("customer", entry.customer), ("device", entry.device), ("instance", entry.address)]
    named += [("service", entry.service)] if entry.service else []
    return ",".join(f'{name}="{escaped(value)}"' for name, value in named)


def escaped(value: str) -> str:
    """The value of a label, as it stands between quotation marks."""
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
