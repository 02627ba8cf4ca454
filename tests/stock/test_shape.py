"""The fast way makes of every device what the configuration's own model makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.configuration.customer import Device as Written
from hostwatch.configuration.population import device_of
from hostwatch.core.service import Service
from hostwatch.inventory.base import Item
from hostwatch.stock.shape import Row, Shape

NAMES = st.sampled_from(["a", "web-1", "A", "", "-", "a" * 64, "ä", 7, None])
ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(
        [
            "0.1.2.3", "127.0.0.1", "192.0.2.01", "192.0.2", "224.0.0.1", "240.0.0.1", "255.255.255.255",
            "0.0.0.0", " 192.0.2.1 ", "192.0.2.1\n", "192.0.2.1/32", "\u0661.2.3.4", "1.2.3.4\0", "::",
            "fe80::1", "fe80::1%eth0", "2001:DB8::1", "::ffff:192.0.2.1", "", 7, None,
        ]
    ),
)  # fmt: skip
REST = st.fixed_dictionaries(
    {"customer": st.sampled_from(["acme", "globex", "nobody"])},
    optional={
        "state": st.sampled_from(["in-service", "suspended", "not-watched", "gone"]),
        "waiver": st.sampled_from(["letter", "", "x" * 501, 3]),
        "description": st.one_of(st.text(max_size=5), st.just("x" * 501), st.just(3)),
        "uplink": st.sampled_from(["east", "north"]),
        "shared": st.sampled_from([True, False, "yes"]),
        "method": st.sampled_from(["icmp", "tcp port=443", "smoke"]),
        "services": st.sampled_from(["www", "www email", ["www"], "ftp", {"www": None}, 80]),
        "witness": st.sampled_from([{"mac": "52:54:00:12:34:56"}, {"mac": "x"}]),
    },
)
SERVICES = {"acme": {name: Service(name=name) for name in ("www", "email")}}
ITEMS = st.builds(
    lambda name, address, rest: {"id": name, "address": address, **rest}, NAMES, ADDRESSES, REST
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ITEMS, max_size=12))
@example([{"id": "a", "address": "192.0.2.1", "customer": "acme", "description": "x"}] * 2)
@example(
    [
        {"id": "a", "address": "192.0.2.1", "customer": "acme"},
        {"id": "b", "address": "0.1.2.3", "customer": "acme"},
    ]
)
def test_what_is_remembered_changes_nothing(items: list[dict[str, Any]]) -> None:
    shape = Shape({"acme": "west", "globex": None}, ("east", "west"), SERVICES)
    for values in items:
        found = shape.row(Item(1, values, {}, False))

        assert (shape.likes.device(found) if isinstance(found, Row) else None) == plainly(values)


def plainly(values: dict[str, Any]) -> Any:
    """The device by the model alone; None if anything is wrong with it."""
    customer = values["customer"]
    try:
        written = Written.model_validate({key: value for key, value in values.items() if key != "customer"})
    except ValidationError:
        return None
    if customer == "nobody" or written.uplink == "north":
        return None
    offered = SERVICES.get(customer, {})
    if not written.services.keys() <= offered.keys():
        return None
    return device_of(customer, written, {"acme": "west", "globex": None}[customer], offered)


def test_names_and_plain_addresses_alone_do_not_ask_the_model() -> None:
    shape = Shape({"acme": None})
    first = shape.row(Item(2, {"customer": "acme", "id": "a", "address": "192.0.2.1"}, {}, True))
    again = Item(3, {"customer": "acme", "id": "b", "address": "192.0.2.2"}, {}, True)

    assert isinstance(first, Row)
    assert shape._quick(again) == Row("b", "192.0.2.2", first.like)


def test_cells_become_what_is_meant() -> None:
    shape = Shape({"acme": None})
    cells = {
        "customer": "acme",
        "id": "a",
        "address": "192.0.2.1",
        "shared": "Yes",
        "witness.mac": "52-54-00-12-34-56",
    }
    found = shape.row(Item(2, cells, {}, True))

    assert isinstance(found, Row)
    like = shape.likes[found.like]
    assert (like.shared, like.device.method) == (True, "icmp mac=52:54:00:12:34:56")
    assert "witness.mac" in shape.columns


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "239.1.2.3", "255.255.255.255", "192.0.2.01"])
def test_an_address_that_is_no_machine_s_is_refused_though_another_was_like_it(address: str) -> None:
    shape = Shape({"acme": None})
    first = shape.row(Item(2, {"customer": "acme", "id": "a", "address": "192.0.2.1"}, {}, True))
    found = shape.row(Item(3, {"customer": "acme", "id": "b", "address": address}, {}, True))

    assert isinstance(first, Row)
    assert not isinstance(found, Row)
