"""Configurations of many devices, and who of them does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.bench.network import ADDRESSES_MAX, GATEWAY, addresses

PORT = 9464
CUSTOMER_DEVICES = 1_000
"""Devices of one customer."""

FILE_DEVICES = 10_000
"""Devices in one file of an inventory."""

MAIN = """\
site: {{name: Bench, timezone: Asia/Shanghai}}
store: sqlite:///hostwatch.db
listen: 127.0.0.1:{port}
log: {{format: json, level: warning}}
schedule: {{interval: 5m}}
sight: ["{gateway}"]
"""


@dataclass(frozen=True, slots=True)
class Inventory:
    """So many devices in so many files, at one address each, every so-many-th silent."""

    devices: int
    silent_every: int = 100

    @property
    def silent(self) -> list[str]:
        """The addresses that nobody answers for."""
        every = self.silent_every
        return [address for place, address in enumerate(self.addresses) if place % every == every // 2]

    @property
    def addresses(self) -> list[str]:
        """Of all devices, in their order."""
        return addresses(self.devices)

    def customer(self, place: int) -> str:
        """Whose device it is."""
        return f"c{place // CUSTOMER_DEVICES:04}"

    def write(self, folder: Path, kind: str = "csv") -> Path:
        """Files of devices, CSV or YAML; the main file, which has the customers."""
        (folder / "devices").mkdir(parents=True)
        for first in range(0, self.devices, FILE_DEVICES):
            self.write_file(folder, first, kind)
        customers = "".join(
            f"  - {{id: {self.customer(first)}, name: Customer {first // CUSTOMER_DEVICES}}}\n"
            for first in range(0, self.devices, CUSTOMER_DEVICES)
        )
        path = folder / "hostwatch.yaml"
        text = MAIN.format(port=PORT, gateway=GATEWAY)
        path.write_text(f"{text}inventory: devices/*.{kind}\ncustomers:\n{customers}", encoding="ascii")
        return path

    def write_file(self, folder: Path, first: int, kind: str = "csv", moved: int = 0) -> None:
        """One file, from that device on. The first `moved` of its devices have other addresses."""
        many = min(FILE_DEVICES, self.devices - first)
        known = addresses(many, since=first)
        if moved:
            known[:moved] = addresses(moved, since=ADDRESSES_MAX - self.devices + first)
        rows = [(self.customer(place), name(place), one) for place, one in enumerate(known, first)]
        if kind == "csv":
            text = "customer,id,address\n" + "".join(f"{','.join(row)}\n" for row in rows)
        else:
            text = "devices:\n" + "".join(
                f"  - {{customer: {row[0]}, id: {row[1]}, address: {row[2]}}}\n" for row in rows
            )
        (folder / "devices" / f"{first:07}.{kind}").write_text(text, encoding="ascii")


def name(place: int) -> str:
    """What a device is called."""
    return f"d{place:07}"


def signal(place: int) -> str:
    """What the record calls its signal."""
    return f"{name(place)}/ping@main"
