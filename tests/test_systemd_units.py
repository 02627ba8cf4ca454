"""The unit: how much it may do, by systemd's own rules, and whether the program can live with that."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "systemd" / "hostwatch.service"
INSTALLED = "/opt/hostwatch/bin/hostwatch"

SCORE_MAX_TENTHS = 20
"""The exposure that `systemd-analyze security` may find, 10.0 being everything; the usual daemon has 9.2."""


def settings(name: str) -> list[str]:
    """All values of one setting, in order; the unit says most things once."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`systemd-analyze`, which needs no running systemd for what is asked of it here."""
    return subprocess.run(
        ["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_exposure_is_at_most_two() -> None:
    judged = analyze("security", "--offline=true", f"--threshold={SCORE_MAX_TENTHS}", str(UNIT))
    found = re.search(r"Overall exposure level for hostwatch\.service: (\d+)\.(\d)", judged.stdout)
    assert found, judged.stdout + judged.stderr
    assert int(found[1]) * 10 + int(found[2]) <= SCORE_MAX_TENTHS
    assert judged.returncode == 0


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """Only the program's place is another one, for `verify` wants to find it."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(INSTALLED, sys.executable))
    verified = analyze("verify", "--recursive-errors=one", str(copy))
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_only_capability_is_the_one_for_raw_sockets() -> None:
    assert settings("AmbientCapabilities") == ["CAP_NET_RAW"]
    assert settings("CapabilityBoundingSet") == ["CAP_NET_RAW"]
    assert settings("NoNewPrivileges") == ["yes"]


def test_the_clock_may_be_asked_and_not_set() -> None:
    """`ProtectClock=` would forbid both; all else that it does is there without it."""
    assert settings("SystemCallFilter") == [
        "@system-service",
        "~@privileged @resources",
        "adjtimex clock_adjtime",
        "landlock_create_ruleset landlock_restrict_self",
    ]
    assert "CAP_SYS_TIME" not in settings("CapabilityBoundingSet")[0]
    assert (settings("PrivateDevices"), settings("DevicePolicy")) == (["yes"], ["closed"])


def test_no_user_of_its_own_outlives_it_and_no_secret_stands_in_it() -> None:
    assert settings("DynamicUser") == ["yes"]
    assert settings("Environment") == []
    assert settings("StateDirectoryMode") == ["0700"]
    assert settings("UMask") == ["0077"]


def test_it_reports_itself_and_is_watched() -> None:
    assert settings("Type") == ["notify"]
    assert settings("NotifyAccess") == ["main"]
    assert settings("WatchdogSec") == ["60"]
    assert settings("Restart") == ["on-failure"]
    config = "--config /etc/hostwatch/hostwatch.yaml"
    assert settings("ExecStart") == [f"{INSTALLED} run {config}"]
    assert settings("ExecReload") == [f"{INSTALLED} reload {config}"]


@pytest.mark.parametrize("setting", ["LimitNOFILE", "MemoryMax", "TasksMax", "TimeoutStopSec", "LimitCORE"])
def test_there_is_a_limit_on(setting: str) -> None:
    (value,) = settings(setting)
    assert re.fullmatch(r"\d+[MG]?", value)


def test_the_drop_in_keeps_secrets_in_credentials_only() -> None:
    lines = (ROOT / "systemd" / "secrets.conf").read_text().splitlines()
    said = [line for line in lines if line and not line.startswith("#")]
    assert said[0] == "[Service]"
    assert all(
        re.fullmatch(r"LoadCredential=[\w-]+:/etc/hostwatch/secrets/[\w-]+", line) for line in said[1:]
    )
