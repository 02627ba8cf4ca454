"""What changes is known by the files alone that changed, as long as it is known what is in force."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostwatch import unprivileged
from hostwatch.core import versions
from hostwatch.core.device import Device, State
from hostwatch.stock.check import Stock, check
from hostwatch.stock.client import Stocktaker
from hostwatch.stock.compare import Difference, differences, of_files
from hostwatch.store import rows
from tests.stock.site import devices, order

NAMES = tuple("abcdefgh")
LIKES = st.tuples(
    st.sampled_from(["acme", "globex"]),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "::1"]),
    st.sampled_from(["in-service", "suspended", "removed"]),
    st.sampled_from(["", "yes"]),
)
SITES = st.dictionaries(st.sampled_from(NAMES), st.tuples(st.integers(0, 2), LIKES))
Site = dict[str, tuple[int, tuple[str, str, str, str]]]


def write(folder: Path, site: Site) -> None:
    for file in range(3):
        text = "customer,id,address,state,shared\n"
        for name, (place, (customer, address, state, shared)) in site.items():
            text += f"{customer},{name},{address},{state},{shared}\n" if place == file else ""
        (folder / f"{file}.csv").write_text(text)


def read(folder: Path) -> Stock:
    stock = check(order(folder, "0.csv", "1.csv", "2.csv", shelf=True))
    assert stock.mistakes == []
    return stock


def noted(stock: Stock, configuration: str = "one") -> None:
    stock.shelf.note(configuration, [summary.digest for summary in stock.summaries])


def recorded(present: Iterable[Device]) -> list[tuple[str, str, str, str]]:
    return [(d.id, d.customer, d.state.value, rows.text(versions.body(d, "main"))) for d in present]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=SITES, after=SITES)
def test_the_files_say_the_same_as_the_record(before: Site, after: Site) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, before)
        first = read(folder)
        noted(first)
        write(folder, after)
        second = read(folder)

        found = of_files(second, "one")
        was, wanted = devices(first), devices(second)
        expected = differences(second, "main", recorded(was.values()))

    assert found is not None
    assert found.gone == expected.gone
    living = {n for n, d in was.items() if d.state is not State.REMOVED or n not in wanted}
    assert set(found.new) == set(expected.new) - {n for n in wanted if was.get(n) == wanted[n]}
    assert set(found.changed) & living == set(expected.changed) & living
    assert {*found.new, *found.changed} == {n for n, d in wanted.items() if was.get(n) != d}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write(tmp_path, {"a": (0, ("acme", "192.0.2.1", "", "")), "b": (1, ("acme", "192.0.2.2", "", ""))})
    return tmp_path


def change(folder: Path) -> None:
    (folder / "1.csv").write_text("customer,id,address\nacme,b,192.0.2.9\n")


def test_what_is_in_force_is_kept_until_something_else_is(site: Path) -> None:
    first = read(site)
    noted(first)
    change(site)
    second = read(site)
    kept = {file.name.partition(".")[0] for file in (site / "shelf").glob("*.devices.json")}
    assert {summary.digest for summary in (*first.summaries, *second.summaries)} == kept
    assert of_files(read(site), "one") == Difference(changed=("b",))

    noted(second, "two")
    kept = {file.name.partition(".")[0] for file in (site / "shelf").glob("*.devices.json")}
    assert {summary.digest for summary in second.summaries} == kept
    assert of_files(read(site), "two") == Difference()


def test_of_another_configuration_nothing_is_believed(site: Path) -> None:
    noted(read(site))
    change(site)

    assert of_files(read(site), "two") is None
    assert of_files(read(site), "") is None


@pytest.mark.parametrize("changed", [True, False])
def test_read_by_other_rules_or_beside_other_devices_nothing_is_believed(site: Path, changed: bool) -> None:
    noted(read(site))
    if changed:
        change(site)
    wanted = order(site, "0.csv", "1.csv", "2.csv", shelf=True)
    east = replace(wanted, customers={"acme": "east", "globex": None}, uplinks=("east",))
    beside = replace(wanted, inline={"x": ("h.yaml:9", Device(id="x", customer="acme", address="::1"))})

    assert of_files(check(east), "one") is None
    assert of_files(check(beside), "one") is None


@pytest.mark.parametrize("spoilt", ["", "[]", "{", '{"files": 3}', '{"files": [3]}'])
def test_a_note_that_cannot_be_read_is_none(site: Path, spoilt: str) -> None:
    noted(read(site))
    change(site)
    (site / "shelf/in-force.json").write_text(spoilt)

    assert of_files(read(site), "one") is None


def test_without_what_was_kept_the_record_is_asked(site: Path) -> None:
    noted(read(site))
    for file in (site / "shelf").glob("*.devices.json"):
        file.unlink()
    change(site)

    assert of_files(read(site), "one") is None


def test_the_process_has_none_of_our_privileges(site: Path) -> None:
    """What `hostwatch.unprivileged` starts also waits until others have had their turn."""
    with Stocktaker() as stocktaker:
        stocktaker.check(order(site, shelf=True), lambda file, line, lines: None)
        polite = os.getpriority(os.PRIO_PROCESS, stocktaker._process.pid)
        stocktaker.note("one")

    assert polite == min(os.getpriority(os.PRIO_PROCESS, 0) + unprivileged.POLITE, 19)
    assert json.loads((site / "shelf/in-force.json").read_text())["configuration"] == "one"
