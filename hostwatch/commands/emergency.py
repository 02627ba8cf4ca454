"""`hostwatch emergency correct E-000042 --because "our filter dropped the pings"`: it was a false alarm.

What a person says goes through the control socket to the running watch, and is a fact with the name of the
system's user who said it. The emergency stays on record, marked; whoever was told of it is told that it was
none, with the reason as it is written here. What was measured is not touched.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hostwatch.commands import USAGE, Refused, add_config, says_why
from hostwatch.configuration.load import load
from hostwatch.control import ask

HELP = "correct an emergency that was a false alarm"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("action", choices=("correct",), help="what is to be done")
    parser.add_argument("reference", metavar="EMERGENCY", help="its reference, such as E-000042")
    parser.add_argument("--because", metavar="WHY", default="", help="why, in words that people are told")
    parser.add_argument(
        "--evidence", metavar="FILE", action="append", type=Path, default=[], help="a file that shows it"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask first")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 if it is done; 1 if it cannot be; 2 if what was asked for makes no sense."""
    evidence = hashes(options.evidence)
    control = load(options.config, read_secrets=False).control
    if not confirmed(options, f"Say to all who were told of {options.reference} that it was a false alarm?"):
        return 1
    answer = ask(
        control,
        "correct-emergency",
        within_s=30,
        reference=options.reference,
        because=options.because,
        evidence=json.dumps(evidence),
    )
    if not answer.get("ok"):
        print(answer.get("error", "the watch refused"), file=sys.stderr)
        return USAGE
    told = ", ".join(answer["told"]) or "nobody, for nobody was reached"
    print(f"{answer['reference']} is corrected; who is told so: {told}")
    show(evidence)
    return 0


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
