"""What each service is made of: the definitions of the configuration, with their secrets, found by signals.

The world knows of a service its name and terms alone. Whoever makes the checks asks here at each look, so that
a changed configuration is in force with the next one. A definition is known by its key: it is the same in all
runs, another as soon as anything of it is, a secret too, and tells nobody anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel

from hostwatch.configuration.model import Configuration
from hostwatch.configuration.secret import revealed
from hostwatch.configuration.service import Service
from hostwatch.core.population import Population


@dataclass(frozen=True, slots=True)
class Definition:
    """What is to be looked at to know whether a service runs."""

    key: str
    require: str
    """`all` or `any` of the checks must be right."""

    checks: tuple[tuple[str, BaseModel], ...]
    """The kind of each, and its settings: of `checks.room(kind).Settings`."""

    longest: timedelta
    """How long one look may take."""


class Definitions:
    """All definitions of one configuration."""

    def __init__(self, configuration: Configuration, key: bytes) -> None:
        """`key`: our own, under which a definition is known."""
        self._key = key
        self._site = self._made(configuration.services)
        self._customers = {
            customer.id: self._made(customer.services)
            for customer in configuration.customers
            if customer.services
        }
        self._devices = {
            device.id: own
            for customer in configuration.customers
            for device in customer.devices
            if (own := self._made({name: one for name, one in device.services.items() if one is not None}))
        }

    def of(self, population: Population, signal: str) -> Definition | None:
        """The definition of the service that a signal is of; None if it is no service's, or no longer.

        While another configuration comes into force in steps, a service may be in one of the two alone.
        """
        found = population.service_of(signal)
        if found is None:
            return None
        device, service = found
        own, customers = self._devices.get(device.id, {}), self._customers.get(device.customer, {})
        return own.get(service.name) or customers.get(service.name) or self._site.get(service.name)

    def _made(self, services: Mapping[str, Service]) -> dict[str, Definition]:
        return {name: self._definition(one) for name, one in services.items()}

    def _definition(self, service: Service) -> Definition:
        checks = tuple((check.kind, check.settings) for check in service.checks)
        told = json.dumps([service.require, [[kind, revealed(settings)] for kind, settings in checks]])
        key = hmac.new(self._key, b"service " + told.encode(), hashlib.sha256).hexdigest()[:32]
        return Definition(key, service.require, checks, service.longest)
