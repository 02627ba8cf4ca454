"""`hostwatch cause E-000042 --is carrier --because "ticket 4711"`: state whose fault it was, or see it.

What a person states goes through the control socket to the running watch, and is a fact with the name of the
system's user who said it. Without `--is` and `--withdraw` nothing is stated: causes and evidence are shown.
"""

from __future__ import annotations

import argparse
import sys

from hostwatch.commands import USAGE, Refused, explain, says_why
from hostwatch.configuration.load import load
from hostwatch.control import ask
from hostwatch.core.cause import STATED

HELP = "state the cause of an emergency, take that back, or see what is known of it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    explain.arguments(parser)
    parser.add_argument("--is", dest="cause", metavar="CAUSE", help=f"one of: {'; '.join(STATED)}")
    parser.add_argument("--because", metavar="WHY", default="", help="the reason, such as a ticket")
    parser.add_argument("--ordered-by", metavar="WHO", default="", help="who ordered a null route, say")
    parser.add_argument("--from", dest="since", metavar="INSTANT", default="", help="since when it was so")
    parser.add_argument("--until", metavar="INSTANT", default="", help="until when it was")
    parser.add_argument("--withdraw", action="store_true", help="take back what was stated")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if it is stated, or shown; 1 if it cannot be; 2 if what was asked for makes no sense."""
    if options.cause is None and not options.withdraw:
        return explain.run(options)
    if options.cause is not None and options.withdraw:
        raise Refused("cannot state a cause and take it back at once: --is or --withdraw")
    control = load(options.config, read_secrets=False).control
    answer = ask(
        control,
        "cause",
        within_s=30,
        reference=options.reference,
        because=options.because,
        **{
            "is": options.cause or "",
            "ordered_by": options.ordered_by,
            "from": options.since,
            "until": options.until,
        },
    )
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    said = f"the cause of {answer['reference']} is stated: {answer['cause']}"
    print(said if answer["cause"] else f"what was stated of {answer['reference']} is taken back")
    return 0
