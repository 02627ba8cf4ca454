"""`hostwatch check DEVICE [SERVICE]`: look now whether a device's services run, step by step.

The checks stand in the configuration; they are run by an unprivileged process of this command's own, so that
no watch need be running. Nothing is recorded. `--last` shows instead what the watch has kept of the last
answer and the last miss. `--kind KIND --to ADDRESS SETTINGS` tries out one check that stands nowhere, such as
`hostwatch check --kind tcp --to 127.0.0.1 '{port: 25, expect: "220 "}'`. Exit code 0 when everything ran, 1
when something was missed, 2 when we could not look.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from hostwatch import checks
from hostwatch.checkers import client, services
from hostwatch.checkers.client import Checkers, Gone
from hostwatch.checkers.protocol import WORDS_CHARS_MAX, Complaint, Found, Look, Order, Told
from hostwatch.checkers.services import Check, Service, combined
from hostwatch.checks.base import Finding, of_data, printable
from hostwatch.commands import Refused, add_config, says_why
from hostwatch.configuration import words
from hostwatch.configuration.load import load
from hostwatch.configuration.population import population_of
from hostwatch.configuration.secret import Places
from hostwatch.configuration.service import Check as WrittenCheck
from hostwatch.configuration.source import Reader as Source
from hostwatch.configuration.whereabouts import control_of, zone_of
from hostwatch.control import ask
from hostwatch.core import instant
from hostwatch.core.device import Device
from hostwatch.core.reading import Outcome
from hostwatch.services import Definitions
from hostwatch.store.reader import Reader

HELP = "look now whether a device's services run, step by step"

PATIENCE_S: Final = 5.0
"""How much longer than the check the answer of our own process may take."""

STYLES: Final = {Outcome.ANSWERED: "green", Outcome.MISSED: "bold red", Outcome.UNKNOWN: "yellow"}
MARKS: Final = {">": "cyan", "<": "", "*": "dim", "=": "magenta"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be looked at."""

    name: str
    """The device, or the address."""

    address: str
    services: tuple[Service, ...]
    folder: Path
    around: Mapping[str, Any]


class Run(NamedTuple):
    """A service that was looked at."""

    service: Service
    outcome: Outcome
    why: str
    findings: list[Finding]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "what", nargs="*", metavar="DEVICE [SERVICE]", help="a device, and one of its services; else all"
    )
    add_config(parser)
    parser.add_argument("--last", action="store_true", help="show what the watch saw last, and look not now")
    parser.add_argument(
        "--kind", choices=checks.kinds(), metavar="KIND", help=f"try one check: {', '.join(checks.kinds())}"
    )
    parser.add_argument("--to", metavar="ADDRESS", help="with --kind: the address of the device")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


