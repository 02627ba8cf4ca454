"""J7: redundancy groups of uplinks, by an automaton of their own: when they are down, and who is told once.

Held against what rounds of uplinks said, the verdicts on these, and the population; never against the signals
of groups. An expression is read here anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from hostwatch.core import facts, instant
from hostwatch.core.device import State
from hostwatch.core.population import Population
from hostwatch.core.reading import Kind, Outcome
from hostwatch.core.timeline import Span, Timeline
from hostwatch.core.world import Decision
from hostwatch.sla.records import History, UplinkHistory
from tests.simulation.evidence import Complain, Proof


class Line(Protocol):
    """The automaton of one uplink."""

    proven: bool
    down: bool


def parts(text: str) -> list[str]:
    """What stands between the outermost parentheses of `any(a,all(b,c))`."""
    found, depth, start = [], 0, 4
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if (sign == "," and depth == 1) or (sign == ")" and depth == 0):
            found.append(text[start:place])
            start = place + 1
    return found


def names(text: str) -> set[str]:
    """The uplinks in an expression."""
    return {text} if "(" not in text else {name for part in parts(text) for name in names(part)}


def value(text: str, of: Callable[[str], bool | None]) -> bool | None:
    """Whether an expression holds; None if that is not certain."""
    if "(" not in text:
        return of(text)
    values = {value(part, of) for part in parts(text)}
    if text.startswith("any("):
        return True if True in values else None if None in values else False
    return False if False in values else None if None in values else True


def own(uplink: str) -> str:
    """The signal of an uplink or a group."""
    return f"uplink:{uplink}/reach@main"


@dataclass(slots=True)
class _Group:
    text: str
    proven: bool
    down: bool = False
    last: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Groups:
    """All groups, fed with what rounds of uplinks say."""

    interval: timedelta
    seen: dict[str, Proof] = field(default_factory=dict)
    """What the last round of each uplink said."""

    groups: dict[str, _Group] = field(default_factory=dict)

    def take(self, proof: Proof, lines: Mapping[str, Line]) -> list[tuple[str, str]]:
        """The flips of groups that follow from a round, which its uplink's own line has taken already."""
        uplink = proof.signal.removeprefix("uplink:").removesuffix("/reach@main")
        if own(uplink) != proof.signal:
            return []
        self.seen[uplink] = proof
        mine = [group for group in self.groups.values() if uplink in names(group.text)]
        return [(flip, own(group.text)) for group in mine if (flip := self._read(group, proof, lines))]

    def _read(self, group: _Group, proof: Proof, lines: Mapping[str, Line]) -> str:
        at = proof.at if group.last is None else max(proof.at, group.last + timedelta(microseconds=1))
        group.last = at

        def stands(name: str) -> bool | None:
            last, line = self.seen.get(name), lines[own(name)]
            if last is None or not line.proven or at > last.at + self.interval * 21 / 20:
                return None
            return {Outcome.ANSWERED: True, Outcome.MISSED: False}.get(last.outcome)

        def judged(name: str) -> bool | None:
            now = stands(name)
            return None if now is False and not lines[own(name)].down else now

        now, was = value(group.text, stands), group.down
        if now:
            group.down, group.proven = False, True
            return "up" if was else ""
        if now is False and group.proven and proof.kind is Kind.SCHEDULED and not was:
            group.down = value(group.text, judged) is False
        return "down" if group.down and not was else ""

    def follow(self, moved: timedelta) -> None:
        """The wall clock was set."""
        self.seen = {name: replace(proof, at=proof.at + moved) for name, proof in self.seen.items()}
        for group in self.groups.values():
            group.last = None if group.last is None else group.last + moved

    def change(self, people: Population, before: Mapping[str, Line]) -> None:
        """Another population. A group that is new is proven as soon as its members are."""
        self.seen = {name: proof for name, proof in self.seen.items() if name in people.uplinks}

        def proven(name: str) -> bool:
            line = before.get(own(name))
            return line is not None and line.proven

        wanted = [name for name in people.uplinks if "(" in name]
        self.groups = {
            name: self.groups.get(name) or _Group(name, bool(value(name, proven))) for name in wanted
        }


