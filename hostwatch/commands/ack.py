"""`hostwatch ack E-000042 --contact duty --by "Chen Wei"`: note that a person has an emergency.

It goes through the control socket to the running watch, and is a fact with the name of the system's user who
said so. Their own ladder stops; those of others go on until they were told. The outage goes on in any case.
"""

from __future__ import annotations

import argparse
import sys

from hostwatch.commands import USAGE, Refused, add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.control import ask
from hostwatch.core.acknowledgement import How

HELP = "note that a person has an emergency, or take that back"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("reference", metavar="EMERGENCY", help="its reference, such as E-000042")
    parser.add_argument("--by", metavar="NAME", default="", help="who has it")
    parser.add_argument(
        "--customer", metavar="ID", default="", help="whose person; needed if it concerns several customers"
    )
    parser.add_argument(
        "--contact",
        metavar="ID",
        default="",
        help="which of their contacts; else somebody else of theirs",
    )
    parser.add_argument(
        "--how",
        metavar="WAY",
        default="",
        help=f"how: {', '.join(How)}; if not given, on behalf",
    )
    parser.add_argument("--withdraw", action="store_true", help="take it back")
    parser.add_argument("--because", metavar="WHY", default="", help="why it is taken back")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if it is noted; 1 if it cannot be; 2 if what was asked for makes no sense."""
    if options.withdraw and (options.by or options.how):
        raise Refused("cannot note and take back at once: --by, or --withdraw")
    control = load(options.config, read_secrets=False).control
    answer = ask(
        control,
        "withdraw-acknowledgement" if options.withdraw else "acknowledge",
        within_s=30,
        reference=options.reference,
        customer=options.customer,
        contact=options.contact,
        by=options.by,
        how=options.how,
        because=options.because,
    )
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    whose = "/".join(part for part in (answer["customer"], answer["contact"]) if part)
    if options.withdraw:
        print(f"{whose} does not have {answer['reference']} any more: their people are tried further")
    else:
        print(f"{whose} has {answer['reference']}" + (", as was known" if answer["again"] else ""))
    return 0
