"""`hostwatch ping TARGET…`: look once at some addresses, as the watch would.

A target is an IPv4 or IPv6 address. Nothing is recorded. Exit code 0 when all answered, 1 when one
missed, 2 when we could not look.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import timedelta
from ipaddress import ip_address

from rich.console import Console
from rich.table import Table

from hostwatch.clock import SystemClock
from hostwatch.configuration.duration import parse
from hostwatch.core import instant
from hostwatch.core.reading import Outcome
from hostwatch.echo import NoPermission
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Ask, Batch, Look, Manner

HELP = "look once at some addresses, as the watch would"
TARGETS_MAX = 10_000
ATTEMPTS_MAX = 100
GAP_US = 100
"""Between two targets."""

STYLES = {Outcome.ANSWERED: "green", Outcome.MISSED: "red", Outcome.UNKNOWN: "yellow"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("targets", nargs="+", metavar="TARGET", type=_address, help="IPv4 or IPv6 addresses")
    parser.add_argument("--attempts", type=_count, default=3, metavar="N", help="packets to each (default 3)")
    parser.add_argument(
        "--timeout", type=_pause, default=timedelta(seconds=1), metavar="1s", help="wait for the last answer"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IP address; names are not resolved") from None


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
        looks = asyncio.run(_look(options))
    except NoPermission as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([_plain(look) for look in looks], ensure_ascii=False))
    else:
        _show(looks)
    outcomes = {look.outcome for look in looks}
    return 2 if Outcome.UNKNOWN in outcomes else int(Outcome.MISSED in outcomes)


async def _look(options: argparse.Namespace) -> list[Look]:
    clock = SystemClock()
    pinger = IcmpPinger(clock)
    try:
        now_us = instant.micros(clock.now())
        asks = tuple(
            Ask(str(place), address, now_us + place * GAP_US) for place, address in enumerate(options.targets)
        )
        manner = Manner(attempts=options.attempts, timeout=options.timeout, spacing=options.timeout)
        looks: list[Look] = []
        async for group in pinger.probe(Batch(asks=asks, manner=manner)):
            looks.extend(group)
    finally:
        await pinger.close()
    return sorted(looks, key=lambda look: int(look.signal))


def _plain(look: Look) -> dict[str, object]:
    return {
        "address": look.address,
        "outcome": look.outcome.value,
        "why": look.why or None,
        "rtt_us": look.rtt_us,
    }


def _show(looks: list[Look]) -> None:
    table = Table("address", "outcome", "round trip", "what was seen")
    for look in looks:
        rtt = "" if look.rtt_us is None else f"{look.rtt_us / 1000:.3f} ms"
        table.add_row(look.address, f"[{STYLES[look.outcome]}]{look.outcome.value}", rtt, look.why)
    Console().print(table)
