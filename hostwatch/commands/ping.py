"""`hostwatch ping TARGET…`: look once at some devices or addresses, as the watch would.

A device is looked at by its own method, as the record has it; an IPv4 or IPv6 address by the one that is
named, a ping if none is. Nothing is recorded. Exit code 0 when all answered, 1 when one
missed, 2 when we could not look.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch.carrier import addresses_4, addresses_6
from hostwatch.clock import SystemClock
from hostwatch.commands import add_config
from hostwatch.commands.sources import way_of
from hostwatch.configuration import words
from hostwatch.configuration.duration import parse
from hostwatch.configuration.load import load
from hostwatch.configuration.method import DEFAULT, MethodLine
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.core import instant
from hostwatch.core.device import Device
from hostwatch.core.reading import Outcome
from hostwatch.directory import packet
from hostwatch.echo import NoPermission
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Ask, Batch, Look, Manner, Packet
from hostwatch.store.errors import StoreError
from hostwatch.store.reader import Reader
from hostwatch.switchboard import Switchboard

HELP = "look once at some devices or addresses, as the watch would"
TARGETS_MAX = 10_000
ATTEMPTS_MAX = 100
NO_NAME = "is not an IP address; names are not resolved"
GAP_US = 100
"""Between two targets."""

_METHOD: Final[TypeAdapter[str]] = TypeAdapter(MethodLine)
STYLES = {Outcome.ANSWERED: "green", Outcome.MISSED: "red", Outcome.UNKNOWN: "yellow"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="devices, and IPv4 or IPv6 addresses")
    add_config(parser)
    parser.add_argument(
        "--method",
        type=_method,
        default=DEFAULT,
        metavar="METHOD",
        help='how to look at addresses: icmp, neighbour, "tcp port=443"; devices say it themselves',
    )
    parser.add_argument("--attempts", type=_count, default=3, metavar="N", help="packets to each (default 3)")
    parser.add_argument(
        "--timeout", type=_pause, default=timedelta(seconds=1), metavar="1s", help="wait for the last answer"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _method(text: str) -> str:
    try:
        return _METHOD.validate_python(text)
    except ValidationError as error:
        wrong = words.explain(error.errors(include_url=False)[0])
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= ATTEMPTS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {ATTEMPTS_MAX}")
    return int(text)


def _pause(text: str) -> timedelta:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(options: argparse.Namespace) -> int:
    """0: all answered, 1: one missed, 2: we could not look."""
    if len(options.targets) > TARGETS_MAX:
        print(f"cannot ping more than {TARGETS_MAX} targets at once", file=sys.stderr)
        return 2
    try:
        wanted = targets(options.targets, options.config, options.method)
        sent = _packet(options.config)
        looks = asyncio.run(_look(wanted, sent, options))
    except (NoPermission, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    sources = _from(wanted, sent)
    if options.json:
        found = zip(wanted, sources, looks, strict=True)
        print(json.dumps([_plain(*one) for one in found], ensure_ascii=False))
    else:
        _show(wanted, sources, looks)
    outcomes = {look.outcome for look in looks}
    return 2 if Outcome.UNKNOWN in outcomes else int(Outcome.MISSED in outcomes)


class Target(NamedTuple):
    """What is looked at, and how."""

    device: str | None
    address: str
    method: str


def targets(texts: Sequence[str], config: Path, method: str) -> list[Target]:
    """Addresses as they are, devices from the record. Raises `ValueError` for what is neither."""
    devices: Mapping[str, Device] | None = None
    found = []
    for text in texts:
        try:
            found.append(Target(None, str(ip_address(text)), method))
            continue
        except ValueError:
            devices = _devices(config, text) if devices is None else devices
        device = devices.get(text)
        if device is None:
            raise ValueError(f"{text!r} is not a device in the record, and {NO_NAME}")
        found.append(Target(device.id, device.address, device.method))
    return found


def _devices(config: Path, wanted: str) -> Mapping[str, Device]:
    try:
        loaded = load(config, read_secrets=False)
        with Reader(loaded.store) as reader:
            return reader.world().population.devices
    except (BadConfiguration, StoreError) as error:
        raise ValueError(f"{wanted!r} {NO_NAME}; devices cannot be looked up: {error}") from None


def _packet(config: Path) -> Packet:
    """What packets are like, if there is a configuration. Raises `ValueError` for a broken one."""
    if not config.exists():
        return Packet()
    try:
        return packet(load(config, read_secrets=False).configuration)
    except BadConfiguration as error:
        raise ValueError(f"cannot see in {config} by what packets leave: {error}") from None


async def _look(targets: Sequence[Target], sent: Packet, options: argparse.Namespace) -> list[Look]:
    clock = SystemClock()
    pinger = Switchboard(clock, IcmpPinger(clock))
    try:
        now_us = instant.micros(clock.now())
        asks = tuple(
            Ask(str(place), target.address, now_us + place * GAP_US, target.method)
            for place, target in enumerate(targets)
        )
        manner = Manner(
            attempts=options.attempts, timeout=options.timeout, spacing=options.timeout, packet=sent
        )
        looks: list[Look] = []
        async for group in pinger.probe(Batch(asks=asks, manner=manner)):
            looks.extend(group)
    finally:
        await pinger.close()
    return sorted(looks, key=lambda look: int(look.signal))


def _from(found: Sequence[Target], sent: Packet) -> list[str]:
    """The address of ours that each target is looked at from; empty where there is none."""
    links = {address: name for name, address in (*addresses_4(), *addresses_6())}
    return [way_of(target.address, target.method, links, sent)[0] for target in found]


def _plain(target: Target, source: str, look: Look) -> dict[str, object]:
    return {
        "device": target.device,
        "address": look.address,
        "source": source or None,
        "method": target.method,
        "outcome": look.outcome.value,
        "why": look.why or None,
        "rtt_us": look.rtt_us,
    }


def _show(targets: Sequence[Target], sources: Sequence[str], looks: Sequence[Look]) -> None:
    table = Table("target", "from", "method", "outcome", "round trip", "what was seen")
    for target, source, look in zip(targets, sources, looks, strict=True):
        rtt = "" if look.rtt_us is None else f"{look.rtt_us / 1000:.3f} ms"
        name = look.address if target.device is None else f"{target.device}\n{look.address}"
        outcome = f"[{STYLES[look.outcome]}]{look.outcome.value}"
        table.add_row(name, source, target.method, outcome, rtt, escape(look.why))
    Console().print(table)
