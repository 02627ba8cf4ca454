"""`hostwatch emergency open|end|correct`: what people say of emergencies: it is one, is over, was none.

What is said goes through the control socket to the running watch, and is a fact with the name of the system's
user who said it. What `open` and `correct` give with --because is told to the customers as it stands.
Emergencies are shown by `hostwatch status` and `hostwatch explain`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hostwatch.commands import USAGE, Refused, add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.control import ask

HELP = "open an emergency by a person's word, end it, or correct one that was a false alarm"

WORDS = {
    "open": ("service", "since", "earliest", "latest", "told_by"),
    "end": ("at",),
    "correct": (),
}
"""What each takes beside --because and --evidence."""

DEEDS = {"open": "report-emergency", "end": "end-emergency", "correct": "correct-emergency"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("action", choices=tuple(WORDS), help="what is said")
    parser.add_argument(
        "reference", nargs="?", metavar="EMERGENCY", default="", help="of `end` and `correct`"
    )
    parser.add_argument(
        "--device", metavar="NAMES", action="append", default=[], help="which devices, with commas between"
    )
    parser.add_argument("--service", metavar="NAME", default="", help="which of their services, such as www")
    parser.add_argument("--since", metavar="INSTANT", default="", help="since when, as far as is known")
    parser.add_argument("--earliest", metavar="INSTANT", default="", help="since when at the earliest")
    parser.add_argument("--latest", metavar="INSTANT", default="", help="since when at the latest")
    parser.add_argument("--told-by", metavar="WHOM", default="", help="who told us, and how; kept apart")
    parser.add_argument("--at", metavar="INSTANT", default="", help="since when it is over")
    parser.add_argument("--because", metavar="WHY", default="", help="what is seen, or why; told to people")
    parser.add_argument(
        "--evidence", metavar="FILE", action="append", type=Path, default=[], help="a file that shows it"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask first")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if it is done; 1 if it cannot be; 2 if what was asked for makes no sense."""
    more = _asked(options)
    evidence = hashes(options.evidence)
    control = load(options.config, read_secrets=False).control
    if not confirmed(options, _question(options, more)):
        return 1
    deed = DEEDS[options.action]
    answer = ask(control, deed, within_s=30, **more, evidence=json.dumps(evidence))
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    print(_done(options.action, answer))
    for name, other in answer.get("already", {}).items():
        print(f"{name} is told of under {other} already, and not under this")
    show(evidence)
    return 0


def _asked(options: argparse.Namespace) -> dict[str, str]:
    """What goes with the request. Raises `Refused` for what belongs to another action."""
    foreign = {word for action, own in WORDS.items() if action != options.action for word in own}
    foreign -= {*WORDS[options.action]}
    given = sorted(f"--{word.replace('_', '-')}" for word in foreign if getattr(options, word))
    opens = options.action == "open"
    given += ["--device"] if options.device and not opens else []
    given += [options.reference] if options.reference and opens else []
    if given:
        raise Refused(f"hostwatch emergency {options.action} does not take {', '.join(given)}")
    more = {word: getattr(options, word) for word in WORDS[options.action]} | {"because": options.because}
    return more | ({"devices": ",".join(options.device)} if opens else {"reference": options.reference})


def _question(options: argparse.Namespace, more: Mapping[str, str]) -> str:
    match options.action:
        case "open":
            return f"Tell the customers of {more['devices']} of an emergency, within the time promised?"
        case "end":
            return f"Say to all who were told of {options.reference} that it is over?"
    return f"Say to all who were told of {options.reference} that it was a false alarm?"


def _done(action: str, answer: Mapping[str, Any]) -> str:
    name, told = answer["reference"], ", ".join(answer["told"])
    match action:
        case "open":
            return f"{name} is open; who is owed a notice: {told or 'nobody, for nobody is authorised'}"
        case "end":
            return f"{name} is over; who is told so: {told or 'nobody'}"
    return f"{name} is corrected; who is told so: {told or 'nobody, for nobody was reached'}"


def hashes(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Of each file its SHA-256, size and name. Raises `Refused` with all that cannot be read."""
    found, wrong = [], []
    for path in files:
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                found.append({"sha256": digest, "bytes": file.tell(), "name": path.name})
        except OSError as error:
            wrong.append(f"cannot read {path}: {error.strerror}")
    if wrong:
        raise Refused("\n".join(wrong))
    return found


def show(evidence: Sequence[dict[str, Any]]) -> None:
    """What the record holds of files: keep them, for it holds their hashes alone."""
    for one in evidence:
        print(f"evidence: {one['name']}, {one['bytes']:,} bytes, SHA-256 {one['sha256']}: keep this file")


def confirmed(options: argparse.Namespace, question: str) -> bool:
    """Whether somebody at a terminal says so; programs are not asked."""
    if options.yes or not sys.stdin.isatty():
        return True
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
