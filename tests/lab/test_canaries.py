"""Somebody answers for the dead, or our own sockets hear nothing: meanwhile nothing is believed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.daemon import ROOT
from tests.lab.topology import DEVICES, address

pytestmark = pytest.mark.lab

NOBODY = address("device-1", host=200)
DEAF = """
add table inet lab
add chain inet lab in { type filter hook input priority 0; }
add rule inet lab in iifname lo icmp type echo-reply drop
"""


def watch(lab: Lab) -> None:
    """Three devices, and an address behind the router at which there is nobody."""
    lab.configure({name: address(name) for name in DEVICES})
    path = lab.folder / "hostwatch.yaml"
    path.write_text(f"silent: [{NOBODY}]\n{path.read_text()}")
    lab.daemon.start()
    lab.proven()


def doctor(lab: Lab) -> tuple[int, dict[str, Any]]:
    """What the doctor finds on hostwatch's machine."""
    words = ["doctor", "--json", "--config", str(lab.folder / "hostwatch.yaml")]
    done = subprocess.run(
        lab.net.watch.command(sys.executable, "-m", "hostwatch", *words),
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode, {one["part"]: one for one in json.loads(done.stdout)}


def test_who_answers_for_the_dead_is_not_believed(lab: Lab) -> None:
    """
    0 s    all devices answer
    then   somebody takes the address at which there is nobody, and answers: blind, and all looks are UNKNOWN
    then   meanwhile device-2's cable is pulled: nothing is said of it
    then   nobody answers there any more: sight returns, and device-2 is down after two misses
    """
    watch(lab)
    lab.net.devices["device-1"].ip(f"address add {NOBODY}/24 dev port")
    began = lab.daemon.said("blind-began", why="forged")
    assert NOBODY in began["detail"]
    code, found = doctor(lab)
    assert (code, found["decoys"]["state"]) == (2, "bad")
    answered = lab.daemon.readings("answered")
    lab.daemon.looked("unknown", 2 * len(DEVICES))
    lab.net.cut("device-2")
    lab.daemon.looked("unknown", 3 * len(DEVICES))
    assert lab.daemon.readings("answered") <= answered + len(DEVICES)
    assert lab.daemon.facts(facts.SilenceBegan) == []

    lab.net.devices["device-1"].ip(f"address del {NOBODY}/24 dev port")
    lab.daemon.said("blind-ended", why="forged")
    lab.daemon.said("went-down")
    (down,) = lab.daemon.facts(facts.WentDown)
    assert down.signal == signal_of("device-2")


def test_when_our_own_loopback_is_silent_no_device_is_blamed(lab: Lab) -> None:
    """
    0 s    all devices answer
    then   our own firewall drops what loopback answers: blind; device-2's cable is pulled: nobody is blamed
    then   loopback answers again: device-2 is down, and nobody else
    """
    watch(lab)
    code, found = doctor(lab)
    assert code < 2, found
    assert found["own gateways"]["state"] == found["decoys"]["state"] == "good"
    assert found["link lan"] == {
        "part": "link lan", "state": "good", "said": "default route of IPv4 and IPv6", "advice": None
    }  # fmt: skip
    assert "process" in found["watch"]["said"] or "clock" in found["watch"]["said"]
    assert re.fullmatch(r"at most \d+ ms since the last scrape", found["loop lag"]["said"])
    lab.net.watch.nft(DEAF)
    lab.daemon.said("blind-began", why="loopback")
    code, found = doctor(lab)
    assert (code, found["loopback over IPv4"]["state"]) == (2, "bad")
    assert found["loopback over IPv6"]["state"] == "good"
    lab.net.cut("device-2")
    lab.daemon.looked("unknown", 3)
    assert lab.daemon.facts(facts.SilenceBegan) == []

    lab.net.watch.nft("delete table inet lab")
    lab.daemon.said("blind-ended", why="loopback")
    lab.daemon.said("went-down")
    assert {fact.signal for fact in lab.daemon.facts(facts.WentDown)} == {signal_of("device-2")}


def test_a_machine_that_may_not_ping_is_told_so(lab: Lab) -> None:
    lab.configure({"device-1": address("device-1")})
    words = ["doctor", "--config", str(lab.folder / "hostwatch.yaml")]
    less = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"]
    done = subprocess.run(
        lab.net.watch.command(*less, sys.executable, "-m", "hostwatch", *words),
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert done.returncode == 2, done.stderr
    assert "not allowed" in done.stdout
    assert "Traceback" not in done.stderr
