"""`hostwatch path TARGET`: which routers answer on the way to a device or an address, and where it breaks.

Pings by the engine that the watch uses, that may pass one router, two, three …. Nothing is recorded. Exit
code 0 when the target answered, 1 when it did not, 2 when we could not look.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch.clock import SystemClock
from hostwatch.commands import add_config
from hostwatch.commands.ping import Target, targets
from hostwatch.configuration.method import DEFAULT
from hostwatch.core.path import Ending, Hop, Path
from hostwatch.core.reading import Outcome
from hostwatch.echo import NoPermission
from hostwatch.icmp import IcmpPinger
from hostwatch.path import HOPS_DEFAULT, HOPS_MAX, look_along
from hostwatch.pinger import Manner

HELP = "show the routers on the way to a device or an address, and where it breaks"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("target", metavar="TARGET", help="a device, or an IPv4 or IPv6 address")
    add_config(parser)
    parser.add_argument(
        "--hops",
        type=_hops,
        default=HOPS_DEFAULT,
        metavar="N",
        help=f"how far to look (default {HOPS_DEFAULT}, at most {HOPS_MAX})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _hops(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= HOPS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {HOPS_MAX}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """0: the target answered, 1: it did not, 2: we could not look."""
    try:
        (target,) = targets([options.target], options.config, DEFAULT)
        seen = asyncio.run(_look(target, options))
    except (NoPermission, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(_plain(target, seen), ensure_ascii=False))
    else:
        _show(target, seen)
    if seen.ending is Ending.UNKNOWN:
        return 2
    return int(seen.ending is not Ending.REACHED)


async def _look(target: Target, options: argparse.Namespace) -> Path:
    clock = SystemClock()
    pinger = IcmpPinger(clock)
    try:
        return await look_along(pinger, clock, target.address, Manner(), options.hops)
    finally:
        await pinger.close()


def _plain(target: Target, seen: Path) -> dict[str, Any]:
    return {
        "device": target.device,
        "address": target.address,
        "ending": seen.ending.value,
        "hop": seen.hop or None,
        "router": seen.router or None,
        "said": seen.said or None,
        "sentence": seen.sentence,
        "hops": [
            {
                "hop": hop.number,
                "address": _who(target, hop) or None,
                "outcome": hop.outcome.value,
                "said": hop.said or None,
                "rtt_us": hop.rtt_us,
            }
            for hop in seen.hops
        ],
    }


def _who(target: Target, hop: Hop) -> str:
    return target.address if hop.outcome is Outcome.ANSWERED else hop.said_by


def _show(target: Target, seen: Path) -> None:
    table = Table("hop", "address", "round trip", "what it said")
    for hop in seen.hops:
        rtt = "" if hop.rtt_us is None else f"{hop.rtt_us / 1000:.3f} ms"
        said = "answered" if hop.outcome is Outcome.ANSWERED else hop.said or "nothing"
        table.add_row(str(hop.number), _who(target, hop) or "–", rtt, escape(said))
    console = Console()
    console.print(table)
    console.print(seen.sentence, style="green" if seen.ending is Ending.REACHED else "red", highlight=False)
