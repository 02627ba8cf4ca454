"""Emergencies of supplies while what devices hang on is written otherwise (J10).

Whoever was told of an emergency is owed its end: not before the power of theirs is back, and not because it
has another name by now. So an emergency goes on with the supply that takes the place of its own, and with any
supply that its devices come to, unless that has power. What customers are to hear of it follows from where
their devices are when what they hang on has been read the next time:

    who comes under it, on a supply that is interrupted       is told, by a duty of their own
    who has devices on none of its supplies any more:
      they are on one that has power                          hears that it is over
      they are on one that another emergency tells of         hears under which they are told from then on
      nobody knows of the power of any of them                waits
      they are no longer watched, or another customer's       hears that

The operator is owed the end of what is interrupted, though nobody in service hangs on it any more: a supply
of which only suspended devices are left is still watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from hostwatch.core import facts, instant, parts
from hostwatch.core import supply as supplies
from hostwatch.core.concerned import roots_of
from hostwatch.core.device import Device, State
from hostwatch.core.emergency import Emergency
from hostwatch.core.notice import Gone, Kind, Part, Story
from hostwatch.core.observing import Observing
from hostwatch.core.owing import Owing
from hostwatch.core.parents import is_parent
from hostwatch.core.population import Population
from hostwatch.core.shared import Shared
from hostwatch.core.signal import Signal, verdict_on
from hostwatch.core.succession import Moves
from hostwatch.core.together import Known

Where = Callable[[str], Device | None]
"""The device of a name as it is, or is about to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fate:
    """What a customer is to hear whose devices hang on no supply of an emergency any more."""

    is_back: bool = False
    gone: Gone = ""
    under: str = ""


