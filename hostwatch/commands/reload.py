"""`hostwatch reload`: let the running watch take its changed configuration.

Nothing is lost on the way: no counter, no clock, no notice. When the new configuration is wrong, the
old one stays in force, and all mistakes are printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hostwatch.commands import add_config, how_far, says_why
from hostwatch.configuration.whereabouts import control_of
from hostwatch.control import ControlError, ask

RELOAD_WITHIN_S = 600.0
"""A hundred thousand devices in YAML, all of them new, on a slow machine."""

LOOK_EVERY_S = 0.5

HELP = "let the running watch take its changed configuration"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print the watch's answer as JSON")


@says_why(1)
def run(options: argparse.Namespace) -> int:
    """0 when the configuration is in force, 1 when it is not."""
    answer = _reload(_control(options.config), shown=sys.stderr.isatty() and not options.json)
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


def _reload(control: Path, *, shown: bool) -> dict[str, Any]:
    """Ask for the reload and wait for its end; on a terminal say meanwhile how far it is."""
    if not shown:
        return ask(control, "reload", within_s=RELOAD_WITHIN_S)
    from rich.console import Console
    from rich.markup import escape

    with ThreadPoolExecutor(1) as aside, Console(stderr=True).status("reading the configuration") as line:
        asked = aside.submit(ask, control, "reload", within_s=RELOAD_WITHIN_S)
        while True:
            try:
                return asked.result(timeout=LOOK_EVERY_S)
            except TimeoutError:
                line.update(escape(how_far(_loading(control))))


def _loading(control: Path) -> Mapping[str, Any]:
    try:
        return ask(control, "status", within_s=5).get("loading") or {}
    except ControlError:
        return {}


def _control(path: Path) -> Path:
    """Where the watch listens. A configuration that is otherwise wrong is the watch's to refuse."""
    known = control_of(path)
    if known is not None:
        return known
    from hostwatch.configuration.load import load

    return load(path, read_secrets=False).control
