"""From the configuration to the population that the core judges: no names, no ways to reach people."""

from __future__ import annotations

from hostwatch.configuration.model import Configuration
from hostwatch.core import population


def population_of(configuration: Configuration) -> population.Population:
    """Everybody and everything that the configuration names."""
    customers, devices = {}, {}
    for customer in configuration.customers:
        customers[customer.id] = population.Customer(
            id=customer.id,
            contacts=tuple(contact.id for contact in customer.contacts),
            terms=configuration.terms_of(customer),
        )
        for device in customer.devices:
            devices[device.id] = population.Device(
                id=device.id,
                customer=customer.id,
                address=str(device.address),
                state=device.state,
                waiver=device.waiver,
            )
    return population.Population(vantage=configuration.site.vantage, customers=customers, devices=devices)
