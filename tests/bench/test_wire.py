"""A look is held against the packets of its own ping, and lateness is told from the right instant."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from hostwatch.core.schedule import Target
from tests.bench.enduring import LOOK
from tests.bench.inventory import Inventory, signal
from tests.bench.network import BEHIND_THE_CABLE, BEHIND_THE_TUN, Network, addresses
from tests.bench.rows import latency, watch
from tests.bench.wire import RECORD, REPLY, REQUEST, Wire

SECOND_NS = 1_000_000_000


def record(at_ns: int, place: int, kind: int, sequence: int = 1, base: IPv4Address = BEHIND_THE_TUN) -> bytes:
    return RECORD.pack(at_ns, (base + place).packed, kind, sequence)


def test_a_look_is_held_against_the_packets_of_its_own_ping(tmp_path: Path) -> None:
    """The reply to the first request of target 3 comes after its second request; target 4 is another."""
    capture, looks = tmp_path / "wire", tmp_path / "looks"
    capture.write_bytes(
        record(10 * SECOND_NS, 3, REQUEST)
        + record(11 * SECOND_NS, 3, REQUEST, 2)
        + record(11 * SECOND_NS + 5, 4, REQUEST)
        + record(11 * SECOND_NS + 10_000_000, 4, REPLY)
        + record(11 * SECOND_NS + 15_000_000, 3, REPLY)
        + record(11 * SECOND_NS + 20_000_000, 3, REPLY, 2)
    )
    looks.write_bytes(LOOK.pack(11_000_000 - 30, 3, 20_050) + LOOK.pack(14_000_000, 3, 1))

    assert list(latency.compare(looks, capture)) == [pytest.approx(0.05)]


def test_lateness_is_counted_from_the_phase_of_the_device_and_once_for_each_ping(tmp_path: Path) -> None:
    phase_us = Target(signal=signal(50), address="", interval=timedelta(minutes=5)).phase_us
    due_ns = (300_000_000 * 7 + phase_us) * 1000
    packets = [
        record(due_ns + 2_000_000, 50, REQUEST, 1, BEHIND_THE_CABLE),
        record(due_ns + SECOND_NS, 50, REQUEST, 2, BEHIND_THE_CABLE),
        record(due_ns + 300 * SECOND_NS - 1_000_000, 50, REQUEST, 1, BEHIND_THE_CABLE),
    ]
    (tmp_path / "wire").write_bytes(b"".join(packets))
    seen = watch.Seen()

    watch.judge(seen, Inventory(100), tmp_path / "wire")

    assert seen.lateness_s == [0.002, -0.001]
    assert (seen.requests, seen.silent_due) == (2, 2)


def test_the_silent_ones_of_an_inventory_are_every_hundredth() -> None:
    assert Inventory(300).silent == [addresses(300)[place] for place in (50, 150, 250)]


@pytest.mark.lab
def test_the_capture_has_every_packet_of_the_link(tmp_path: Path) -> None:
    with Network() as network:
        with Wire(network, tmp_path / "wire") as wire:
            network.near.run("ping", "-n", "-c", "3", "-i", "0.01", addresses(8)[7])
        packets = list(Wire.read(tmp_path / "wire"))

    assert [(packet.place, packet.kind, packet.sequence) for packet in packets] == [
        (7, kind, sequence) for sequence in (1, 2, 3) for kind in (REQUEST, REPLY)
    ]
    assert wire.dropped == 0
