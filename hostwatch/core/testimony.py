"""What those behind a silent switch say of it (J10): dead, or only its management is.

A switch that does not answer may forward all the same. So at the verdict on it the devices behind it are
looked at at once, and it counts as dead when all of them that could be looked at are silent, and at least one
is. One that answers proves that the switch carries; one of which nobody knows anything proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from hostwatch.core import switch as switches
from hostwatch.core.device import Device
from hostwatch.core.parents import ASKED_MAX, Parents
from hostwatch.core.population import Population
from hostwatch.core.signal import Signal, Silence
from hostwatch.core.together import Known
from hostwatch.core.world import World


class Says(StrEnum):
    """What they say."""

    DEAD = "dead"
    CARRIES = "carries"
    """Only its management is silent."""

    ASKED = "asked"
    """None answers, and some are still to be looked at."""

    NOTHING = "nothing"
    """None answers, and none fell silent with it."""


@dataclass(frozen=True, slots=True)
class _Witness:
    device: Device
    signal: Signal


class Testimony:
    """The devices, and the switches, behind switches that are down."""

    def __init__(self, people: Population, known: Known, parents: Parents) -> None:
        self._people = people
        self._known = known
        self._parents = parents
        down = parents.down_switches()
        self._dead = [name for name in down if parents.is_told(name)]
        self._undecided = [name for name in down if name not in self._dead]

    def ways(self, switch: str) -> list[str]:
        """The ways that carry no more if this switch is dead: with those that are, or with all in doubt."""
        return self._alone(switch) or self._parents.ways.cut_by(switch, self._with(switch))

    def _alone(self, switch: str) -> list[str]:
        return self._parents.ways.cut_by(switch, self._dead)

    def _with(self, switch: str) -> list[str]:
        others = (name for name in self._undecided if name != switch and not self._carries(name))
        return [*self._dead, *others]

    def _carries(self, switch: str) -> bool:
        signal = self._known(switches.signal_of(switch, self._people.vantage))
        if signal is None or signal.silence is None:
            return True
        mine = islice(self._proven(self._alone(switch)), ASKED_MAX)
        return any(_answers(one.signal, signal.silence) for one in mine)

    def together(self, switch: str) -> list[str]:
        """The switches that are dead with this one, by what the same devices say."""
        if self._alone(switch):
            return [switch]
        every, mine = {*self._with(switch), switch}, self.ways(switch)
        cut = self._parents.ways.cut
        needed = (name for name in every - {*self._dead} if not {*mine} <= {*cut(every - {name})})
        return sorted(needed)

    def shared_with(self, switch: str) -> list[str]:
        """The switches told of already, without whose death some devices would not be cut off now."""
        every, mine = {*self._dead, *self.together(switch)}, {*self.ways(switch)}
        return [name for name in self._dead if not mine <= {*self._parents.ways.cut(every - {name})}]

    def _devices(self, switch: str) -> Iterator[_Witness]:
        """Those that have ever answered, as many as are asked."""
        return islice(self._proven(self.ways(switch)), ASKED_MAX)

    def _proven(self, ways: list[str]) -> Iterator[_Witness]:
        for name in self._parents.ways.some(ways):
            device = self._people.devices[name]
            signal = self._known(device.signal(self._people.vantage))
            if signal is not None and signal.proven and not self._parents.is_unsupplied(device):
                yield _Witness(device, signal)

    def asked(self, switch: str, signal: Signal) -> list[str]:
        """The signals of those that are to be looked at now: nobody has done so since the verdict."""
        return [one.signal.name for one in self._devices(switch) if _is_pending(one.signal, signal)]

    def say(self, switch: str, signal: Signal, *, in_time: bool) -> Says:
        """What is known by now; once the time to look is over, by those that were looked at."""
        assert signal.silence is not None
        if any(_answers(one, signal.silence) for one in self._switches(switch)):
            return Says.CARRIES
        silent = pending = 0
        for one in self._devices(switch):
            if _answers(one.signal, signal.silence):
                return Says.CARRIES
            pending += _is_pending(one.signal, signal)
            silent += fell_with(one.signal, signal.silence)
        if pending and in_time:
            return Says.ASKED
        return Says.DEAD if silent else Says.NOTHING

    def _switches(self, switch: str) -> Iterator[Signal]:
        for name in self._parents.ways.behind(switch):
            signal = self._known(switches.signal_of(name, self._people.vantage))
            if signal is not None:
                yield signal


def _answers(one: Signal, silence: Silence) -> bool:
    """Whether somebody has answered since a switch fell silent, silent again or not.

    Not at the very instant: a step of the clock dates the last answer, and the silence, as it is then.
    """
    return one.last_answer is not None and one.last_answer > silence.first_miss


def fell_with(one: Signal, silence: Silence) -> bool:
    """Whether somebody is silent, and has been so only since the switch was last seen well."""
    return one.silence is not None and one.silence.first_miss >= silence.last_answer


def _is_pending(one: Signal, switch: Signal) -> bool:
    """Whether somebody is not silent, and has not been looked at since the verdict on a switch."""
    if one.silence is not None or switch.verdict is None:
        return False
    return one.last_reading is None or one.last_reading < switch.verdict


def wanted(world: World, switch: str) -> list[str]:
    """The signals of devices to be looked at now, because the verdict on their switch waits for them.

    It follows from the world alone, so that a restart forgets nothing.
    """
    people, known = world.population, world.signals.get
    signal = known(switches.signal_of(switch, people.vantage))
    if signal is None or signal.verdict is None or switch not in people.switches:
        return []
    parents = Parents(people, known, world.emergency_of, world.holds.get)
    return Testimony(people, known, parents).asked(switch, signal)
