"""Emergencies of devices, services and uplinks: which open and end, and which wait (J8, J10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hostwatch.core import facts, stories
from hostwatch.core.emergency import Emergency
from hostwatch.core.holds import Hold
from hostwatch.core.observing import Observing
from hostwatch.core.owing import Owing
from hostwatch.core.parents import is_parent
from hostwatch.core.population import Device
from hostwatch.core.service import Service, is_service, service_in
from hostwatch.core.shared import Shared
from hostwatch.core.signal import Signal, verdict_on
from hostwatch.core.together import Known, Stand, answering, failing, patience, stand
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

    def _whose(self, signal: str) -> tuple[Device, Service, str]:
        """A service's device, the service, and the signal of the device itself."""
        found = self._people.service_of(signal)
        assert found is not None  # only watched signals are observed
        return (*found, found[0].signal(self._people.vantage))

    def _may_be_down(self, own: str, since: datetime) -> bool:
        """Whether a device, or what it hangs on, may be why a service has been silent since then."""
        stands, device = stand(self._known(own), since), self._people.device_of(own)
        if stands is not Stand.NOT_PROVEN or device is None:
            return stands.is_doubtful
        return self.shared.parents.doubtful(device, since) is not None

    # Devices and uplinks.

    def down(self, flip: facts.WentDown) -> None:
        """A device or an uplink went down. A device's emergency tells of what is down with it."""
        mine = self._people.uplink_of(flip.signal)
        if mine is not None:
            self.owing.open(
                lambda name: stories.of_uplink(self._people, mine, flip, name), flip.signal, flip.at, flip.at
            )
            return
        device = self._people.device_of(flip.signal)
        assert device is not None  # only watched signals are observed
        self._verdicts[flip.signal] = flip
        if self._covering(flip.signal) is None:
            signal = self._known(flip.signal)
            if signal is not None and self._came_back_meanwhile(signal, device):
                return  # that it was told of, with what it hangs on, is over: the next look tells
            if self._is_parents(device, flip):
                return
        self._device_down(device, flip, flip.at)

    def _is_parents(self, device: Device, flip: facts.WentDown) -> bool:
        """Whether a device is told of with what it hangs on, or waits for the verdict on that (J10)."""
        self.shared.judge_for(device)
        if self.owing.emergency_of(flip.signal) is not None:
            return True
        covering = self.shared.covering(device, flip.first_miss)
        if covering is not None:
            for one in (flip, *(verdict_on(one, flip.at) for one in self._uncovered(device))):
                covering = self.shared.take_in(covering, device, one)
            return True
        span = self.shared.parents.doubtful(device, flip.first_miss)
        if span is not None:
            self.owing.hold(Hold(signal=flip.signal, since=flip.at, until=flip.at + span))
        return span is not None

    def _device_down(self, device: Device, flip: facts.WentDown, at: datetime) -> Emergency:
        """A device is down for itself, as far as anybody knows."""
        self.owing.let_go(flip.signal)
        with_it = self._uncovered(device)
        holds = [hold.since for one in with_it if (hold := self.owing.hold_of(one.name)) is not None]
        adopted = self._covering(flip.signal)
        if adopted is None:
            emergency = self.owing.open(
                lambda name: self._story(device, flip, name), flip.signal, at, min([flip.at, *holds])
            )
        else:
            self.owing.join(adopted, flip, at)
            story = self._story(device, flip, adopted.reference).story
            others = tuple(name for name in adopted.signals if name != flip.signal)
            emergency = self.owing.put(replace(adopted, signal=flip.signal, joined=others, story=story))
        for one in with_it:
            emergency = self._cover(emergency, verdict_on(one, at))
        if adopted is not None:
            self.owing.update(emergency)
        return emergency

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
            self._device_down(device, verdict_on(signal, at), at)
        elif hold is None:
            self.down(verdict_on(signal, at))
        else:
            self._held_again(device, verdict_on(signal, hold.since), at)

    def _held_again(self, device: Device, flip: facts.WentDown, at: datetime) -> None:
        """A device that waits missed once more, and perhaps what it hangs on is well meanwhile."""
        self.shared.judge_for(device)
        if self.owing.hold_of(flip.signal) is None:
            return
        if self.shared.parents.doubtful(device, flip.first_miss) is None:
            self._device_down(device, flip, at)

    def _story(self, device: Device, flip: facts.WentDown, name: str) -> stories.Opening:
        vantage = self._people.vantage
        return stories.told_with(
            stories.of_device(self._people, device, flip, name),
            failing=failing(device, vantage, self._known),
            answering=answering(device, vantage, self._known, flip.first_miss),
        )

    def _uncovered(self, device: Device) -> list[Signal]:
        """The services that are down, are to be told of, and are not."""
        found = []
        for service in device.services:
            signal = self._known(service.signal(device.id, self._people.vantage))
            if signal is None or signal.verdict is None:
                continue
            if service.terms.obliges or self.owing.hold_of(signal.name) is not None:  # it did when it fell
                found.append(signal)
        return [signal for signal in found if self.owing.emergency_of(signal.name) is None]

    def _covering(self, own: str) -> Emergency | None:
        """The open emergency that tells of a device.

        That of a service does so only until the device answers, which may end no silence if nobody had seen
        one.
        """
        emergency, signal = self.owing.emergency_of(own), self._known(own)
        if emergency is None or emergency.signal == own or is_parent(emergency.signal) or signal is None:
            return emergency
        if signal.last_answer is None or signal.last_answer <= emergency.opened_at:
            return emergency
        self.owing.put(_without(emergency, own))
        return None

    def back(self, flip: facts.CameUp) -> None:
        """What devices hang on came up: if it was told of, they were so with it."""
        if self.owing.emergency_of(flip.signal) is not None:
            self._back[flip.signal] = flip.first_answer

    def answered(self, signal: str) -> None:
        """A silence ended without a verdict: an emergency of a service that covers its device lets it go."""
        emergency = self.owing.emergency_of(signal)
        if emergency is not None and signal in emergency.joined:
            self.owing.put(_without(emergency, signal))

    # Services.

    def service_down(self, flip: facts.WentDown) -> None:
        """A service went down, or is still so and nobody is told of it."""
        device, service, own = self._whose(flip.signal)
        if not service.terms.obliges:
            return
        self._verdicts[flip.signal] = flip
        covering = self._covering(own)
        if covering is None and self._is_parents_too(device, own, flip):
            return
        if covering is not None and is_parent(covering.signal):
            self.shared.take_in(covering, device, flip)
        elif covering is not None:
            after = self._cover(covering, flip)
            if after.signal != own:
                self.owing.update(after)
        elif self._may_be_down(own, flip.first_miss):
            until = flip.at + patience(self._people.terms(device))
            self.owing.hold(Hold(signal=flip.signal, since=flip.at, until=until))
        else:
            self._open(flip, flip.at)

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
        if self._came_back_meanwhile(signal, self._whose(name)[0]):
            return
        if hold is None:
            self.service_down(verdict_on(signal, at))
        elif not self._may_be_down(self._whose(name)[2], verdict_on(signal, at).first_miss):
            self._open(verdict_on(signal, hold.since), at)

    def missed_in_between(self, name: str, looked_at: datetime, at: datetime) -> None:
        """A service that is down missed a follow-up look: that tells if its device came back long before.

        Whoever is looked at every six hours need not wait for the next of these looks.
        """
        device, _, own = self._whose(name)
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

    def look_at_doubts(self, observed: Observing) -> None:
        """What devices that wait hang on was looked at: whose doubt is over need not wait any longer."""
        parents = frozenset(name for name in observed.looked if is_parent(name) and self._is_clear(name))
        if not parents:
            return
        for name in self._world.holds.devices:
            device = self._people.devices.get(name)
            own = None if device is None else device.signal(self._people.vantage)
            hold = None if own is None else self.owing.hold_of(own)
            if device is None or hold is None or parents.isdisjoint(self.shared.parents.on(device)):
                continue
            signal = self._known(hold.signal)
            if signal is None or signal.silence is None or hold.until <= self._now:
                continue
            if self.shared.parents.doubtful(device, signal.silence.first_miss) is None:
                self.owing.no_longer(hold)

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
                if signal is None or signal.silence is None or self.owing.hold_of(hold.signal) is None:
                    continue
                if is_service(hold.signal) and not self._may_be_down(own, signal.silence.first_miss):
                    self._open(verdict_on(signal, hold.since), self._now)

    def waited(self, hold: Hold) -> None:
        """Something has waited long enough. Services that wait for the same device are told of with it."""
        signal = self._known(hold.signal)
        if signal is None or self.owing.hold_of(hold.signal) is None:
            return
        if not is_service(hold.signal):
            self._device_waited(hold, signal)
            return
        device, _, own = self._whose(hold.signal)
        itself, mine = self._known(own), self.owing.hold_of(own)
        if itself is not None and mine is not None:
            self._device_waited(mine, itself)
            return
        flip = verdict_on(signal, hold.since)
        if not self._may_be_down(own, flip.first_miss):
            self._open(flip, self._now)
            return
        waiting = [one for one in self._world.holds.of(device.id) if one.signal != hold.signal]
        others = [one for one in waiting if self.owing.hold_of(one.signal) is not None]
        opened = self._open(flip, self._now, others)
        opened = self.owing.put(replace(opened, joined=(own,)))
        for one in others:
            found = self._known(one.signal)
            assert found is not None
            opened = self._cover(opened, verdict_on(found, self._now))

    def _device_waited(self, hold: Hold, signal: Signal) -> None:
        device = self._people.device_of(hold.signal)
        if device is not None:
            self._device_down(device, verdict_on(signal, hold.since), self._now)

    def _open(self, flip: facts.WentDown, at: datetime, others: Sequence[Hold] = ()) -> Emergency:
        """The emergency of a service and of others that waited: the first verdict starts the time to tell."""
        device, service, own = self._whose(flip.signal)
        itself = stand(self._known(own), flip.first_miss)
        self.owing.let_go(flip.signal)
        return self.owing.open(
            lambda name: stories.told_with(
                stories.of_service(self._people, device, service, flip, name, itself),
                failing=tuple(service_in(one.signal) for one in others),
            ),
            flip.signal,
            at,
            min([flip.at, *(one.since for one in others)]),
        )

    def _cover(self, emergency: Emergency, flip: facts.WentDown) -> Emergency:
        """A service's outage is told under an emergency that is open."""
        self.owing.let_go(flip.signal)
        self.owing.join(emergency, flip, flip.at)
        story = emergency.story
        names = [*story.failing, service_in(flip.signal)]
        told = tuple(name for name in dict.fromkeys(names) if name != story.service)
        joined = (*emergency.joined, flip.signal)
        return self.owing.put(replace(emergency, joined=joined, story=replace(story, failing=told)))

    # Ends.

    def up(self, name: str, flip: facts.CameUp | None) -> None:
        """A signal answers again after a verdict; or is no longer watched, if there is no flip."""
        hold, emergency = self.owing.hold_of(name), self.owing.emergency_of(name)
        if flip is not None:
            self._back[name] = flip.first_answer
        if hold is not None:
            verdict = self._verdicts.get(name) or verdict_on(self._world.signals[name], hold.since)
            at, device = self._now if flip is None else flip.at, self._people.device_of(name)
            if is_service(name) or device is None:
                emergency = self._open(verdict, at)
            else:
                emergency = self._device_down(device, verdict, at)
        if emergency is None:
            return
        if is_parent(emergency.signal):
            self.owing.put(self._let_go_of(emergency, name))
        elif emergency.signal != name:
            self.owing.put(_without(emergency, name))
        elif flip is None:
            self._withdraw(emergency)
        else:
            story = replace(emergency.story, last_miss=flip.last_miss, first_answer=flip.first_answer)
            story = replace(story, failing=self._left(emergency), answering=())
            self.owing.end(replace(emergency, story=story, ended_at=flip.at), "recovery")

    def _let_go_of(self, emergency: Emergency, name: str) -> Emergency:
        """The emergency of what a device hangs on without it; and without its services, if it is back."""
        mine = (name,) if is_service(name) else (name, *self._services_of(name))
        return replace(emergency, joined=tuple(one for one in emergency.joined if one not in mine))

    def _services_of(self, own: str) -> tuple[str, ...]:
        device = self._people.device_of(own)
        return () if device is None else device.signals(self._people.vantage)

    def _left(self, emergency: Emergency) -> tuple[str, ...]:
        """Which services are still down when this is over: each may have its own emergency now."""
        if is_service(emergency.signal):
            return emergency.story.failing
        device = self._people.device_of(emergency.signal)
        if device is None:
            return ()
        return failing(device, self._people.vantage, self._known)

    def _withdraw(self, emergency: Emergency) -> None:
        known = self._world.signals[emergency.signal]
        last_miss = emergency.story.first_miss if known.silence is None else known.silence.last_miss
        story = replace(emergency.story, last_miss=last_miss)
        self.owing.end(replace(emergency, story=story, ended_at=self._now, withdrawn=True), "withdrawn")


def _without(emergency: Emergency, signal: str) -> Emergency:
    joined = tuple(name for name in emergency.joined if name != signal)
    left = tuple(name for name in emergency.story.failing if name != service_in(signal))
    return replace(emergency, joined=joined, story=replace(emergency.story, failing=left))
