"""`hostwatch check-config PATH`: is this configuration fit to come into force?"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hostwatch.configuration import load
from hostwatch.configuration.mistake import BadConfiguration

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
    except BadConfiguration as bad:
        _refuse(bad, as_json=options.json)
        return 1
    counts = _counts(loaded)
    if options.json:
        warnings = [warning.as_json() for warning in loaded.warnings]
        _print_json({"valid": True, "digest": loaded.digest, **counts, "warnings": warnings, "mistakes": []})
        return 0
    print(f"{options.path} is valid")
    table = Table(show_header=False)
    for name, count in (*counts.items(), ("warnings", len(loaded.warnings))):
        table.add_row(name, str(count))
    Console().print(table)
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def _counts(loaded: load.Loaded) -> dict[str, int]:
    customers = loaded.configuration.customers
    return {
        "customers": len(customers),
        "contacts": sum(len(customer.contacts) for customer in customers),
        "devices": sum(len(customer.devices) for customer in customers),
    }


def _refuse(bad: BadConfiguration, *, as_json: bool) -> None:
    if as_json:
        _print_json({"valid": False, "warnings": [], "mistakes": [it.as_json() for it in bad.mistakes]})
        return
    for mistake in bad.mistakes:
        print(mistake, file=sys.stderr)
    noun = "mistake" if len(bad.mistakes) == 1 else "mistakes"
    print(f"cannot use this configuration: {len(bad.mistakes)} {noun}", file=sys.stderr)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
