"""The warning that somebody outside does not hear that the watch is well.

Whoever watches the watcher is only of use while it hears us. If it takes nothing several times in a row,
operators are told: the alarm that comes then is about the way to it, and a real one would not come.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hostwatch.core.warned import Sign, What, follow
from hostwatch.core.world import Decision, World


def look(world: World, deaf: Mapping[str, str], unsure: frozenset[str], now: datetime) -> Decision:
    """What operators are warned of now, and what is over.

    `deaf`: those who took nothing several times in a row, each with why. `unsure`: those of whom nobody knows
    yet, since the watch started or the configuration changed.
    """
    signs = [Sign(what=What.HEARTBEAT, about=name, said=why) for name, why in sorted(deaf.items())]
    lasting = [
        name for name, one in world.warned.items() if one.what is What.HEARTBEAT and one.about not in unsure
    ]
    told = world.population.customers.get(world.population.operator)
    found = follow(world.warned, signs, lasting, told, now, quiet=timedelta(0))
    return Decision(facts=found.facts, warned=found.warned, notices=found.notices)
