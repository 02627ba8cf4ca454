"""Switches on which there is a verdict: are they dead, or silent to us only? Who is behind them tells.

One that is dead is told of like all that many devices hang on (J10, `core.shared`); one that carries is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from hostwatch.core import facts
from hostwatch.core import switch as switches
from hostwatch.core.device import Device
from hostwatch.core.hanging import way
from hostwatch.core.holds import Hold
from hostwatch.core.observing import Observing
from hostwatch.core.owing import Owing
from hostwatch.core.shared import Bounds, Shared
from hostwatch.core.signal import Signal, verdict_on
from hostwatch.core.testimony import Says, Testimony
from hostwatch.core.together import Known
from hostwatch.core.world import World


class Suspects:
    """One deed's decisions about them."""

    def __init__(self, world: World, known: Known, owing: Owing, shared: Shared, now: datetime) -> None:
        self._people = world.population
        self._known = known
        self._owing = owing
        self._shared = shared
        self._parents = shared.parents
        self._now = now

    def switch_down(self, flip: facts.WentDown) -> None:
        """There is a verdict on a switch: those behind it are asked, unless it is clear already."""
        self.judge(flip.signal)
        name = switches.named(flip.signal)
        assert name is not None
        signal = self._known(flip.signal)
        if signal is None or self._owing.emergency_of(flip.signal) is not None:
            return
        above = self._parents.doubtful_switch(name, flip.first_miss)
        if above is None and self._says(name, signal, in_time=True) is not Says.ASKED:
            return
        terms = self._people.switches[name].terms
        longest = min(max(terms.interval, above or terms.interval), terms.notice_within / 3)
        self._owing.hold(Hold(signal=flip.signal, since=flip.at, until=flip.at + longest))

    def judge(self, own: str, *, over: bool = False) -> None:
        """Decide about a switch that is down, if it can be decided; `over` says that it has waited enough."""
        name, signal = switches.named(own), self._known(own)
        if name is None or signal is None or signal.silence is None or signal.verdict is None:
            return
        if name not in self._people.switches or self._owing.emergency_of(own) is not None:
            return
        flip = verdict_on(signal, signal.verdict)
        covering = self._parents.covering_switch(name, flip.first_miss)
        if covering is not None:
            self._owing.cover(covering, flip)
            return
        if not over and self._parents.doubtful_switch(name, flip.first_miss) is not None:
            return
        match self._says(name, signal, in_time=not over):
            case Says.DEAD:
                self._dead(name)
            case Says.CARRIES | Says.NOTHING:
                self._owing.let_go(own)
            case Says.ASKED:
                pass

    def missed_again(self, own: str) -> None:
        """A switch that is down missed once more."""
        self.judge(own, over=self._owing.hold_of(own) is None)

    def waited(self, own: str) -> None:
        """A switch has waited long enough for those behind it."""
        self.judge(own, over=True)
        self._owing.let_go(own)

    def judge_for(self, device: Device) -> None:
        """A device is down: what do those behind its switches say by now?"""
        if device.place is None or not device.place.ports:
            return
        above = self._parents.above(way(device.place.ports))
        for name in self._parents.down_switches():
            if name in above:
                self.missed_again(self._switch(name))

    def _says(self, name: str, signal: Signal, *, in_time: bool) -> Says:
        return self._testimony().say(name, signal, in_time=in_time)

    def _testimony(self) -> Testimony:
        return Testimony(self._people, self._known, self._parents)

    def _switch(self, name: str) -> str:
        return switches.signal_of(name, self._people.vantage)

    def _dead(self, name: str) -> None:
        """A switch is dead: with others that the same devices hang on, or under what is told of those."""
        testimony = self._testimony()
        shared, flips = testimony.shared_with(name), [*self._verdicts(testimony.together(name))]
        for other in shared:
            emergency = self._owing.emergency_of(self._switch(other))
            if emergency is not None and self._shared.may_join(emergency, flips):
                self._shared.add(emergency, flips)
                return
        self._shared.open(flips)

    def _verdicts(self, names: Iterable[str]) -> Iterator[facts.WentDown]:
        for name in names:
            signal = self._known(self._switch(name))
            if signal is not None and signal.verdict is not None:
                yield verdict_on(signal, signal.verdict)

    # What devices say meanwhile.

    def look(self, observed: Observing) -> None:
        """Devices were looked at: what do they say of switches that are down?"""
        down = frozenset(self._parents.down_switches()) if self._people.switches else frozenset[str]()
        if not down:
            return
        touched: set[str] = set()
        for name in observed.looked:
            device = self._people.device_of(name)
            if device is None or device.place is None or not device.place.ports:
                continue
            mine = down & self._parents.above(way(device.place.ports))
            if mine and name == device.signal(self._people.vantage):
                touched |= mine
                self._answers(device, name)
        for switch in sorted(touched):
            if self._owing.hold_of(self._switch(switch)) is not None:
                self.judge(self._switch(switch))

    def _answers(self, device: Device, name: str) -> None:
        """Whether a device answers through switches that were taken for dead: then they are not."""
        signal = self._known(name)
        if signal is None or signal.silence is not None or signal.last_answer is None or device.place is None:
            return
        for own in self._parents.dead_on(way(device.place.ports)):
            switch = self._known(own)
            if switch is None or switch.silence is None or signal.last_answer <= switch.silence.first_miss:
                continue
            last_miss = min(switch.silence.last_miss, signal.last_answer)
            self._shared.end(own, (last_miss, signal.last_answer), self._now)

    # Answers.

    def up(self, flip: facts.CameUp) -> None:
        """A switch answers again after a verdict."""
        self._shared.up(flip.signal, flip)
        self._carried(switches.named(flip.signal), (flip.last_miss, flip.first_answer))

    def answered(self, fact: facts.SilenceEnded) -> None:
        """A switch answers again, on which there was no verdict."""
        self._carried(switches.named(fact.signal), (fact.last_miss, fact.at))

    def _carried(self, switch: str | None, bounds: Bounds) -> None:
        """A switch answers: so do those carry that it hangs on."""
        known = None if switch is None else self._people.switches.get(switch)
        if known is not None and known.behind:
            for own in self._parents.dead_on(known.behind):
                self._shared.end(own, bounds, self._now)
