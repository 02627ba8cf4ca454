"""`hostwatch duty claim|approve|reject|withdraw`: claim that a breach is excused, and decide of that.

It goes through the control socket to the running watch, and is a fact with the name of the system's user. Who
approves or rejects is another person than who claimed. The duty stays breached, as `hostwatch duties` shows.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from hostwatch.commands import USAGE, Refused, add_config, says_why
from hostwatch.commands.emergency import confirmed, hashes, show
from hostwatch.configuration.load import load
from hostwatch.control import ask

HELP = "claim that a breach of the duty to tell is excused; approve, reject or withdraw a claim"

WORDS: Final = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("action", choices=("claim", *WORDS), help="what is said")
    parser.add_argument(
        "subject",
        metavar="DUTY|CLAIM",
        help="claim: E-000042, or E-000042/CUSTOMER; else a claim, such as C-000007",
    )
    parser.add_argument(
        "--class", dest="excuse", default="", metavar="CLASS", help="stale-contact, force-majeure"
    )
    parser.add_argument("--because", default="", metavar="WHY", help="why")
    parser.add_argument(
        "--contact",
        action="append",
        default=[],
        metavar="ID",
        help="stale-contact: whose data; again for more",
    )
    parser.add_argument(
        "--span", default="", metavar="FROM..TO", help="force-majeure: from when until when, with their zones"
    )
    parser.add_argument(
        "--evidence", metavar="FILE", action="append", type=Path, default=[], help="a file that shows it"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask first")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if it is done; 1 if it cannot be; 2 if what was asked for makes no sense."""
    is_claim = options.action == "claim"
    if not is_claim and (options.excuse or options.contact or options.span or options.evidence):
        raise Refused(f"hostwatch duty {options.action} takes no more than --because")
    evidence = hashes(options.evidence)
    question = f"Say of {options.subject}, for ever on record: {options.action}?"
    control = load(options.config, read_secrets=False).control
    if not confirmed(options, question):
        return 1
    answer = _claim(control, options, evidence) if is_claim else _decide(control, options)
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    if is_claim:
        claim, duty = answer["claim"], answer["duty"]
        print(f"{claim}: {answer['class']} is claimed for {duty}, which stays breached")
        print(f"another person decides of it: hostwatch duty approve {claim}, or reject")
        show(evidence)
    else:
        print(f"{answer['claim']} is {answer['word']}: {answer['duty']} stays breached")
    return 0


def _claim(control: Path, options: argparse.Namespace, evidence: list[dict[str, Any]]) -> dict[str, Any]:
    since, dots, until = options.span.partition("..")
    if options.span and not dots:
        raise Refused(
            f"{options.span!r} is no span; write it as 2026-12-01T01:00+08:00..2026-12-01T03:00+08:00"
        )
    return ask(
        control,
        "claim-excuse",
        within_s=30,
        duty=options.subject,
        because=options.because,
        contacts=",".join(options.contact),
        since=since,
        until=until,
        evidence=json.dumps(evidence),
        **{"class": options.excuse},
    )


def _decide(control: Path, options: argparse.Namespace) -> dict[str, Any]:
    word = WORDS[options.action]
    return ask(
        control, "decide-claim", within_s=30, claim=options.subject, word=word, because=options.because
    )
