"""`hostwatch doctor`: what this machine allows the watch, and how well it sees from here.

Looks at the permission to ping, buffers, own gateways, beacons, canaries, routes, the clock and, if one runs,
the watch. Pings nobody but loopback and what `sight:` and `silent:` name; changes nothing. Exit code 0 when
all is well, 1 when something should be looked at, 2 when a watch could not see from here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hostwatch import canary, sieve
from hostwatch.carrier import Carrier, addresses_6
from hostwatch.clock import Clock, SystemClock
from hostwatch.commands import add_config, says_why
from hostwatch.configuration.load import Loaded, load
from hostwatch.control import ControlError, ask
from hostwatch.core.quality import GRADES_US, Keeping
from hostwatch.core.seeing import tally
from hostwatch.directory import packet, site_manner
from hostwatch.echo import RECEIVE_BUFFER_BYTES, EchoSocket, NoPermission, Outlet, SendFault
from hostwatch.icmp import IcmpPinger
from hostwatch.lag import STOOD_MIN_S
from hostwatch.outlets import outlets_of
from hostwatch.rollcall import Roll
from hostwatch.routes import default_links
from hostwatch.sight import Sight

HELP = "show what this machine allows the watch, and how well it sees from here"
_ANYBODY = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Somebody beyond all links of ours; nothing is sent."""

_RMEM_MAX = Path("/proc/sys/net/core/rmem_max")


POINT_SILENT = "look why it is silent; if it never answers pings, write others at sight:"


class State(IntEnum):
    """How good a finding is; the worst one is the exit code."""

    GOOD = 0
    LOOK = 1
    BAD = 2


COLOURS = {State.GOOD: "green", State.LOOK: "yellow", State.BAD: "red"}


class Finding(NamedTuple):
    """One thing that was looked at."""

    part: str
    state: State
    said: str
    advice: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


@says_why(State.BAD)
def run(options: argparse.Namespace) -> int:
    """0: all is well, 1: something should be looked at, 2: a watch could not see from here."""
    loaded = load(options.config, read_secrets=False)
    findings = asyncio.run(examine(loaded, SystemClock()))
    if options.json:
        print(json.dumps([_plain(finding) for finding in findings], ensure_ascii=False))
    else:
        _show(findings)
    return max(finding.state for finding in findings)


async def examine(loaded: Loaded, clock: Clock) -> list[Finding]:
    """Everything that is looked at, in the order of how a packet leaves and comes back."""
    families = [4, 6] if "::1" in {address for _, address in addresses_6()} else [4]
    findings = [*_sockets(families), *_packets(loaded, families, clock), *_links(clock)]
    if all(finding.state is not State.BAD for finding in findings):
        findings += await _sight(loaded, clock, families)
    return [*findings, _clock(clock), *_watch(loaded)]


def _sockets(families: Iterable[int]) -> Iterator[Finding]:
    """The kind of socket for each family that this machine has, and what its buffer takes."""
    for version in families:
        part = f"ping over IPv{version}"
        try:
            sock = EchoSocket(Outlet(version), os.urandom(sieve.MARK_BYTES))
        except NoPermission as error:
            yield Finding(part, State.BAD, "not allowed", str(error))
            continue
        try:
            yield Finding(part, State.GOOD, "raw socket" if sock.raw else "ping socket, without privileges")
            yield _buffer(version, sock)
        finally:
            sock.close()


def _packets(loaded: Loaded, families: Iterable[int], clock: Clock) -> Iterator[Finding]:
    """By what packets leave, if `packets` says so, and whether we have it."""
    sent = packet(loaded.configuration)
    anybody = [_ANYBODY[version] for version in families]
    for version, outlet in zip(families, outlets_of(sent, anybody), strict=True):
        if not outlet.source and not outlet.interface:
            continue
        said = " ".join(
            [f"from {outlet.source or 'the address that the kernel chooses'}"]
            + [f"by {outlet.interface}"] * bool(outlet.interface)
        )
        try:
            EchoSocket(outlet, os.urandom(sieve.MARK_BYTES)).close()
            fault = Carrier(clock).link_fault(outlet.interface) if outlet.interface else ""
        except (SendFault, NoPermission) as error:
            fault = str(error)
        state = State.BAD if fault else State.GOOD
        advice = "put right packets.source and packets.interface" if fault else ""
        yield Finding(
            f"packets over IPv{version}", state, f"leave {said}" + (f": {fault}" if fault else ""), advice
        )


def _buffer(version: int, sock: EchoSocket) -> Finding:
    part, said = f"receive buffer over IPv{version}", f"holds {sock.holds:,} replies"
    if not sock.is_short:
        return Finding(part, State.GOOD, said)
    allowed = _RMEM_MAX.read_text(encoding="ascii").strip() if _RMEM_MAX.exists() else "less"
    return Finding(
        part,
        State.LOOK,
        f"{said}: net.core.rmem_max is {allowed}",
        f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES}",
    )


