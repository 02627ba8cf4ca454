"""Who is authorised now, how they are reached, and in which words: the configuration, seen by the outbox.

A directory is built anew for each configuration; the outbox asks the present one at each attempt, so
that nobody is told by a means, or after a day, that the customer has withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from hostwatch import channels, messages
from hostwatch.channels.base import Channel, Message, Surroundings
from hostwatch.configuration.customer import Customer as ConfiguredCustomer
from hostwatch.configuration.model import Configuration
from hostwatch.core.emergency import Notice
from hostwatch.core.ladder import Pace
from hostwatch.core.population import Customer, Device, Population
from hostwatch.core.schedule import Target
from hostwatch.pinger import Manner


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An authorised contact and the ladder to reach them."""

    name: str
    ladder: tuple[Channel, ...]


class Directory:
    """One configuration, looked up by the names that the record uses."""

    def __init__(self, configuration: Configuration, surroundings: Surroundings) -> None:
        """Builds every channel. Raises `channels.base.Unusable` for one that the site does not allow."""
        self.configuration = configuration
        self._customers = {customer.id: customer for customer in configuration.customers}
        self._people = {
            (customer.id, contact.id): Person(
                name=contact.name,
                ladder=tuple(
                    channels.room(rung.kind).build(rung.settings, surroundings) for rung in contact.channels
                ),
            )
            for customer in configuration.customers
            for contact in customer.contacts
        }

    def person(self, notice: Notice) -> Person | None:
        """The contact of a notice, or None when they are no longer authorised."""
        return self._people.get((notice.customer, notice.contact))

    def pace(self, notice: Notice) -> Pace:
        """How the ladder of a notice is climbed."""
        customer = self._customers.get(notice.customer)
        settings = self.configuration.notices if customer is None else self.configuration.notices_of(customer)
        return Pace(
            first_retry=settings.first_retry,
            next_channel_after=settings.next_channel_after,
            give_up_after=settings.give_up_after,
        )

    def attempt_timeout(self, notice: Notice) -> timedelta:
        """How long one attempt may take."""
        customer = self._customers.get(notice.customer)
        settings = self.configuration.notices if customer is None else self.configuration.notices_of(customer)
        return settings.attempt_timeout

    def message(self, notice: Notice, person: Person, *, repeat: bool, late: bool) -> Message:
        """A notice put into the words of its customer."""
        customer = self._customers[notice.customer]
        composed = messages.compose(
            notice.stories,
            notice.kind,
            language=customer.language,
            zone=ZoneInfo(self.configuration.timezone_of(customer)),
            site=self.configuration.site.name,
            customer_name=customer.name,
            contact_name=person.name,
            repeat=repeat,
            late=late,
        )
        payload = messages.payload(
            notice.stories,
            notice.kind,
            composed=composed,
            language=customer.language,
            site=self.configuration.site.name,
            customer_name=customer.name,
            contact_name=person.name,
            late=late,
        )
        return Message(
            key=notice.id, subject=composed.subject, text=composed.text, payload=payload, repeat=repeat
        )

    @cached_property
    def population(self) -> Population:
        """The same configuration as the core sees it."""
        return Population(
            vantage=self.configuration.site.vantage,
            customers={c.id: self._customer(c) for c in self.configuration.customers},
            devices={device.id: device for device in self._devices()},
        )

    def _customer(self, customer: ConfiguredCustomer) -> Customer:
        return Customer(
            id=customer.id,
            contacts=tuple(contact.id for contact in customer.contacts),
            terms=self.configuration.terms_of(customer),
        )

    def _devices(self) -> Iterator[Device]:
        for customer in self.configuration.customers:
            for device in customer.devices:
                yield Device(
                    id=device.id,
                    customer=customer.id,
                    address=str(device.address),
                    state=device.state,
                    waiver=device.waiver,
                )

    @cached_property
    def _manners(self) -> Mapping[str, Manner]:
        manners = {}
        for customer in self.configuration.customers:
            schedule = self.configuration.schedule_of(customer)
            manners[customer.id] = Manner(
                attempts=schedule.attempts,
                spacing=schedule.spacing,
                timeout=schedule.timeout,
                late_after=self.configuration.terms_of(customer).tolerance,
            )
        return manners

    def manner(self, target: Target) -> Manner:
        """How a target is pinged; the site's way when its device has left the configuration."""
        device = self.population.devices.get(target.signal.partition("/")[0])
        return self.site_manner if device is None else self._manners[device.customer]

    @cached_property
    def site_manner(self) -> Manner:
        """How the site pings: its own gateways too."""
        schedule = self.configuration.schedule
        return Manner(attempts=schedule.attempts, spacing=schedule.spacing, timeout=schedule.timeout)
