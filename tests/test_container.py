"""The image: what its recipe promises, and the one capability on its way to a user without privileges."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from container import entry, grant

ROOT = Path(__file__).resolve().parent.parent
RECIPE = re.sub(r" *\\\n *", " ", (ROOT / "Dockerfile").read_text())
FINAL_STAGE = RECIPE[RECIPE.rindex("\nFROM ") :]
NET_RAW = 1 << entry.CAP_NET_RAW


def instructions(name: str, recipe: str = RECIPE) -> list[str]:
    return re.findall(rf"^{name} (.*)$", recipe, re.MULTILINE)


def test_the_base_is_the_builders_choice() -> None:
    assert instructions("ARG") == ["BASE=python:3.11-slim-bookworm"]
    assert instructions("FROM") == ["${BASE} AS build", "${BASE}"]


def test_it_runs_as_a_number_that_is_not_root_and_keeps_its_state_in_a_volume() -> None:
    assert instructions("USER", FINAL_STAGE) == ["65532:65532"]
    assert instructions("VOLUME", FINAL_STAGE) == ['["/var/lib/hostwatch"]']


@pytest.mark.parametrize("instruction", ["RUN", "ENTRYPOINT", "CMD"])
def test_the_final_stage_calls_no_shell(instruction: str) -> None:
    calls = instructions(instruction, FINAL_STAGE)
    assert calls
    assert all(call.startswith("[") for call in calls)


def test_its_health_is_what_the_watch_says_of_itself() -> None:
    (check,) = instructions("HEALTHCHECK", FINAL_STAGE)
    assert "http://127.0.0.1:9464/-/healthy" in check
    assert 'CMD ["/opt/hostwatch/bin/python"' in check


def test_nothing_is_installed_without_its_hash() -> None:
    for run in instructions("RUN"):
        for install in re.findall(r"pip install (.*?)(?:&&|$)", run):
            assert "--require-hashes" in install or "--no-index" in install, install


def test_all_that_is_copied_into_it_passes_the_dockerignore() -> None:
    admitted = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    for copy in instructions("COPY"):
        if copy.startswith("--"):
            continue
        for source in copy.split()[:-1]:
            path = source.rstrip("/")
            assert (ROOT / path).exists(), path
            assert {path, path.split("/")[0]} & admitted, path


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """A copy of this interpreter with the file capability, laid out as in the image."""
    real = Path(sys.executable).resolve()
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").write_text(f"home = {real.parent}\n")
    copy = tmp_path / "bin" / "python-net-raw"
    shutil.copy(real, copy)
    grant.grant(str(copy))
    return copy


@pytest.mark.lab
@pytest.mark.parametrize(("bounding", "expected"), [("-all,+net_raw", NET_RAW), ("-all", 0)])
def test_the_entry_passes_on_the_capability_if_the_runtime_admits_it_and_starts_if_not(
    interpreter: Path, bounding: str, expected: int
) -> None:
    """With `noroot` the kernel treats uid 0 like any other user: it owns nothing but what the file grants."""
    look = "print(*[line for line in open('/proc/self/status') if line.startswith('Cap')])"
    enter = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'container')!r}); import entry; "
        f"entry.main(['-c', {look!r}], {sys.executable!r})"
    )
    unprivileged = [
        "setpriv",
        "--securebits",
        "+noroot",
        "--inh-caps=-all",
        f"--bounding-set={bounding}",
        "--",
    ]
    done = subprocess.run(
        [*unprivileged, interpreter, "-I", "-c", enter],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    sets = {name: int(value, 16) for name, value in re.findall(r"Cap(\w+):\s*(\w+)", done.stdout)}
    assert sets["Eff"] == sets["Prm"] == sets["Amb"] == expected
