"""The renderings: golden files, the examples of the documentation, and the same bytes everywhere."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hostwatch import reports
from hostwatch.reports import Paper
from hostwatch.reports import csv as csv_report
from hostwatch.sla.account import SECONDS
from tests.reports.october import october

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")


def rendered(name: str, report=None) -> bytes:
    return reports.render(name, report or october(None))


def example(language: str) -> str:
    """The example of a format in the documentation."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_room_has_its_formats():
    assert reports.formats() == ("csv", "json", "text")
    assert all(reports.about(name) for name in reports.formats())


def test_a_format_that_no_file_has():
    with pytest.raises(LookupError, match="cannot find the format 'xlsx': the formats are csv, json, text"):
        reports.render("xlsx", october())


@pytest.mark.parametrize("name", reports.formats())
def test_golden(name):
    assert rendered(name) == (GOLDEN / f"october.{name}").read_bytes()


def test_the_documented_csv():
    assert rendered("csv", october("acme")).decode() == example("csv").replace("\n", "\r\n")


def test_the_documented_json():
    assert json.loads(rendered("json", october("acme"))) == json.loads(example("json"))


def test_the_documented_text():
    assert rendered("text", october("acme")).decode() == example("text")


def test_every_column_is_documented_in_its_place():
    assert tuple(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))[: len(csv_report.COLUMNS)] == (
        csv_report.COLUMNS
    )


def members(value: object) -> set[str]:
    match value:
        case dict():
            return set(value).union(*(members(item) for item in value.values()))
        case list():
            return set().union(*(members(item) for item in value))
    return set()


def test_every_member_is_documented():
    assert members(json.loads(rendered("json"))) <= set(re.findall(r"`(\w+)`", PAGE))


def test_json_is_canonical_and_has_no_floats():
    text = rendered("json").decode()

    value = json.loads(text, parse_float=lambda number: pytest.fail(f"a float: {number}"))

    assert text == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    assert (value["format"], value["version"]) == ("hostwatch.month", 1)


def test_every_line_of_csv_adds_up():
    lines = list(csv.DictReader(io.StringIO(rendered("csv").decode(), newline="")))

    assert len(lines) == 4
    for line in lines:
        seconds = {name: int(line[name]) for name in SECONDS}
        parts = ("up_s", "down_s", "unknown_s", "excluded_s")
        assert sum(seconds[name] for name in parts) == seconds["period_s"]


def test_csv_is_rfc_4180():
    page = rendered("csv")

    assert page.endswith(b"\r\n")
    assert page.count(b"\n") == page.count(b"\r\n") == 5
    assert not page.startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(start):
    (row, *others) = october("acme").rows
    bad = start + '1,"2"'
    report = replace(
        october("acme"),
        site=bad,
        rows=(replace(row, customer=bad, device=bad, addresses=(bad,), signals=(bad,)), *others),
    )

    line = next(csv.DictReader(io.StringIO(rendered("csv", report).decode(), newline="")))

    for column in ("site", "customer", "device", "addresses", "signals"):
        assert line[column] == "'" + bad, column


def test_no_figure_where_nobody_looked():
    lines = list(csv.DictReader(io.StringIO(rendered("csv").decode(), newline="")))

    (waived,) = [line for line in lines if line["device"] == "beta-db-1"]
    assert [waived[name] for name in csv_report.COLUMNS if name.startswith("availability")] == ["", "", ""]
    assert waived["coverage_percent"] == "0.0000"


@pytest.mark.parametrize("width", [20, 50, 80, 100, 106, 107, 132, 200])
def test_no_figure_is_ever_cut_off(width):
    for colour in (False, True):
        page = reports.render("text", october(), Paper(width=width, colour=colour)).decode()
        plain = re.sub(r"\x1b\[[0-9;]*m", "", page)

        assert "…" not in plain
        for figure in ("2678400", "2673000", "99.9327", "99.7759", "99.9551"):
            assert figure in plain
        assert max(len(line.rstrip()) for line in plain.splitlines()) <= width or width < 50
        assert ("\x1b[" in page) is colour


def test_only_the_paper_decides_about_colours(monkeypatch):
    paper = Paper(width=140, colour=True)
    before = reports.render("text", october(), paper)

    for name, value in {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "10", "LINES": "3"}.items():
        monkeypatch.setenv(name, value)

    assert reports.render("text", october(), paper) == before


def test_a_pipe_gets_neither_colours_nor_rules():
    page = rendered("text").decode()

    assert page.isascii()
    assert "\x1b" not in page
    assert not any(line.endswith(" ") for line in page.splitlines())


def test_many_silences_are_counted_and_not_all_written():
    report = october("acme")
    row = report.rows[0]
    many = replace(report, rows=(replace(row, silences=row.silences * 50),))

    assert "  and 50 more: see the other formats\n" in rendered("text", many).decode()


def test_a_month_without_devices():
    empty = october("nobody")

    assert "No device was in service." in rendered("text", empty).decode()
    assert rendered("csv", empty).count(b"\r\n") == 1
    assert json.loads(rendered("json", empty))["devices"] == []


@pytest.mark.parametrize(
    "world",
    [
        {"TZ": "Pacific/Apia", "LC_ALL": "C", "PYTHONHASHSEED": "1", "TERM": "dumb", "COLUMNS": "10"},
        {"TZ": "America/New_York", "LC_ALL": "zh_CN.UTF-8", "PYTHONHASHSEED": "2", "FORCE_COLOR": "1"},
        {"TZ": "Europe/Berlin", "LANG": "de_DE.UTF-8", "PYTHONHASHSEED": "3", "NO_COLOR": "1"},
    ],
)
def test_the_same_bytes_in_another_world(world):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **world}

    done = subprocess.run(
        [sys.executable, "-m", "tests.reports.october"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        check=True,
    )

    expected = b"".join(rendered(name) for name in reports.formats())
    assert hashlib.sha256(done.stdout).hexdigest() == hashlib.sha256(expected).hexdigest()
