"""Neighbour: for devices on a link of our own that answer no ping, asked by ARP or neighbour discovery.

Every machine must answer that, or nobody could talk to it; a firewall on it does not stand in the way. It
says less than a ping: that the network card and the kernel behind an address live. Who answers is known by
a hardware address, so that with a witness another machine at the same address is told from the device.

The requests are our own, so that no entry of the kernel's table can answer instead of the device, and one
packet socket and one raw ICMPv6 socket are shared by all. They are opened when they are first needed.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Final

from pydantic import AfterValidator

from hostwatch.carrier import Carrier
from hostwatch.clock import Clock
from hostwatch.configuration.mistake import Wrong
from hostwatch.core import instant
from hostwatch.pinger import Ask, Manner
from hostwatch.reach import ANOTHER, _frames, _links, base, read
from hostwatch.reach._ears import ArpEar, DiscoveryEar, Ear

EXAMPLE = "method: neighbour"

OVERFLOWED: Final = "receive buffer overflowed here"
NOT_PERMITTED: Final = "asking neighbours not permitted here"


def _check_link(value: str) -> str:
    if re.fullmatch(r"[^\s/=]{1,15}", value):
        return value
    raise Wrong("is not the name of a link", "write it as `ip link` shows it, such as eth0")


class Settings(base.Settings):
    """On which link the device is."""

    shorthand = "link"

    link: Annotated[str, AfterValidator(_check_link)] = ""
    """The link of ours to ask on; needed only where our addresses on it do not tell."""


def build(clock: Clock) -> NeighbourPinger:
    """The pinger."""
    return NeighbourPinger(clock)


class NeighbourPinger(base.OneByOne):
    """Asks who has an address."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._carrier = Carrier(clock)
        self._ears: dict[int, Ear] = {}

    def talk(self, ask: Ask, manner: Manner) -> base.Talk:
        method = read(ask.method)
        link = method.settings.link if isinstance(method.settings, Settings) else ""
        way = _links.way_to(ask.address, link, *manner.packet.way(ask.address))
        target = ip_address(ask.address.partition("%")[0])
        return _Question(self._ear(target.version), self._carrier, way, target.packed, method.mac)

    def _ear(self, version: int) -> Ear:
        if version not in self._ears:
            try:
                self._ears[version] = ArpEar(self._clock) if version == 4 else DiscoveryEar(self._clock)
            except PermissionError:
                raise base.Fault(NOT_PERMITTED) from None
            except OSError as error:
                raise base.Fault(str(base.refusal(error.errno))) from None
        return self._ears[version]

    async def close(self) -> None:
        for ear in self._ears.values():
            ear.close()
        self._ears.clear()


class _Question(base.Talk):
    """An address that is asked for, and who says that it is theirs."""

    def __init__(self, ear: Ear, carrier: Carrier, way: _links.Way, target: bytes, mac: str) -> None:
        super().__init__()
        self._ear = ear
        self._carrier = carrier
        self._mac = mac
        self._dropped = ear.dropped()
        self.way = way
        self.link = way.link
        self.target = target
        ear.listeners.setdefault((way.number, target), []).append(self)

    def send(self) -> None:
        try:
            self._ear.ask(self.way, self.target)
        except OSError as error:
            raise base.Fault(
                self._carrier.link_fault(self.way.link) or str(base.refusal(error.errno))
            ) from None

    def take(self, reply: _frames.Reply, came_us: int) -> None:
        """Somebody says so. With a witness it must be the one that we know."""
        before = [moment for moment in self.sent if moment.mono // instant.MICROSECOND <= came_us]
        if not before:
            return
        if self._mac and _frames.spelt(reply.mac) != self._mac:
            self.said = another(_frames.spelt(reply.mac))
            return
        left_us = before[-1].mono // instant.MICROSECOND
        self.heard(base.Answer(len(before) - 1, came_us - left_us if len(before) == 1 else None))

    def read(self) -> None:
        while self._ear.read():
            pass

    def fault(self) -> str:
        if self._ear.dropped() != self._dropped:
            return OVERFLOWED
        return self._carrier.link_fault(self.way.link)

    def close(self) -> None:
        place = (self.way.number, self.target)
        left = [one for one in self._ear.listeners.pop(place, ()) if one is not self]
        if left:
            self._ear.listeners[place] = left


def another(mac: str) -> str:
    """What is said when a machine answers that is not the device."""
    return f"{ANOTHER} (MAC {mac})"
