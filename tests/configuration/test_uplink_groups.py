"""Several uplinks in the configuration: expressions make redundancy groups, also those in inventories."""

from __future__ import annotations

from pathlib import Path

from hostwatch.configuration.load import load
from hostwatch.configuration.population import population_of
from hostwatch.stock.client import take

SITE = """
site: {name: Here, timezone: UTC}
store: sqlite:///h.db
sight: [192.0.2.1]
uplinks:
  - {id: main, name: ChinaNet, references: [203.0.113.1, 203.0.113.2, 203.0.113.3], interval: 30s}
  - {id: backup, name: Unicom, references: [203.0.113.4, 203.0.113.5, 203.0.113.6]}
  - {id: third, name: Mobile, references: [203.0.113.7, 203.0.113.8, 203.0.113.9], interval: 5m}
"""
PEOPLE = """
network: {switches: [{id: edge, address: 127.0.0.9, uplink: "all(third, any(main, backup))"}]}
customers:
  - id: acme
    name: Acme
    uplink: any( main , backup )
    devices:
      - {id: web, address: 127.0.0.2}
      - {id: db, address: 127.0.0.3, uplink: "any(backup,main)"}
      - {id: nas, address: 127.0.0.4, uplink: any(third)}
"""


def site(folder: Path, *more: str) -> Path:
    path = folder / "hostwatch.yaml"
    path.write_text("".join((SITE, PEOPLE, *more)))
    return path


def test_each_expression_is_one_group_under_the_names_of_its_members(tmp_path: Path) -> None:
    """
    acme is behind any(main, backup), db the same in other words, nas behind third alone, a switch behind all
    """
    found = load(site(tmp_path), read_secrets=False)
    people = population_of(found.configuration)

    assert [(one.id, one.uplink) for one in people.devices.values()] == [
        ("web", "any(backup,main)"),
        ("db", "any(backup,main)"),
        ("nas", "third"),
    ]
    groups = {name: one for name, one in people.uplinks.items() if one.members}
    assert {name: (one.name, one.members, one.terms.interval.seconds) for name, one in groups.items()} == {
        "any(backup,main)": ("Unicom / ChinaNet", ("backup", "main"), 30),
        "all(any(backup,main),third)": ("(Unicom / ChinaNet) + Mobile", ("backup", "main", "third"), 30),
    }
    assert people.uplinks.keys() - groups.keys() == {"main", "backup", "third"}
    assert not [one for one in found.warnings if "on no uplink" in one.wrong]


def test_a_group_that_nobody_is_behind_is_none(tmp_path: Path) -> None:
    path = site(tmp_path)
    path.write_text(SITE + "customers: [{id: acme, name: Acme, uplink: 'any(main, backup)'}]\n")

    assert population_of(load(path).configuration).uplinks.keys() == {"main", "backup", "third"}


def test_devices_of_inventories_make_groups(tmp_path: Path) -> None:
    """One takes its customer's, one names another: both are read by the process that reads inventories."""
    table = "customer,id,address,uplink\nacme,a,127.0.0.20,\n" + 'acme,b,127.0.0.21,"any(third, main)"\n'
    (tmp_path / "devices.csv").write_text(table)
    (tmp_path / "hostwatch.yaml").write_text(
        SITE + "inventory: devices.csv\ncustomers: [{id: acme, name: Acme, uplink: 'any(main, backup)'}]\n"
    )
    taken = take(tmp_path / "hostwatch.yaml", lambda file, line, lines: None)
    assert taken.stocktaker is not None
    taken.stocktaker.close()

    found = taken.loaded
    assert found.uplinks == ("any(backup,main)", "any(main,third)")
    people = population_of(found.configuration, found.supplies, found.uplinks)
    assert people.uplinks["any(main,third)"].name == "ChinaNet / Mobile"
    assert "any(backup,main)" in people.uplinks
