"""The room of commands: a file here is a command; `_` in its name is `-` on the command line."""

from __future__ import annotations

import argparse
import os
import pkgutil
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.control import ControlError
from hostwatch.core.calendar import Month
from hostwatch.store.errors import StoreError

CONFIG_VARIABLE = "HOSTWATCH_CONFIG"
CONFIG_DEFAULT = "/etc/hostwatch/hostwatch.yaml"


WRONG = 1
USAGE = 2


class Refused(Exception):
    """What was asked for makes no sense, in words for a person."""


Run = Callable[[argparse.Namespace], int]
"""What a command does; its exit code."""


def says_why(code: int) -> Callable[[Run], Run]:
    """Around what a command does: what keeps it from that is told to whoever asked, and ends with this code.

    What was asked for and makes no sense ends with `USAGE`.
    """

    def around(run: Run) -> Run:
        @wraps(run)
        def guarded(options: argparse.Namespace) -> int:
            try:
                return run(options)
            except Refused as refused:
                print(refused, file=sys.stderr)
                return USAGE
            except (BadConfiguration, StoreError, ControlError) as error:
                print(error, file=sys.stderr)
                return code

        return guarded

    return around


def typed_month(text: str) -> Month:
    """A month as it is typed, for `argparse`."""
    try:
        return Month.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_config(parser: argparse.ArgumentParser) -> None:
    """Give a command `--config PATH`."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        default=Path(os.environ.get(CONFIG_VARIABLE) or CONFIG_DEFAULT),
        help=f"the configuration file; if not given, ${CONFIG_VARIABLE}, or {CONFIG_DEFAULT}",
    )


def verbs() -> tuple[str, ...]:
    """All commands, as they are typed."""
    return tuple(sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__)))


def command(verb: str) -> ModuleType:
    """The module of a command: `HELP`, `arguments(parser)`, `run(options) -> int`."""
    return import_module(f"{__name__}.{verb.replace('-', '_')}")


def how_far(loading: Mapping[str, Any]) -> str:
    """How far a watch is with its configuration, in words."""
    match loading:
        case {"reading": file, "line": line, "lines": lines}:
            return f"reading {file}: {line:,} of {lines:,} lines"
        case {"applied": made, "changes": changes}:
            return f"bringing it into force: {made:,} of {changes:,} changes"
    return "reading the configuration"
