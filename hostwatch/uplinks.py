"""How the uplinks are, for those who ask: each with its reference points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hostwatch.core.signal import NOT_PROVEN
from hostwatch.core.uplink import Uplink
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

    @property
    def answering(self) -> int:
        """How many of its reference points answer."""
        return sum(state == "up" for state in self.references.values())

    @property
    def spare(self) -> int:
        """How many more of them may fall silent before the uplink does; negative when it has."""
        return self.answering - self.uplink.quorum


def present(world: World, now: datetime) -> Iterator[Present]:
    """All uplinks, by name."""
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
        )


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
        {one.uplink.id: float(one.spare) for one in found},
        "uplink",
    )
