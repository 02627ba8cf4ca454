"""`hostwatch check-config PATH`: is this configuration fit to come into force?"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from hostwatch.clock import SystemClock
from hostwatch.configuration import load
from hostwatch.configuration.gaps import gaps
from hostwatch.configuration.mistake import BadConfiguration, Mistake
from hostwatch.otherpath import shared
from hostwatch.stock.check import Stock, check
from hostwatch.stock.order import order_of, recorded
from hostwatch.whatif import Grounds, worst

NO_UPLINKS = "no uplinks: whether the carrier can be reached is not measured (docs/configuration.md)"
NOT_SAID = "a country that nobody has named"
HELP = "check a configuration and say everything that is wrong with it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("path", type=Path, metavar="PATH", help="the main configuration file")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument(
        "--without-secrets",
        action="store_true",
        help="do not read the secrets that the configuration names, so that it can be checked anywhere",
    )


def run(options: argparse.Namespace) -> int:
    """0 if the configuration is valid, 1 if not."""
    try:
        loaded = load.load(options.path, read_secrets=not options.without_secrets)
        stock = _stock(loaded)
    except BadConfiguration as bad:
        _refuse(bad, as_json=options.json)
        return 1
    loaded = loaded.with_inventories(recorded(stock.summaries), stock.warnings)
    counts = _counts(loaded, stock)
    now = SystemClock().now()
    loaded = _with_gaps(loaded, str(options.path), now)
    loaded = _with_foresight(loaded, stock, str(options.path), now)
    hints = [NO_UPLINKS] if counts["devices"] and not loaded.configuration.uplinks else []
    countries = _countries(loaded)
    if options.json:
        warnings = [warning.as_json() for warning in loaded.warnings]
        read = {"inventories": [dict(one) for one in loaded.read]} if loaded.read else {}
        _print_json(
            {
                "valid": True,
                "digest": loaded.digest,
                **counts,
                **read,
                **({"countries": countries} if countries else {}),
                "hints": hints,
                "warnings": warnings,
                "mistakes": [],
            }
        )
        return 0
    print(f"{options.path} is valid")
    table = Table(show_header=False)
    for name, count in (*counts.items(), ("warnings", len(loaded.warnings))):
        table.add_row(name, str(count))
    Console().print(table)
    for channel, country in countries.items():
        print(f"{'numbers and words' if '/' in channel else 'words'} of {channel} go to {country}")
    for hint in hints:
        print(f"hint: {hint}")
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def _with_gaps(loaded: load.Loaded, file: str, now: datetime) -> load.Loaded:
    """With the times, from now on, in which nobody would be told, and what operators would not hear."""
    found = (
        Mistake(file=file, line=None, key=key, wrong=wrong.wrong, mend=wrong.mend)
        for key, wrong in chain(gaps(loaded.configuration, now), shared(loaded.configuration))
    )
    return replace(loaded, warnings=(*loaded.warnings, *found))


def _with_foresight(loaded: load.Loaded, stock: Stock, file: str, now: datetime) -> load.Loaded:
    """With the worst losses after which somebody could not be told in time."""
    found = (
        Mistake(
            file=file,
            line=None,
            key="notices.within",
            wrong=(
                f"if this is lost, {len(one.late):,} of {len(one.people):,} people cannot be told in time, "
                f"and {len(one.breached):,} of {one.customers:,} customers not as agreed: {one.loss.what}"
            ),
            mend=f'hostwatch drill --plan "{one.loss.what}" says who, and what would suffice',
        )
        for one in worst(Grounds(loaded, stock, now))
    )
    return replace(loaded, warnings=(*loaded.warnings, *found))


def _stock(loaded: load.Loaded) -> Stock:
    """The inventories, read. On a terminal says how far it is. Raises `BadConfiguration`."""
    order = order_of(loaded, kept=False)
    if not order.files:
        return check(order)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} lines"),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as shown:
        tasks = {str(order.beside / name): shown.add_task(name, total=1) for name in order.files}
        stock = check(order, lambda file, line, lines: shown.update(tasks[file], completed=line, total=lines))
    if stock.mistakes:
        raise BadConfiguration(stock.mistakes)
    return stock


def _counts(loaded: load.Loaded, stock: Stock) -> dict[str, int]:
    customers = loaded.configuration.customers
    return {
        "customers": len(customers),
        "contacts": sum(len(customer.contacts) for customer in customers),
        "devices": len(stock.index),
        **({"inventories": len(loaded.read)} if loaded.read else {}),
    }


def _countries(loaded: load.Loaded) -> dict[str, str]:
    """Where the data of each gateway, and of each kind of channel that is used, go to."""
    configuration = loaded.configuration
    rungs = (
        rung
        for customer in configuration.customers
        for contact in customer.contacts
        for rung in contact.channels
    )
    services: defaultdict[str, set[str]] = defaultdict(set)
    for rung in rungs:
        if getattr(rung.settings, "says_country", False):
            services[rung.kind].add(str(getattr(rung.settings, "country", "")))
    return {
        f"{kind}/{name}": gateway.country
        for kind, site in configuration.site_settings.items()
        for name, gateway in getattr(site, "gateways", {}).items()
    } | {
        kind: ", ".join(sorted(one or NOT_SAID for one in found)) for kind, found in sorted(services.items())
    }


def _refuse(bad: BadConfiguration, *, as_json: bool) -> None:
    if as_json:
        _print_json({"valid": False, "warnings": [], "mistakes": [it.as_json() for it in bad.mistakes]})
        return
    print(bad, file=sys.stderr)
    noun = "mistake" if len(bad.mistakes) == 1 else "mistakes"
    print(f"cannot use this configuration: {len(bad.mistakes)} {noun}", file=sys.stderr)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
