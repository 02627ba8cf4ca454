"""Who waits for the verdict on what it hangs on: whose doubt is over, and who has waited enough (J8, J10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hostwatch.core.holds import Hold
from hostwatch.core.observing import Observing
from hostwatch.core.owing import Owing
from hostwatch.core.parents import Parents, is_parent
from hostwatch.core.service import is_service
from hostwatch.core.signal import Signal, verdict_on
from hostwatch.core.singles import Singles
from hostwatch.core.together import Known, Stand, stand
from hostwatch.core.world import World


class Waiting:
    """One deed's decisions about devices and services that wait."""

    def __init__(
        self, world: World, known: Known, parents: Parents, owing: Owing, singles: Singles, now: datetime
    ) -> None:
        self._world = world
        self._people = world.population
        self._known = known
        self._parents = parents
        self._owing = owing
        self._singles = singles
        self._now = now

    def may_be_down(self, own: str, since: datetime) -> bool:
        """Whether a device, or what it hangs on, may be why a service has been silent since then."""
        stands, device = stand(self._known(own), since), self._people.device_of(own)
        if stands is not Stand.NOT_PROVEN or device is None:
            return stands.is_doubtful
        return self._parents.doubtful(device, since) is not None

    def look_at_doubts(self, observed: Observing) -> None:
        """What devices that wait hang on was looked at: whose doubt is over need not wait any longer."""
        parents = frozenset(name for name in observed.looked if is_parent(name) and self._is_clear(name))
        if not parents:
            return
        for name in self._world.holds.devices:
            device = self._people.devices.get(name)
            own = None if device is None else device.signal(self._people.vantage)
            hold = None if own is None else self._owing.hold_of(own)
            if device is None or hold is None or parents.isdisjoint(self._parents.on(device)):
                continue
            signal = self._known(hold.signal)
            if signal is None or signal.silence is None or hold.until <= self._now:
                continue
            if self._parents.doubtful(device, signal.silence.first_miss) is None:
                self._owing.no_longer(hold)

    def _is_clear(self, parent: str) -> bool:
        """Whether something is known of a supply or a switch: it answers, or there is a verdict on it."""
        signal = self._known(parent)
        return (
            signal is not None
            and signal.blind_since is None
            and not (signal.silence is not None and signal.verdict is None)
        )

    def look_at_holds(self, observed: Observing) -> None:
        """Devices of services that wait were looked at: who answers, and had missed nothing, is not down."""
        for device in sorted(observed.touched(self._world.holds.devices)):
            own = self._people.devices[device].signal(self._people.vantage)
            if self._world.signals.is_silent(own):
                continue  # it is back, and its services may be so in a moment: their next look tells
            for hold in self._world.holds.of(device):
                signal = self._known(hold.signal)
                if signal is None or signal.silence is None or self._owing.hold_of(hold.signal) is None:
                    continue
                if is_service(hold.signal) and not self.may_be_down(own, signal.silence.first_miss):
                    self._singles.of_service(verdict_on(signal, hold.since), self._now)

    def waited(self, hold: Hold) -> None:
        """Something has waited long enough. Services that wait for the same device are told of with it."""
        signal = self._known(hold.signal)
        if signal is None or self._owing.hold_of(hold.signal) is None:
            return
        if not is_service(hold.signal):
            self._device_waited(hold, signal)
            return
        device, _, own = self._singles.whose(hold.signal)
        itself, mine = self._known(own), self._owing.hold_of(own)
        if itself is not None and mine is not None:
            self._device_waited(mine, itself)
            return
        flip = verdict_on(signal, hold.since)
        if not self.may_be_down(own, flip.first_miss):
            self._singles.of_service(flip, self._now)
            return
        waiting = [one for one in self._world.holds.of(device.id) if one.signal != hold.signal]
        others = [one for one in waiting if self._owing.hold_of(one.signal) is not None]
        opened = self._singles.of_service(flip, self._now, others)
        opened = self._owing.put(replace(opened, joined=(own,)))
        for one in others:
            found = self._known(one.signal)
            assert found is not None
            opened = self._singles.cover(opened, verdict_on(found, self._now))

    def _device_waited(self, hold: Hold, signal: Signal) -> None:
        device = self._people.device_of(hold.signal)
        if device is not None:
            self._singles.of_device(device, verdict_on(signal, hold.since), self._now)
