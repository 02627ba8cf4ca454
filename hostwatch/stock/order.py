"""What a configuration orders to be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hostwatch.configuration.load import Loaded
from hostwatch.configuration.population import offers, population_of
from hostwatch.stock.check import Order, Summary


def order_of(loaded: Loaded, *, kept: bool) -> Order:
    """The inventories of a configuration. `kept`: what is read is kept beside the store."""
    configuration = loaded.configuration
    inline = population_of(configuration).devices
    return Order(
        folder=loaded.folder,
        beside=loaded.beside,
        files=loaded.inventories,
        customers={one.id: configuration.uplink_of(one) for one in configuration.customers},
        services={
            one.id: found
            for one in configuration.customers
            if (found := offers(configuration.services_of(one)))
        },
        uplinks=tuple(uplink.id for uplink in configuration.uplinks),
        elements=tuple(one for _, _, one in configuration.power.elements()),
        switches=tuple(switch.id for switch in configuration.network.switches),
        measured_at={one.id: configuration.measured_at(one) for one in configuration.customers},
        inline={name: (loaded.places.get(name, ""), device) for name, device in inline.items()},
        has_sight=bool(configuration.sight.addresses),
        beacons=tuple(map(str, configuration.sight.beacons)),
        shelf=shelf_of(loaded.store) if kept else None,
    )


def shelf_of(store: Path) -> Path:
    """The folder in which what was read is kept."""
    return store.with_name(f"{store.name}.inventory")


def recorded(summaries: Iterable[Summary]) -> tuple[Mapping[str, Any], ...]:
    """Inventories as they enter the record: by name, number of devices and digest."""
    return tuple({"id": one.file, "devices": one.devices, "digest": one.digest} for one in summaries)