@dataclass(kw_only=True)
class Carriers:
    """Each verdict on an uplink or a group is told: by an emergency, or under that of a group."""

    complain: Complain
    population: Population = field(default_factory=Population)
    down: set[str] = field(default_factory=set)
    told: dict[str, set[str]] = field(default_factory=dict)
    """By emergency, the signals that it tells of."""

    named: dict[str, str] = field(default_factory=dict)
    """By emergency, the signal that it ends with."""

    missed: set[str] = field(default_factory=set)
    """Who missed once since nobody is told of it any more."""

    joined: int = 0
    again: int = 0

    def check(self, decision: Decision, proofs: Sequence[Proof]) -> None:
        """A decision was committed. `proofs`: also what rounds said."""
        came = [f.signal for f in decision.facts if isinstance(f, facts.WentDown) and is_way(f.signal)]
        gone = {f.signal for f in decision.facts if isinstance(f, facts.CameUp) and is_way(f.signal)}
        left = self.down - {name for signals in self.told.values() for name in signals}
        opened = {f.signal: f.reference for f in decision.facts if isinstance(f, facts.UplinkEmergencyOpened)}
        joined = {
            f.signal: f.reference
            for f in decision.facts
            if isinstance(f, facts.EmergencyJoined) and is_way(f.signal)
        }
        self._told(came, left, opened, joined)
        for signal, reference in opened.items():
            self.told[reference], self.named[reference] = {signal}, signal
        for signal, reference in joined.items():
            self.told[reference].add(signal)
        self.joined += len(joined)
        self.again += len(left & {*opened, *joined})
        self.down = (self.down | {*came}) - gone - {*decision.withdrawn_signals}
        for reference, signals in [*self.told.items()]:
            signals &= self.down
            if self.named[reference] not in signals:
                del self.told[reference], self.named[reference]
        self._not_lost(proofs)
        if decision.population is not None:
            self.population.change(decision.population)

    def _told(
        self, came: Sequence[str], left: set[str], opened: Mapping[str, str], joined: Mapping[str, str]
    ) -> None:
        for signal in came:
            under = [one for one in came if signal_in(one, signal)]
            if under and not self._alone(signal):
                if joined.get(signal) not in {opened.get(one) for one in under} - {None}:
                    self.complain(f"{signal} fell with {under}, and is not told of under it")
            elif signal not in opened:
                self.complain(f"{signal} is down, and opens no emergency")
        odd = ({*opened} | {*joined}) - {*came} - left
        if odd:
            self.complain(f"{odd} are told of, and neither fell nor were left")

    def _alone(self, signal: str) -> bool:
        """Whether any device in service is behind an uplink alone."""
        return any(
            own(device.uplink) == signal
            for device in self.population.devices.values()
            if device.uplink is not None and device.state is State.IN_SERVICE
        )

    def _not_lost(self, proofs: Sequence[Proof]) -> None:
        left = self.down - {name for signals in self.told.values() for name in signals}
        missed = {p.signal for p in proofs if p.outcome is Outcome.MISSED and p.kind is Kind.SCHEDULED}
        if left & missed & self.missed:
            self.complain(f"{left & missed & self.missed} missed again, and nobody is told")
        self.missed = (self.missed | missed) & left


def is_way(signal: str) -> bool:
    """Whether a signal is that of an uplink or of a group."""
    return signal.startswith("uplink:") and "/reach@" in signal


def signal_in(group: str, uplink: str) -> bool:
    """Whether a group's signal is that of one with an uplink among its members."""
    text, name = (one.removeprefix("uplink:").partition("/")[0] for one in (group, uplink))
    return "(" in text and name in names(text)


def against_members(history: History, now: datetime, interval: timedelta, complain: Complain) -> None:
    """Each known second of a group is what its members' seconds come to; of `any`, the unknown ones too.

    What was on its way when a reload began or ended a group is known of its members alone.
    """
    every = {one.uplink: one for one in history.uplinks}
    end = instant.second(now)
    for group in history.uplinks:
        if "(" not in group.uplink:
            continue
        up, down = _come_to(group.uplink, every, end)
        mine_up, mine_down = _own(group, end)
        if (mine_up - up) or (mine_down - down):
            complain(f"{group.uplink}: up {mine_up - up}, down {mine_down - down}, and its members are not")
        margin = 2 * interval // timedelta(seconds=1)
        inside = Timeline.of(
            Span(s.start + margin, max(s.end - margin, s.start + margin)) for s in group.service
        )
        unknown = ((up | down) & inside) - mine_up - mine_down
        if "all(" not in group.uplink and unknown:
            complain(f"{group.uplink}: unknown in {unknown}, and its members are known")


def _own(one: UplinkHistory, end: int) -> tuple[Timeline, Timeline]:
    known = (one.service & Timeline.between(0, end)) - one.unknown
    silent = Timeline.of(silence.point for silence in one.silences) & known
    return known - silent, silent


def _come_to(text: str, every: Mapping[str, UplinkHistory], end: int) -> tuple[Timeline, Timeline]:
    """When an expression is true, and when false."""
    if "(" not in text:
        return _own(every[text], end) if text in every else (Timeline(), Timeline())
    (up, down), *rest = (_come_to(part, every, end) for part in parts(text))
    for more_up, more_down in rest:
        if text.startswith("any("):
            up, down = up | more_up, down & more_down
        else:
            up, down = up & more_up, down | more_down
    return up, down
