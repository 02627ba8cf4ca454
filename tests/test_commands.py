"""What keeps a command from its work is said in one line on stderr, and its exit code tells that it was kept.

A program that asks for a state (is all well?) must not take 1, *something is down*, for *I could not look*.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hostwatch import cli

SITE = """
site: {name: Here, timezone: Asia/Shanghai}
store: sqlite:///nowhere.db
listen: off
"""

NO_CONFIGURATION = {
    "cause E-000001 --is carrier --because rain": 1,
    "check srv-1": 2,
    "contacts": 2,
    "doctor": 2,
    "emergency correct E-000001 --because rain": 1,
    "explain E-000001": 1,
    "latency srv-1": 1,
    "power": 2,
    "reload": 1,
    "report --month 2026-10": 1,
    "sources": 2,
    "status": 2,
    "traffic": 1,
}

NO_STORE = {name: code for name, code in NO_CONFIGURATION.items() if name not in ("doctor", "check srv-1")}

NO_SENSE = (
    "cause E-000001 --is carrier --withdraw",
    "latency srv-1 --from 2026-10-02T00:00 --to 2026-10-01T00:00",
    "traffic --series",
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "hostwatch.yaml"
    file.write_text(SITE)
    return file


@pytest.mark.parametrize(("typed", "code"), NO_CONFIGURATION.items())
def test_without_a_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, typed: str, code: int
) -> None:
    assert cli.main([*typed.split(), "--config", str(tmp_path / "none.yaml")]) == code

    told = capsys.readouterr()
    assert told.out == ""
    assert "none.yaml" in told.err


@pytest.mark.parametrize(("typed", "code"), NO_STORE.items())
def test_without_a_watch_that_ever_ran(
    capsys: pytest.CaptureFixture[str], site: Path, typed: str, code: int
) -> None:
    assert cli.main([*typed.split(), "--config", str(site)]) == code

    told = capsys.readouterr()
    assert told.out == ""
    assert "nowhere.db" in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize("typed", NO_SENSE)
def test_what_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str], site: Path, typed: str) -> None:
    assert cli.main([*typed.split(), "--config", str(site)]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("cannot ")
