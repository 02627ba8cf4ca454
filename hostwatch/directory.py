"""Who is authorised now, how they are reached, and in which words: the configuration, seen by the outbox.

A directory is built anew for each configuration; the outbox asks the present one at each attempt, so
that nobody is told by a means, or after a day, that the customer has withdrawn.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from hostwatch import messages
from hostwatch.channels.base import Message, Surroundings
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration, Notices
from hostwatch.configuration.people import quiet_of
from hostwatch.configuration.rung import Rung
from hostwatch.contactdata import Codes, filled, masked
from hostwatch.core import quiet
from hostwatch.core.bundle import Contents, alone
from hostwatch.core.emergency import Notice
from hostwatch.core.gathering import Gather
from hostwatch.core.ladder import Pace, jitter_of
from hostwatch.core.quiet import Owed, Quiet
from hostwatch.links import NO_LINKS, Links
from hostwatch.messages import having
from hostwatch.pace import Limits
from hostwatch.pinger import Manner, Packet
from hostwatch.services import Definitions
from hostwatch.ways import Way as Way
from hostwatch.ways import ladder_of
from hostwatch.wording import for_reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An authorised contact and the ladder to reach them."""

    name: str
    ladder: tuple[Way, ...]
    """Each way once."""

    language: str
    """In which they are told."""

    quiet: Quiet | None = None
    """When some of the channels rest."""

    @property
    def rungs(self) -> tuple[str, ...]:
        """The names of the ways, in the order in which they are tried."""
        return tuple(way.name for way in self.ladder)

    def ways(self, owed: Owed, now: datetime) -> tuple[Way, ...]:
        """The ways in the order in which they are tried now."""
        kinds = [way.channel.kind for way in self.ladder]
        return tuple(self.ladder[place] for place in quiet.order(kinds, self.quiet, owed, now))

    def way(self, name: str) -> Way | None:
        """The way of that name, whatever its place; None when the ladder does not have it."""
        return next((way for way in self.ladder if way.name == name), None)


