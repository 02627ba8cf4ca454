"""The street door: `hostwatch VERB …`. A verb is a file in `hostwatch/commands/`, found by its name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import hostwatch
from hostwatch import commands

DESCRIPTION = (
    "The daemon with which a datacentre keeps its word: it watches, decides, tells, remembers and reports."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code. 0: done, 1: could not be done, 2: not understood."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = parser(given[0] if given else None).parse_args(given)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def parser(verb: str | None = None) -> argparse.ArgumentParser:
    """The command line; with the name of a command only that one, which is quicker to load."""
    whole = argparse.ArgumentParser(prog="hostwatch", description=DESCRIPTION)
    whole.add_argument("--version", action="version", version=f"hostwatch {hostwatch.__version__}")
    verbs = whole.add_subparsers(metavar="COMMAND", required=True)
    known = commands.verbs()
    for name in [verb] if verb in known else known:
        module = commands.command(str(name))
        one = verbs.add_parser(
            str(name),
            help=module.HELP,
            description=(module.__doc__ or "").partition("\n\n")[2].strip() or module.HELP,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.arguments(one)
        one.set_defaults(run=module.run)
    return whole
