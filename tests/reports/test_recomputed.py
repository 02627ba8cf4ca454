"""The program on the page of the audit comes to the same seconds of power as the report."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports.october import october
from tests.reports.stores import ROOT, write

MONTH = ("2026-09-30T16:00:00Z", "2026-10-31T16:00:00Z")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story of October."""
    path = tmp_path_factory.mktemp("audit") / "hostwatch.db"
    write(path).close()
    return path


def recomputed(store: Path, customer: str, device: str) -> str:
    """What the program says that the page shows."""
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page.partition("## Recomputing a month")[2], re.DOTALL)
    assert found is not None
    words = [sys.executable, "-I", "-c", found[1], str(store), customer, device, *MONTH]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("device", ["acme-web-1", "acme-web-2", "beta-db-1", "beta-new-1"])
def test_power_is_recomputed_from_the_facts_alone(store: Path, device: str) -> None:
    (row,) = [row for row in october(None).rows if row.device == device]
    sums = row.power.account

    said = recomputed(store, row.customer, device)

    assert said == f"up {sums.up_s} down {sums.down_s} unknown {sums.unknown_s}\n"
    assert sums.up_s + sums.down_s + sums.unknown_s == sums.period_s


def test_the_story_has_power_to_recompute(store: Path) -> None:
    assert recomputed(store, "acme", "acme-web-1") == "up 2674500 down 300 unknown 3600\n"
