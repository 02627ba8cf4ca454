"""Causes in the flow: found at a verdict, again as evidence comes in, once at the end; and what people state.

Whose cause is found again in a deed follows from what the deed brought: those on whom there is a verdict,
those who missed once more, those who came back, and those who hang on what went down, came back, or is spoken
of otherwise. Of very many, the others are looked at when they miss next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from hostwatch.core import canonical, facts, portsheard, topology
from hostwatch.core import supply as supplies
from hostwatch.core import switch as switches
from hostwatch.core.cause import Evidence, Finding, Statement
from hostwatch.core.observing import Observing
from hostwatch.core.parents import Ways
from hostwatch.core.scene import Attributed, Scene, merged
from hostwatch.core.service import device_in
from hostwatch.core.uplink import is_reference
from hostwatch.core.witnesses import parsed
from hostwatch.core.witnessing import Outage, Witnessing
from hostwatch.core.world import Decision, World

AT_ONCE = 100
"""Causes that are found without a pause."""

AGAIN_MAX = 1_000
"""Outages of which the cause is found anew since something that they hang on is otherwise; in one deed."""


@dataclass(slots=True, kw_only=True)
class Causes:
    """What a deed finds."""

    facts: list[facts.Fact] = field(default_factory=list)
    attributed: dict[str, Attributed | None] = field(default_factory=dict)


class _Turn(NamedTuple):
    outage: Outage
    is_over: bool
    is_new: bool = False
    """Whether the verdict is of this deed: what was known before is of another outage."""


def find(world: World, observed: Observing, now: datetime, into: Causes) -> Iterator[None]:
    """The causes of all outages of which a deed told something, into `into`; with pauses."""
    turns = {**_again(world, observed), **_flips(world, observed)}
    if not turns:
        return
    witnessing = Witnessing(
        world.population,
        observed.known,
        observed.said,
        now,
        world.bygones.with_those_of(observed.facts),
        planning=world.planning,
        is_blind=bool(world.blind),
    )
    for number, (name, turn) in enumerate(turns.items(), 1):
        found = _found(world, witnessing, turn)
        if found.finding.is_another(_before(world, turn)):
            into.facts.append(_told(found, now))
        into.attributed[name] = None if turn.is_over else found
        if number % AT_ONCE == 0:
            yield


def _before(world: World, turn: _Turn) -> Finding | None:
    known = _known(world, turn)
    if known is None or known.first_miss != turn.outage.first_miss:
        return None
    return known.finding


def _known(world: World, turn: _Turn) -> Attributed | None:
    """What was found of the same outage before."""
    return None if turn.is_new else world.causes.get(turn.outage.signal)


def _found(world: World, witnessing: Witnessing, turn: _Turn) -> Attributed:
    scene, evidence = witnessing.of(turn.outage)
    known = _known(world, turn)
    if known is not None:
        evidence = _kept(known, scene, evidence)
        scene = merged(known.scene, scene)
    given = topology.attribute(scene)
    return Attributed(
        signal=turn.outage.signal,
        first_miss=turn.outage.first_miss,
        last_answer=turn.outage.last_answer,
        scene=scene,
        finding=Finding(
            cause=given.cause,
            confidence=given.confidence,
            rule=given.rule,
            evidence=evidence,
            wanting=topology.wanting(scene, given.confidence),
        ),
    )


def _kept(known: Attributed, now: Scene, said: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """What was said before stays where what is said now does not weigh as much."""
    both = merged(known.scene, now)
    stays = {name for name in Scene.__slots__ if getattr(both, name) != getattr(now, name)}
    stays = {"others" if name == "silent" else name for name in stays}
    return (
        *(one for one in known.finding.evidence if one.slot in stays),
        *(one for one in said if one.slot not in stays),
    )


def _told(found: Attributed, now: datetime) -> facts.CauseFound:
    finding = found.finding
    return facts.CauseFound(
        at=now,
        signal=found.signal,
        first_miss=found.first_miss,
        cause=finding.cause.value,
        confidence=finding.confidence.value,
        rule=finding.rule,
        evidence=tuple(_plain(one) for one in finding.evidence),
        wanting=tuple(slot.value for slot in finding.wanting),
    )


def carried(before: Attributed, own: str, now: datetime) -> tuple[Attributed, facts.CauseFound]:
    """The cause of an outage that goes on under another signal (`core.succession`)."""
    found = replace(before, signal=own)
    return found, _told(found, now)


def _plain(one: Evidence) -> dict[str, Any]:
    """By name, and without what it does not say."""
    found = dict(zip(one._fields, canonical.plain(one), strict=True))
    return {name: value for name, value in found.items() if value}


def evidence_of(plain: dict[str, Any]) -> Evidence:
    """The evidence of a recorded one."""
    empty = dict(zip(Evidence._fields, ("", "", "", None, 0, 0, ""), strict=True))
    told: Evidence = canonical.restore(Evidence, [*{**empty, **plain}.values()])
    return told


def _flips(world: World, observed: Observing) -> dict[str, _Turn]:
    """Verdicts and ends."""
    found: dict[str, _Turn] = {}
    for fact in observed.facts:
        match fact:
            case facts.WentDown() if not is_reference(fact.signal):
                found[fact.signal] = _Turn(_outage(fact), is_over=False, is_new=True)
            case facts.SilenceEnded(confirmed=True) if fact.signal in (*world.causes, *found):
                before = found.get(fact.signal)
                is_new = before is not None and before.is_new
                found[fact.signal] = _Turn(_outage(fact), is_over=True, is_new=is_new)
            case _:
                pass
    return found


def _outage(fact: facts.WentDown | facts.SilenceEnded) -> Outage:
    return Outage(
        signal=fact.signal,
        last_answer=fact.last_answer,
        first_miss=fact.first_miss,
        last_miss=fact.last_miss,
    )


def _again(world: World, observed: Observing) -> dict[str, _Turn]:
    """Outages that go on, and may have another cause by what was observed."""
    names = dict.fromkeys(name for name, _ in observed.again)
    names.update(dict.fromkeys(islice(_on_what_changed(world, observed), AGAIN_MAX)))
    found = {}
    for name in names:
        known = observed.known(name)
        if known is None or known.verdict is None or known.silence is None or is_reference(name):
            continue
        silence = known.silence
        found[name] = _Turn(
            Outage(
                signal=name,
                last_answer=silence.last_answer,
                first_miss=silence.first_miss,
                last_miss=silence.last_miss,
            ),
            is_over=False,
        )
    return found


def _on_what_changed(world: World, observed: Observing) -> Iterator[str]:
    """The outages of those who hang on what is otherwise now, or is spoken of otherwise."""
    if not world.causes:
        return
    near: list[Collection[str]] = []
    dead: list[str] = []
    for fact in observed.facts:
        match fact:
            case facts.SilenceBegan() | facts.SilenceEnded() | facts.WentDown() | facts.CameUp():
                near += _hanging_on(world, fact.signal)
            case facts.PortSeen():
                switch = fact.source.removeprefix(portsheard.PREFIX)
                near += _hanging_on(world, switches.signal_of(switch, world.population.vantage))
            case facts.PowerSeen():
                names = world.population.witnesses.supplies(fact.source)
                near += (world.population.supplied.devices(name) for name in names)
                dead += _dead_on(world, fact.source)
            case _:
                pass
    for signal in dead:
        near += _hanging_on(world, signal)
    yield from dead
    for signal in world.causes if near else ():
        device = device_in(signal)
        if any(device in devices for devices in near):
            yield signal


def _dead_on(world: World, source: str) -> Iterator[str]:
    """The switches that are down and hang on what a source of power sees."""
    people = world.population
    for signal in world.causes:
        switch = people.switch_of(signal)
        if switch is not None and switch.feeds and source in people.witnesses.seen_by(switch.feeds):
            yield signal


def _hanging_on(world: World, signal: str) -> Iterator[Collection[str]]:
    """The devices on a supply, or behind a switch; nobody on anything else."""
    people = world.population
    supply, switch = supplies.named(signal), switches.named(signal)
    if supply is not None:
        yield people.supplied.devices(supply)
    if switch is not None:
        cut = {*Ways(people).cut([switch])}
        yield from (
            people.ways.devices(way) for way in people.ways if way in cut or switch in parsed(way).names
        )


def state(world: World, said: Statement, now: datetime) -> Decision:
    """A person says what the cause is of all that is told under an emergency."""
    fact = facts.CauseStated(
        at=now,
        reference=said.reference,
        cause=said.cause.value,
        actor=said.actor,
        because=said.because,
        ordered_by=said.ordered_by,
        since=said.since,
        until=said.until,
    )
    return Decision(facts=(fact,), stated={said.reference: said._replace(at=now)})


def withdraw(world: World, reference: str, actor: str, because: str, now: datetime) -> Decision:
    """A person takes back what was stated."""
    fact = facts.CauseStated(
        at=now,
        reference=reference,
        cause="",
        actor=actor,
        because=because,
        ordered_by="",
        since=None,
        until=None,
    )
    return Decision(facts=(fact,), stated={reference: None})