@says_why(2)
def run(options: argparse.Namespace) -> int:
    """0: everything ran, 1: something was missed, 2: we could not look."""
    try:
        if options.last:
            return _last(options)
        plan = _single(options) if options.kind else _planned(options)
        runs = asyncio.run(_looked(plan, _Shown(quiet=options.json)))
    except Gone as gone:
        print(f"the process that checks is gone: {gone}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(_plain(plan, runs), ensure_ascii=False))
    outcomes = {one.outcome for one in runs}
    return 2 if Outcome.UNKNOWN in outcomes else int(Outcome.MISSED in outcomes)


def _single(options: argparse.Namespace) -> Plan:
    """One check, as it is typed. The outbound policy is that of the configuration, if there is one."""
    if len(options.what) > 1 or options.to is None:
        raise Refused("write --kind KIND --to ADDRESS and the settings as one word, such as '{port: 25}'")
    try:
        address = str(ip_address(options.to.partition("%")[0])) and options.to
    except ValueError:
        raise Refused(f"{options.to!r} is not an IP address; names may stand in the settings") from None
    around: Mapping[str, Any] = {}
    if options.config.exists():
        around = load(options.config, read_secrets=False).configuration.checks.model_dump(mode="json")
    check = _typed(options.kind, options.what[0] if options.what else "{}")
    return Plan(
        name=address,
        address=address,
        services=(Service(options.kind, (check,)),),
        folder=Path.cwd(),
        around=around,
    )


def _typed(kind: str, text: str) -> Check:
    source = Source()
    node = source.read("the settings", f"{kind}:\n{textwrap.indent(text, '  ')}\n".encode())
    if node is None or source.mistakes:
        raise Refused("\n".join(str(mistake) for mistake in source.mistakes))
    try:
        check = WrittenCheck.model_validate(node.plain(), context=Places(folder=Path.cwd()))
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise Refused("\n".join(f"{_where(one['loc'])}: {words.explain(one)}" for one in found)) from None
    return Check(check.kind, check.settings)


def _where(steps: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in steps) or "the settings"


def _planned(options: argparse.Namespace) -> Plan:
    """The services of a device, or one of them."""
    if not 1 <= len(options.what) <= 2:
        raise Refused("write the name of a device, and of one of its services if only that is meant")
    name, *wanted = options.what
    loaded = load(options.config)
    configuration = loaded.configuration
    device = population_of(configuration).devices.get(name)
    if device is None and loaded.inventories:
        device = _recorded(loaded.store, name)
    if device is None:
        raise Refused(f"{name!r} is not a device of {options.config}, nor in the record")
    definitions = Definitions(configuration, b"of this command")
    found = [
        (service.name, definitions.of_device(device, service.name))
        for service in device.services
        if not wanted or service.name in wanted
    ]
    if not found:
        have = ", ".join(service.name for service in device.services) or "none"
        raise Refused(f"{name} has no service {' '.join(wanted)}".rstrip() + f": it has {have}")
    for service, definition in found:
        if definition is None:
            raise Refused(
                f"what the service {service} of {name} is made of does not stand in {options.config}"
            )
    return Plan(
        name=name,
        address=device.address,
        services=tuple(definition.service for _, definition in found if definition is not None),
        folder=loaded.folder,
        around=configuration.checks.model_dump(mode="json"),
    )


def _recorded(store: Path, name: str) -> Device | None:
    with Reader(store) as reader:
        return reader.world().population.devices.get(name)


async def _looked(plan: Plan, shown: _Shown) -> list[Run]:
    """All of it, one check after another, so that each can be read. Raises `Gone`."""
    checkers = await client.start(plan.folder, plan.around)
    runs, number = [], 0
    try:
        shown.say(f"{plan.name}" + (f" ({plan.address})" if plan.name != plan.address else ""), "bold")
        for service in plan.services:
            findings = []
            for place, check in enumerate(service.checks):
                shown.begin(service, place)
                number += 1
                findings.append(await _one(checkers, number, plan.address, check, shown))
                shown.end(findings[-1])
            outcome, why = combined(service.require, findings)
            runs.append(Run(service, outcome, why, findings))
            shown.verdict(runs[-1])
    finally:
        await checkers.close()
    return runs


async def _one(checkers: Checkers, number: int, address: str, check: Check, shown: _Shown) -> Finding:
    """One check now."""
    alone = Service(check.kind, (check,))
    checkers.send(services.defined(str(number), alone))
    checkers.send(Look(orders=(Order(number, str(number), address, 0, 60_000_000),), aloud=True))
    try:
        async with asyncio.timeout(alone.longest.total_seconds() + PATIENCE_S):
            while True:
                match await checkers.receive():
                    case Told() as told:
                        shown.told(told.at_us, told.who, told.text)
                    case Complaint(why=why):
                        shown.say(printable(why, WORDS_CHARS_MAX), "yellow")
                    case Found() as found:
                        return _finding(found, check.kind)
    except TimeoutError:
        raise Gone("it does not answer") from None


def _finding(found: Found, kind: str) -> Finding:
    try:
        return of_data(json.loads(found.checks[0].finding))
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return Finding(kind=kind, outcome=Outcome.UNKNOWN, why=printable(found.why or "no finding came", 200))


class _Shown:
    """What a person sees of it, as it happens."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(quiet=quiet, highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))

    def begin(self, service: Service, place: int) -> None:
        check, many = service.checks[place], len(service.checks)
        which = f", check {place + 1} of {many}" if many > 1 else ""
        self.say(f"\n{service.name}{which}: {check.kind}", "bold")
        if check.settings.intrudes:
            self.say(f"  {check.settings.intrudes}, by {check.settings.authorisation}", "dim")

    def told(self, at_us: int, who: str, text: str) -> None:
        """A line of a transcript, or a step with its time."""
        if who == "=":
            step, _, took_us = text.rpartition(" ")
            text = f"{step} took {_ms(int(took_us))}" if took_us.isdigit() else text
        line = f"{_ms(at_us):>12}  {who} {printable(text, WORDS_CHARS_MAX)}"
        self.say(line, MARKS.get(who, ""))

    def end(self, finding: Finding) -> None:
        self.say(f"  {finding.outcome.value} after {_ms(finding.took_us)}", STYLES[finding.outcome])
        if finding.sentence:
            self.say(f"  {finding.sentence}", STYLES[finding.outcome])
        for what, text in (("expected", finding.expected), ("came", finding.came)):
            if text:
                self.say(f"  {what}: {text}")
        for note in finding.notes:
            self.say(f"  note: {note}")

    def verdict(self, run: Run) -> None:
        many = len(run.service.checks)
        rule = f" ({run.service.require} of {many} checks must run)" if many > 1 else ""
        word = {Outcome.ANSWERED: "runs", Outcome.MISSED: "does not run", Outcome.UNKNOWN: "is unknown"}
        why = f": {run.why}" if run.why else ""
        self.say(f"\n{run.service.name} {word[run.outcome]}{rule}{why}", STYLES[run.outcome])

    def kept(self, one: Mapping[str, Any], finding: Finding, zone: tzinfo) -> None:
        """A finding that the watch has kept."""
        title = f"{one['signal']}, check {one['check'] + 1}: {finding.kind}, last {finding.outcome.value}"
        at = instant.from_rfc3339(str(one["at"])).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")
        self.say(printable(f"{title} {at}", WORDS_CHARS_MAX), "bold")
        for said in finding.transcript:
            self.told(*said)
        for phase in finding.phases:
            self.say(f"  {phase.step} took {_ms(phase.took_us)}", MARKS["="])
        self.end(finding)
        self.say("")


def _ms(us: int) -> str:
    return f"{us / 1000:,.1f} ms"


def _last(options: argparse.Namespace) -> int:
    """What the watch has kept. 0: the last look at each check answered, 1: one missed, 2: nothing is kept."""
    if not 1 <= len(options.what) <= 2 or options.kind:
        raise Refused("write the name of a device, and of one of its services if only that is meant")
    device, *wanted = options.what
    control = control_of(options.config) or load(options.config, read_secrets=False).control
    found = ask(control, "last", device=device).get("findings", [])
    kept = [one for one in found if not wanted or one["signal"].startswith(f"{device}/{wanted[0]}@")]
    if options.json:
        print(json.dumps({"device": device, "findings": kept}, ensure_ascii=False))
    elif not kept:
        print(f"nothing is kept of {' '.join(options.what)}: nobody has looked yet", file=sys.stderr)
    shown, zone = _Shown(quiet=options.json), zone_of(options.config) or UTC
    for one in kept:
        shown.kept(one, of_data(one["finding"]), zone)
    return _code(kept)


def _code(kept: Sequence[Mapping[str, Any]]) -> int:
    latest = {(one["signal"], one["check"]): one for one in sorted(kept, key=lambda one: str(one["at"]))}
    outcomes = {one["outcome"] for one in latest.values()}
    if not outcomes or Outcome.UNKNOWN in outcomes:
        return 2
    return int(Outcome.MISSED in outcomes)


def _plain(plan: Plan, runs: Sequence[Run]) -> dict[str, Any]:
    return {
        "device": plan.name,
        "address": plan.address,
        "services": [
            {
                "service": run.service.name,
                "require": run.service.require,
                "outcome": run.outcome.value,
                "why": run.why or None,
                "checks": [finding.as_data() for finding in run.findings],
            }
            for run in runs
        ],
    }
