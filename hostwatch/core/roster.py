"""Who of a customer's people is authorised, and to hear of what: a pure function of time.

A person has a time in which they are authorised at all, spans in which they are away, perhaps a deputy
who stands in then, and what they are bound to. Who is on call is authorised while they are. What the record
says of a customer holds all of it: so it can be found again who was authorised at any past instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hostwatch.core.rotation import Rotation


class Right(StrEnum):
    """What a person is authorised to."""

    TOLD = "told"
    """Be told of emergencies (`colocation C5`)."""

    OPERATIONS = "operations"
    """Authorise operations on the customer's systems (`colocation C9`)."""

    MAINTENANCE = "maintenance"
    """Agree to maintenance (`colocation C3`)."""

    CONTACTS = "contacts"
    """Change who the contacts are."""

    CLAIMS = "claims"
    """Claim what a broken promise costs."""


class Concern(StrEnum):
    """What an emergency is about."""

    POWER = "power"
    CONNECTIVITY = "connectivity"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What people are to hear of."""

    concern: Concern
    device: str = ""
    """Empty where many share it: then it is every device's."""

    services: tuple[str, ...] = ()
    """The service; of a device that is silent all of its services, since nobody reaches them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """A stretch of time, half-open; without a bound where there is none."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)

    @property
    def bounds(self) -> Iterator[datetime]:
        """The instants at which it begins and ends."""
        return (one for one in (self.since, self.until) if one is not None)


def fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern, in which `*` stands for any signs."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a person is to be told of; an empty list is no bound."""

    devices: tuple[str, ...] = ()
    """Devices; one with a `*` stands for all whose names fit."""

    services: tuple[str, ...] = ()
    concerns: tuple[Concern, ...] = ()

    def covers(self, about: About) -> bool:
        """Whether they are to be told of this.

        What many devices share is told to each whose kind it is: nobody misses what might be theirs. A
        silent device takes its services with it.
        """
        concerns = {about.concern, Concern.SERVICE} if about.services else {about.concern}
        if self.concerns and not concerns & {*self.concerns}:
            return False
        if not about.device:
            return True
        mine = not self.devices or about.device in self.devices or self._fits(about.device)
        return mine and (not self.services or bool({*self.services} & {*about.services}))

    def _fits(self, device: str) -> bool:
        return any("*" in one and fits(device, one) for one in self.devices)


EVERYTHING = Bound()
ALWAYS = Between()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A contact, as far as it decides who is authorised."""

    id: str
    valid: Between = ALWAYS
    away: tuple[Between, ...] = ()
    deputy: str = ""
    """Who stands in while they are not there; empty: nobody."""

    on_call: bool = False
    """Whether they are authorised only while a rotation has them on call, or they stand in for somebody."""

    bound: Bound = EVERYTHING
    rights: tuple[Right, ...] = (Right.TOLD,)

    def is_there(self, at: datetime) -> bool:
        """Whether they can be told themselves."""
        return (
            Right.TOLD in self.rights and self.valid.holds(at) and not any(one.holds(at) for one in self.away)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Somebody is authorised, and why."""

    who: str
    place: Person
    """Whose place they have: their own, or that of somebody for whom they stand in."""

    rotation: str = ""
    """The rotation that has whoever's place it is on call."""

    @property
    def instead_of(self) -> str:
        """For whom they stand in; empty: for nobody."""
        return "" if self.place.id == self.who else self.place.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A customer's people and who takes turns. Without people all contacts always are authorised."""

    people: tuple[Person, ...] = ()
    rotations: tuple[Rotation, ...] = ()

    def called(self, at: datetime, about: About | None = None) -> tuple[Called, ...]:
        """Who is authorised at an instant, to hear of something or at all; one may be so for two reasons."""
        held = [one for one in self._places(at) if about is None or one[0].bound.covers(about)]
        found = ((self._there(place, at), place, rotation) for place, rotation in held)
        return tuple(Called(who=who, place=place, rotation=name) for who, place, name in found if who)

    def _places(self, at: datetime) -> Iterator[tuple[Person, str]]:
        """Whose place is to be taken by somebody, and by which rotation."""
        known = {person.id: person for person in self.people}
        for person in self.people:
            if not person.on_call and Right.TOLD in person.rights:
                yield person, ""
        for rotation in self.rotations:
            who = rotation.on_call(at)
            if who is not None and who in known:
                yield known[who], rotation.id

    def _there(self, person: Person, at: datetime) -> str:
        """A person, or who stands in for them; empty if that is nobody."""
        known = {one.id: one for one in self.people}
        passed: set[str] = set()
        while not person.is_there(at):
            passed.add(person.id)
            if person.deputy in passed or person.deputy not in known:
                return ""
            person = known[person.deputy]
        return person.id

    def concerns(self, about: About) -> bool:
        """Whether anybody is to hear of something at any time."""
        return any(person.bound.covers(about) for person in self.people if Right.TOLD in person.rights)

    def holding(self, right: Right, at: datetime) -> tuple[str, ...]:
        """Who holds a right at an instant. Nobody loses one by being away, or gets one as a deputy."""
        return tuple(one.id for one in self.people if right in one.rights and one.valid.holds(at))

    def over(self, at: datetime) -> set[str]:
        """Those whose time to be authorised at all is over."""
        return {one.id for one in self.people if one.valid.until is not None and one.valid.until <= at}

    @property
    def is_bound(self) -> bool:
        """Whether somebody hears of some things alone."""
        return any(person.bound != EVERYTHING for person in self.people)

    def changes(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The instants between two at which it may change who is authorised, in order, each once."""
        marks = {mark for one in self.people for part in (one.valid, *one.away) for mark in part.bounds}
        for rotation in self.rotations:
            at = since
            while (at := rotation.next_change(at)) < until:
                marks.add(at)
        return iter(sorted(mark for mark in marks if since < mark < until))


NOBODY_SAID = Roster()
"""What is known of customers of whom nothing of this was written: all contacts are always authorised."""
