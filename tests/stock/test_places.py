"""Where the devices of inventories hang: racks, feeds and ports, as columns of a table and in lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostwatch.core.element import Element, Kind
from hostwatch.core.place import Place
from hostwatch.inventory.base import Item
from hostwatch.stock.check import check
from hostwatch.stock.hangs import Hangs
from hostwatch.stock.shape import Row, Shape
from hostwatch.stock.worker import order_of, plain_order
from tests.stock.site import checked, devices, order, said

ELEMENTS = (
    Element(id="grid", kind=Kind.UTILITY),
    Element(id="ups-a", kind=Kind.UPS, input="grid"),
    Element(id="ups-b", kind=Kind.UPS, input="grid"),
    Element(id="r1-a", kind=Kind.FEED, input="ups-a", rack="r1"),
    Element(id="r1-b", kind=Kind.FEED, input="ups-b", rack="r1"),
    Element(id="strip", kind=Kind.PDU, input="r1-a"),
)
HOUSE: dict[str, Any] = {
    "elements": ELEMENTS,
    "switches": ("sw-1", "sw-2"),
    "measured_at": {"globex": "outlet"},
}
HEAD = "customer,id,address,rack,feeds,ports\n"
BOTH = "any(ups-a,ups-b)"

PLACES = {
    "acme,a,192.0.2.1,,,": None,
    "acme,a,192.0.2.1,r1,,": Place(rack="r1", feeds="any(r1-a,r1-b)", supply=BOTH),
    "acme,a,192.0.2.1,r1,r1-b,": Place(rack="r1", feeds="r1-b", supply="ups-b"),
    "acme,a,192.0.2.1,r9,,sw-1/7": Place(rack="r9", ports="sw-1/7"),
    'globex,a,192.0.2.1,r1,,"any(sw-2/7, sw-1/7)"': Place(
        rack="r1", feeds="any(r1-a,r1-b)", supply="any(r1-a,r1-b)", ports="any(sw-1/7,sw-2/7)"
    ),
    "globex,a,192.0.2.1,,strip/outlet 7,": Place(feeds="strip/outlet 7", supply="strip/outlet 7"),
    "acme,a,192.0.2.1,,strip/outlet 7,": Place(feeds="strip/outlet 7", supply="ups-a"),
}
WRONG = {
    "acme,a,192.0.2.1,,r1-c,": "feeds: names r1-c, which is no feed and no power strip, did you mean r1-",
    "acme,a,192.0.2.1,,ups-a,": "feeds: names ups-a, which is neither a feed nor a power strip",
    'acme,a,192.0.2.1,,"any(r1-a",': "feeds: lacks the closing parenthesis of any(",
    "acme,a,192.0.2.1,,,sw-3/7": "ports: names sw-3, which is no switch, did you mean sw-",
    "acme,a,192.0.2.1,,,sw-1": "ports: names sw-1 without a port",
    "acme,a,192.0.2.1,R 1,,": "rack: is not an identifier",
}


@pytest.mark.parametrize("line", PLACES)
def test_columns_become_a_place(tmp_path: Path, line: str) -> None:
    stock = checked(tmp_path, HEAD + line + "\n", **HOUSE)

    assert said(stock) == []
    assert devices(stock)["a"].place == PLACES[line]


@pytest.mark.parametrize("line", PLACES)
def test_who_is_like_another_is_read_without_the_rules(line: str) -> None:
    """The first of its kind teaches the rest; a place is the same on both ways."""
    shape = Shape(
        {"acme": None, "globex": None}, hangs=Hangs(ELEMENTS, ("sw-1", "sw-2"), {"globex": "outlet"})
    )
    customer, name, address, *hung = line.replace('"', "").split(",", 5)
    values = {"customer": customer, "id": name, "address": address}
    values |= {key: text for key, text in zip(("rack", "feeds", "ports"), hung, strict=True) if text}
    assert isinstance(
        shape.row(Item(2, {"customer": customer, "id": "b", "address": "192.0.2.9"}, {}, True)), Row
    )

    found = shape._quick(Item(3, values, {}, True))

    assert found is not None
    assert shape.likes.device(found).place == PLACES[line]


@pytest.mark.parametrize("line", WRONG)
def test_what_does_not_hang_together_is_said(tmp_path: Path, line: str) -> None:
    good = "acme,b,192.0.2.2,r1,,sw-2/1\n"
    (words,) = said(checked(tmp_path, HEAD + good + line + "\n", **HOUSE))

    assert WRONG[line] in words


def test_a_port_has_one_device_unless_it_is_meant(tmp_path: Path) -> None:
    head = HEAD.replace("ports", "ports,shared,state")
    first = "acme,a,192.0.2.1,,,sw-1/7,,\nacme,b,192.0.2.2,,,sw-1/8,,\n"
    table = f"{head}{first}acme,c,192.0.2.3,,,sw-1/7,{{}}\n"

    (words,) = said(checked(tmp_path, table.format(","), **HOUSE))
    assert "d.csv:4: devices[c].ports: sw-1/7 is the port of device a too" in words
    assert said(checked(tmp_path, table.format("yes,"), **HOUSE)) == []
    assert said(checked(tmp_path, table.format(",removed"), **HOUSE)) == []


def test_the_supplies_of_all_devices_are_told(tmp_path: Path) -> None:
    lines = [line for line in PLACES if '"' not in line]
    table = HEAD + "".join(line.replace(",a,", f",d{n},") + "\n" for n, line in enumerate(lines))
    (tmp_path / "d.csv").write_text(table)
    asked = order(tmp_path, "d.csv", **HOUSE)

    for one in (asked, order_of(plain_order(asked))):
        stock = check(one)
        assert said(stock) == []
        assert stock.supplies == (BOTH, "strip/outlet 7", "ups-a", "ups-b")
