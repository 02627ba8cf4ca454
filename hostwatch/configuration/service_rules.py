"""Rules between services, who names them, and how often they are looked at."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta

from hostwatch.configuration.duration import shown
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.model import Configuration
from hostwatch.configuration.place import Finding, Steps
from hostwatch.configuration.service import Service
from hostwatch.core.device import State


def mistakes(configuration: Configuration) -> Iterator[Finding]:
    """Each service that is named is defined somewhere, and each is over before it is looked at again."""
    site = configuration.schedule.interval
    intervals = [site, *(customer.terms.interval or site for customer in configuration.customers)]
    yield from _too_long(configuration.services, min(intervals), ("services",))
    for number, customer in enumerate(configuration.customers):
        here: Steps = ("customers", number)
        interval = customer.terms.interval or site
        yield from _too_long(customer.services, interval, (*here, "services"))
        offered = configuration.services_of(customer)
        for place, device in enumerate(customer.devices):
            there = (*here, "devices", place, "services")
            own = {name: one for name, one in device.services.items() if one is not None}
            yield from _too_long(own, interval, there)
            for name in device.services.keys() - own.keys() - offered.keys():
                yield there, unknown(name, offered)


def unknown(name: str, offered: Collection[str]) -> Wrong:
    """A service is named that nobody defines."""
    near = difflib.get_close_matches(name, offered, 1)
    hint = f"did you mean {near[0]}?" if near else f"write what {name} is under services:, with its checks"
    return Wrong(f"names {name}, which is no service", hint)


def _too_long(services: Mapping[str, Service], interval: timedelta, here: Steps) -> Iterator[Finding]:
    for name, one in services.items():
        every = one.interval or interval
        if one.longest > every:
            what = f"may take {shown(one.longest)}, and is looked at every {shown(every)}"
            yield (*here, name), Wrong(what, "shorten the timeout of its checks, or lengthen the interval")


def warnings(configuration: Configuration) -> Iterator[Finding]:
    """Services of devices that are not looked at themselves."""
    for number, customer in enumerate(configuration.customers):
        for place, device in enumerate(customer.devices):
            if device.services and device.state is State.NOT_WATCHED:
                yield (
                    ("customers", number, "devices", place, "services"),
                    Wrong("stand at a device that is not watched", "remove them: nobody looks at them"),
                )
