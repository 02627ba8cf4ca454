"""A supply that takes the place of others: its devices hang on it from now on, and on those no more.

A supply is named by what it hangs on, so whatever is written otherwise (a third UPS, another measuring point,
an element that was renamed) is another supply, though the power of the same devices is meant. A new one goes
on where those stood that its devices had: it is proven as they were, and if all of them are interrupted so is
it, since the same instant and by the same verdict. If only some are, nobody knows of it until it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hostwatch.core import causing, facts, supply
from hostwatch.core import signal as signals
from hostwatch.core.device import Device, State
from hostwatch.core.population import Changes, Population
from hostwatch.core.scene import Attributed
from hostwatch.core.signal import Signal
from hostwatch.core.world import World

CAME_TOGETHER = "supplies with and without power came together"
"""Why nobody knows of a supply that takes the place of several until it is read."""

Moves = Mapping[str, Sequence[Device]]
"""By the supply that they hang on from now on, devices as they were: each hung on another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """What supplies take over in one deed."""

    moves: Moves = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    facts: list[facts.Fact] = field(default_factory=list)
    causes: dict[str, Attributed | None] = field(default_factory=dict)


def of(world: World, changes: Changes, now: datetime) -> Succession:
    """What changes make of the supplies that devices come to. Nothing if all signals get other names."""
    found = Succession(moves=moved(world.population, changes))
    vantage = world.population.vantage
    for name, devices in found.moves.items():
        own = supply.signal_of(name, vantage)
        known = world.signals.get(own)
        if (known is not None and known.proven) or world.population.supplied.devices(name):
            continue  # it has been read, or others hang on it: it is judged by what is known of itself
        before = dict.fromkeys(_supply(device) for device in devices)
        olds = [old for one in before if (old := world.signals.get(supply.signal_of(one, vantage)))]
        _take_over(world, own, known, [old for old in olds if old.proven], now, found)
    return found


def moved(before: Population, changes: Changes) -> Moves:
    """The devices that stay in service and hang on another supply from now on."""
    found: dict[str, list[Device]] = {}
    if changes.vantage in (None, before.vantage):
        for new in changes.devices:
            old = before.devices.get(new.id)
            if old is not None and _supply(old) and _supply(new) not in ("", _supply(old)):
                found.setdefault(_supply(new), []).append(old)
    return found


def _supply(device: Device) -> str:
    """What a device in service hangs on."""
    if device.place is None or device.state is not State.IN_SERVICE:
        return ""
    return device.place.supply


def _take_over(
    world: World, own: str, known: Signal | None, olds: list[Signal], now: datetime, found: Succession
) -> None:
    if not olds:
        return
    base, taken = successor(own, olds, now)
    if known is not None:  # it was there already, and nothing has spoken for it so far
        found.facts.extend(signals.withdraw(known, now))
    found.signals[own] = taken
    silence = taken.silence
    found.facts.append(
        facts.SupplyTookOver(
            at=now,
            signal=own,
            before=tuple(one.name for one in olds),
            last_answer=taken.last_answer,
            first_miss=None if silence is None else silence.first_miss,
            last_miss=None if silence is None else silence.last_miss,
            misses=taken.misses,
            verdict=taken.verdict,
        )
    )
    cause = world.causes.get(base.name)
    if cause is not None and silence is not None and cause.first_miss == silence.first_miss:
        found.causes[own], fact = causing.carried(cause, own, now)
        found.facts.append(fact)


def successor(own: str, olds: Sequence[Signal], now: datetime) -> tuple[Signal, Signal]:
    """The signal that takes the place of some that are proven; and the one whose state it has.

    If all are silent, the one that was found to be down, and of several the one that fell silent first. Else
    the one that was heard last, without any miss.
    """
    silent = [one for one in olds if one.silence is not None]
    if len(silent) == len(olds):
        base = min(silent, key=_worst)
    else:
        base = max((one for one in olds if one.silence is None), key=lambda one: (one.last_answer, one.name))
    mute = next((one.blind_why for one in olds if not one.speaks(now)), None)
    why = CAME_TOGETHER if 0 < len(silent) < len(olds) else mute
    return base, replace(
        base,
        name=own,
        last_reading=max((one.last_reading for one in olds if one.last_reading is not None), default=None),
        speaks_until=now if why is not None else min(one.speaks_until for one in olds),
        blind_since=None if why is None else now,
        blind_why=why or base.blind_why,
    )


def _worst(one: Signal) -> tuple[bool, datetime, str]:
    assert one.silence is not None
    return one.verdict is None, one.silence.first_miss, one.name
