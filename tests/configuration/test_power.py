"""Power and switches as they are written: the population that follows, and what is worth a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.configuration.population import population_of
from hostwatch.core.element import Kind
from hostwatch.core.place import Place
from hostwatch.core.population import Population

SITE = """\
site: {name: Lab, timezone: UTC}
store: sqlite:///x.db
sight: [192.0.2.254]
"""
POWER = """\
power:
  interval: 5s
  misses: 3
  sources:
    - {id: card-a, nut: {address: 192.0.2.5, ups: a}}
    - {id: card-b, nut: {address: 192.0.2.5, ups: b}}
  utilities: [{id: grid-1}]
  ups:
    - {id: ups-a, input: grid-1, source: card-a}
    - {id: ups-b, input: grid-1, source: [card-b, card-a/input 1]}
  panels: [{id: panel-a, input: "any(ups-a, ups-b)"}, {id: panel-b, input: ups-b}]
  feeds:
    - {id: r1-a, panel: panel-a, rack: r1}
    - {id: r1-b, panel: panel-b, rack: r1, type: redundant}
  pdus: [{id: strip, feed: r1-a}]
network:
  switches: [{id: sw-1, address: 192.0.2.2, interval: 30s}]
"""
PEOPLE = """\
customers:
  - id: acme
    name: Acme
    contacts: [{id: duty, name: Duty, channels: [{email: a@b.example}]}]
    devices:
      - {id: whole, address: 192.0.2.11, rack: r1, ports: "any(sw-1/2, sw-1/1)"}
      - {id: one, address: 192.0.2.12, rack: r1, feeds: r1-b}
      - {id: bare, address: 192.0.2.13}
  - id: beta
    name: Beta
    contacts: [{id: duty, name: Duty, channels: [{email: a@b.example}]}]
    terms: {power_measured_at: outlet}
    devices:
      - {id: theirs, address: 192.0.2.14, rack: r1}
      - {id: outlet, address: 192.0.2.15, feeds: strip/outlet 7}
