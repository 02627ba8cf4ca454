"""How the uplinks are, for those who ask: each with its reference points, a group with its members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hostwatch.core.expression import Expression
from hostwatch.core.signal import NOT_PROVEN
from hostwatch.core.uplink import Uplink, parsed, signal_of
from hostwatch.core.world import World
from hostwatch.gauges import Figure, Gauge
from hostwatch.samples import state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """One uplink now."""

    uplink: Uplink
    state: str
    """As that of a device: `up`, `silent`, `down`, `unknown` or `not proven`."""

    since: datetime | None
    """The first miss of its silence."""

    references: dict[str, str]
    """The state of each reference point, by address."""

    members: dict[str, str]
    """Of a redundancy group: the state of each uplink that it joins."""

    @property
    def answering(self) -> int:
        """How many of its reference points answer."""
        return sum(state == "up" for state in self.references.values())

    @property
    def spare(self) -> int:
        """How many more of them may fall silent before the uplink does; negative when it has.

        Of a redundancy group: how many more of its members, whichever they are.
        """
        if self.members:
            return _fewest(parsed(self.uplink.id), self.members) - 1
        return self.answering - self.uplink.quorum


def present(world: World, now: datetime) -> Iterator[Present]:
    """All uplinks and redundancy groups, by name."""
    vantage = world.population.vantage
    for _, uplink in sorted(world.population.uplinks.items()):
        own = world.signals.get(uplink.signal(vantage))
        yield Present(
            uplink=uplink,
            state=_state(world, uplink.signal(vantage), now),
            since=None if own is None or own.silence is None else own.silence.first_miss,
            references={
                address: _state(world, uplink.reference(address, vantage), now)
                for address in uplink.references
            },
            members={name: _state(world, signal_of(name, vantage), now) for name in uplink.members},
        )


def _fewest(part: Expression, states: Mapping[str, str]) -> int:
    """How many members must fall silent until an expression holds no more; 0 if it does not now."""
    if not part.parts:
        return int(states[part.needs] == "up")
    inner = [_fewest(one, states) for one in part.parts]
    return sum(inner) if part.needs == "any" else min(inner)


def _state(world: World, name: str, now: datetime) -> str:
    signal = world.signals.get(name)
    return NOT_PROVEN if signal is None else state_of(signal, now)


def figures(world: World, now: datetime) -> Iterator[Figure]:
    """What the metrics say of them."""
    found = list(present(world, now))
    if not found:
        return
    seen = [one for one in found if one.state in ("up", "silent", "down")]
    yield Gauge(
        "hostwatch_uplink_up",
        "1 while a quorum of the uplink's reference points answers, 0 in a silence.",
        {one.uplink.id: float(one.state == "up") for one in seen},
        "uplink",
    )
    yield Gauge(
        "hostwatch_uplink_references_spare",
        "How many more of the uplink's reference points may fall silent before the uplink does.",
        {one.uplink.id: float(one.spare) for one in found if not one.members},
        "uplink",
    )
    groups = {one.uplink.id: float(one.spare) for one in found if one.members}
    if groups:
        yield Gauge(
            "hostwatch_uplink_members_spare",
            "How many more members of the redundancy group may fall silent before the group does.",
            groups,
            "uplink",
        )


def described(one: Present) -> dict[str, Any]:
    """An uplink for people, as plain data."""
    return {
        "uplink": one.uplink.id,
        "name": one.uplink.name,
        "state": one.state,
        "since": one.since,
        "quorum": one.uplink.quorum,
        "answering": one.answering,
        "references": one.references,
        "members": one.members,
        "spare": one.spare,
    }
