"""Thirty devices of five customers behind one switch: it dies with all of them, and later one dies alone.

                              ┌── 10.77.50.10 … 15   c1
    watch ── LAN ── sw-1 ─────┼── 10.77.50.16 … 21   c2
             │      (snmpd:   …
             ups-a   its ports)── 10.77.50.34 … 39   c5

The switch is a machine of its own between the LAN and the devices; its agent tells of its ports. A UPS with
an agent of its own says that all have power, all the time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hostwatch.core import facts
from hostwatch.ports import snmp
from tests.lab.conftest import Lab, signal_of
from tests.lab.daemon import ROOT
from tests.lab.namespace import Namespace
from tests.lab.post import SMTP_PORT
from tests.lab.topology import GATEWAY
from tests.lab.waiting import until
from tests.ports import switch
from tests.power.test_snmp_ups import WELL
from tests.snmp.agents import COMMUNITY, override

pytestmark = pytest.mark.lab

SWITCH = "10.77.0.50"
UPS = "10.77.0.60"
CUSTOMERS = [f"c{number}" for number in range(1, 6)]
DEVICES = [f"srv-{number:02}" for number in range(1, 31)]
SWITCH_SIGNAL = "switch:sw-1/ping@main"

SITE = """\
site: {{name: Laboratory, timezone: Asia/Shanghai}}
store: sqlite:///hostwatch.db
mail: {{smtp: "smtp://127.0.0.1:{smtp}", from: noc@dc.example}}
log: {{format: json}}
schedule: {{interval: 1s}}
sight: ["{gateway}"]
power:
  interval: 4s
  sources: [{{id: card-a, snmp_ups: {{address: {ups}, community: {{file: community}}}}}}]
  utilities: [{{id: grid-1}}]
  ups: [{{id: ups-a, input: grid-1, source: card-a}}]
  panels: [{{id: panel-a, input: ups-a}}]
  feeds: [{{id: r1-a, panel: panel-a, rack: r1}}]
network:
  switches:
    - id: sw-1
      name: Row 1
      rack: r1
      address: {switch}
      interval: 1s
      ports: {{interval: 5s, snmp: {{address: {switch}, community: {{file: community}}}}}}
