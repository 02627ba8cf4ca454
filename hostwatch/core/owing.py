"""What one deed owes to people: emergencies that open, grow and end, with their duties and notices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from types import MappingProxyType

from hostwatch.core import customerduty, delivery, facts, flapping, parts
from hostwatch.core.acknowledgement import END
from hostwatch.core.concern import about_of, about_of_signal
from hostwatch.core.correspondence import Correspondence
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import (
    Duty,
    Emergency,
    Notice,
    NoticeState,
    notice_id,
    reference,
    update_id,
)
from hostwatch.core.holds import Hold
from hostwatch.core.notice import Kind, Story
from hostwatch.core.population import Customer
from hostwatch.core.proof import Proof
from hostwatch.core.running import Running
from hostwatch.core.stories import Opening
from hostwatch.core.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What verdicts and recoveries make for people: parts of a decision."""

    facts: tuple[facts.Fact, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    duties: tuple[Duty, ...] = ()
    customer_duties: tuple[CustomerDuty, ...] = ()
    notices: tuple[Notice, ...] = ()
    holds: Mapping[str, Hold | None] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    """The emergencies of supplies of which everybody knows what they are to hear (`core.resettling`)."""


class Owing:
    """Gathers it, and knows what is so by what was gathered."""

    def __init__(self, world: World, now: datetime) -> None:
        self._world = world
        self._now = now
        self._facts: list[facts.Fact] = []
        self._emergencies: dict[str, Emergency] = {}
        self._covering: dict[str, str | None] = {}
        """The references of the emergencies that cover signals, where that has changed."""

        self._duties: list[Duty] = []
        self._customer_duties: dict[str, CustomerDuty] = {}
        self._notices: list[Notice] = []
        self._correspondences: dict[str, Correspondence] = {}
        """By the reference of an emergency; made when it is asked for."""

        self._holds: dict[str, Hold | None] = {}
        self._opened = 0
        self.settled: list[str] = []

    def people(self) -> People:
        """All of it."""
        return People(
            facts=tuple(self._facts),
            emergencies=tuple(self._emergencies.values()),
            duties=tuple(self._duties),
            customer_duties=tuple(self._customer_duties.values()),
            notices=tuple(self._notices),
            holds=self._holds,
            settled=tuple(self.settled),
        )

    def emergency_of(self, signal: str) -> Emergency | None:
        """The open emergency that covers a signal."""
        if signal not in self._covering:
            return self._world.emergency_of(signal)
        name = self._covering[signal]
        return None if name is None else self._emergencies[name]

    @property
    def next_reference(self) -> str:
        """The reference of the next emergency that opens."""
        return reference(self._world.references + self._opened + 1)

    def open_one(self, name: str) -> Emergency | None:
        """The open emergency of a reference."""
        found = self._emergencies.get(name) or self._world.emergencies.get(name)
        return None if found is None or found.ended_at is not None else found

    def hold_of(self, signal: str) -> Hold | None:
        """How long the emergency of a service waits, if it does."""
        return self._holds[signal] if signal in self._holds else self._world.holds.get(signal)

    def hold(self, one: Hold) -> None:
        """The emergency of a service waits from now on."""
        self._holds[one.signal] = one
        self._facts.append(facts.EmergencyHeld(at=one.since, signal=one.signal, until=one.until))

    def no_longer(self, one: Hold) -> None:
        """It has waited long enough by now: it is told of with the others whose time is over."""
        self._holds[one.signal] = replace(one, until=self._now)

    def let_go(self, signal: str) -> None:
        """It waits no more."""
        if self.hold_of(signal) is not None:
            self._holds[signal] = None

    def open(
        self,
        made: Callable[[str], Opening],
        signal: str,
        at: datetime,
        due_from: datetime,
        sooner: Mapping[str, datetime] = MappingProxyType({}),
    ) -> Emergency:
        """A new emergency. `made` is given its reference; the time to tell runs from `due_from`.

        Of some customers it runs from earlier.
        """
        self._opened += 1
        opening = made(reference(self._world.references + self._opened))
        name = opening.story.reference
        self._facts.append(replace(opening.fact, at=at))
        for customer, story in opening.told:
            began = flapping.beginning(self._world, story, customer, at)
            if began is not None and customer.telling.running is not None:
                story = flapping.said(story, began, customer.telling.running)
            self.tell(story, customer, min(due_from, sooner.get(customer.id, due_from)))
            self._facts.extend(() if began is None else (began,))
        return self.put(Emergency(reference=name, signal=signal, opened_at=at, story=opening.story))

    def tell(self, story: Story, customer: Customer, due_from: datetime) -> None:
        """Each person of a customer who is authorised when the time begins to run is to be told within it.

        Of what was corrected nobody is told any more.
        """
        if story.corrected_at is not None:
            return
        due, about = due_from + customer.terms.notice_within, about_of(story, self._world.population)
        self._owe_customer(story, customer, due, customer.counting(due_from, about), customer.hears_of(about))
        for contact in customer.authorised(due_from, about):
            self._owe_first(story, contact, due, customer.telling.met_by)
            if (one := flapping.covering(self._world, story, customer, contact)) is not None:
                self._told_by(one)

    def _told_by(self, one: Running) -> None:
        """What was owed last is told by a running notice that had reached the person: no message leaves."""
        notice, duty, now = self._notices[-1], self._duties[-1], self._now
        settled = delivery.settle(
            notice, NoticeState.RUNNING, f"told by the running notice of {one.reference}", now, duty
        )
        (self._notices[-1],) = settled.notices
        self._duties[-1] = replace(duty, met_at=now)
        met = facts.DutyMet(at=now, duty=duty.id, late=now > duty.due)
        self._facts.extend((*settled.facts, met))
        name = customerduty.name_of(duty.emergency, duty.customer)
        if name in self._customer_duties:
            self._customer_duties[name], follows = customerduty.after(
                self._customer_duties[name], (met,), now
            )
            self._facts.extend(follows)

    def _owe_customer(
        self, story: Story, customer: Customer, due: datetime, counts: tuple[str, ...], hears: bool
    ) -> None:
        """The customer as a whole is to be told, if there is anybody to be told of such things.

        If they are, and nobody is authorised at the verdict, nobody can meet the duty: it does not vanish.
        """
        name = customerduty.name_of(story.reference, customer.id)
        if not hears or name in self._world.customer_duties or name in self._customer_duties:
            return
        duty = CustomerDuty(
            emergency=story.reference,
            customer=customer.id,
            due=due,
            told=customer.telling.told,
            people=tuple(notice_id(story.reference, "emergency", customer.id, one) for one in counts),
        )
        self._customer_duties[name] = duty
        self._facts.append(customerduty.arose(duty, self._now))

    def cover(self, emergency: Emergency, flip: facts.WentDown) -> Emergency:
        """An outage is told under an emergency that is open, which does not change what it says."""
        self.let_go(flip.signal)
        self.join(emergency, flip, flip.at)
        return self.put(replace(emergency, joined=(*emergency.joined, flip.signal)))

    def put(self, emergency: Emergency) -> Emergency:
        """An emergency is otherwise than it was."""
        name = emergency.reference
        before = self._emergencies.get(name) or self._world.emergencies.get(name)
        self._covering.update(dict.fromkeys(() if before is None else before.signals))
        if emergency.ended_at is None:
            self._covering.update(dict.fromkeys(emergency.signals, name))
        self._emergencies[name] = emergency
        return emergency

    def join(self, emergency: Emergency, flip: facts.WentDown, at: datetime) -> None:
        """An outage is told under an emergency that is open."""
        self._facts.append(
            facts.EmergencyJoined(
                at=at,
                reference=emergency.reference,
                signal=flip.signal,
                first_miss=flip.first_miss,
                last_answer=flip.last_answer,
            )
        )
        self._tell_bound(emergency, flip.signal, at)

    def _tell_bound(self, emergency: Emergency, signal: str, at: datetime) -> None:
        """Who is bound to what joins an emergency, and not to what it began with, is told of it now."""
        people = self._world.population
        device = people.device_of(signal)
        customer = None if device is None else people.customers[device.customer]
        if device is None or customer is None or not customer.roster.is_bound:
            return
        if emergency.story.corrected_at is not None:
            return
        known = self._about(emergency.reference)
        story = known.told.get(customer.id)
        if story is None:
            return
        began, now = about_of(story, people), about_of_signal(device, signal)
        already = known.people(customer.id)
        called = {one.who for one in customer.called(at, now) if not one.place.bound.covers(began)}
        for contact in customer.contacts:
            if contact in called - already:
                due = at + customer.terms.notice_within
                self._owe_first(story, contact, due, customer.telling.met_by)

    def update(self, emergency: Emergency) -> None:
        """There is more to say of an emergency than was told of its beginning. No new duty follows."""
        if emergency.story.corrected_at is not None:
            return
        for first, about in self._about(emergency.reference).to():
            self._update(first, about, emergency.story)

    def update_customer(self, story: Story) -> None:
        """The same for one customer, with a story of their own."""
        for first, about in self._about(story.reference).to({story.customer}):
            if about[-1].kind not in END:
                self._update(first, about, story)

    def _update(self, first: Notice, about: list[Notice], story: Story) -> None:
        number = 1 + sum(one.kind == "update" for one in about)
        name = update_id(story.reference, number, first.customer, first.contact)
        self._owe(self._further(name, "update", first, about[-1], story))

    def end(self, emergency: Emergency, kind: Kind) -> None:
        """The end of an emergency, told to whoever was to be told of its beginning."""
        self.put(emergency)
        ended = emergency.story
        self._facts.append(
            facts.EmergencyEnded(
                at=emergency.ended_at or self._now,
                reference=emergency.reference,
                withdrawn=emergency.withdrawn,
                last_miss=ended.last_miss or ended.first_miss,
                first_answer=ended.first_answer,
            )
        )
        for first, about in self._about(emergency.reference).to():
            self._owe_end(first, about, kind, ended)

    def end_for(self, ended: Story, customers: Collection[str], kind: Kind) -> None:
        """The end for some customers of an emergency that goes on for others."""
        for first, about in self._about(ended.reference).to(customers):
            self._owe_end(first, about, kind, ended)

    def _owe_end(self, first: Notice, about: list[Notice], kind: Kind, ended: Story) -> None:
        """Who has been told of an end is not told again."""
        if any(one.kind in END for one in about):
            return
        name = notice_id(ended.reference, kind, first.customer, first.contact)
        begun = next(story for story in about[-1].stories if story.reference == ended.reference)
        self._owe(self._further(name, kind, first, about[-1], _told_end(begun, ended)))

    def told(self, name: str) -> dict[str, Story]:
        """Which customers have been told of an emergency, and what at last: not those for whom it is over."""
        return dict(self._about(name).told)

    def is_told(self, name: str, customer: str) -> bool:
        """Whether a customer has been told of an emergency, and not that it is over."""
        return customer in self._about(name).told

    def is_over_for(self, name: str) -> Set[str]:
        """The customers who have been told of the end of an emergency that goes on for others."""
        return self._about(name).over

    def _owe_first(self, story: Story, contact: str, due: datetime, met_by: Proof) -> None:
        """Somebody is to be told within the time that was promised."""
        name = notice_id(story.reference, "emergency", story.customer, contact)
        duty = Duty(
            id=name,
            emergency=story.reference,
            customer=story.customer,
            contact=contact,
            due=due,
            met_by=met_by,
        )
        self._duties.append(duty)
        self._facts.append(
            facts.DutyArose(at=self._now, duty=name, emergency=story.reference, contact=contact, due=due)
        )
        self._owe(
            Notice(
                id=name,
                kind="emergency",
                customer=story.customer,
                contact=contact,
                emergencies=(story.reference,),
                stories=(story,),
                created_at=self._now,
                duty=name,
            )
        )

    def _further(self, name: str, kind: Kind, first: Notice, latest: Notice, story: Story) -> Notice:
        """One more notice about an emergency: nobody hears of it before the one before it."""
        return Notice(
            id=name,
            kind=kind,
            customer=first.customer,
            contact=first.contact,
            emergencies=(story.reference,),
            stories=(story,),
            created_at=self._now,
            after=latest.id,
        )

    def _owe(self, notice: Notice) -> None:
        self._notices.append(notice)
        for name in notice.emergencies:
            if name in self._correspondences:
                self._correspondences[name].take(notice)
        self._facts.append(
            facts.NoticeOwed(
                at=notice.created_at,
                notice=notice.id,
                kind=notice.kind,
                customer=notice.customer,
                contact=notice.contact,
                emergencies=notice.emergencies,
            )
        )

    def _about(self, name: str) -> Correspondence:
        """All notices about an emergency, those of this deed too."""
        if name not in self._correspondences:
            mine = (one for one in self._notices if name in one.emergencies)
            self._correspondences[name] = Correspondence(name, chain(self._world.notices.of(name), mine))
        return self._correspondences[name]


def _told_end(begun: Story, ended: Story) -> Story:
    """The story of an end; of what is shared it is the reader's own, with the devices that are theirs."""
    if begun.is_shared:
        return replace(
            begun,
            last_miss=ended.last_miss,
            first_answer=ended.first_answer,
            parts=parts.with_ends(begun.parts, ended.parts),
            gone=ended.gone,
            under=ended.under,
        )
    return ended
