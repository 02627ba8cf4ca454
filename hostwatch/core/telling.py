"""What verdicts and recoveries mean for people: which emergencies open and end, and which wait.

A verdict on a device or an uplink opens an emergency, and its recovery ends it. A verdict on a service does
so too, unless the device under it may be down: then it waits for the verdict on the device, or is told under
the device's emergency (J8, `core.together`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from hostwatch.core import facts, stories, uplink
from hostwatch.core.emergency import Emergency
from hostwatch.core.holds import Hold
from hostwatch.core.observing import Observing
from hostwatch.core.owing import Owing, People
from hostwatch.core.population import Device
from hostwatch.core.service import Service, is_service, service_in
from hostwatch.core.signal import Signal
from hostwatch.core.together import Known, answering, failing, patience, stand
from hostwatch.core.world import Decision, World

AT_ONCE_MAX = 100
"""Services whose waiting ends in one deed."""


def tell(world: World, observed: Observing, now: datetime) -> People:
    """What follows from what was observed. Devices and uplinks go before services, which may be theirs."""
    telling = _Telling(world, observed.known, now)
    services: list[facts.WentDown | facts.CameUp] = []
    for fact in observed.facts:
        match fact:
            case facts.WentDown() | facts.CameUp() if is_service(fact.signal):
                services.append(fact)
            case facts.WentDown() if not uplink.is_reference(fact.signal):
                telling.down(fact)
            case facts.CameUp():
                telling.up(fact.signal, fact)
            case facts.SilenceEnded(confirmed=False):
                telling.answered(fact.signal)
            case _:
                pass
    for flip in services:
        if isinstance(flip, facts.WentDown):
            telling.service_down(flip)
        else:
            telling.up(flip.signal, flip)
    for name, at in sorted(observed.again, key=lambda one: is_service(one[0])):
        if is_service(name):
            telling.missed_again(name, at)
        else:
            telling.still_down(name, at)
    for reading in observed.still_down:
        telling.missed_in_between(reading.signal, reading.at, reading.known_at)
    if world.holds:
        telling.look_at_holds(observed)
    return telling.owing.people()


def overdue(world: World, now: datetime) -> Decision:
    """Whoever has waited long enough for the verdict on its device has an emergency now (J8).

    At most `AT_ONCE_MAX`, those who were due first: thousands may have begun to wait together.
    """
    telling = _Telling(world, world.signals.get, now)
    for hold in world.holds.overdue(now, AT_ONCE_MAX):
        telling.waited(hold)
    made = telling.owing.people()
    return Decision(
        facts=made.facts,
        emergencies=made.emergencies,
        duties=made.duties,
        notices=made.notices,
        holds=made.holds,
    )


def withdraw(world: World, names: Iterable[str], now: datetime) -> People:
    """End the emergencies of signals that are no longer watched, or no longer for whoever was told."""
    telling = _Telling(world, world.signals.get, now)
    for name in names:
        telling.up(name, None)
    return telling.owing.people()


class _Telling:
    """One deed's decisions about emergencies."""

    def __init__(self, world: World, known: Known, now: datetime) -> None:
        self._world = world
        self._people = world.population
        self._known = known
        self._now = now
        self._verdicts: dict[str, facts.WentDown] = {}
        """Of services that went down in this very deed."""

        self._back: dict[str, datetime] = {}
        """Who came up in this very deed, with its first answer: looks at its services that began before say
        nothing of what follows."""

        self.owing = Owing(world, now)

    def _whose(self, signal: str) -> tuple[Device, Service, str]:
        """A service's device, the service, and the signal of the device itself."""
        found = self._people.service_of(signal)
        assert found is not None  # only watched signals are observed
        return (*found, found[0].signal(self._people.vantage))

    def _may_be_down(self, own: str, since: datetime) -> bool:
        """Whether a device may be why a service has been silent since then."""
        return stand(self._known(own), since).is_doubtful

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
        if device is None:  # a supply's, or a switch's: it obliges nobody by itself
            return
        with_it = self._uncovered(device)
        holds = [hold.since for one in with_it if (hold := self.owing.hold_of(one.name)) is not None]
        adopted = self._covering(flip.signal)
        if adopted is None:
            emergency = self.owing.open(
                lambda name: self._story(device, flip, name), flip.signal, flip.at, min([flip.at, *holds])
            )
        else:
            self.owing.join(adopted, flip, flip.at)
            story = self._story(device, flip, adopted.reference).story
            others = tuple(name for name in adopted.signals if name != flip.signal)
            emergency = self.owing.put(replace(adopted, signal=flip.signal, joined=others, story=story))
        for one in with_it:
            emergency = self._cover(emergency, _as_verdict(one, flip.at))
        if adopted is not None:
            self.owing.update(emergency)

    def still_down(self, name: str, at: datetime) -> None:
        """A device that is down missed once more: if it is another customer's now, they are not told yet."""
        signal = self._known(name)
        if self._people.device_of(name) is None or self.owing.emergency_of(name) is not None:
            return
        if signal is not None and signal.verdict is not None:
            self.down(_as_verdict(signal, at))

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
        if emergency is None or emergency.signal == own or signal is None:
            return emergency
        if signal.last_answer is None or signal.last_answer <= emergency.opened_at:
            return emergency
        self.owing.put(_without(emergency, own))
        return None

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
        if covering is not None:
            after = self._cover(covering, flip)
            if after.signal != own:
                self.owing.update(after)
        elif self._may_be_down(own, flip.first_miss):
            until = flip.at + patience(self._people.terms(device))
            self.owing.hold(Hold(signal=flip.signal, since=flip.at, until=until))
        else:
            self._open(flip, flip.at)

    def missed_again(self, name: str, at: datetime) -> None:
        """A service that is down missed once more: if nobody is told of it yet, perhaps it is time now."""
        signal, hold = self._known(name), self.owing.hold_of(name)
        if signal is None or signal.verdict is None or self.owing.emergency_of(name) is not None:
            return
        if self._came_back_meanwhile(signal):
            return
        if hold is None:
            self.service_down(_as_verdict(signal, at))
        elif not self._may_be_down(self._whose(name)[2], _as_verdict(signal, at).first_miss):
            self._open(_as_verdict(signal, hold.since), at)

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

    def _came_back_meanwhile(self, service: Signal) -> bool:
        """Whether its device came back while the service was looked at: only the next look tells of it."""
        own = self._whose(service.name)[2]
        back_at = self._back.get(own) or self._world.came_up.get(own)
        missed_at = None if service.silence is None else service.silence.last_miss
        return back_at is not None and missed_at is not None and missed_at < back_at

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
                if not self._may_be_down(own, signal.silence.first_miss):
                    self._open(_as_verdict(signal, hold.since), self._now)

    def waited(self, hold: Hold) -> None:
        """A service has waited long enough. Others that wait for the same device are told of with it."""
        signal = self._known(hold.signal)
        if signal is None or self.owing.hold_of(hold.signal) is None:
            return
        device, _, own = self._whose(hold.signal)
        flip = _as_verdict(signal, hold.since)
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
            opened = self._cover(opened, _as_verdict(found, self._now))

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
            verdict = self._verdicts.get(name) or _as_verdict(self._world.signals[name], hold.since)
            emergency = self._open(verdict, self._now if flip is None else flip.at)
        if emergency is None:
            return
        if emergency.signal != name:
            self.owing.put(_without(emergency, name))
        elif flip is None:
            self._withdraw(emergency)
        else:
            story = replace(emergency.story, last_miss=flip.last_miss, first_answer=flip.first_answer)
            story = replace(story, failing=self._left(emergency), answering=())
            self.owing.end(replace(emergency, story=story, ended_at=flip.at), "recovery")

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


def _as_verdict(signal: Signal, at: datetime) -> facts.WentDown:
    """The verdict on a signal that is down, dated anew: not to be recorded."""
    assert signal.silence is not None
    return facts.WentDown(
        at=at,
        signal=signal.name,
        last_answer=signal.silence.last_answer,
        first_miss=signal.silence.first_miss,
        last_miss=signal.silence.last_miss,
        misses=signal.misses,
        why=signal.silence.why,
    )


def _without(emergency: Emergency, signal: str) -> Emergency:
    joined = tuple(name for name in emergency.joined if name != signal)
    left = tuple(name for name in emergency.story.failing if name != service_in(signal))
    return replace(emergency, joined=joined, story=replace(emergency.story, failing=left))
