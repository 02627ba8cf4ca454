"""Configurations of many devices, and who of them does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.network import GATEWAY, addresses

CUSTOMER_DEVICES = 1_000
"""Devices of one customer."""

MAIN = """\
site: {{name: Bench, timezone: Asia/Shanghai}}
store: sqlite:///hostwatch.db
listen: 127.0.0.1:{port}
log: {{format: json, level: warning}}
schedule: {{interval: 5m}}
sight: ["{gateway}"]
include: customers.d/*.yaml
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

    @property
    def customers(self) -> int:
        """How many customers there are."""
        return -(-self.devices // CUSTOMER_DEVICES)

    def of(self, customer: int) -> Iterator[tuple[str, str]]:
        """Names and addresses of a customer's devices."""
        since = customer * CUSTOMER_DEVICES
        many = min(CUSTOMER_DEVICES, self.devices - since)
        for place, address in enumerate(addresses(many, since=since), since):
            yield name(place), address

    def write_yaml(self, folder: Path, port: int) -> Path:
        """A file for each customer, with its devices in it; the main file."""
        (folder / "customers.d").mkdir(parents=True)
        for customer in range(self.customers):
            lines = "".join(f"  - {{id: {one}, address: {address}}}\n" for one, address in self.of(customer))
            text = f"id: c{customer:04}\nname: Customer {customer}\ndevices:\n{lines}"
            (folder / "customers.d" / f"c{customer:04}.yaml").write_text(text, encoding="ascii")
        return self._write_main(folder, MAIN.format(port=port, gateway=GATEWAY))

    def _write_main(self, folder: Path, text: str) -> Path:
        path = folder / "hostwatch.yaml"
        path.write_text(text, encoding="ascii")
        return path


def name(place: int) -> str:
    """What a device is called."""
    return f"d{place:07}"


def signal(place: int) -> str:
    """What the record calls its signal."""
    return f"{name(place)}/ping@main"
