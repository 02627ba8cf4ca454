"""`hostwatch traffic` shows what is kept of a port, a device, a customer, a switch or everybody."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hostwatch.core.place import Place
from hostwatch.core.traffic import STEP_S, Figure, Passed
from hostwatch.core.world import Decision
from hostwatch.store.connection import connect
from tests.daemon.running import command
from tests.store.stories import BEGINNING, Story, device, population

SITE = "site: {name: Test, timezone: Asia/Shanghai}\nstore: sqlite:///store.db\n"
MBPS = 37_500_000
KEPT = 8 * MBPS + 256
"""Eight megabits a second as they are kept: figures are right to one part in 500,000."""

FIRST = int(BEGINNING.timestamp()) // STEP_S
"""The five minutes with which January 5 begins in London; in Shanghai it is 08:00."""


def on(number: int, ports: str, customer: str = "acme") -> Any:
    return replace(device(number, customer=customer), place=Place(ports=ports))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of two devices of acme and one of bolt, who is not asked about in its second half."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "hostwatch.yaml").write_text(SITE, encoding="utf-8")
    story = Story(connect(folder / "store.db"))
    story.enrol(population(on(1, "any(sw-1/1,sw-2/1)"), on(2, "sw-1/2"), on(3, "sw-1/3", "bolt")))
    octets = {"sw-1/1": 1, "sw-2/1": 2, "sw-1/2": 4, "sw-1/3": 8, "sw-1/uplink": 100}
    figures = [
        Figure(port, FIRST + place, Passed(mbps * MBPS, mbps * MBPS // 10))
        for port, mbps in octets.items()
        for place in range(12 if mbps != 8 else 6)
    ]
    story.do(Decision(traffic=tuple(figures)))
    story.ledger.close()
    return folder


def show(folder: Path, *words: str) -> str:
    done = command("traffic", "--config", str(folder / "hostwatch.yaml"), "--month", "2026-01", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def billed(folder: Path, *words: str) -> dict[str, tuple[int | None, int, int]]:
    """What bills in Mbit/s, and how many five minutes are known and lack, by name."""
    found = json.loads(show(folder, *words, "--json"))["lines"]
    return {
        f"{one['kind']} {one['name']}": (
            one["billed_bps"] and one["billed_bps"] // 1_000_000, one["known"], one["missing"]
        )
        for one in found
    }  # fmt: skip


MONTH, SINCE = 31 * 288, 27 * 288 - 96
"""Five minutes of January, and those since the devices are there: 27 days less 8 hours in Shanghai."""


def test_everybody(folder: Path) -> None:
    assert billed(folder) == {
        "customer acme": (7, 12, SINCE - 12),
        "customer bolt": (8, 6, SINCE - 6),
        "port sw-1/1": (1, 12, MONTH - 12),
        "port sw-1/2": (4, 12, MONTH - 12),
        "port sw-1/3": (8, 6, MONTH - 6),
        "port sw-1/uplink": (100, 12, MONTH - 12),
        "port sw-2/1": (2, 12, MONTH - 12),
    }


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("acme", ["customer acme", "device d1", "device d2", "port sw-1/1", "port sw-1/2", "port sw-2/1"]),
        ("d1", ["device d1", "port sw-1/1", "port sw-2/1"]),
        ("sw-1", ["port sw-1/1", "port sw-1/2", "port sw-1/3", "port sw-1/uplink"]),
        ("sw-1/uplink", ["port sw-1/uplink"]),
    ],
)
def test_one_of_them(folder: Path, what: str, told: list[str]) -> None:
    found = billed(folder, what)
    assert list(found) == told
    assert found.get("device d1", (3, 0, 0))[0] == 3


def test_a_table_for_eyes(folder: Path) -> None:
    printed = show(folder, "d1")
    row = next(line for line in printed.splitlines() if "device" in line)
    assert row.split() == [
        "device", "d1", "3.000", "3.000", "3.000", "0.300", "0.300", "0.300", "3.000", "12", "of", str(SINCE),
    ]  # fmt: skip
    assert "2026-01-01 to 2026-02-01 00:00 (Asia/Shanghai), Mbit/s" in printed


def test_figures_for_spreadsheets(folder: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(show(folder, "sw-1/3", "--csv")))
    assert row["from"] == "2026-01-01T00:00:00+08:00"
    assert row["until"] == "2026-02-01T00:00:00+08:00"
    assert (row["received_p95_bps"], row["sent_average_bps"]) == ("8000007", "800000")
    assert row["octets_received"] == str(6 * KEPT)


def test_each_five_minutes_for_spreadsheets(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(show(folder, "sw-1/3", "--csv", "--series"))))
    assert len(rows) == MONTH
    known = [row for row in rows if row["octets_received"]]
    assert [row["from"] for row in known] == [
        f"2026-01-05T08:{minute:02d}:00+08:00" for minute in range(0, 30, 5)
    ]
    assert {row["octets_sent"] for row in known} == {str(8 * MBPS // 10)}
    plain = json.loads(show(folder, "sw-1/3", "--json", "--series"))["lines"][0]["octets"]
    assert [one for one in plain if one] == [[KEPT, 8 * MBPS // 10]] * 6
    assert len(plain) == MONTH


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sw-9/1", "--month", "2026-01"), "cannot show sw-9/1: in that month nothing of that name hung"),
        (("--month", "2199-01"), "cannot show 2199-01: it has not begun"),
        (("--series",), "cannot show each five minutes as a table: add --csv or --json"),
        (("--month", "2026-13"), "write it like 2026-10"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: Path, words: tuple[str, ...], said: str) -> None:
    done = command("traffic", "--config", str(folder / "hostwatch.yaml"), *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_port_there_is_nothing_to_show(tmp_path: Path) -> None:
    (tmp_path / "hostwatch.yaml").write_text(SITE, encoding="utf-8")
    story = Story(connect(tmp_path / "store.db"))
    story.enrol(population(device(0)))
    story.ledger.close()
    assert show(tmp_path).startswith("No device hung on a port for five whole minutes of the clock, and no")
    assert show(tmp_path, "--csv") == ""
