"""What changes is what the record and the inventories say differently, however the record wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import versions
from hostwatch.core.device import Device, State
from hostwatch.stock.check import Order, Stock, check
from hostwatch.stock.compare import Difference, _Versions, differences
from hostwatch.store import rows
from tests.stock.site import CUSTOMERS

DEVICES = st.builds(
    Device,
    id=st.sampled_from(["a", "b", "c", "d"]),
    customer=st.sampled_from(["acme", "globex"]),
    address=st.sampled_from(["192.0.2.1", "192.0.2.2", "fe80::1%eth0"]),
    state=st.sampled_from([State.IN_SERVICE, State.SUSPENDED, State.REMOVED]),
    uplink=st.sampled_from([None, "east"]),
)
SITES = st.lists(DEVICES, max_size=4, unique_by=lambda device: device.id)


def stock_of(devices: list[Device]) -> Stock:
    inline = {device.id: ("x:1", device) for device in devices}
    return check(Order(folder=Path(), files=(), customers=CUSTOMERS, inline=inline))


def recorded(device: Device, vantage: str = "main") -> tuple[str, str, str, str]:
    return device.id, device.customer, device.state.value, rows.text(versions.body(device, vantage))


@given(before=SITES, after=SITES)
def test_the_difference_is_that_of_the_devices(before: list[Device], after: list[Device]) -> None:
    was = {device.id: device for device in before}
    wanted = {device.id: device for device in after}
    comes_back = {
        n
        for n, d in was.items()
        if d.state is State.REMOVED and n in wanted and wanted[n].state is not State.REMOVED
    }

    found = differences(stock_of(after), "main", map(recorded, before))

    assert set(found.new) == wanted.keys() - was.keys() | comes_back
    assert set(found.gone) == {n for n in was.keys() - wanted.keys() if was[n].state is not State.REMOVED}
    both = (was.keys() & wanted.keys()) - comes_back
    assert {n for n in both if wanted[n].state is not State.REMOVED and was[n] != wanted[n]} <= set(
        found.changed
    )
    assert set(found.changed) <= {n for n in both if was[n] != wanted[n]}


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({}, ()),
        ({"more": "of a later version"}, ()),
        ({"address": "192.0.2.9"}, ("a",)),
        ({"waiver": "a letter"}, ("a",)),
    ],
)
def test_a_version_that_was_written_otherwise_is_read(
    change: dict[str, Any], changed: tuple[str, ...]
) -> None:
    device = Device(id="a", customer="acme", address="192.0.2.1")
    name, customer, state, text = recorded(device)
    body = json.dumps({**json.loads(text), **change}, indent=1)

    assert differences(stock_of([device]), "main", [(name, customer, state, body)]) == Difference(
        changed=changed
    )


def test_what_is_as_it_was_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Versions, "_read", None)
    device = Device(id="a", customer="acme", address="192.0.2.1")

    assert differences(stock_of([device]), "main", [recorded(device)]) == Difference()
