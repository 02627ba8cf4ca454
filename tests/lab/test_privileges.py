"""Without privileges hostwatch pings through ping sockets if it may, and else says what to do."""

from __future__ import annotations

import os

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.topology import DEVICES, address

pytestmark = pytest.mark.lab

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs")
WITHOUT = (*AS_NOBODY, "--inh-caps=-all", "--bounding-set=-all")
WITH_NET_RAW = (*AS_NOBODY, "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw")
ALL_GROUPS = "0\t2147483647"
NO_GROUP = "1\t0"


@pytest.mark.parametrize(
    ("before", "groups", "mode"),
    [
        pytest.param(WITHOUT, ALL_GROUPS, "ping socket", id="no capability, ping sockets allowed"),
        pytest.param(WITH_NET_RAW, NO_GROUP, "raw", id="CAP_NET_RAW alone"),
    ],
)
def test_nobody_watches_as_well_as_root(lab: Lab, before: tuple[str, ...], groups: str, mode: str) -> None:
    """
    0 s    hostwatch runs as nobody, says how it pings, and all devices answer, over IPv4 and IPv6
    then   device-2's cable is pulled: down over both; plugged in: up over both
    then   its own input is dropped: blind, and nobody is blamed
    """
    pulled = {"device-2", "device-2-six"}
    _prepare(lab, groups)
    assert lab.daemon.start(*before)["icmp"] == mode
    lab.proven()

    lab.net.cut("device-2")
    lab.daemon.said("went-down", count=2)
    lab.net.restore("device-2")
    lab.daemon.said("came-up", count=2)
    lab.net.watch.nft("""
        add table inet lab
        add chain inet lab in { type filter hook input priority 0; }
        add rule inet lab in iifname lan drop
    """)
    lab.daemon.said("blind-began", why="sight")
    lab.daemon.looked("unknown", 6 * len(DEVICES))

    silent = {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)}
    assert silent == {signal_of(name) for name in pulled}
    assert lab.daemon.end() == 0


def test_without_any_permission_it_ends_and_says_what_to_do(lab: Lab) -> None:
    """No capability, and no group may open ping sockets: exit 1, and one event with both remedies."""
    _prepare(lab, NO_GROUP)
    lab.daemon.launch(*WITHOUT)
    assert lab.daemon.ended() == 1
    (stopped,) = lab.daemon.heard("stopped", level="error")
    assert stopped["error"] == (
        "cannot open an ICMP socket: give the process CAP_NET_RAW (run it as root, by systemd, or with sudo),"
        " or allow ping sockets with: sysctl -w net.ipv4.ping_group_range='0 2147483647'"
    )
    assert lab.daemon.heard("watching") == []


def _prepare(lab: Lab, groups: str) -> None:
    lab.net.watch.sysctl(ipv4__ping_group_range=groups)
    both = {name: address(name) for name in DEVICES} | {f"{name}-six": address(name, 6) for name in DEVICES}
    lab.configure(both)
    os.chown(lab.folder, NOBODY, NOBODY)
    os.chown(lab.folder / "hostwatch.yaml", NOBODY, NOBODY)
