"""The path to a device behind a router: whole, broken, and kept as evidence when somebody falls silent."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.test_privileges import ALL_GROUPS, NO_GROUP, WITH_NET_RAW, WITHOUT
from tests.lab.topology import GATEWAY, address

pytestmark = pytest.mark.lab

FAMILIES = pytest.mark.parametrize("family", [4, 6])
HOSTS = range(101, 151)
MUTE = """
    add table inet lab
    add chain inet lab in { type filter hook input priority 0; }
    add rule inet lab in icmp type echo-request drop
    add rule inet lab in icmpv6 type echo-request drop
"""


def shown(lab: Lab, *words: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
    """How a command of hostwatch ended, and what it printed."""
    done = subprocess.run(
        lab.net.watch.command(*before, sys.executable, "-m", "hostwatch", *words),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def path(lab: Lab, target: str, *before: str) -> tuple[int, dict[str, Any]]:
    """`hostwatch path --json`."""
    code, text = shown(lab, "path", target, "--json", before=before)
    seen: dict[str, Any] = json.loads(text)
    return code, seen


@FAMILIES
@pytest.mark.parametrize("before", [(), WITHOUT], ids=["raw", "ping socket"])
def test_the_path_shows_each_hop_and_where_it_breaks(lab: Lab, family: int, before: tuple[str, ...]) -> None:
    """
    first  the router, then the device: the path is whole
    then   the device drops requests: it breaks after the router
    then   its cable is pulled: the router says so
    """
    lab.net.watch.sysctl(ipv4__ping_group_range=ALL_GROUPS if before else NO_GROUP)
    target, router = address("device-1", family), GATEWAY[family]

    code, whole = path(lab, target, *before)
    assert (code, whole["ending"], whole["hop"]) == (0, "reached", 2)
    assert [(hop["hop"], hop["address"], hop["outcome"]) for hop in whole["hops"]] == [
        (1, router, "missed"),
        (2, target, "answered"),
    ]
    assert [hop["said"] for hop in whole["hops"]] == ["time exceeded", None]
    assert all(0 < hop["rtt_us"] < 900_000 for hop in whole["hops"])

    lab.net.devices["device-1"].nft(MUTE)
    code, broken = path(lab, target, *before)
    assert (code, broken["ending"], broken["hop"], broken["router"]) == (1, "broken", 1, router)
    assert broken["sentence"] == f"The path breaks after hop 1, {router}: nobody answers beyond."

    lab.net.cut("device-1")
    code, refused = path(lab, target, *before)
    assert (code, refused["ending"], refused["router"]) == (1, "refused", router)
    assert refused["said"] == "network unreachable"


def test_the_table_is_for_eyes(lab: Lab) -> None:
    code, text = shown(lab, "path", address("device-1"))

    assert code == 0
    assert "time exceeded" in text
    assert text.rstrip().endswith("The path is whole: 10.77.1.10 answers at hop 2.")


def test_a_dead_neighbour_is_our_own_kernels_word(lab: Lab) -> None:
    """On our own link there is no router that could say anything. Usually the kernel takes three seconds."""
    lab.net.watch.sysctl(ipv4__neigh__lan__retrans_time_ms=100)
    code, seen = path(lab, "10.77.0.77")

    assert (code, seen["ending"], seen["router"], seen["said"]) == (1, "refused", None, "host unreachable")
    assert seen["sentence"] == "Our own kernel says of 10.77.0.77: host unreachable."


def test_without_a_way_we_could_not_look(lab: Lab) -> None:
    lab.net.watch.ip("route del default")
    code, seen = path(lab, address("device-1"))

    assert (code, seen["ending"], seen["hops"][0]["outcome"]) == (2, "unknown", "unknown")


def test_what_is_no_target_is_refused(lab: Lab) -> None:
    lab.configure({"device-1": address("device-1")})
    done = subprocess.run(
        [sys.executable, "-m", "hostwatch", "path", "nobody", "--config", str(lab.folder / "hostwatch.yaml")],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert "is not an IP address" in done.stderr


def test_fifty_devices_that_fall_silent_together_are_one_trace(lab: Lab) -> None:
    """
    first  51 devices in one /24 answer, and one in another
    then   the first 51 drop requests: each has its silence, and there is one path on record, for all
    then   the status tells of it for whoever is down
    """
    lab.net.devices["device-1"].ip(*(f"address add 10.77.1.{host}/24 dev port" for host in HOSTS))
    names = {f"d{host}": f"10.77.1.{host}" for host in HOSTS}
    lab.watch(
        {**names, "device-1": address("device-1"), "device-2": address("device-2")},
        "interval: 4s, path: on",
    )

    lab.net.devices["device-1"].nft(MUTE)
    lab.daemon.said("silence-began", count=len(names) + 1)
    lab.daemon.said("path-seen")
    lab.daemon.said("went-down")

    silent = {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)}
    assert silent == {signal_of(name) for name in (*names, "device-1")}
    (seen,) = lab.daemon.facts(facts.PathSeen)
    assert seen.signal in silent
    assert (seen.network, seen.routers) == ("10.77.1.0/24", (GATEWAY[4],))
    assert (seen.ending, seen.hop, seen.said) == ("broken", 1, "")
    code, text = shown(lab, "status", "--json", "--config", str(lab.folder / "hostwatch.yaml"))
    assert code == 1
    status = json.loads(text)
    told = {one["device"]: one["path"] for one in (*status["emergencies"], *status["silent"])}
    assert set(told.values()) == {f"The path breaks after hop 1, {GATEWAY[4]}: nobody answers beyond."}
    assert told.keys() == {*names, "device-1"}


def test_traces_need_no_more_than_the_watch_has(lab: Lab) -> None:
    """Run as the unit runs, with CAP_NET_RAW alone; over IPv6."""
    lab.net.watch.sysctl(ipv4__ping_group_range=NO_GROUP)
    lab.configure({"device-1": address("device-1", 6)}, "interval: 1s, path: on")
    lab.folder.joinpath("hostwatch.yaml").chmod(0o644)
    for file in (lab.folder, *lab.folder.iterdir()):
        subprocess.run(["chown", "65534:65534", file], check=True)
    assert lab.daemon.start(*WITH_NET_RAW)["icmp"] == "raw"
    lab.proven()

    lab.net.devices["device-1"].nft(MUTE)
    lab.daemon.said("path-seen", ending="broken", hop=1, network="fd77:1::/48", routers=[GATEWAY[6]])
