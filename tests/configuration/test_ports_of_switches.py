"""How switches are asked about their ports: what is written, and the ports that devices hang on now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.configuration.load import Loaded, load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.configuration.population import population_of
from hostwatch.core.device import State
from hostwatch.core.place import Place
from hostwatch.core.population import Changes, Population
from hostwatch.services import Definitions

TEXT = """\
site: {name: Here, timezone: UTC}
store: sqlite:///store.db
mail: {smtp: "smtp://127.0.0.1:9", from: noc@dc.example}
network:
  switches:
    - {id: sw-1, address: 127.0.0.9, ports: {interval: 30s, snmp: {address: 127.0.0.9, community: {env: C}}}}
    - id: sw-2
      address: 127.0.0.8
      ports: {snmp: {address: 127.0.0.8, community: {env: C}, ports: [uplink, a/1]}}
    - {id: sw-3, address: 127.0.0.7}
customers:
  - id: acme
    name: Acme
    contacts: [{id: duty, name: Duty, channels: [{email: ops@acme.example}]}]
    devices:
      - {id: one, address: 127.0.0.2, ports: "any(sw-1/ge-0/0/7, sw-2/a/1)"}
      - {id: two, address: 127.0.0.3, ports: sw-1/8}
"""
SIGNAL = "source:ports:sw-1/read@main"


POWER = """\
power:
  sources: [{id: card, snmp_ups: {address: 127.0.0.5, community: {env: C}}}]
  utilities: [{id: grid}]
  ups: [{id: ups-a, input: grid, source: card}]
  panels: [{id: panel-a, input: ups-a}]
  feeds: [{id: r1-a, panel: panel-a, rack: r1}, {id: r1-b, panel: panel-a, rack: r1}]
"""


@pytest.mark.parametrize(
    ("where", "feeds", "warned"),
    [
        ("", "", []),
        (", feeds: r1-b", "r1-b", []),
        (", rack: r1", "any(r1-a,r1-b)", []),
        (", rack: r9", "", ["network.switches[sw-3].rack"]),
        (", rack: r9, feeds: r1-a", "r1-a", []),
    ],
)
def test_what_a_switch_hangs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, feeds: str, warned: list[str]
) -> None:
    monkeypatch.setenv("C", "not-for-everybody")
    text = POWER + TEXT.replace("{id: sw-3, address: 127.0.0.7}", f"{{id: sw-3, address: 127.0.0.7{where}}}")
    found = written(tmp_path, text)

    assert population_of(found.configuration).switches["sw-3"].feeds == feeds
    assert [one.key for one in found.warnings if "rack" in one.key] == warned


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    monkeypatch.setenv("C", "not-for-everybody")
    return written(tmp_path, TEXT)


def written(folder: Path, text: str) -> Loaded:
    path = folder / "h.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def asked(definitions: Definitions, people: Population, signal: str = SIGNAL) -> tuple[str, tuple[str, ...]]:
    """The key of a definition, and the ports that are asked about."""
    found = definitions.of(people, signal)
    assert found is not None
    (check,) = found.service.checks
    assert check.kind == "ports/snmp"
    return found.key, check.settings.ports


def test_a_switch_is_a_source_of_its_own_interval(loaded: Loaded) -> None:
    sources = population_of(loaded.configuration).sources
    assert {name: (one.kind, one.interval) for name, one in sources.items()} == {
        "ports:sw-1": ("ports/snmp", timedelta(seconds=30)),
        "ports:sw-2": ("ports/snmp", timedelta(minutes=1)),
    }
    assert loaded.configuration.asks_sources


def test_asked_about_are_the_ports_that_are_written_and_those_that_devices_hang_on(loaded: Loaded) -> None:
    definitions, people = Definitions(loaded.configuration, b"key"), population_of(loaded.configuration)
    assert asked(definitions, people)[1] == ("8", "ge-0/0/7")
    assert asked(definitions, people, "source:ports:sw-2/read@main")[1] == ("uplink", "a/1")
    assert definitions.of(people, "source:ports:sw-3/read@main") is None


def test_they_follow_the_devices(loaded: Loaded) -> None:
    """A second device comes to a port; both leave it, one for another port, one out of service."""
    definitions, people = Definitions(loaded.configuration, b"key"), population_of(loaded.configuration)
    first = asked(definitions, people)
    two = people.devices["two"]
    three = replace(two, id="three")
    people.change(Changes(devices=(three,)))
    assert asked(definitions, people) == first, "nothing is asked that was not before"
    people.change(Changes(devices=(replace(two, place=Place(ports="sw-1/9")),)))
    assert asked(definitions, people)[1] == ("8", "9", "ge-0/0/7")
    people.change(Changes(devices=(replace(three, state=State.SUSPENDED),)))
    key, ports = asked(definitions, people)
    assert ports == ("9", "ge-0/0/7")
    assert key != first[0], "who is asked otherwise is defined anew"
    people.change(Changes(devices_gone=("one", "two", "three")))
    assert asked(definitions, people)[1] == ()


MISTAKES = {
    "ports: {interval: 1m}": "names no port witness",
    "ports: {snpm: {address: 127.0.0.9}}": "did you mean snmp?",
    "ports: {interval: 10m, snmp: {address: 127.0.0.9, community: {env: C}}}": "interval",
    "ports: {snmp: {address: 127.0.0.9}}": "needs either a community (v2c) or a user (v3)",
}


@pytest.mark.parametrize("bad", MISTAKES)
def test_mistakes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("C", "not-for-everybody")
    good = "ports: {interval: 30s, snmp: {address: 127.0.0.9, community: {env: C}}}"
    with pytest.raises(BadConfiguration) as told:
        written(tmp_path, TEXT.replace(good, bad))
    assert MISTAKES[bad] in str(told.value)


@pytest.mark.parametrize(
    ("site", "own", "expected"),
    [("", "", "both"), ("power", "", "power"), ("", "power", "power"), ("power", "both", "both")],
)
def test_where_one_event_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: str, own: str, expected: str
) -> None:
    monkeypatch.setenv("C", "not-for-everybody")
    terms = f"    terms: {{one_event: {own}}}\n" if own else ""
    text = (f"power: {{one_event: {site}}}\n" if site else "") + TEXT.replace(
        "    name: Acme\n", f"    name: Acme\n{terms}"
    )

    assert population_of(written(tmp_path, text).configuration).customers["acme"].terms.one_event == expected
