"""Who is authorised now, how they are reached, and in which words: the configuration, seen by the outbox.

A directory is built anew for each configuration; the outbox asks the present one at each attempt, so
that nobody is told by a means, or after a day, that the customer has withdrawn.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from hostwatch import channels, messages
from hostwatch.channels.base import Channel, Message, SiteEntry, Surroundings
from hostwatch.configuration.model import Configuration, Notices
from hostwatch.configuration.people import quiet_of
from hostwatch.configuration.rung import Rung
from hostwatch.configuration.secret import revealed
from hostwatch.core import quiet
from hostwatch.core.bundle import Contents, alone
from hostwatch.core.emergency import Notice
from hostwatch.core.ladder import Pace
from hostwatch.core.quiet import Owed, Quiet
from hostwatch.links import NO_LINKS, Links
from hostwatch.messages import having
from hostwatch.pace import Limits
from hostwatch.pinger import Manner, Packet
from hostwatch.services import Definitions
from hostwatch.wording import for_reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One channel of a contact, and what it is known by: `core.emergency.Attempt.way`."""

    name: str
    channel: Channel
    wait: timedelta | None = None
    """How long it has before the next is tried too, if that is another time than the site's."""


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
        self.services = Definitions(configuration, surroundings.webhook_key)
        self._customers = {customer.id: customer for customer in configuration.customers}
        self._people = {
            (customer.id, contact.id): Person(
                name=contact.name,
                ladder=_ladder(contact.channels, surroundings),
                language=contact.language or customer.language,
                quiet=quiet_of(configuration, customer, contact),
            )
            for customer in configuration.customers
            for contact in customer.contacts
        }

    def person(self, notice: Notice) -> Person | None:
        """The contact of a notice, or None when they are no longer authorised."""
        return self._people.get((notice.customer, notice.contact))

    def pace(self, notice: Notice) -> Pace:
        """How the ladder of a notice is climbed."""
        settings, person = self._settings(notice), self.person(notice)
        ladder = () if person is None else person.ladder
        return Pace(
            first_retry=settings.first_retry,
            next_channel_after=settings.next_channel_after,
            waits=tuple((way.name, way.wait) for way in ladder if way.wait is not None),
            give_up_after=settings.give_up_after,
        )

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
        customer, told = self._customers[notice.customer], told or alone(notice)
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
            brief=messages.brief(
                told.stories, told.kind, both=told.both, zone=zone, repeat=repeat, late=late
            ),
        )

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


def _key(told: Contents) -> str:
    """What the other side knows a message by; told apart from those of another store by when it was owed."""
    made = f"{told.since:%Y%m%dT%H%M%SZ}"
    return ".".join(part for part in (told.first, told.mark, made) if part)


def _ladder(rungs: Iterable[Rung], surroundings: Surroundings) -> tuple[Way, ...]:
    """The ways of a contact; one that stands there twice is one."""
    named: dict[str, Rung] = {}
    for rung in rungs:
        named.setdefault(_name(rung, surroundings), rung)
    return tuple(
        Way(name=name, channel=channels.room(rung.kind).build(rung.settings, surroundings), wait=rung.wait)
        for name, rung in named.items()
    )


def _decisive(site: SiteEntry | None) -> Any:
    """What the site sets for a kind of channel, without what changes nothing of a message."""
    told = revealed(site)
    if site is None or not site.aside:
        return told
    return {name: value for name, value in told.items() if name not in site.aside} or None


def _name(rung: Rung, surroundings: Surroundings) -> str:
    """What a way is known by: all that decides where it leads and how, as a hash under our own key.

    So it is the same in all runs, another when a token or the site's relay is, and tells nobody anything.
    """
    told = json.dumps(
        [rung.kind, revealed(rung.settings), _decisive(surroundings.site.get(rung.kind))], ensure_ascii=False
    )
    return hmac.new(surroundings.webhook_key, b"way " + told.encode(), hashlib.sha256).hexdigest()[:32]
