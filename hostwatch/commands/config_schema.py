"""`hostwatch config-schema`: the configuration as JSON Schema, for editors."""

from __future__ import annotations

import argparse
import json

from hostwatch.configuration import schema

HELP = "print the JSON Schema of the configuration, for editors"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--customer", action="store_true", help="the schema of an included file, which holds one customer"
    )


def run(options: argparse.Namespace) -> int:
    """Always 0."""
    found = schema.customer_file() if options.customer else schema.main_file()
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0