mail: {smtp: "smtp://127.0.0.1:25", from: a@b.example}
"""


def loaded(folder: Path, *parts: str) -> Loaded:
    path = folder / "h.yaml"
    path.write_text(SITE + "".join(parts), encoding="utf-8")
    return load(path)


def population(folder: Path, *parts: str) -> Population:
    return population_of(loaded(folder, *parts).configuration)


def said(found: Loaded) -> list[str]:
    return [f"{warning.key}: {warning.wrong}" for warning in found.warnings]


def test_devices_come_to_supplies_where_their_agreement_measures(tmp_path: Path) -> None:
    people = population(tmp_path, POWER, PEOPLE)
    both = "any(r1-a,r1-b)"

    assert {name: device.place for name, device in people.devices.items()} == {
        "whole": Place(rack="r1", feeds=both, supply="any(ups-a,ups-b)", ports="any(sw-1/1,sw-1/2)"),
        "one": Place(rack="r1", feeds="r1-b", supply="ups-b"),
        "bare": None,
        "theirs": Place(rack="r1", feeds=both, supply=both),
        "outlet": Place(feeds="strip/outlet 7", supply="strip/outlet 7"),
    }
    assert {name: supply.measured_at for name, supply in people.supplies.items()} == {
        "any(ups-a,ups-b)": "source",
        "ups-b": "source",
        both: "outlet",
        "strip/outlet 7": "outlet",
    }
    assert {(one.terms.interval.seconds, one.terms.misses) for one in people.supplies.values()} == {(5, 3)}


def test_the_house_is_known_by_its_parts(tmp_path: Path) -> None:
    people = population(tmp_path, POWER, PEOPLE)

    assert [one.kind for one in people.sources.values()] == ["power/nut"] * 2
    assert people.elements["r1-b"].is_redundant
    assert people.elements["strip"].input == "r1-a"
    assert people.elements["ups-b"].witnesses == (("card-b", ""), ("card-a", "input 1"))
    assert people.elements["panel-a"].kind is Kind.PANEL
    assert people.switches["sw-1"].name == "sw-1"
    assert people.switches["sw-1"].terms.interval.seconds == 30


def test_supplies_of_inventories_are_there_too(tmp_path: Path) -> None:
    found = loaded(tmp_path, POWER).configuration

    assert population_of(found).supplies == {}
    assert {one.measured_at for one in population_of(found, ["r1-a"]).supplies.values()} == {"outlet"}


def test_what_is_well_said_is_worth_no_warning(tmp_path: Path) -> None:
    assert said(loaded(tmp_path, POWER, PEOPLE)) == []


def test_what_nobody_sees_and_what_nobody_names_is_worth_one(tmp_path: Path) -> None:
    power = POWER.replace(", source: card-a}", "}").replace(
        "source: [card-b, card-a/input 1]", "source: card-b"
    )
    power = power.replace("utilities: [{id: grid-1}]", "utilities: [{id: grid-1}, {id: grid-2}]")
    people = PEOPLE.replace("address: 192.0.2.14, rack: r1", "address: 192.0.2.14, rack: r9")

    assert said(loaded(tmp_path, power, people)) == [
        "power.sources[card-a]: no element names this source, so what it says decides nothing",
        "power.utilities[grid-2].source: nobody sees whether there is power: neither here, nor on the way",
        "power.ups[ups-a].source: nobody sees whether there is power: neither here, nor on the way",
        "customers[beta].devices[theirs].rack: no feed goes to rack r9, so its power is not watched",
    ]


def test_without_power_there_is_nothing_to_warn_of(tmp_path: Path) -> None:
    people = PEOPLE.replace(', ports: "any(sw-1/2, sw-1/1)"', "").replace(", feeds: r1-b", "")
    assert said(loaded(tmp_path, people.replace("feeds: strip/outlet 7", "rack: r1"))) == []


def test_sources_whose_pushes_nobody_can_tell_apart_are_mistakes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the first would ever be heard. A path or a key of its own is enough."""
    monkeypatch.setenv("PUSH_KEY", "k" * 40)
    monkeypatch.setenv("OTHER_KEY", "o" * 40)
    pushed = """\
power:
  listen: 127.0.0.1:8476
  sources:
    - {id: pushed-a, webhook: {path: /a, key: {env: PUSH_KEY}}}
    - {id: pushed-b, webhook: {path: /a, key: {env: PUSH_KEY}}}
    - {id: pushed-c, webhook: {path: /a, key: {env: OTHER_KEY}}}
    - {id: pushed-d, webhook: {path: /d, key: {env: PUSH_KEY}}}
"""
    (tmp_path / "site.yaml").write_text(SITE + pushed, encoding="utf-8")

    with pytest.raises(BadConfiguration) as bad:
        load(tmp_path / "site.yaml")

    alike = "pushes to the same path with the same key as"
    assert [(one.line, one.wrong) for one in bad.value.mistakes] == [
        (7, f"{alike} pushed-b"),
        (8, f"{alike} pushed-a"),
    ]


def test_a_rack_with_more_feeds_than_an_expression_has_names_is_a_mistake(tmp_path: Path) -> None:
    """Of 64 a device that stands there hangs on any; the 65th is told of with its line."""

    def site(count: int) -> str:
        feeds = "".join(f"    - {{id: f{number}, panel: panel-a, rack: r9}}\n" for number in range(count))
        return POWER.replace("  pdus:", f"{feeds}  pdus:")

    assert loaded(tmp_path, site(64), PEOPLE.replace("rack: r1, ports", "rack: r9, ports"))
    with pytest.raises(BadConfiguration) as bad:
        loaded(tmp_path, site(65), PEOPLE.replace("rack: r1, ports", "rack: r9, ports"))

    assert [one.wrong for one in bad.value.mistakes] == ["is the rack of more than 64 feeds"]