def _links(clock: Clock) -> Iterator[Finding]:
    """By which links packets leave, and whether something is at their other end."""
    carrier = Carrier(clock)
    links = default_links()
    for link, versions in links.items():
        fault = carrier.link_fault(link)
        ways = " and ".join(f"IPv{version}" for version in versions)
        state = State.LOOK if fault else State.GOOD
        yield Finding(f"link {link}", state, f"default route of {ways}" + (f": {fault}" if fault else ""))
    if not links:
        yield Finding("default route", State.LOOK, "none", "only targets on links of our own can be reached")


async def _sight(loaded: Loaded, clock: Clock, families: Sequence[int]) -> list[Finding]:
    """What our own gateways and the canaries say."""
    configuration = loaded.configuration
    pinger = IcmpPinger(clock)
    sight = Sight(
        configuration.sight.points,
        pinger,
        clock,
        site_manner(configuration),
        timedelta(seconds=5),
        [str(address) for address in configuration.silent],
    )
    sight.use(*families)
    try:
        glance, roll, _ = await asyncio.gather(sight.glance(), sight.call_roll(), sight.look_for_lies())
    finally:
        await pinger.close()
    findings = [*_points(roll)]
    findings += [_loopback(version, version in glance.heard) for version in families]
    lies = "; ".join(sight.lies())
    advice = "somebody on the way answers for others, or our matching is wrong: nothing can be believed"
    state = State.BAD if lies else State.GOOD
    findings.append(
        Finding("decoys", state, lies or "nothing is taken for an answer", advice if lies else "")
    )
    return findings


def _points(roll: Roll) -> Iterator[Finding]:
    """Each reference point of sight, and whether their quorums are met."""
    points, silent = roll.points, roll.silent()
    if not points.addresses:
        advice = (
            "write the address of your own gateway at sight:, else a fault of our own link blames devices"
        )
        yield Finding("own gateways", State.LOOK, "none configured", advice)
    for part, addresses in (("own gateways", points.gateways), ("beacons", points.beacons)):
        if addresses:
            said = ", ".join(f"{one}: {silent.get(one, 'answers')}" for one in addresses)
            is_well = silent.keys().isdisjoint(addresses)
            yield Finding(part, State.GOOD if is_well else State.LOOK, said, "" if is_well else POINT_SILENT)
    for version in sorted(points.families):
        is_seen = points.is_seen(version, roll.heard)
        said = tally(points.quorums(version), roll.heard)
        state, advice = (State.GOOD, "") if is_seen else (State.BAD, "we are blind: look at our own link")
        yield Finding(f"sight over IPv{version}", state, said, advice)


def _loopback(version: int, heard: bool) -> Finding:
    part = f"loopback over IPv{version}"
    if canary.is_deaf_by_order(version):
        said = "this machine is told to answer no echo request: our own sockets cannot be tested"
        setting = "ipv4.icmp_echo_ignore_all" if version == 4 else "ipv6.icmp.echo_ignore_all"
        return Finding(part, State.LOOK, said, f"sysctl -w net.{setting}=0")
    if heard:
        return Finding(part, State.GOOD, "answers through our own sockets")
    return Finding(part, State.BAD, "silent", "let the firewall of this machine pass ICMP on lo")


def _clock(clock: Clock) -> Finding:
    found = clock.quality()
    if found.keeping is Keeping.NOT_KNOWN:
        return Finding(
            "clock", State.LOOK, "not known whether somebody keeps it: the kernel does not tell us"
        )
    if found.keeping is Keeping.UNSYNCHRONISED:
        return Finding("clock", State.LOOK, "not synchronised", "run chrony or systemd-timesyncd")
    said = (
        f"synchronised, estimated error {found.estimated_us / 1e6:g} s, at most {found.maximum_us / 1e6:g} s"
    )
    return Finding("clock", State.LOOK if found.estimated_us >= GRADES_US[0] else State.GOOD, said)


def _watch(loaded: Loaded) -> Iterator[Finding]:
    """The watch that runs, if one does: how late its loop is, and whether it is well."""
    try:
        said = ask(loaded.control, "status", within_s=5)
    except ControlError as error:
        yield Finding("watch", State.LOOK, str(error))
        return
    troubles = [*said.get("troubles", ()), *said.get("warnings", ())]
    state = State.LOOK if troubles else State.GOOD
    yield Finding("watch", state, "; ".join(troubles) or f"runs and is well (process {said['process']})")
    if (lag_ms := said.get("loop_lag_ms")) is not None:
        late = State.LOOK if lag_ms >= STOOD_MIN_S * 1000 else State.GOOD
        yield Finding("loop lag", late, f"at most {lag_ms} ms since the last scrape")


def _plain(finding: Finding) -> dict[str, str | None]:
    return {
        "part": finding.part,
        "state": finding.state.name.lower(),
        "said": finding.said,
        "advice": finding.advice or None,
    }


def _show(findings: list[Finding]) -> None:
    table = Table("part", "state", "what was seen", "what to do")
    for one in findings:
        state = f"[{COLOURS[one.state]}]{one.state.name.lower()}"
        table.add_row(escape(one.part), state, escape(one.said), escape(one.advice))
    Console().print(table)
