"""Emergencies of what devices of several customers hang on: supplies of power, and switches (J10).

Each customer with devices there is told once, with those that are theirs, and so are the operator's own
people. Supplies that go down together, or later and by the same elements, are one emergency; so are a switch
and those behind it. A customer hears of the end when all of theirs is back, though it may go on for others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from hostwatch.core import facts, parts, stories
from hostwatch.core import supply as supplies
from hostwatch.core import switch as switches
from hostwatch.core.concerned import Concerned, roots_of, supplies_in, switches_in
from hostwatch.core.device import Device
from hostwatch.core.emergency import Emergency
from hostwatch.core.holds import Hold
from hostwatch.core.notice import Kind, Story
from hostwatch.core.owing import Owing
from hostwatch.core.parents import Parents, elements, is_parent
from hostwatch.core.population import Customer
from hostwatch.core.service import device_in
from hostwatch.core.signal import verdict_on
from hostwatch.core.stories import Fallen
from hostwatch.core.together import Known
from hostwatch.core.world import World

Bounds = tuple[datetime, datetime | None]
"""Of an end: the last miss and the first answer."""


class Shared:
    """One deed's decisions about them."""

    def __init__(self, world: World, known: Known, owing: Owing, now: datetime) -> None:
        self._world = world
        self._people = world.population
        self._known = known
        self._owing = owing
        self._now = now
        self.parents = Parents(self._people, known, owing.emergency_of, owing.hold_of)
        self.concerned = Concerned(self._people, self.parents.ways)

    # Verdicts.

    def supplies_down(self, flips: Sequence[facts.WentDown]) -> None:
        """These supplies went down in one deed. Those that an emergency goes on with are told of already."""
        flips = [flip for flip in flips if self._owing.emergency_of(flip.signal) is None]
        if not flips:
            return
        names = supplies_in(flip.signal for flip in flips)
        open_already = self._with_elements_of(names, flips)
        if open_already is not None:
            self.add(open_already, flips)
        else:
            self.open(flips)

    def _with_elements_of(self, names: Sequence[str], flips: Sequence[facts.WentDown]) -> Emergency | None:
        """The open emergency of supplies that hang on some of the same elements."""
        mine = frozenset[str]().union(*map(elements, names))
        for known in self._world.emergencies.values():
            emergency = self._owing.emergency_of(known.signal)
            if emergency is None or emergency.reference != known.reference:
                continue
            theirs = supplies_in(emergency.signals)
            shares = mine & frozenset[str]().union(*map(elements, theirs))
            if shares and self.may_join(emergency, flips):
                return emergency
        return None

    def may_join(self, emergency: Emergency, flips: Sequence[facts.WentDown]) -> bool:
        """Whether they may be told of under it: not to somebody who has heard that it is over."""
        if emergency.story.corrected_at is not None:
            return False
        groups = self.concerned.by([*roots_of(emergency), *(flip.signal for flip in flips)])
        return not self._owing.is_over_for(emergency.reference) & groups.keys()

    # Openings.

    def open(self, flips: Sequence[facts.WentDown]) -> None:
        """What went down is told of by an emergency of its own."""
        fallen = self.concerned.fallen(flips, ())
        first, rest = fallen.flips[0], fallen.flips[1:]
        at = min(flip.at for flip in flips)
        for flip in flips:
            self._owing.let_go(flip.signal)
        emergency = self._owing.open(
            lambda name: self._opening(fallen, name),
            first.signal,
            self._now if first.signal.startswith(switches.PREFIX) else at,
            at,
            self._waited(fallen),
        )
        for flip in rest:
            emergency = self._owing.cover(emergency, flip)
        self._adopt(emergency)

    def _opening(self, fallen: Fallen, reference: str) -> stories.Opening:
        if fallen.first.signal.startswith(supplies.PREFIX):
            return stories.of_supplies(self._people, fallen, supplies_in(fallen.signals), reference)
        opening = stories.of_switches(self._people, fallen, switches_in(fallen.signals), reference)
        return replace(opening, told=tuple((one, self._with_misses(story)) for one, story in opening.told))

    def told_to(self, story: Story, fallen: Fallen) -> Iterator[tuple[Customer, Story]]:
        """To whom a story is told, and how."""
        for customer, mine in stories.told_of(self._people, story, fallen):
            yield customer, self._with_misses(mine)

    def _with_misses(self, story: Story) -> Story:
        """The story with when the reader's devices behind switches missed first themselves."""
        if not story.switches:
            return story
        return replace(story, parts=parts.with_misses(story.parts, self._first_miss))

    def _first_miss(self, name: str) -> datetime | None:
        device = self._people.devices.get(name)
        signal = None if device is None else self._known(device.signal(self._people.vantage))
        return None if signal is None or signal.silence is None else signal.silence.first_miss

    def add(self, emergency: Emergency, flips: Sequence[facts.WentDown]) -> None:
        """More goes down under an emergency that is open: who is not told of it yet is told now."""
        fallen = self.concerned.fallen(flips, roots_of(emergency))
        for flip in fallen.flips:
            emergency = self._owing.cover(emergency, flip)
        emergency = self._owing.put(replace(emergency, story=self._grown(emergency, fallen)))
        told = self._owing.told(emergency.reference)
        for customer, story in self.told_to(emergency.story, fallen):
            known = told.get(customer.id)
            if known is None:
                own = fallen.since.get(customer.id, fallen.first)
                self._owing.tell(story, customer, min(own.at, self._waited(fallen).get(customer.id, own.at)))
            elif customer.id == self._people.operator or _is_more(known, story):
                self._owing.update_customer(
                    replace(
                        known,
                        behind=story.behind,
                        devices=story.devices,
                        customers=story.customers,
                        supplies=story.supplies,
                        switches=story.switches,
                        parts=story.parts,
                    )
                )
        self._adopt(emergency)

    def _grown(self, emergency: Emergency, fallen: Fallen) -> Story:
        """The story with what fell last beside what fell before."""
        story = replace(emergency.story, parts=(*emergency.story.parts, *fallen.parts))
        if story.supplies:
            more = supplies_in(fallen.signals)
            return replace(story, supplies=tuple(dict.fromkeys((*story.supplies, *more))))
        names = (self._people.switches[one].name or one for one in switches_in(fallen.signals))
        return replace(story, switches=tuple(dict.fromkeys((*story.switches, *names))))

    def _waited(self, fallen: Fallen) -> dict[str, datetime]:
        """Since when devices of customers who are concerned have waited, if some have."""
        found: dict[str, datetime] = {}
        roots = fallen.signals
        for hold in self._holds():
            device = self._people.device_of(hold.signal)
            if device is not None and self.concerned.device(roots, device):
                found[device.customer] = min(hold.since, found.get(device.customer, hold.since))
        return found

    def _holds(self) -> Iterator[Hold]:
        """Devices and services that wait."""
        for name in sorted(self._world.holds.devices):
            for hold in self._world.holds.of(name):
                if self._owing.hold_of(hold.signal) is not None:
                    yield hold

    def _adopt(self, emergency: Emergency) -> None:
        """Whoever waited for this is told of under it."""
        for hold in self._holds():
            device, signal = self._people.device_of(hold.signal), self._known(hold.signal)
            if device is None or signal is None or signal.silence is None:
                continue
            if self._owing.emergency_of(hold.signal) is not None:
                continue
            covering = self.covering(device, signal.silence.first_miss)
            if covering is not None and covering.reference == emergency.reference:
                emergency = self._owing.cover(covering, verdict_on(signal, self._now))

    def covering(self, device: Device, since: datetime) -> Emergency | None:
        """The open emergency of what a device hangs on, if the device fell silent with it.

        A customer who has heard that it is over is not told under it once more.
        """
        found = self.parents.covering(device, since)
        if found is None or found.story.corrected_at is not None:
            return None
        if device.customer in self._owing.is_over_for(found.reference):
            return None
        return found

    def take_in(self, emergency: Emergency, device: Device, flip: facts.WentDown) -> Emergency:
        """An outage of a device, or of a service of it, is told under the emergency of what it hangs on.

        A customer who was not told of that, since the device came later, is told now.
        """
        if not self._owing.is_told(emergency.reference, device.customer):
            verdicts = (self._verdict(root) for root in roots_of(emergency))
            fallen = self.concerned.fallen([one for one in verdicts if one is not None], ())
            mine = {name: group for name, group in fallen.groups.items() if name == device.customer}
            only = replace(fallen, groups=mine)
            for customer, story in self.told_to(emergency.story, only):
                if customer.id == device.customer != self._people.operator:
                    self._owing.tell(story, customer, flip.at)
        return self._owing.cover(emergency, flip)

    def _verdict(self, root: str) -> facts.WentDown | None:
        signal = self._known(root)
        return None if signal is None or signal.verdict is None else verdict_on(signal, signal.verdict)

    def moved(self, devices: Iterable[Device]) -> None:
        """Devices hang elsewhere from now on. Who is on nothing more that an emergency tells of leaves it.

        If they stay silent, that has a reason of its own: their next look tells of it.
        """
        roots: dict[str, list[str]] = {}
        off: dict[str, set[str]] = {}
        for device in devices:
            for signal in device.signals(self._people.vantage):
                emergency = self._owing.emergency_of(signal)
                if emergency is None or not is_parent(emergency.signal):
                    continue
                name = emergency.reference
                if not self.concerned.device(roots.setdefault(name, roots_of(emergency)), device):
                    off.setdefault(name, set()).add(signal)
        for name, gone in sorted(off.items()):
            emergency = self._owing.open_one(name)
            if emergency is not None:
                joined = tuple(one for one in emergency.joined if one not in gone)
                self._owing.put(replace(emergency, joined=joined))

    # Ends.

    def up(self, own: str, flip: facts.CameUp | None) -> None:
        """A supply or a switch is back; or is no longer watched, if there is no flip."""
        self._owing.let_go(own)
        if flip is not None:
            self.end(own, (flip.last_miss, flip.first_answer), flip.at)
            return
        signal = self._known(own)
        emergency = self._owing.emergency_of(own)
        if emergency is not None:
            silent = None if signal is None else signal.silence
            last_miss = emergency.story.first_miss if silent is None else silent.last_miss
            self.end(own, (last_miss, None), self._now)

    def end(self, own: str, bounds: Bounds, at: datetime) -> None:
        """It is over for a supply or a switch, and for those who were told of nothing else."""
        emergency = self._owing.emergency_of(own)
        if emergency is None:
            return
        left = [root for root in roots_of(emergency) if root != own]
        kind: Kind = "recovery" if bounds[1] is not None else "withdrawn"
        over = parts.ended(emergency.story.parts, self.concerned.on(left), *bounds)
        ended = replace(emergency.story, last_miss=bounds[0], first_answer=bounds[1], parts=over)
        still = self.concerned.by(left)
        if not still:
            whole = replace(emergency, story=ended, ended_at=at, withdrawn=kind == "withdrawn")
            self._owing.end(whole, kind)
            return
        gone = {name for name in self._owing.told(emergency.reference) if name not in still}
        self._owing.end_for(ended, gone - {self._people.operator}, kind)
        kept = [one for one in emergency.signals if not is_parent(one) and self._is_on(left, one)]
        story = replace(emergency.story, parts=over)
        self._owing.put(replace(emergency, signal=left[0], joined=(*left[1:], *kept), story=story))

    def _is_on(self, roots: Sequence[str], signal: str) -> bool:
        device = self._people.devices.get(device_in(signal))
        return device is not None and self.concerned.device(roots, device)


def _is_more(told: Story, now: Story) -> bool:
    """Whether a customer has lost more than they were told."""
    return told.behind < now.behind or len(told.parts) < len(now.parts)
