"""`hostwatch reload`: let the running watch take its changed configuration.

Nothing is lost on the way: no counter, no clock, no notice. When the new configuration is wrong, the
old one stays in force, and all mistakes are printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from hostwatch.commands import add_config
from hostwatch.configuration.load import control_of, load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.control import ControlError, ask

HELP = "let the running watch take its changed configuration"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print the watch's answer as JSON")


def run(options: argparse.Namespace) -> int:
    """0 when the configuration is in force, 1 when it is not."""
    try:
        answer = ask(_control(options.config), "reload")
    except (BadConfiguration, ControlError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
        return 0 if answer.get("accepted") else 1
    if not answer.get("accepted"):
        for mistake in answer.get("mistakes") or [answer.get("error", "the watch refused")]:
            print(mistake, file=sys.stderr)
        print("the old configuration stays in force", file=sys.stderr)
        return 1
    for warning in answer["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    for setting in answer["restart_needed_for"]:
        print(f"warning: {setting} takes effect at the next start", file=sys.stderr)
    print("the new configuration is in force" if answer["changed"] else "nothing has changed")
    return 0


def _control(path: Path) -> Path:
    """Where the watch listens. A configuration that is otherwise wrong is the watch's to refuse."""
    return control_of(path) or load(path, read_secrets=False).control