class Resettling:
    """One deed's decisions about them."""

    def __init__(
        self, people: Population, known: Known, owing: Owing, shared: Shared, where: Where, now: datetime
    ) -> None:
        self._people = people
        self._known = known
        self._owing = owing
        self._shared = shared
        self._where = where
        self._now = now
        self._ended_here: set[str] = set()
        """Supplies that are there no more from this deed on."""

    # While it is written otherwise.

    def come(self, moves: Moves) -> None:
        """Devices hang on other supplies from now on: their emergencies go on there, if there is no power."""
        for name, devices in moves.items():
            own = supplies.signal_of(name, self._people.vantage)
            signal = self._known(own)
            if self._owing.emergency_of(own) is not None or (signal is not None and self._has_power(signal)):
                continue
            before = dict.fromkeys(device.place.supply for device in devices if device.place is not None)
            olds = [supplies.signal_of(one, self._people.vantage) for one in before]
            told = {one.reference: one for old in olds if (one := self._owing.emergency_of(old)) is not None}
            if told:
                self._go_on(told[min(told)], name, olds)

    def _go_on(self, emergency: Emergency, name: str, olds: Iterable[str]) -> None:
        lost = [signal for old in olds if (signal := self._known(old)) is not None and signal.silence]
        story = emergency.story
        begun = [
            Part(on=name, last_answer=one.silence.last_answer, first_miss=one.silence.first_miss)
            for one in lost
            if one.silence is not None
        ]
        own = supplies.signal_of(name, self._people.vantage)
        self._owing.join(emergency, _since_when(story, own), self._now)
        names = tuple(dict.fromkeys((*story.supplies, name)))
        grown = replace(story, supplies=names, parts=(*story.parts, *begun))
        self._owing.put(replace(emergency, joined=(*emergency.joined, own), story=grown))

    def gone(self, own: str) -> None:
        """A supply is there no more, since nothing hangs on it."""
        emergency, name = self._owing.emergency_of(own), supplies.named(own)
        if emergency is None or name is None:
            return
        signal, story = self._known(own), emergency.story
        last_miss = story.first_miss if signal is None or signal.silence is None else signal.silence.last_miss
        story = replace(
            story,
            last_miss=max(last_miss, story.last_miss or last_miss),
            supplies=tuple(one for one in story.supplies if one != name) or story.supplies,
        )
        left = [root for root in roots_of(emergency) if root != own]
        self._ended_here.add(own)
        if left:
            story = replace(story, parts=_without(story.parts, name, last_miss))
            others = [one for one in emergency.signals if not is_parent(one)]
            self._owing.put(replace(emergency, signal=left[0], joined=(*left[1:], *others), story=story))
        else:
            self._end(replace(emergency, story=story), self._owing.told(emergency.reference), self._now)

    # When supplies have been read.

    def look(self, observed: Observing, since: dict[str, datetime]) -> list[str]:
        """Of the emergencies that are to be gone through, since when: those of which all is settled now."""
        for own in observed.changed:
            signal = observed.known(own)
            if supplies.named(own) is not None and signal is not None and self._has_power(signal):
                self._back(own, signal)
        return [name for name, at in sorted(since.items()) if self._settle(name, at)]

    def _back(self, own: str, signal: Signal) -> None:
        """A supply that an emergency goes on with has power, and no verdict was ever on it."""
        emergency = self._owing.emergency_of(own)
        if emergency is not None and signal.last_answer is not None:
            last_miss = emergency.story.last_miss or emergency.story.first_miss
            self._shared.end(own, (min(last_miss, signal.last_answer), signal.last_answer), self._now)

    def _settle(self, reference: str, since: datetime) -> bool:
        emergency = self._owing.open_one(reference)
        if emergency is None or emergency.story.corrected_at is not None:
            return True
        roots = [root for root in roots_of(emergency) if self._devices_on(root)]
        read = [root for root in roots if self._was_read_down(root, since)]
        flips = [flip for root in read if (flip := self._verdict(root, since)) is not None]
        over = self._owing.is_over_for(reference) - {self._people.operator}
        if over & self._shared.concerned.by(read).keys() and len(read) == len(roots):
            self._begin_anew(emergency, flips)
            return True
        self._tell(emergency, flips, since)
        told, still = self._owing.told(reference), self._shared.concerned.by(roots)
        leaving = {name: one for name, one in told.items() if name not in still}
        leaving.pop(self._people.operator, None)
        if not still and not any(map(self._is_down, roots_of(emergency))):
            return self._end(emergency, told, since)
        return self._leave(emergency, leaving, since) and len(read) == len(roots)

    def _devices_on(self, root: str) -> bool:
        name = supplies.named(root)
        return name is not None and bool(self._people.supplied.devices(name))

    def _is_down(self, root: str) -> bool:
        """Whether there is a verdict on a supply that is still watched, be it for the operator alone."""
        signal = self._known(root)
        return signal is not None and signal.verdict is not None

    def _was_read_down(self, root: str, since: datetime) -> bool:
        signal = self._known(root)
        return (
            signal is not None
            and signal.verdict is not None
            and signal.silence is not None
            and signal.blind_since is None
            and signal.silence.last_miss >= since
        )

    def _begin_anew(self, emergency: Emergency, flips: list[facts.WentDown]) -> None:
        """Who has heard that it is over came under it, and is not told of it again: it gets another name."""
        story = replace(emergency.story, under=self._owing.next_reference)
        story = replace(story, last_miss=max(flip.last_miss for flip in flips))
        self._owing.end(replace(emergency, story=story, ended_at=self._now, withdrawn=True), "withdrawn")
        self._shared.open(flips)

    def _tell(self, emergency: Emergency, flips: list[facts.WentDown], since: datetime) -> None:
        """Who is concerned by what was read, and was not told; and of whom more is without power."""
        if not flips:
            return
        fallen = self._shared.concerned.fallen(flips, ())
        told, over = self._owing.told(emergency.reference), self._owing.is_over_for(emergency.reference)
        new = {name: group for name, group in fallen.groups.items() if name not in told and name not in over}
        more = {
            name: group
            for name, group in fallen.groups.items()
            if name in told and name != self._people.operator and group.count > told[name].behind
        }
        story = replace(emergency.story, last_miss=None)
        for customer, mine in self._shared.told_to(story, replace(fallen, groups={**new, **more})):
            if customer.id in new:
                dated = tuple(dict.fromkeys(_from(part, mine, since) for part in mine.parts))
                self._owing.tell(replace(mine, parts=dated), customer, mine.verdict)
            elif customer.id in more:
                known = told[customer.id]
                grown = replace(known, behind=mine.behind, devices=mine.devices, supplies=mine.supplies)
                self._owing.update_customer(replace(grown, parts=mine.parts))

    def _verdict(self, root: str, since: datetime) -> facts.WentDown | None:
        """The verdict for who came to a supply that was down already: its first reading since."""
        signal = self._known(root)
        if signal is None or signal.silence is None:
            return None
        flip = verdict_on(signal, self._now)
        if flip.first_miss >= since:
            return flip
        return replace(flip, last_answer=max(flip.last_answer, since), first_miss=flip.last_miss)

    # Ends.

    def _leave(self, emergency: Emergency, leaving: dict[str, Story], since: datetime) -> bool:
        """What those hear who have nothing on it any more; whether nobody has to wait."""
        fates = {name: self._fate(emergency, name, story) for name, story in leaving.items()}
        alike: dict[_Fate, set[str]] = {}
        for customer, fate in fates.items():
            if fate is not None:
                alike.setdefault(fate, set()).add(customer)
        for fate, customers in alike.items():
            self._owing.end_for(self._ended(emergency, fate, since), customers, _kind(fate))
        return None not in fates.values()

    def _end(self, emergency: Emergency, told: dict[str, Story], since: datetime) -> bool:
        """Nobody has anything on it any more: it is over, unless somebody has to wait."""
        leaving = {name: story for name, story in told.items() if name != self._people.operator}
        fates = [self._fate(emergency, name, story) for name, story in leaving.items()]
        if None in fates:
            self._owing.put(emergency)
            return self._leave(emergency, leaving, since)
        self._leave(emergency, leaving, since)
        known = [fate for fate in fates if fate is not None]
        whole = next((fate for fate in known if fate.is_back), known[0] if known else _Fate())
        story = self._ended(emergency, whole, since)
        over = replace(emergency, story=story, ended_at=self._now, withdrawn=not whole.is_back)
        self._owing.end(over, _kind(whole))
        return True

    def _ended(self, emergency: Emergency, fate: _Fate, since: datetime) -> Story:
        """The story with its end: power has been back since the devices hung on another supply."""
        story = emergency.story
        roots = [signal for root in roots_of(emergency) if (signal := self._known(root)) is not None]
        misses = [signal.silence.last_miss for signal in roots if signal.silence is not None]
        last_miss = min(max([story.last_miss or story.first_miss, *misses]), self._now)
        back_at = self._now if since == instant.EPOCH else since
        first = max(last_miss, back_at) if fate.is_back else None
        over = parts.ended(story.parts, (), last_miss, first)
        return replace(
            story, last_miss=last_miss, first_answer=first, parts=over, gone=fate.gone, under=fate.under
        )

    def _fate(self, emergency: Emergency, customer: str, story: Story) -> _Fate | None:
        """What a customer is to hear, by where the devices are that they were told of; None: to wait."""
        names = dict.fromkeys((*story.devices, *(name for part in story.parts for name in part.devices)))
        devices = [device for name in names if (device := self._where(name)) is not None]
        mine = [one for one in devices if one.customer == customer and one.state is State.IN_SERVICE]
        on = dict.fromkeys(one.place.supply for one in mine if one.place is not None and one.place.supply)
        under = ""
        is_back = False
        for name in on:
            own = supplies.signal_of(name, self._people.vantage)
            other, signal = self._owing.emergency_of(own), self._known(own)
            if other is not None and other.reference != emergency.reference:
                under = under or other.reference
            elif signal is not None and self._has_power(signal):
                is_back = True
            elif signal is not None and own not in self._ended_here:
                return None
        given: Gone = "customer" if any(one.customer != customer for one in devices) and not mine else ""
        return _Fate(is_back=is_back and not under, gone=given, under=under)

    def _has_power(self, signal: Signal) -> bool:
        return signal.proven and signal.silence is None and signal.speaks(self._now)


def _kind(fate: _Fate) -> Kind:
    return "recovery" if fate.is_back else "withdrawn"


def _since_when(story: Story, own: str) -> facts.WentDown:
    """That a supply is told of under an emergency from now on: without a verdict of its own."""
    return facts.WentDown(
        at=story.verdict,
        signal=own,
        last_answer=story.last_answer,
        first_miss=story.first_miss,
        last_miss=story.first_miss,
        misses=story.misses,
        why=story.why,
    )


def _from(part: Part, mine: Story, since: datetime) -> Part:
    """A part as it concerns who came to it later."""
    if part.first_miss >= since:
        return part
    return replace(part, last_answer=mine.last_answer, first_miss=mine.first_miss)


def _without(story: Iterable[Part], name: str, last_miss: datetime) -> tuple[Part, ...]:
    """The parts without that of a supply that is gone, where another goes on with its dates."""
    listed = tuple(story)
    goes_on = {part.first_miss for part in listed if part.on != name and part.last_miss is None}
    kept = [part for part in listed if part.on != name or part.first_miss not in goes_on]
    still = {part.on for part in listed if part.on != name}
    return parts.ended(kept, still, last_miss, None)
