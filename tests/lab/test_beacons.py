"""A gateway forwards and drops pings, our own link is cut, the carrier dies: which of them makes us blind."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from hostwatch.core import facts
from hostwatch.core.fact import Fact
from tests.lab.conftest import Lab, signal_of
from tests.lab.daemon import ROOT
from tests.lab.topology import GATEWAY, Device, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

INSIDE = ("device-1", "device-2")
CARRIER: Device = "device-3"
"""Behind the router: it stands for the world outside, with three beacons and three reference points."""

REFERENCES = [address(CARRIER, 4, host) for host in (11, 12, 13)]
BEACONS = [address(CARRIER, 4, host) for host in (14, 15, 16)]
UPLINK = "uplink:chinanet/reach@main"
NO_PINGS = f"""
add table inet lab
add chain inet lab in {{ type filter hook input priority 0; }}
add rule inet lab in ip daddr {GATEWAY[4]} icmp type echo-request drop
"""
SHORT_FORM = f'sight: ["{GATEWAY[4]}", "{GATEWAY[6]}"]\n'


def watched(lab: Lab, sight: str) -> None:
    """Two devices inside, and the carrier's uplink, until each has shown that it can answer."""
    lab.configure({name: address(name) for name in INSIDE})
    path = lab.folder / "hostwatch.yaml"
    text = path.read_text()
    assert SHORT_FORM in text
    references = ", ".join(REFERENCES)
    uplinks = f"uplinks: [{{id: chinanet, name: ChinaNet, references: [{references}]}}]\n"
    path.write_text(text.replace(SHORT_FORM, f"sight: {sight}\n{uplinks}"))
    lab.daemon.start()
    lab.proven()
    lab.daemon.said("device-proven", signal=UPLINK)


def spare(lab: Lab, of: str, count: int) -> None:
    """Wait until a call of the roll has found so many to spare."""
    until(
        f"{count} {of} to spare",
        lambda: lab.daemon.figure("hostwatch_sight_spare", of=f"IPv4 {of}") == count,
    )


def asked(lab: Lab, command: str) -> tuple[int, Any]:
    """What a command answers on hostwatch's machine."""
    words = [command, "--json", "--config", str(lab.folder / "hostwatch.yaml")]
    done = subprocess.run(
        lab.net.watch.command(sys.executable, "-m", "hostwatch", *words),
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def emergencies(lab: Lab) -> list[Fact]:
    return [*lab.daemon.facts(facts.EmergencyOpened), *lab.daemon.facts(facts.UplinkEmergencyOpened)]


def test_beacons_tell_a_gateway_that_drops_pings_from_a_link_that_is_cut(lab: Lab) -> None:
    """
    0 s    two devices, the gateway and three beacons answer
    then   the gateway drops pings and forwards: people are warned, and we see by the beacons
    then   device-2's cable is pulled: two misses in a row are judged, and its customer is told; it is back
    then   our link to the gateway is cut: blind, unknown, and nobody is blamed
    then   the link is back: we see by the beacons again; nobody was silent meanwhile
    """
    watched(lab, f"{{gateways: ['{GATEWAY[4]}'], beacons: [{', '.join(BEACONS)}]}}")
    spare(lab, "beacons", 1)

    lab.net.router.nft(NO_PINGS)
    spare(lab, "gateways", -1)
    _check_what_people_see(lab)
    lab.net.cut("device-2")
    lab.daemon.said("went-down", signal=signal_of("device-2"))
    until("the mail of the emergency", lambda: lab.post.mails)
    lab.net.restore("device-2")
    lab.daemon.said("came-up", signal=signal_of("device-2"))
    assert lab.daemon.facts(facts.BlindBegan, why="sight") == []
    (down,) = lab.daemon.facts(facts.WentDown)
    assert (down.signal, down.misses) == (signal_of("device-2"), 2)

    lab.net.router.ip("link set lan down")
    lab.daemon.said("blind-began", why="sight")
    lab.daemon.looked("unknown", 3 * (len(INSIDE) + len(REFERENCES)))
    lab.net.router.ip("link set lan up")
    lab.daemon.said("blind-ended", why="sight")
    lab.daemon.looked("answered", 2 * (len(INSIDE) + len(REFERENCES)))

    (began,) = lab.daemon.facts(facts.BlindBegan, why="sight")
    *silent, counted = began.detail.split("; ")
    assert {one.split(": ")[0] for one in silent} == {GATEWAY[4], *BEACONS}
    assert counted == "IPv4: 0 of 1 gateways answered, 1 must, 0 of 3 beacons answered, 2 must"
    assert len(emergencies(lab)) == 1
    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)} == {signal_of("device-2")}


def _check_what_people_see(lab: Lab) -> None:
    """Doctor and status name the gateway that is silent, and that the beacons are enough."""
    code, found = asked(lab, "doctor")
    parts = {one["part"]: one for one in found}
    counts = "0 of 1 gateways answered, 1 must, 3 of 3 beacons answered, 2 must"
    assert code == 1, found
    assert parts["own gateways"]["state"] == "look"
    assert parts["own gateways"]["said"] == f"{GATEWAY[4]}: no answer"
    assert parts["beacons"]["said"] == ", ".join(f"{beacon}: answers" for beacon in BEACONS)
    assert (parts["sight over IPv4"]["state"], parts["sight over IPv4"]["said"]) == ("good", counts)
    code, status = asked(lab, "status")
    assert (code, status["blind"]) == (0, [])
    assert f"sight over IPv4: {GATEWAY[4]} silent; {counts}" in status["watch"]["warnings"]


def test_silent_beacons_behind_a_living_gateway_are_an_outage_of_the_carrier(lab: Lab) -> None:
    """
    0 s    two devices, the gateway and three beacons answer
    then   the carrier dies behind the gateway: beacons and references are silent, the uplink is down
    then   device-2's cable is pulled: its misses are judged: the gateway shows that we see
    then   we were never blind
    """
    watched(lab, f"{{gateways: ['{GATEWAY[4]}'], beacons: [{', '.join(BEACONS)}]}}")

    lab.net.cut(CARRIER)
    lab.daemon.said("went-down", signal=UPLINK)
    spare(lab, "beacons", -2)
    lab.net.cut("device-2")
    lab.daemon.said("went-down", signal=signal_of("device-2"))

    assert [type(fact) for fact in emergencies(lab)] == [facts.EmergencyOpened, facts.UplinkEmergencyOpened]
    assert lab.daemon.facts(facts.BlindBegan, why="sight") == []


def test_without_a_gateway_silent_beacons_make_us_blind(lab: Lab) -> None:
    """
    0 s    two devices and three beacons answer; no gateway is named
    then   the carrier dies: nobody can tell that from a cut of our own link: blind, and the uplink is unknown
    then   it is back: we see
    """
    watched(lab, f"{{beacons: [{', '.join(BEACONS)}]}}")

    lab.net.cut(CARRIER)
    lab.daemon.said("blind-began", why="sight")
    lab.daemon.looked("unknown", 3 * len(REFERENCES))
    lab.net.restore(CARRIER)
    lab.daemon.said("blind-ended", why="sight")
    lab.daemon.looked("answered", 2 * (len(INSIDE) + len(REFERENCES)))

    assert lab.daemon.facts(facts.SilenceBegan) == []
    assert emergencies(lab) == []
    assert lab.daemon.facts(facts.Unspoken, signal=UPLINK)