class Directory:
    """One configuration, looked up by the names that the record uses."""

    def __init__(
        self, configuration: Configuration, surroundings: Surroundings, links: Links | None = None
    ) -> None:
        """Builds every channel. Raises `channels.base.Unusable` for one that the site does not allow.

        `links`: by which people say that they have an emergency, where there are pages for that.
        """
        self.configuration = configuration
        self.links = links
        self._surroundings = surroundings
        self.codes = Codes(surroundings.webhook_key)
        self.former: dict[str, Way] = {}
        """Ways that contacts had before, by what they lead to: for what is to be told there still."""

        self.services = Definitions(configuration, surroundings.webhook_key)
        self._customers = {customer.id: customer for customer in configuration.customers}
        self._people = {
            (customer.id, contact.id): Person(
                name=contact.name,
                ladder=ladder_of(contact.channels, surroundings),
                language=contact.language or customer.language,
                quiet=quiet_of(configuration, customer, contact),
            )
            for customer in configuration.customers
            for contact in customer.contacts
        }

    @property
    def people(self) -> Mapping[tuple[str, str], Person]:
        """All contacts, by customer and contact."""
        return self._people

    def person(self, notice: Notice) -> Person | None:
        """The contact of a notice, or None when they are no longer authorised.

        One about contact data goes by ways that a person reads: a code by its own alone, and that a way fails
        by all others.
        """
        person = self._people.get((notice.customer, notice.contact))
        care = notice.stories[0].contact if notice.stories else None
        if person is None or care is None:
            return person
        ladder = tuple(way for way in person.ladder if way.channel.reads)
        if notice.kind == "contact-failing":
            return replace(person, ladder=tuple(way for way in ladder if way.leads != care.way))
        if not care.way:
            return replace(person, ladder=ladder)
        mine = tuple(way for way in ladder if way.leads == care.way)
        if not mine and notice.kind == "contact-changed" and care.way in self.former:
            mine = (self.former[care.way],)
        return replace(person, ladder=mine)

    def former_way(self, made_of: str) -> Way | None:
        """A way made of what was kept of it; None if that can be used no more."""
        try:
            rung = Rung.model_validate(json.loads(made_of))
            (way,) = ladder_of([rung], self._surroundings)
        except (ValueError, Wrong):
            return None
        return way

    def way_to(self, customer: str, contact: str, leads: str) -> Way | None:
        """The way of a contact that leads somewhere: one of today's, or one that was."""
        person = self._people.get((customer, contact))
        mine = () if person is None else person.ladder
        return next((way for way in mine if way.leads == leads), self.former.get(leads))

    def shown(self, customer: str, leads: str) -> str:
        """A way of a customer's people, or one that was: its kind, and the ends of its address."""
        mine = (self._people[customer, one.id] for one in self._customers[customer].contacts)
        ways = (way for person in mine for way in person.ladder if way.leads == leads)
        found = next(ways, self.former.get(leads))
        return "" if found is None else f"{found.channel.kind} {masked(found.channel.shown)}"

    def pace(self, notice: Notice) -> Pace:
        """How the ladder of a notice is climbed."""
        settings, person = self._settings(notice), self.person(notice)
        ladder = () if person is None else person.ladder
        return Pace(
            first_retry=settings.first_retry,
            jitter=jitter_of(notice.customer, notice.contact),
            next_channel_after=settings.next_channel_after,
            waits=tuple((way.name, way.wait) for way in ladder if way.wait is not None),
            give_up_after=settings.give_up_after,
        )

    def gather(self, notice: Notice) -> Gather:
        """How long a first notice waits for others of its customer."""
        settings = self._settings(notice)
        return Gather(first=settings.gather, further=settings.gather_further)

    def owed(self, notice: Notice, due: datetime | None) -> Owed:
        """By when its person must be told, and of how much time that is the end."""
        return Owed(due=due, within=self._settings(notice).within)

    def _settings(self, notice: Notice) -> Notices:
        """The site's, where the customer of a notice has left."""
        customer = self._customers.get(notice.customer)
        return self.configuration.notices if customer is None else self.configuration.notices_of(customer)

    def attempt_timeout(self, notice: Notice) -> timedelta:
        """How long one attempt may take."""
        settings = self._settings(notice)
        return settings.attempt_timeout

    def message(
        self,
        notice: Notice,
        person: Person,
        *,
        repeat: bool,
        late: bool,
        told: Contents | None = None,
        links: Mapping[str, str] = NO_LINKS,
    ) -> Message:
        """A notice, and what else its message tells, put into the words of its customer.

        `links`: by which they say that they have what.
        """
        customer, (notice, told) = self._customers[notice.customer], self._filled(notice, told)
        zone, site = ZoneInfo(self.configuration.timezone_of(customer)), self.configuration.site.name
        worded = [for_reader(story, person.language) for story in told.stories]
        composed = messages.compose(
            worded,
            told.kind,
            both=told.both,
            language=person.language,
            zone=zone,
            site=site,
            customer_name=customer.name,
            contact_name=person.name,
            repeat=repeat,
            late=late,
        )
        composed = having.asked(composed, links, person.language)
        payload = messages.payload(
            told.stories,
            told.kind,
            both=told.both,
            composed=composed,
            language=person.language,
            site=site,
            customer_name=customer.name,
            contact_name=person.name,
            late=late,
        )
        return Message(
            key=_key(told),
            subject=composed.subject,
            text=composed.text,
            html=messages.hypertext(composed.sheet, acknowledge_url=having.only(links)),
            acknowledge_url=having.only(links),
            payload=having.told(payload, links),
            repeat=repeat,
            named=messages.named(
                told.stories,
                told.kind,
                zone=zone,
                site=site,
                customer_name=customer.name,
            ),
            spoken=messages.spoken(
                worded,
                told.kind,
                both=told.both,
                language=person.language,
                zone=zone,
                site=site,
                repeat=repeat,
                late=late,
            ),
            page=self._page(composed, told, notice.customer, person.name),
            brief=_brief(told, zone, repeat=repeat, late=late),
        )

    def _page(
        self, composed: messages.Composed, told: Contents, customer: str, person: str
    ) -> Mapping[str, Any]:
        """The same as it stands on paper."""
        found = self._customers[customer]
        return messages.page(
            composed.sheet,
            references=[story.reference for story in told.stories],
            zone=ZoneInfo(self.configuration.timezone_of(found)),
            site=self.configuration.site.name,
            customer_name=found.name,
            contact_name=person,
        )

    def _filled(self, notice: Notice, told: Contents | None) -> tuple[Notice, Contents]:
        """One about contact data, with what it says only while it is sent: in a message of its own."""
        care = notice.stories[0].contact
        if care is None:
            return notice, self._with_names(notice, told or alone(notice))
        whose = self._people.get((notice.customer, care.whose))
        found = filled(
            notice,
            self.codes,
            lambda leads: self.shown(notice.customer, leads),
            person=care.whose if whose is None else whose.name,
            site=self.configuration.site.name,
        )
        return found, alone(found)

    def _with_names(self, notice: Notice, told: Contents) -> Contents:
        """With the names of those who have what is told."""
        if not any(story.had_by for story in told.stories):
            return told
        names = {
            one: person.name
            for (customer, one), person in self._people.items()
            if customer == notice.customer
        }
        stories = (replace(story, had_by=names.get(story.had_by, story.had_by)) for story in told.stories)
        return replace(told, stories=tuple(stories))

    @cached_property
    def _manners(self) -> Mapping[str, Manner]:
        """By customer."""
        manners: dict[str, Manner] = {}
        for customer in self.configuration.customers:
            schedule = self.configuration.schedule_of(customer)
            manners[customer.id] = Manner(
                attempts=schedule.attempts,
                spacing=schedule.spacing,
                timeout=schedule.timeout,
                late_after=self.configuration.terms_of(customer).tolerance,
                packet=packet(self.configuration),
            )
        return manners

    def manner(self, customer: str) -> Manner:
        """How a customer's devices are pinged; the site's way when it has left the configuration."""
        return self._manners.get(customer, self.site_manner)

    @property
    def manners(self) -> Collection[Manner]:
        """All ways in which devices are pinged."""
        return self._manners.values()

    @cached_property
    def only_manner(self) -> Manner | None:
        """How everybody is pinged in the schedule, if there is but one way."""
        manners = {*self._manners.values()}
        if self.configuration.uplinks or not manners:
            manners.add(self.site_manner)
        return manners.pop() if len(manners) == 1 else None

    @cached_property
    def site_manner(self) -> Manner:
        """How the site pings: its own gateways too."""
        return site_manner(self.configuration)

    @property
    def limits(self) -> Limits:
        """How many packets may leave in a second."""
        limits = self.configuration.limits
        return Limits(
            per_second=limits.packets_per_second,
            per_second_and_network=limits.packets_per_second_and_network,
            per_second_and_uplink=limits.packets_per_second_and_uplink,
            per_second_and_link=limits.neighbour_requests_per_second,
        )


def site_manner(configuration: Configuration) -> Manner:
    """How a site pings: its own gateways too."""
    schedule = configuration.schedule
    return Manner(
        attempts=schedule.attempts,
        spacing=schedule.spacing,
        timeout=schedule.timeout,
        packet=packet(configuration),
    )


def packet(configuration: Configuration) -> Packet:
    """What each packet of a site is like."""
    packets = configuration.packets
    return Packet(
        ttl=packets.ttl,
        dscp=packets.dscp,
        payload_bytes=packets.payload_bytes,
        sources=tuple(str(address) for address in packets.source),
        interface=packets.interface or "",
    )


def _brief(told: Contents, zone: ZoneInfo, *, repeat: bool, late: bool) -> str:
    """All that matters on one line."""
    return messages.brief(told.stories, told.kind, both=told.both, zone=zone, repeat=repeat, late=late)


def _key(told: Contents) -> str:
    """What the other side knows a message by; told apart from those of another store by when it was owed."""
    made = f"{told.since:%Y%m%dT%H%M%SZ}"
    return ".".join(part for part in (told.first, told.mark, made) if part)
