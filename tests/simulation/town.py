"""Who lives in a simulated site: a configuration that scripts can change, written as a real file."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.simulation.house import BEHIND, SIDES, SWITCHES, Place
from tests.simulation.shifts import Shift
from tests.simulation.world import BEACONS, GATEWAY

IN_SERVICE = "in-service"
SUSPENDED = "suspended"

RUNNING = {"after": 2, "within": "12h", "calm_after": "20m", "every": "10m"}
"""Some accept a running notice of what goes up and down."""


@dataclass(kw_only=True)
class House:
    """One customer: contacts with the number of their channels, devices with their state."""

    contacts: dict[str, int] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    language: str = "en"
    told: str = "any"
    """How many of the contacts must be told, that the customer was."""


@dataclass(kw_only=True)
class Town:
    """A whole configuration."""

    interval: timedelta = timedelta(minutes=5)
    timezone: str = "Asia/Shanghai"
    houses: dict[str, House] = field(default_factory=dict)
    uplinks: dict[str, list[str]] = field(default_factory=dict)
    """The reference points of each, in quorum of their majority; looked at as often as devices."""

    behind: dict[str, str] = field(default_factory=dict)
    """By device, the uplink or the redundancy group that it is behind, as far as these are there."""

    operator: str | None = None
    services: dict[str, list[str]] = field(default_factory=dict)
    """By device, those of `www` and `email` that it has."""

    places: dict[str, Place] = field(default_factory=dict)
    """What devices hang on."""

    power: timedelta | None = None
    """Time between two readings of its sources; None: nobody wrote down what power comes by."""

    shift: Shift | None = None
    """How the contacts of the first customer take turns; None: all of them are always told."""

    has_switches: bool = False
    has_beacons: bool = False
    """Whether others than the gateway show that we see."""
    ups_named: str = ""
    """What stands behind the names of UPSes: nothing, or what they are called since somebody renamed them."""

    def copy(self) -> Town:
        """The same, to be changed."""
        return deepcopy(self)

    def write(self, path: Path) -> None:
        """As files that the daemon loads, one for each customer. JSON is YAML."""
        plain = self._plain()
        path.write_text(json.dumps(plain | {"include": "customers/*.yaml"}), encoding="utf-8")
        folder = path.parent / "customers"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if old.stem not in self.houses:
                old.unlink()
        for name, customer in self._customers().items():
            (folder / f"{name}.yaml").write_text(json.dumps(customer), encoding="utf-8")

    def _plain(self) -> dict[str, object]:
        return {
            "site": {"name": "Simulated 1", "timezone": self.timezone},
            "store": "sqlite:///simulated.db",
            "sight": {"gateways": [GATEWAY], "beacons": [*BEACONS]} if self.has_beacons else [GATEWAY],
            "listen": "off",
            "schedule": {"interval": f"{self.interval // timedelta(seconds=1)}s", "misses": 2},
            "operator": self.operator,
            "services": {
                "www": {"checks": [{"tcp": {"port": 80, "timeout": "5s"}}]},
                "email": {"checks": [{"tcp": {"port": 25, "timeout": "5s"}}]},
            },
            "uplinks": [
                {
                    "id": name,
                    "name": name.title(),
                    "references": references,
                    "interval": f"{self.interval // timedelta(seconds=1)}s",
                }
                for name, references in self.uplinks.items()
            ],
            **self._house(),
        }

    def _customers(self) -> dict[str, dict[str, object]]:
        return {
            name: {
                "id": name,
                "name": name.title(),
                "language": house.language,
                "terms": {
                    "told": house.told,
                    "remind_every": "5m" if house.told == "all" else "1h",
                    **({"running_notice": RUNNING} if house.told == "any" else {}),
                },
                "contacts": [
                    {
                        "id": contact,
                        "name": contact.title(),
                        "channels": [{"simulated": f"{name}/{contact}/{rung}"} for rung in range(rungs)],
                    }
                    for contact, rungs in house.contacts.items()
                ],
                **self._rotations(name, house),
                "devices": [
                    {
                        "id": device,
                        "address": address_of(device),
                        "state": state,
                        "services": self.services.get(device, []),
                        **self._place(device),
                        **self._behind(device),
                    }
                    for device, state in house.devices.items()
                ],
            }
            for name, house in self.houses.items()
        }

    def _rotations(self, name: str, house: House) -> dict[str, object]:
        if self.shift is None or name != "c0" or not house.contacts:
            return {}
        return {"rotations": [self.shift.plain([*house.contacts])]}

    def _behind(self, device: str) -> dict[str, str]:
        way = self.behind.get(device, "")
        named = re.findall(r"[a-z]+(?=[,)]|$)", way)
        return {"uplink": way} if named and {*named} <= self.uplinks.keys() else {}

    def _place(self, device: str) -> dict[str, str]:
        place, found = self.places.get(device, Place()), {}
        if place.feeds and self.power is not None:
            found["feeds"] = place.feeds
        if place.ports and self.has_switches:
            found["ports"] = place.ports
        return found

    def _house(self) -> dict[str, object]:
        found: dict[str, object] = {}
        if self.power is not None:
            found["power"] = {"interval": f"{self.power // timedelta(seconds=1)}s", **_power(self.ups_named)}
        if self.has_switches:
            interval = min(self.interval, timedelta(minutes=1)) // timedelta(seconds=1)
            found["network"] = {
                "switches": [
                    {"id": name, "address": address, "interval": f"{interval}s"}
                    | ({"behind": BEHIND[name]} if name in BEHIND else {})
                    for name, address in SWITCHES.items()
                ]
            }
        return found


def _power(named: str) -> dict[str, object]:
    """The house, with UPSes that are called so."""
    return {
        "sources": [
            {"id": f"{what}-{side}", "nut": {"address": "192.0.2.5", "ups": f"{what}{side}"}}
            for what in ("card", "strip")
            for side in SIDES
        ],
        "utilities": [{"id": f"grid-{side}"} for side in SIDES],
        "ups": [
            {"id": f"ups-{side}{named}", "input": f"grid-{side}", "source": f"card-{side}"} for side in SIDES
        ],
        "panels": [{"id": f"panel-{side}", "input": f"ups-{side}{named}"} for side in SIDES],
        "feeds": [{"id": f"r1-{side}", "panel": f"panel-{side}", "rack": "r1"} for side in SIDES],
        "pdus": [{"id": f"pdu-{side}", "feed": f"r1-{side}", "source": f"strip-{side}"} for side in SIDES],
    }


def device_name(number: int) -> str:
    """The name of the n-th device."""
    return f"d{number}"


def address_of(device: str) -> str:
    """Where a device lives: addresses reserved for benchmarks."""
    number = int(device[1:])
    return f"198.18.{number // 250}.{number % 250 + 1}"


REFERENCES = ["198.19.0.1", "198.19.0.2", "198.19.0.3"]
"""The carrier's reference points."""

OTHERS = ["198.19.1.1", "198.19.1.2", "198.19.1.3"]
"""Those of another carrier."""


def signal_of(device: str) -> str:
    """The name of the signal that a device's ping gives."""
    return f"{device}/ping@main"


def service_of(device: str, service: str) -> str:
    """The name of the signal that a service of a device gives."""
    return f"{device}/{service}@main"


def town(
    devices: int, *, customers: int = 2, interval: timedelta = timedelta(minutes=5), rungs: int = 2
) -> Town:
    """Devices shared out to customers; the first has two contacts, the others one each."""
    made = Town(interval=interval)
    for number in range(customers):
        contacts = {"duty": rungs, "boss": 1} if number == 0 else {"duty": rungs}
        made.houses[f"c{number}"] = House(contacts=contacts, language="zh-CN" if number == 0 else "en")
    made.houses["c0"].told = "all" if devices % 2 else "any"
    for number in range(devices):
        made.houses[f"c{number % customers}"].devices[device_name(number)] = IN_SERVICE
    return made
