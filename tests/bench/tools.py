"""The programs that we are measured beside: Debian packages, unpacked and never installed, and our own in C.

Nothing of the machine is changed: packages are fetched by `apt-get download` and unpacked into `.bench/`;
none of their scripts is run and no service is started.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".bench"
PACKAGES = {
    "fping": "fping",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
}
SOURCES = Path(__file__).parent
PATIENCE_S = 300


class NotThere(Exception):
    """A program cannot be had; in words."""


def program(name: str) -> str:
    """Where a program is: fetched first, if it is not there yet. Raises `NotThere`."""
    found = PLACE / "usr" / "bin" / name
    if not found.exists():
        _fetch(PACKAGES[name])
    if not found.exists():
        raise NotThere(f"{name} is not in the package {PACKAGES[name]}")
    return str(found)


def hold_to(pid: int, core: str) -> None:
    """Let a process run on one core only."""
    os.sched_setaffinity(pid, {int(core)})


def _fetch(package: str) -> None:
    PLACE.mkdir(exist_ok=True)
    _run(["apt-get", "download", "-q", package], f"{package} cannot be fetched")
    (archive,) = PLACE.glob(f"{package}_*.deb")
    _run(["dpkg", "-x", str(archive), "."], f"{package} cannot be unpacked")


def compiled(name: str) -> str:
    """Where one of our programs in C is: compiled first, if its source is newer. Raises `NotThere`."""
    source, made = SOURCES / f"{name}.c", PLACE / name
    PLACE.mkdir(exist_ok=True)
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        words = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(made), str(source)]
        _run(words, f"{source.name} cannot be compiled (apt-get install gcc libc6-dev)")
    return str(made)


def _run(words: list[str], failure: str) -> None:
    try:
        done = subprocess.run(
            words, cwd=PLACE, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotThere(f"{failure}: {error}") from error
    if done.returncode != 0:
        raise NotThere(f"{failure}: {done.stderr.strip()[-300:]}")


def versions() -> dict[str, str]:
    """Of the programs that are there."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        path = PLACE / "usr" / "bin" / name
        if path.exists():
            done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            words = (done.stdout + done.stderr).split()
            found[name] = words[words.index("version") + 1 if "version" in words else -1].strip(",")
    done = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
    found["cc"] = done.stdout.partition("\n")[0]
    return found
