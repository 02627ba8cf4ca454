"""Which devices in service hang on what: counted and named by customer, and found by what they hang on."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hostwatch.core import expression
from hostwatch.core.behind import Behind, Group


class Hanging:
    """Devices by what they hang on."""

    def __init__(self) -> None:
        self._groups = Behind()
        self._devices: dict[str, dict[str, str]] = {}
        """By what they hang on, the devices and whose they are."""

    def __iter__(self) -> Iterator[str]:
        """All that anything hangs on."""
        return iter(self._devices)

    def add(self, what: str, customer: str, device: str) -> None:
        """A device hangs on it from now on."""
        self._groups.add(what, customer, device)
        self._devices.setdefault(what, {})[device] = customer

    def remove(self, what: str, customer: str, device: str) -> None:
        """It does no more."""
        self._groups.remove(what, customer, device)
        del self._devices[what][device]
        if not self._devices[what]:
            del self._devices[what]

    def devices(self, what: str) -> Collection[str]:
        """The names of those that hang on it."""
        return self._devices.get(what, {}).keys()

    def groups(self, what: str) -> Iterator[tuple[str, Group]]:
        """They by customer, in the order of the customers' names."""
        mine = self._devices.get(what, {})
        return self._groups.of(what, ((customer, device) for device, customer in mine.items()))


def ports_in(ports: str) -> tuple[str, ...]:
    """The single ports of an expression."""
    return expression.parse(ports).names if "(" in ports else (ports,)


def way(ports: str) -> str:
    """The switches that some ports are on: `any(sw-1/7,sw-2/7)` is `any(sw-1,sw-2)`.

    Devices that are alike in this share what is known of their way. Raises `ValueError` for what is no
    expression.
    """
    if "(" not in ports:
        return ports.partition("/")[0]
    whole = expression.parse(ports)
    return str(whole.changed(lambda port: expression.name(port.partition("/")[0])))
