"""`hostwatch sources`: the addresses that we look from, for whoever must let our packets in.

By `packets.source` and `packets.interface`; where these say nothing, the kernel of this machine is asked
which of our addresses it would put on a packet to each device in the record. Nothing is sent. Exit code 0
when there is a way to each device, 1 when not, 2 when the record cannot be read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch.carrier import OWN_FAULTS, addresses_4, addresses_6, way_out
from hostwatch.commands import add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.core.device import Device
from hostwatch.core.schedule import ICMP
from hostwatch.directory import packet
from hostwatch.pinger import Packet
from hostwatch.reach import split
from hostwatch.reach._links import way_to
from hostwatch.reach.base import Fault
from hostwatch.store.reader import Reader
from hostwatch.switchboard import NEIGHBOUR

KERNELS_CHOICE = Packet()
HELP = "show the addresses that we look from, for whoever must let our packets in"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("--customer", metavar="ID", help="only for the devices of this customer")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs, with every device")


@says_why(2)
def run(options: argparse.Namespace) -> int:
    """0: there is a way to each device, 1: not to all, 2: the record cannot be read."""
    loaded = load(options.config, read_secrets=False)
    with Reader(loaded.store) as reader:
        watched = [*reader.world().population.in_service()]
    sent = packet(loaded.configuration)
    found = sources((one for one in watched if options.customer in (None, one.customer)), sent)
    if options.json:
        print(json.dumps([one.plain() for one in found], ensure_ascii=False))
    else:
        _show(found)
    return int(any(one.why for one in found))


@dataclass(slots=True, kw_only=True)
class Source:
    """An address of ours, and whom we look at from it."""

    address: str
    """Empty where there is no way."""

    link: str
    why: str
    """Why there is no way."""

    methods: set[str] = field(default_factory=set)
    devices: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "source": self.address or None,
            "family": ip_address(self.address).version if self.address else None,
            "link": self.link or None,
            "why": self.why or None,
            "methods": sorted(self.methods),
            "devices": self.devices,
        }


def sources(devices: Iterable[Device], sent: Packet = KERNELS_CHOICE) -> list[Source]:
    """The addresses that we look from, each with its devices; those without a way last."""
    links = {address: name for name, address in (*addresses_4(), *addresses_6())}
    ways: dict[tuple[str, str], tuple[str, str, str]] = {}
    found: dict[tuple[str, str, str], Source] = {}
    for device in sorted(devices, key=lambda one: one.id):
        asked = device.address, device.way
        if asked not in ways:
            ways[asked] = way_of(*asked, links, sent)
        way = ways[asked]
        source = found.setdefault(way, Source(address=way[0], link=way[1], why=way[2]))
        source.methods.add(device.way or ICMP)
        source.devices.append(device.id)
    return sorted(found.values(), key=lambda one: (one.why, ":" in one.address, one.link, one.address))


def way_of(address: str, method: str, links: dict[str, str], sent: Packet) -> tuple[str, str, str]:
    """Our address and link towards an address that is looked at by a method, or why there is no way."""
    try:
        if method.partition(" ")[0] == NEIGHBOUR:
            found = way_to(address, split(method)[1].get("link", ""), *sent.way(address))
            return str(ip_address(found.source)), found.link, ""
        source, link = way_out(address, *sent.way(address))
    except Fault as fault:
        return "", "", str(fault)
    except OSError as error:
        return "", "", OWN_FAULTS.get(error.errno or 0, error.strerror or "no way there")
    return source, link or links.get(source, ""), ""


def _show(found: Iterable[Source]) -> None:
    table = Table("source", "link", "devices", "methods")
    for one in found:
        source = one.address or f"[red]{escape(one.why)}[/red]"
        table.add_row(source, one.link, str(len(one.devices)), ", ".join(sorted(one.methods)))
    Console().print(table)
