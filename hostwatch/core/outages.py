"""When it is time for an emergency of a device, a service or an uplink, and when it is over (J8, J10).

What is told of one device or service is in `core.singles`, who waits in `core.waiting`, and the emergencies
of what many hang on in `core.shared`.
"""

from __future__ import annotations

from datetime import datetime

from hostwatch.core import facts
from hostwatch.core.device import Device
from hostwatch.core.holds import Hold
from hostwatch.core.notice import Gone
from hostwatch.core.owing import Owing
from hostwatch.core.parents import is_parent
from hostwatch.core.reported import is_reported
from hostwatch.core.service import is_service
from hostwatch.core.shared import Shared
from hostwatch.core.signal import Signal, verdict_on
from hostwatch.core.singles import Singles, without
from hostwatch.core.suspects import Suspects
from hostwatch.core.together import Known, Stand, patience, stand
from hostwatch.core.unreached import Unreached
from hostwatch.core.waiting import Waiting
from hostwatch.core.world import World


class Outages:
    """One deed's decisions about emergencies of devices, services and uplinks."""

    def __init__(self, world: World, known: Known, now: datetime) -> None:
        self._world = world
        self._people = world.population
        self._known = known
        self._now = now
        self._verdicts: dict[str, facts.WentDown] = {}
        """Of devices and services that went down in this very deed."""

        self._back: dict[str, datetime] = {}
        """Who came up in this very deed, with its first answer: looks that began before at what hangs on it
        say nothing of what follows."""

        self.owing = Owing(world, now)
        self.shared = Shared(world, known, self.owing, now)
        self.suspects = Suspects(world, known, self.owing, self.shared, now)
        self.singles = Singles(world, known, self.owing, now)
        self.waiting = Waiting(world, known, self.shared.parents, self.owing, self.singles, now)
        self.unreached = Unreached(world.population, known, self.owing)

    # Devices.

    def down(self, flip: facts.WentDown) -> None:
        """A device went down. Its emergency tells of what is down with it."""
        device = self._people.device_of(flip.signal)
        assert device is not None  # only watched signals are observed
        self._verdicts[flip.signal] = flip
        if self.singles.covering(flip.signal) is None:
            signal = self._known(flip.signal)
            if signal is not None and self._came_back_meanwhile(signal, device):
                return  # that it was told of, with what it hangs on, is over: the next look tells
            if self._is_parents(device, flip):
                return
        self.singles.of_device(device, flip, flip.at)

    def _is_parents(self, device: Device, flip: facts.WentDown) -> bool:
        """Whether a device is told of with what it hangs on, or waits for the verdict on that (J10)."""
        self.suspects.judge_for(device)
        if self.owing.emergency_of(flip.signal) is not None:
            return True
        covering = self.shared.covering(device, flip.first_miss)
        if covering is not None:
            for one in (flip, *(verdict_on(one, flip.at) for one in self.singles.uncovered(device))):
                covering = self.shared.take_in(covering, device, one)
            return True
        span = self.shared.parents.doubtful(device, flip.first_miss)
        if span is not None:
            self.owing.hold(Hold(signal=flip.signal, since=flip.at, until=flip.at + span))
        return span is not None

    def still_down(self, name: str, at: datetime) -> None:
        """A device that is down missed once more: if nobody is told of it yet, perhaps it is time now.

        It may be another customer's now, have been told of with what it hangs on, or wait for that.
        """
        signal, device, hold = self._known(name), self._people.device_of(name), self.owing.hold_of(name)
        if device is None or signal is None or signal.verdict is None:
            return
        covering = self.owing.emergency_of(name)
        if covering is not None and not is_service(covering.signal):
            return
        if self._came_back_meanwhile(signal, device):
            return
        if covering is not None:  # a service of it was told of meanwhile, and not that it is down itself
            self.singles.of_device(device, verdict_on(signal, at), at)
        elif hold is None:
            self.down(verdict_on(signal, at))
        else:
            self._held_again(device, verdict_on(signal, hold.since), at)

    def _held_again(self, device: Device, flip: facts.WentDown, at: datetime) -> None:
        """A device that waits missed once more, and perhaps what it hangs on is well meanwhile."""
        self.suspects.judge_for(device)
        if self.owing.hold_of(flip.signal) is None:
            return
        if self.shared.parents.doubtful(device, flip.first_miss) is None:
            self.singles.of_device(device, flip, at)

    def back(self, flip: facts.CameUp) -> None:
        """What devices hang on came up: if it was told of, they were so with it."""
        if self.owing.emergency_of(flip.signal) is not None:
            self._back[flip.signal] = flip.first_answer

    def answered(self, signal: str) -> None:
        """A silence ended without a verdict: an emergency of a service that covers its device lets it go."""
        emergency = self.owing.emergency_of(signal)
        if emergency is not None and signal in emergency.joined and not is_reported(emergency):
            self.owing.put(without(emergency, signal))

    # Services.

    def service_down(self, flip: facts.WentDown) -> None:
        """A service went down, or is still so and nobody is told of it."""
        device, service, own = self.singles.whose(flip.signal)
        reported = self.owing.emergency_of(flip.signal)
        if reported is not None and is_reported(reported):
            self.singles.under_report(reported, flip, flip.at)
            return
        if not service.terms.obliges:
            return
        self._verdicts[flip.signal] = flip
        covering = self.singles.covering(own)
        if covering is None and self._is_parents_too(device, own, flip):
            return
        if covering is not None and is_parent(covering.signal):
            self.shared.take_in(covering, device, flip)
        elif covering is not None:
            after = self.singles.cover(covering, flip)
            if after.signal != own:
                self.owing.update(after)
        elif self.waiting.may_be_down(own, flip.first_miss):
            until = flip.at + patience(self._people.terms(device))
            self.owing.hold(Hold(signal=flip.signal, since=flip.at, until=until))
        else:
            self.singles.of_service(flip, flip.at)

    def _is_parents_too(self, device: Device, own: str, flip: facts.WentDown) -> bool:
        """The same for a service: but a device that answers has power, and can be reached."""
        if stand(self._known(own), flip.first_miss) is Stand.ANSWERS:
            return False
        return self._is_parents(device, flip)

    def missed_again(self, name: str, at: datetime) -> None:
        """A service that is down missed once more: if nobody is told of it yet, perhaps it is time now."""
        signal, hold = self._known(name), self.owing.hold_of(name)
        if signal is None or signal.verdict is None or self.owing.emergency_of(name) is not None:
            return
        if self._came_back_meanwhile(signal, self.singles.whose(name)[0]):
            return
        if hold is None:
            self.service_down(verdict_on(signal, at))
        elif not self.waiting.may_be_down(self.singles.whose(name)[2], verdict_on(signal, at).first_miss):
            self.singles.of_service(verdict_on(signal, hold.since), at)

    def missed_in_between(self, name: str, looked_at: datetime, at: datetime) -> None:
        """A service that is down missed a follow-up look: that tells if its device came back long before.

        Whoever is looked at every six hours need not wait for the next of these looks.
        """
        device, _, own = self.singles.whose(name)
        back_at = self._world.came_up.get(own)
        if back_at is None or self.owing.hold_of(name) is not None:
            return
        if looked_at >= back_at + patience(self._people.terms(device)):
            self.missed_again(name, at)

    def _came_back_meanwhile(self, signal: Signal, device: Device) -> bool:
        """Whether what something hangs on came back while it was looked at: the next look tells of it."""
        own = device.signal(self._people.vantage)
        above = (*(() if signal.name == own else (own,)), *self.shared.parents.parents(device))
        backs = [self._back.get(one) or self._world.came_up.get(one) for one in above]
        missed_at = None if signal.silence is None else signal.silence.last_miss
        return missed_at is not None and any(one is not None and missed_at < one for one in backs)

    # Ends.

    def up(self, name: str, flip: facts.CameUp | None, gone: Gone = "") -> None:
        """A signal answers again after a verdict; or is no longer watched, if there is no flip."""
        hold, emergency = self.owing.hold_of(name), self.owing.emergency_of(name)
        if flip is not None:
            self._back[name] = flip.first_answer
        if hold is not None:
            verdict = self._verdicts.get(name) or verdict_on(self._world.signals[name], hold.since)
            at, device = self._now if flip is None else flip.at, self._people.device_of(name)
            if is_service(name) or device is None:
                emergency = self.singles.of_service(verdict, at)
            else:
                emergency = self.singles.of_device(device, verdict, at)
        if emergency is not None:
            self.singles.over(emergency, name, flip, gone)
