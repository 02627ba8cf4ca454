"""Inventories: what is taken, and what is said, all at once and with its place, of what is not."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from hostwatch.configuration import mistake, source
from hostwatch.core.device import Device, State
from hostwatch.core.service import Service
from hostwatch.core.uplink import GROUPS_MAX
from hostwatch.stock import check as checking
from hostwatch.stock.check import Order, Stock, check
from hostwatch.stock.worker import order_of, plain_order
from tests.stock.site import CUSTOMERS, checked, devices, order, said

CSV = "customer,id,address,state,waiver\n"


def test_a_table_and_a_list_say_the_same(tmp_path: Path) -> None:
    table = CSV + "acme,web-1,192.0.2.1,,\nglobex,db,2001:db8::7,not-watched,letter of 2026-01-02\n"
    text = """\
        devices:
          - {customer: acme, id: web-1, address: 192.0.2.1}
          - customer: globex
            id: db
            address: "2001:db8::7"
            state: not-watched
            waiver: letter of 2026-01-02
        """

    found = devices(checked(tmp_path, table))

    assert found == devices(checked(tmp_path, dedent(text), "d.yaml"))
    assert found == {
        "web-1": Device(id="web-1", customer="acme", address="192.0.2.1"),
        "db": Device(
            id="db",
            customer="globex",
            address="2001:db8::7",
            state=State.NOT_WATCHED,
            waiver="letter of 2026-01-02",
        ),
    }


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffcustomer;id;address\r\nacme;a;192.0.2.1\r\n",
        "sep=;\r\ncustomer;id;address\r\nacme;a;192.0.2.1\r\n",
        "customer\tid\taddress\nacme\ta\t192.0.2.1\n",
        'customer,id,address\n"acme","a","192.0.2.1"\n\n,,\n',
        "address, id ,customer,description\n 192.0.2.1 ,a,acme,\n",
        "customer,id,address\racme,a,192.0.2.1\r",
    ],
    ids=["excel", "sep", "tabs", "quotes and empty rows", "other order and spaces", "old ends of lines"],
)
def test_tables_as_programs_write_them(tmp_path: Path, text: str) -> None:
    stock = checked(tmp_path, text)

    assert said(stock) == []
    assert devices(stock) == {"a": Device(id="a", customer="acme", address="192.0.2.1")}


def test_what_looks_like_a_formula_is_text(tmp_path: Path) -> None:
    table = CSV + 'acme,a,192.0.2.1,not-watched,"=HYPERLINK(""x"")"\n'

    assert devices(checked(tmp_path, table))["a"].waiver == '=HYPERLINK("x")'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ":1: there is no row with the names of the columns"),
        ("customer,id,adress\n", ":1: adress: is not a column that is known here, did you mean address?"),
        ("customer,id\n", ":1: address: is missing among the columns, add it"),
        ("customer,id,address,id\n", ":1: id: stands twice among the columns, remove one of the two"),
        (CSV + "acme,a,192.0.2.1,,,,x\n", ":2: has 7 cells, and there are 5 columns"),
        (CSV + ',a,192.0.2.1,,\n', ":2: devices[a].customer: is missing, say whose device it is"),
        (CSV + "other,a,192.0.2.1,,\n", ":2: devices[a].customer: is not a customer"),
        (CSV + "acme,,192.0.2.1,,\n", ":2: devices.id: is missing, add it"),
        (CSV + "acme,A!,192.0.2.1,,\n", ":2: devices.id: is not an identifier"),
        (CSV + "acme,a,,,\n", ":2: devices[a].address: is missing, add it"),
        (CSV + "acme,a,example.org,,\n", ":2: devices[a].address: is not an IP address"),
        (CSV + "acme,a,192.0.2.01,,\n", ":2: devices[a].address: is not an IP address"),
        (CSV + "acme,a,0.0.0.0,,\n", ":2: devices[a].address: is the unspecified address"),
        (CSV + "acme,a,224.0.0.1,,\n", ":2: devices[a].address: is a multicast address"),
        (CSV + "acme,a,255.255.255.255,,\n", ":2: devices[a].address: is the broadcast address"),
        (CSV + "acme,a,192.0.2.1,up,\n", ":2: devices[a].state: is not a state of a device"),
        (CSV + "acme,a,192.0.2.1,not-watched,\n", ":2: devices[a].waiver: is missing"),
        (CSV + '"acme\n",a,192.0.2.1,,\n"acme"x,b,192.0.2.2,,\n', ":4: something stands after closing"),
        (CSV + 'acme,a,192.0.2.1,,\nacme,"b,192.0.2.2,,\n', ":3: the file ends inside double quotes"),
        (CSV + "acme,a,192.0.2.1,,\nacme,a,192.0.2.2,,\n", ":3: devices[a].id: another device has this id"),
        (CSV + "\x00", ":2: there is a control character (U+0000) in this line"),
    ],
)  # fmt: skip
def test_a_table_that_is_wrong(tmp_path: Path, text: str, expected: str) -> None:
    (complaint, *_) = said(checked(tmp_path, text))

    assert complaint.startswith(f"{tmp_path and 'd.csv'}{expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ":1: the file is empty"),
        ("- a\n", ":1: is not a mapping, write a list under devices:"),
        ("machines: []\n", ":1: machines: is not known here, write devices: alone"),
        ("devices: 3\n", ":1: devices: is not a list"),
        ("devices:\n- 3\n", ":2: devices[0]: is not a mapping"),
        ("devices:\n- id: a\n  customer: acme\n", ":2: devices[a].address: is missing, add it"),
        (
            "devices:\n- id: a\n  customer: acme\n  address: 192.0.2.1\n  adress: x\n",
            ":5: devices[a].adress: is not known here, did you mean address?",
        ),
        (
            "devices:\n- id: a\n  customer: acme\n  address: 7\n",
            ":4: devices[a].address: is not an IP address",
        ),
        (
            "devices:\n- {id: a, customer: 3, address: 192.0.2.1}\n",
            ":2: devices[a].customer: is not the id of a customer",
        ),
        (
            "devices:\n- {id: a, id: b, customer: acme, address: 192.0.2.1}\n",
            ":2: devices[0].id: is written twice",
        ),
        (
            "devices:\n- &x {id: a, customer: acme, address: 192.0.2.1}\n- *x\n",
            ":2: devices[0]: anchors (&name) are not used here",
        ),
        ("devices:\n- {id: a\n", ":2: the bracket { is not closed properly"),
        ("devices:\n- [" + "1, " * 2_000 + "]\n", ":2: more than 1000 values in one item"),
    ],
)
def test_a_list_that_is_wrong(tmp_path: Path, text: str, expected: str) -> None:
    (complaint, *_) = said(checked(tmp_path, text, "d.yaml"))

    assert complaint.startswith(f"d.yaml{expected}")


def test_all_mistakes_of_all_files_are_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV + "acme,a,192.0.2.1,,\nacme,b,nowhere,,\nacme,c,192.0.2.3,on,\n")
    (tmp_path / "b.yaml").write_text("devices:\n- {id: a, customer: acme, address: 192.0.2.9}\n")
    (tmp_path / "c.txt").write_text("")

    found = said(check(order(tmp_path, "a.csv", "b.yaml", "c.txt", "d.csv")))

    assert [words.partition(", ")[0] for words in found] == [
        "a.csv:3: devices[b].address: is not an IP address",
        "a.csv:4: devices[c].state: is not a state of a device",
        "b.yaml:2: devices[a].id: another device has this id",
        "c.txt: is not an inventory by the ending of its name",
        "d.csv: there is no such file",
    ]


def test_a_device_of_the_configuration_itself_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(CSV + "acme,a,192.0.2.1,,\n")
    inline = {"a": ("hostwatch.yaml:12", Device(id="a", customer="acme", address="192.0.2.2"))}

    stock = check(Order(folder=tmp_path, files=("d.csv",), customers=CUSTOMERS, inline=inline))

    assert said(stock) == [
        "d.csv:2: devices[a].id: another device has this id, in hostwatch.yaml:12,"
        " choose one that is unique in the site"
    ]


def test_a_file_that_is_all_wrong_is_not_read_to_its_end(tmp_path: Path) -> None:
    stock = checked(tmp_path, CSV + "acme,A,192.0.2.1,,\n" * 100_000)

    assert len(stock.mistakes) == mistake.MISTAKES_MAX + 1


def test_there_is_an_end_to_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "DEVICES_MAX", 3)
    rows = "".join(f"acme,d{number},192.0.2.{number},,\n" for number in range(1, 5))

    assert said(checked(tmp_path, CSV + rows)) == [
        "d.csv: there are more than 3 devices in all, split the site"
    ]


def test_there_is_an_end_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "FILE_BYTES_MAX", 2048)

    assert said(checked(tmp_path, CSV + " " * 2048)) == [
        "d.csv: the file is larger than 2 KiB, split it or name another"
    ]


def warned(stock: Stock) -> list[str]:
    assert said(stock) == []
    return [str(warning) for warning in stock.warnings]


def test_two_devices_behind_one_address_are_worth_a_warning(tmp_path: Path) -> None:
    header = "customer,id,address,state,shared\n"
    table = (
        header + "acme,a,192.0.2.1,,\nacme,b,192.0.2.1,,\nacme,c,192.0.2.1,,true\nacme,e,192.0.2.1,removed,\n"
    )

    assert warned(checked(tmp_path, table)) == [
        "d.csv:3: devices[b].address: device a has the same address,"
        " if that is meant, write shared: true at this one"
    ]


def test_more_warnings_than_anybody_reads_are_counted(tmp_path: Path) -> None:
    stock = checked(tmp_path, CSV + "".join(f"acme,d{number},192.0.2.1,,\n" for number in range(200)))

    assert len(stock.warnings) == checking.WARNINGS_MAX + 1
    assert "d.csv: 99 more devices have the address of another" in warned(stock)


def test_devices_in_a_network_without_sight_are_worth_a_warning(tmp_path: Path) -> None:
    for address, count in (("127.0.0.9", 0), ("::1", 0), ("192.0.2.1", 1)):
        (tmp_path / "d.csv").write_text(CSV + f"acme,a,{address},,\n")
        found = check(Order(folder=tmp_path, files=("d.csv",), customers=CUSTOMERS, has_sight=False))
        assert len(warned(found)) == count


def test_a_device_is_no_beacon_of_our_own_sight(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(f"{CSV}acme,a,192.0.2.1,,\nacme,b,203.0.113.9,,\n")
    wanted = Order(folder=tmp_path, files=("d.csv",), customers=CUSTOMERS, beacons=("203.0.113.9",))

    assert said(check(order_of(plain_order(wanted)))) == [
        "d.csv:3: devices[b].address: is a beacon of sight, by which we know that we see: it cannot be judged"
        " by that, write another address at sight.beacons, outside, of nobody whom you watch"
    ]


def test_a_device_is_on_the_uplink_that_it_names_or_its_customer_or_on_none(tmp_path: Path) -> None:
    table = "customer,id,address,uplink\nacme,a,192.0.2.1,\nacme,b,192.0.2.2,west\nglobex,c,192.0.2.3,\n"
    (tmp_path / "d.csv").write_text(table)
    wanted = Order(
        folder=tmp_path,
        files=("d.csv",),
        customers={"acme": "east", "globex": None},
        uplinks=("east", "west"),
    )

    stock = check(wanted)

    assert [device.uplink for device in devices(stock).values()] == ["east", "west", None]
    assert warned(stock)[0].startswith("d.csv: uplink: 1 devices are on no uplink")
    (tmp_path / "d.csv").write_text(table.replace("west", "north"))
    assert said(check(wanted)) == [
        "d.csv:3: devices[b].uplink: names north, which is no uplink,"
        " write the id of one of uplinks:, or add it"
    ]


def test_devices_are_behind_several_uplinks(tmp_path: Path) -> None:
    """
    customer acme: `any(east,west)` by default; b names the same in another order, c one of them alone
    """
    table = "customer,id,address,uplink\nacme,a,192.0.2.1,\n"
    table += 'acme,b,192.0.2.2,"any(west, east)"\nacme,c,192.0.2.3,any(west)\n'
    (tmp_path / "d.csv").write_text(table)
    wanted = Order(
        folder=tmp_path, files=("d.csv",), customers={"acme": "any(east,west)"}, uplinks=("east", "west")
    )

    stock = check(wanted)

    assert said(stock) == []
    assert [one.uplink for one in devices(stock).values()] == ["any(east,west)", "any(east,west)", "west"]
    assert stock.uplinks == ("any(east,west)", "west")
    (tmp_path / "d.csv").write_text(table.replace("(west, east)", "(west, eats)"))
    assert said(check(wanted)) == [
        "d.csv:3: devices[b].uplink: names eats, which is no uplink, did you mean east?"
    ]


def test_there_are_not_too_many_groups_of_uplinks(tmp_path: Path) -> None:
    uplinks = tuple(f"u{number}" for number in range(GROUPS_MAX // 4))
    groups = [f"any({a},{b})" for number, a in enumerate(uplinks) for b in uplinks[:number]]
    wanted = Order(folder=tmp_path, files=("d.csv",), customers={"acme": None}, uplinks=uplinks)

    def listed(count: int) -> list[str]:
        rows = [f'acme,d{n},192.0.2.{n % 250 + 1},"{name}"' for n, name in enumerate(groups[:count])]
        (tmp_path / "d.csv").write_text("\n".join(["customer,id,address,uplink", *rows, ""]))
        return said(check(wanted))

    assert listed(GROUPS_MAX) == []
    assert listed(GROUPS_MAX + 1) == [
        f"d.csv: uplink: makes more than {GROUPS_MAX} different redundancy groups,"
        " write the same expression for devices that are alike"
    ]


def test_devices_name_services_that_are_defined_for_them(tmp_path: Path) -> None:
    table = "customer,id,address,services\nacme,a,192.0.2.1,www email\n"
    table += "globex,b,192.0.2.2,\nacme,c,192.0.2.3,www\n"
    (tmp_path / "d.csv").write_text(table)
    offered = {"www": Service(name="www"), "email": Service(name="email")}
    wanted = Order(folder=tmp_path, files=("d.csv",), customers=CUSTOMERS, services={"acme": offered})

    stock = check(wanted)

    assert said(stock) == []
    assert [[one.name for one in device.services] for device in devices(stock).values()] == [
        ["email", "www"],
        [],
        ["www"],
    ]
    (tmp_path / "d.csv").write_text(table.replace("www email", "www emial").replace("2.2,", "2.2,www"))
    assert said(check(wanted)) == [
        "d.csv:2: devices[a].services: names emial, which is no service, did you mean email?",
        "d.csv:3: devices[b].services: names www, which is no service,"
        " write what www is under services:, with its checks",
    ]


def test_a_list_of_devices_does_not_say_itself_what_a_service_is(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text(
        "devices:\n- {customer: acme, id: a, address: 192.0.2.1, services: {www: {checks: [tcp: 80]}}}\n"
    )
    offered = {"www": Service(name="www")}

    found = check(Order(folder=tmp_path, files=("d.yaml",), customers=CUSTOMERS, services={"acme": offered}))

    assert said(found) == [
        "d.yaml:2: devices[a].services: says itself what www is, write that under services: in the main file"
    ]


def test_a_list_may_be_long_if_its_items_are_small(tmp_path: Path) -> None:
    items = "".join(f"- {{customer: acme, id: d{n}, address: 127.0.1.{n}}}\n" for n in range(1, 251))

    stock = checked(tmp_path, "devices:\n" + items, "d.yaml")

    assert (said(stock), len(stock.index)) == ([], 250)
    assert source.ITEM_NODES_MAX <= 250 * 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d.csv", CSV + "acme,a,192.0.2.1,,\nacme,b,192.0.2.3"),
        ("d.yaml", "devices:\n- {id: a, customer: acme, address: 192.0.2.9}"),
    ],
)
def test_a_file_that_was_cut_short_takes_no_device_out_of_watching(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    stock = check(Order(folder=tmp_path, files=(name,), customers={"acme": None}))
    assert ["the last line does not end" in mistake.wrong for mistake in stock.mistakes] == [True]


def test_a_file_without_devices_is_worth_a_word(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(CSV)
    stock = check(Order(folder=tmp_path, files=("d.csv",), customers={"acme": None}))
    assert stock.mistakes == []
    assert [warning.wrong for warning in stock.warnings] == ["has no devices"]
