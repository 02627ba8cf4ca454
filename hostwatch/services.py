"""What each service is made of: the definitions of the configuration, with their secrets, found by signals.

The world knows of a service its name and terms alone. Whoever makes the checks asks here at each look, so a
changed configuration is in force with the next one. A definition is known by its key: the same in all runs,
another as soon as anything of it is another, a secret too, and it tells nobody anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from hostwatch.checkers.services import Check, Service
from hostwatch.configuration.callback import Callback
from hostwatch.configuration.faxserver import FaxServer
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.returns import Returns
from hostwatch.configuration.secret import revealed
from hostwatch.configuration.service import Service as Written
from hostwatch.core import instant, portsheard
from hostwatch.core.device import Device
from hostwatch.core.population import Population
from hostwatch.core.ports import PORTS_MAX
from hostwatch.gateways import http, hylafax, mailbox


class Definition(NamedTuple):
    """What is to be looked at to know whether a service runs."""

    key: str
    service: Service


class Definitions:
    """All definitions of one configuration."""

    def __init__(self, configuration: Configuration, key: bytes) -> None:
        """`key`: our own, under which a definition is known."""
        self._key = key
        self._sources = {
            one.id: self._source(one.id, f"power/{one.kind}", one.settings)
            for one in configuration.power.sources
        }
        self._witnesses = {
            portsheard.source_of(switch.id): (switch.id, switch.ports)
            for switch in configuration.network.switches
            if switch.ports is not None
        }
        self.listened = {
            definition.key: definition.service
            for name, of, one in _callbacks(configuration)
            for definition in [self._source(name, "gateways/http", _heard(of, one))]
        }
        """By their keys, the gateways that are only listened to; and the mailbox of what comes back."""

        self.listened |= {
            definition.key: definition.service
            for kind, returns in _mailboxes(configuration)
            for definition in [self._source(f"{kind}/returns", "gateways/mailbox", returns)]
        }

        self.listened |= {
            definition.key: definition.service
            for name, server in _faxservers(configuration)
            for definition in [self._source(f"{name}/queue", "gateways/hylafax", server)]
        }

        self._ports: dict[str, tuple[tuple[str, ...], Definition]] = {}
        """Of each switch, the ports that devices hang on, and how it is asked about them."""

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
        """The definition of the service or the source that a signal is of; None if it is of none any more.

        While another configuration comes into force in steps, a service may be in one of the two alone.
        """
        source = population.source_of(signal)
        if source is not None:
            return self._sources.get(source.id) or self._ports_of(population, source.id)
        found = population.service_of(signal)
        if found is None:
            return None
        device, mine = found
        return self.of_device(device, mine.name)

    def of_device(self, device: Device, name: str) -> Definition | None:
        """The definition of a device's service of that name, if one is written."""
        own, customers = self._devices.get(device.id, {}), self._customers.get(device.customer, {})
        return own.get(name) or customers.get(name) or self._site.get(name)

    def longest_us(self, population: Population, signal: str) -> int:
        """How long one look at a service, or a source, takes at most; 0 for what is neither."""
        found = self.of(population, signal)
        return 0 if found is None else found.service.longest // instant.MICROSECOND

    def _made(self, services: Mapping[str, Written]) -> dict[str, Definition]:
        return {name: self._definition(name, one) for name, one in services.items()}

    def _source(self, name: str, kind: str, settings: BaseModel) -> Definition:
        """No two sources have one definition: what a source says by itself is known by its key."""
        text = json.dumps([name, kind, revealed(settings)], ensure_ascii=False).encode()
        key = hmac.new(self._key, b"source " + text, hashlib.sha256).hexdigest()[:32]
        return Definition(key, Service(name=name, checks=(Check(kind, settings),)))

    def _ports_of(self, population: Population, source: str) -> Definition | None:
        """How a switch is asked about the ports that are written, and those that devices hang on now."""
        if source not in self._witnesses:
            return None
        switch, written = self._witnesses[source]
        wanted = population.ports_of(switch)
        known = self._ports.get(source)
        if known is None or known[0] != wanted:
            every = tuple(dict.fromkeys((*written.settings.ports, *wanted)))[:PORTS_MAX]
            settings = written.settings.model_copy(update={"ports": every})
            known = self._ports[source] = wanted, self._source(source, f"ports/{written.kind}", settings)
        return known[1]

    def _definition(self, name: str, written: Written) -> Definition:
        checks = tuple(Check(check.kind, check.settings) for check in written.checks)
        told = [name, written.require, [[check.kind, revealed(check.settings)] for check in checks]]
        text = json.dumps(told, ensure_ascii=False).encode()
        key = hmac.new(self._key, b"service " + text, hashlib.sha256).hexdigest()[:32]
        return Definition(key, Service(name=name, checks=checks, require=written.require))


def _callbacks(configuration: Configuration) -> Iterator[tuple[str, str, Callback]]:
    """All callbacks of all gateways: a name for each, whose it is, and how it is described."""
    for kind, site in configuration.site_settings.items():
        for name, gateway in getattr(site, "gateways", {}).items():
            for number, one in enumerate(gateway.callbacks):
                yield f"{kind}/{name}/{number}", f"{kind}/{name}", one


def _mailboxes(configuration: Configuration) -> Iterator[tuple[str, mailbox.Settings]]:
    """The mailboxes to which messages come back, by the kind of channel."""
    for kind, site in configuration.site_settings.items():
        returns = getattr(site, "returns", None)
        if isinstance(returns, Returns):
            written = {name: getattr(returns, name) for name in returns.model_fields_set}
            yield kind, mailbox.Settings.model_validate({**written, "of": kind})


def _faxservers(configuration: Configuration) -> Iterator[tuple[str, hylafax.Settings]]:
    """The servers that say what became of faxes, by kind of channel and gateway."""
    for kind, site in configuration.site_settings.items():
        for name, gateway in getattr(site, "gateways", {}).items():
            server = getattr(gateway, "hylafax", None)
            if isinstance(server, FaxServer):
                written = {name: getattr(server, name) for name in server.model_fields_set}
                yield f"{kind}/{name}", hylafax.Settings.model_validate({**written, "of": f"{kind}/{name}"})


def _heard(of: str, callback: Callback) -> http.Settings:
    return http.Settings.model_validate({**dict(callback), "of": of})
