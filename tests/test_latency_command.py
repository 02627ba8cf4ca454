"""`hostwatch latency` shows what is in the slices, cut and added up as asked."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch.core import calendar, latency
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import Turn
from hostwatch.core.timeline import Span
from tests.daemon.running import command
from tests.store.evidence import BEGINNING, Filled, population

SITE = "site: {name: Test, timezone: Asia/Kathmandu}\nstore: sqlite:///store.db\n"
ZONE = ZoneInfo("Asia/Kathmandu")


def worse_and_worse(turn: Turn) -> tuple[Outcome, int]:
    """Each hour 1 ms slower than the one before; at the end of each, one miss and one late answer."""
    seconds = turn.at_us // 1_000_000 - int(BEGINNING.timestamp())
    if seconds % 3600 >= 3300:
        return Outcome.MISSED, latency.NO_FIGURE
    return Outcome.ANSWERED, latency.code(1000 + seconds // 3600 * 1000, int(seconds % 3600 >= 3000))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slices of 4 hours of a device that is pinged every 5 minutes."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "hostwatch.yaml").write_text(SITE, encoding="utf-8")
    filled = Filled(folder / "store.db")
    filled.enrol(population(acme={"web-1": 300}))
    filled.slices(4 * 720, worse_and_worse)
    filled.ledger.close()
    return folder


def show(folder: Path, *words: str) -> str:
    done = command("latency", "--config", str(folder / "hostwatch.yaml"), *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


SPAN = ("web-1", "--from", "2025-10-01T00:00+00:00", "--to", "2025-10-01T04:00+00:00")


def lines(folder: Path, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(show(folder, *SPAN, *words, "--json"))["lines"]
    return found


def test_hours_are_those_of_the_site(folder: Path) -> None:
    start = int(BEGINNING.timestamp())
    spans = calendar.hours(Span(start, start + 4 * 3600), ZONE)

    found = lines(folder)

    assert [line["from"] for line in found][:2] == ["2025-10-01T05:45:00+05:45", "2025-10-01T06:00:00+05:45"]
    assert len(found) == len(spans) == 5
    assert sum(line["answered"] + line["missed"] for line in found) in (47, 48)


def test_the_whole_is_the_sum_of_its_hours(folder: Path) -> None:
    parts, (whole,) = lines(folder, "--by", "hour"), lines(folder, "--by", "span")

    assert whole["missed"] == sum(line["missed"] for line in parts) == 4
    assert whole["first_lost"] == sum(line["first_lost"] for line in parts) == 8
    assert whole["min_us"] == 1000
    assert whole["max_us"] == latency.rtt_us(latency.code(4000, 0))
    times: dict[int, int] = {}
    for line in parts:
        for time, count in line["times_us"]:
            times[time] = times.get(time, 0) + count
    assert [list(pair) for pair in sorted(times.items())] == whole["times_us"]
    first = whole["answered"] + whole["missed"]
    assert whole["loss_percent"] == f"{800_000 // first // 1000}.{800_000 // first % 1000:03d}"


def test_csv_has_the_same_lines(folder: Path) -> None:
    table = list(csv.DictReader(io.StringIO(show(folder, *SPAN, "--csv"))))

    assert [row["p50_us"] for row in table] == [str(line["p50_us"]) for line in lines(folder)]


def test_a_person_sees_a_table(folder: Path) -> None:
    page = show(folder, *SPAN, "--by", "day")

    assert "web-1/ping@main (Asia/Kathmandu)" in page
    assert "25-10-01 05:45" in page
    assert "in all" in page
    assert "1.000" in page


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("web-2", "--from", "2025-10-01"), "no schedule in this store ever had a device of that name"),
        (("web-1", "--from", "2025-10-02", "--to", "2025-10-01"), "ends before it begins"),
        (("web-1", "--month", "2025-10", "--from", "2025-10-02"), "leave one of them out"),
        (("web-1", "--from", "yesterday"), "write it like 2026-10-01T12:00"),
        (("web-1", "--month", "2025-13"), "write it like 2026-10"),
    ],
)
def test_what_makes_no_sense_is_refused(folder: Path, words: tuple[str, ...], why: str) -> None:
    done = command("latency", "--config", str(folder / "hostwatch.yaml"), *words)

    assert done.returncode == 2
    assert why in done.stderr


def test_nothing_in_a_span_is_no_figure(folder: Path) -> None:
    (line,) = json.loads(
        show(folder, "web-1", "--from", "2025-09-01", "--to", "2025-09-02", "--by", "span", "--json")
    )["lines"]

    assert (line["answered"], line["missed"], line["loss_percent"], line["p50_us"]) == (0, 0, None, None)