customers:
{customers}
"""


def customer(name: str, place: int) -> str:
    """A customer with six devices."""
    lines = [
        f"  - id: {name}",
        f"    name: Customer {name}",
        f"    contacts: [{{id: duty, name: Duty officer, channels: [email: ops@{name}.example]}}]",
        "    devices:",
    ]
    for number in range(6 * place + 1, 6 * place + 7):
        at = f"10.77.50.{9 + number}"
        lines.append(f'      - {{id: srv-{number:02}, address: {at}, rack: r1, ports: "sw-1/{number}"}}')
    return "\n".join(lines)


@contextmanager
def agent(machine: Namespace, home: Path, address: str, lines: list[str]) -> Iterator[None]:
    """net-snmp's agent on a machine of the laboratory."""
    home.mkdir()
    written = [f"agentAddress udp:{address}:161", f"rocommunity {COMMUNITY}", *lines]
    (home / "snmpd.conf").write_text("\n".join(written) + "\n")
    words = ["env", "MIBS=", f"SNMP_PERSISTENT_DIR={home}", "/usr/sbin/snmpd", "-f", "-C", "-r"]
    words += ["-c", str(home / "snmpd.conf"), "-Lf", str(home / "agent.log")]
    silent = subprocess.DEVNULL
    process = subprocess.Popen(
        machine.command("setpriv", "--pdeathsig", "KILL", *words), stdin=silent, stdout=silent, stderr=silent
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Room:
    """The switch, its devices and the UPS, on the laboratory's LAN."""

    def __init__(self, lab: Lab) -> None:
        self.switch, self.devices, self.ups = Namespace(), Namespace(), Namespace()
        for name, machine, address in (("sw", self.switch, SWITCH), ("ups", self.ups, UPS)):
            lab.net.switch.ip(
                f"link add {name} type veth peer name lan netns {machine.path}",
                f"link set {name} master lan up",
            )
            machine.ip("link set lan up", f"address add {address}/24 dev lan")
        self.switch.ip(
            f"link add row type veth peer name port netns {self.devices.path}",
            "link set row up",
            "address add 10.77.50.1/24 dev row",
        )
        self.switch.sysctl(ipv4__ip_forward=1, ipv4__icmp_ratelimit=0)
        hosts = [f"address add 10.77.50.{9 + number}/24 dev port" for number in range(1, 31)]
        self.devices.ip("link set port up", *hosts, "route add default via 10.77.50.1")
        lab.net.watch.ip(f"route add 10.77.50.0/24 via {SWITCH}")

    def close(self) -> None:
        for machine in (self.switch, self.devices, self.ups):
            machine.close()


@pytest.fixture
def room(lab: Lab) -> Iterator[Room]:
    """The watch has seen all of them, the power and the ports."""
    made = Room(lab)
    rows = {number: {**switch.port(number), snmp.NAME: str(number)} for number in range(1, 31)}
    try:
        with (
            agent(made.switch, lab.folder / "sw-1", SWITCH, switch.lines(rows)),
            agent(made.ups, lab.folder / "ups", UPS, override(WELL)),
        ):
            (lab.folder / "community").write_text(COMMUNITY)
            (lab.folder / "community").chmod(0o600)
            customers = "\n".join(customer(name, place) for place, name in enumerate(CUSTOMERS))
            text = SITE.format(
                smtp=SMTP_PORT, gateway=GATEWAY[4], ups=UPS, switch=SWITCH, customers=customers
            )
            (lab.folder / "hostwatch.yaml").write_text(text)
            lab.daemon.start()
            for signal in (*map(signal_of, DEVICES), SWITCH_SIGNAL, "supply:ups-a/power@main"):
                lab.daemon.said("device-proven", signal=signal)
            lab.daemon.said("port-seen", count=30)
            lab.daemon.looked("answered", 60)
            yield made
    finally:
        made.close()


def causes(lab: Lab) -> dict[str, tuple[str, str]]:
    """What was found last of each signal."""
    return {fact.signal: (fact.cause, fact.confidence) for fact in lab.daemon.facts(facts.CauseFound)}


def command(lab: Lab, *words: str) -> str:
    path = str(lab.folder / "hostwatch.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "hostwatch", words[0], "--config", path, *words[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_a_dead_switch_is_one_event_and_one_device_alone_is_its_customers(lab: Lab, room: Room) -> None:
    """
    0 s    30 devices of five customers answer; so do the switch and its ports, and all have power
    then   the switch is cut off: it and all 30 fall silent
    +2 s   one emergency, of the switch; each customer gets one notice, which lists its six devices
    then   30 outages are in the record, each with the cause: operator's network, certain
    then   the switch is back, and all with it: one recovery each
    then   one device alone falls silent: its port is up, it has power, 29 others answer
    then   the customer's equipment is proposed, with the port's witness
    """
    room.switch.ip("link set lan down")
    opened = lab.daemon.said("switch-emergency-opened")
    until("a mail for each customer", lambda: lab.post.mails[4:])
    for name in DEVICES:
        lab.daemon.said(
            "cause-found", signal=signal_of(name), cause="operator's network", confidence="certain"
        )
    lab.daemon.said("cause-found", signal=SWITCH_SIGNAL, cause="operator's network", confidence="certain")

    assert opened["customers"] == CUSTOMERS
    assert lab.daemon.facts(facts.EmergencyOpened) == []
    assert len(lab.post.mails) == 5
    told = {mail["To"]: mail.get_content() for mail in lab.post.mails}
    for place, name in enumerate(CUSTOMERS):
        (text,) = [content for to, content in told.items() if f"ops@{name}.example" in to]
        assert [one for one in DEVICES if one in text] == DEVICES[6 * place : 6 * place + 6], text

    room.switch.ip("link set lan up")
    lab.daemon.said("emergency-ended")
    for name in DEVICES:
        lab.daemon.said("came-up", signal=signal_of(name))
    until("a mail of the end for each customer", lambda: lab.post.mails[9:])
    silences = [fact for fact in lab.daemon.facts(facts.SilenceEnded) if fact.confirmed]
    assert {*map(signal_of, DEVICES)} <= {fact.signal for fact in silences}
    assert {found for signal, found in causes(lab).items()} == {("operator's network", "certain")}
    page = command(lab, "explain", opened["reference"])
    assert "switch sw-1, is over since" in page
    assert "cause by the rules: operator's network, certain (dead-switch)" in page
    assert "fell silent in the same moment" in page

    lab.daemon.looked("answered", 60)
    since = len(lab.daemon.events)
    alone = signal_of("srv-07")
    room.devices.ip("address del 10.77.50.16/24 dev port")
    lab.daemon.said("emergency-opened", since=since, device="srv-07")
    lab.daemon.said(
        "cause-found", since=since, signal=alone, cause="customer's equipment", confidence="likely"
    )
    until("a mail for its customer alone", lambda: lab.post.mails[10:])
    assert len(lab.post.mails) == 11, lab.daemon.log()
    assert "ops@c2.example" in lab.post.mails[10]["To"]
    (reference,) = [fact.reference for fact in lab.daemon.facts(facts.EmergencyOpened)]
    page = command(lab, "explain", reference)
    assert "cause by the rules: customer's equipment, likely (equipment)" in page
    assert "the port sw-1/7: up, since" in page
    assert "others behind the same switch: 29 of 29 answer" in page
    record = json.loads(command(lab, "explain", reference, "--json"))
    assert {one["slot"] for one in record["causes"][0]["evidence"]} == {
        *("gateway", "power", "port", "switch", "others")
    }
    assert lab.daemon.end() == 0
