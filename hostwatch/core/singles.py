"""Emergencies of one device, or of one service: how they open, what they tell of beside it, and how they end.

Whether it is time for one is decided elsewhere (`core.outages`, `core.waiting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hostwatch.core import facts, stories
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.holds import Hold
from hostwatch.core.notice import Gone
from hostwatch.core.owing import Owing
from hostwatch.core.parents import is_parent
from hostwatch.core.reported import is_reported, seen_anew
from hostwatch.core.reported import without as uncovered_by
from hostwatch.core.service import Service, is_service, service_in
from hostwatch.core.signal import Signal, verdict_on
from hostwatch.core.together import Known, answering, failing, stand
from hostwatch.core.world import World


class Singles:
    """One deed's emergencies of single devices and services."""

    def __init__(self, world: World, known: Known, owing: Owing, now: datetime) -> None:
        self._world = world
        self._people = world.population
        self._known = known
        self._owing = owing
        self._now = now

    def whose(self, signal: str) -> tuple[Device, Service, str]:
        """A service's device, the service, and the signal of the device itself."""
        found = self._people.service_of(signal)
        assert found is not None  # only watched signals are observed
        return (*found, found[0].signal(self._people.vantage))

    def of_device(self, device: Device, flip: facts.WentDown, at: datetime) -> Emergency:
        """A device is down for itself, as far as anybody knows."""
        self._owing.let_go(flip.signal)
        with_it = self.uncovered(device)
        holds = [hold.since for one in with_it if (hold := self._owing.hold_of(one.name)) is not None]
        adopted = self.covering(flip.signal)
        if adopted is not None and is_reported(adopted):
            return self.under_report(adopted, flip, at)
        if adopted is None:
            emergency = self._owing.open(
                lambda name: self._story(device, flip, name), flip.signal, at, min([flip.at, *holds])
            )
        else:
            self._owing.join(adopted, flip, at)
            story = self._story(device, flip, adopted.reference).story
            others = tuple(name for name in adopted.signals if name != flip.signal)
            emergency = self._owing.put(replace(adopted, signal=flip.signal, joined=others, story=story))
        for one in with_it:
            emergency = self.cover(emergency, verdict_on(one, at))
        if adopted is not None:
            self._owing.update(emergency)
        return emergency

    def _story(self, device: Device, flip: facts.WentDown, name: str) -> stories.Opening:
        vantage = self._people.vantage
        return stories.told_with(
            stories.of_device(self._people, device, flip, name),
            failing=failing(device, vantage, self._known),
            answering=answering(device, vantage, self._known, flip.first_miss),
        )

    def uncovered(self, device: Device) -> list[Signal]:
        """The services that are down, are to be told of, and are not."""
        found = []
        for service in device.services:
            signal = self._known(service.signal(device.id, self._people.vantage))
            if signal is None or signal.verdict is None:
                continue
            if service.terms.obliges or self._owing.hold_of(signal.name) is not None:  # it did when it fell
                found.append(signal)
        return [signal for signal in found if self._owing.emergency_of(signal.name) is None]

    def covering(self, own: str) -> Emergency | None:
        """The open emergency that tells of a device.

        That of a service does so only until the device answers, which may end no silence if nobody had seen
        one; and one that was corrected tells of nothing more.
        """
        emergency, signal = self._owing.emergency_of(own), self._known(own)
        if emergency is not None and emergency.story.corrected_at is not None:
            if emergency.signal != own:
                self._owing.put(without(emergency, own))
            return None
        if emergency is not None and is_reported(emergency):
            return emergency
        if emergency is None or emergency.signal == own or is_parent(emergency.signal) or signal is None:
            return emergency
        if signal.last_answer is None or signal.last_answer <= emergency.opened_at:
            return emergency
        self._owing.put(without(emergency, own))
        return None

    def of_service(self, flip: facts.WentDown, at: datetime, others: Sequence[Hold] = ()) -> Emergency:
        """The emergency of a service and of others that waited: the first verdict starts the time to tell."""
        device, service, own = self.whose(flip.signal)
        itself = stand(self._known(own), flip.first_miss)
        self._owing.let_go(flip.signal)
        return self._owing.open(
            lambda name: stories.told_with(
                stories.of_service(self._people, device, service, flip, name, itself),
                failing=tuple(service_in(one.signal) for one in others),
            ),
            flip.signal,
            at,
            min([flip.at, *(one.since for one in others)]),
        )

    def cover(self, emergency: Emergency, flip: facts.WentDown) -> Emergency:
        """A service's outage is told under an emergency that is open."""
        self._owing.let_go(flip.signal)
        self._owing.join(emergency, flip, flip.at)
        story = emergency.story
        names = [*story.failing, service_in(flip.signal)]
        told = tuple(name for name in dict.fromkeys(names) if name != story.service)
        joined = (*emergency.joined, flip.signal)
        return self._owing.put(replace(emergency, joined=joined, story=replace(story, failing=told)))

    def under_report(self, emergency: Emergency, flip: facts.WentDown, at: datetime) -> Emergency:
        """What a person reported is down by our own probes too: that is more of the same (J4)."""
        self._owing.let_go(flip.signal)
        self._owing.join(emergency, flip, at)
        self._seen_anew(emergency, flip.signal)
        return emergency

    def _seen_anew(self, emergency: Emergency, signal: str) -> None:
        """Its customer is told how our probes see now what was reported."""
        device = self._people.device_of(signal)
        story = None if device is None else self._owing.told(emergency.reference).get(device.customer)
        if story is None or (is_service(signal) and not story.service):
            return
        now = seen_anew(self._people, story, self._known)
        if now != story:
            self._owing.update_customer(now)

    # Ends.

    def over(self, emergency: Emergency, name: str, flip: facts.CameUp | None, gone: Gone = "") -> None:
        """A signal that an emergency tells of came up; or is no longer watched, if there is no flip."""
        if is_reported(emergency):
            self._over_reported(emergency, name, flip, gone)
        elif is_parent(emergency.signal):
            self._owing.put(self._let_go_of(emergency, name))
        elif emergency.signal != name:
            self._owing.put(without(emergency, name))
        elif flip is None:
            self._withdraw(emergency, gone)
        else:
            story = replace(emergency.story, last_miss=flip.last_miss, first_answer=flip.first_answer)
            story = replace(story, failing=self._left(emergency), answering=())
            self._owing.end(replace(emergency, story=story, ended_at=flip.at), "recovery")

    def _over_reported(self, emergency: Emergency, name: str, flip: facts.CameUp | None, gone: Gone) -> None:
        """Our probes see again what a person reported, which ends nothing; or watch it no more."""
        if flip is not None:
            self._seen_anew(emergency, name)
            return
        left = uncovered_by(emergency, name)
        device = self._people.device_of(name)
        mine = "" if device is None else device.customer
        story = replace(emergency.story, last_miss=self._now, gone=gone)
        if not left.joined:
            over = replace(left, story=story, ended_at=self._now, withdrawn=True)
            self._owing.end(over, "withdrawn")
            return
        self._owing.put(left)
        others = (self._people.device_of(one) for one in left.joined)
        if mine not in {one.customer for one in others if one is not None}:
            self._owing.end_for(story, {mine}, "withdrawn")

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

    def _withdraw(self, emergency: Emergency, gone: Gone) -> None:
        known = self._world.signals[emergency.signal]
        last_miss = emergency.story.first_miss if known.silence is None else known.silence.last_miss
        story = replace(emergency.story, last_miss=last_miss, gone=gone)
        self._owing.end(replace(emergency, story=story, ended_at=self._now, withdrawn=True), "withdrawn")


def without(emergency: Emergency, signal: str) -> Emergency:
    """An emergency that tells of a signal no more."""
    joined = tuple(name for name in emergency.joined if name != signal)
    left = tuple(name for name in emergency.story.failing if name != service_in(signal))
    return replace(emergency, joined=joined, story=replace(emergency.story, failing=left))
