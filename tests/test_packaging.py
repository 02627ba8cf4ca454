"""What is shipped, locked and promised for the set-up: checked on the files that an installation uses."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import hostwatch

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
SCRIPTS = sorted((ROOT / "scripts").iterdir())
NOBODY = "65534"


def locked(name: str) -> dict[str, Version]:
    """Package name to locked version, for `requirements/<name>.txt`."""
    pins = re.findall(
        r"^([\w.-]+)==([^ ;\\]+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE
    )
    return {canonicalize_name(package): Version(version) for package, version in pins}


def demanded(lock: str) -> list[str]:
    """What pyproject.toml asks of the lock file of that name."""
    groups: dict[str, list[str]] = PROJECT["dependency-groups"]
    run: list[str] = PROJECT["project"]["dependencies"]
    every = [line for group in groups.values() for line in group]
    fax: list[str] = PROJECT["project"]["optional-dependencies"]["fax"]
    return {"run": run, "fax": [*run, *fax], "build": groups["build"], "test": [*run, *fax, *every]}[lock]


def test_there_are_exactly_the_locks_that_the_scripts_install() -> None:
    assert [path.stem for path in LOCKS] == ["build", "fax", "run", "test"]


@pytest.mark.parametrize("lock", ["run", "fax", "build", "test"])
def test_each_requirement_has_a_lower_bound_and_is_locked_within_it(lock: str) -> None:
    versions = locked(lock)
    for line in demanded(lock):
        requirement = Requirement(line)
        assert any(bound.operator == ">=" for bound in requirement.specifier), f"{line} has no lower bound"
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, line


def test_the_test_environment_runs_the_very_versions_that_are_shipped() -> None:
    test = locked("test")
    for package, version in (locked("run") | locked("fax") | locked("build")).items():
        assert test[package] == version, package


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_has_hashes_throughout_and_names_no_place(path: Path) -> None:
    text = path.read_text()
    entries = [entry for entry in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE) if "==" in entry]
    assert entries
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert not re.search(r"^--|^-[a-z] |@ ", text, re.MULTILINE), "an option or a direct reference"


def test_few_run_time_dependencies_and_no_copyleft_among_all_that_they_bring() -> None:
    assert len(PROJECT["project"]["dependencies"]) <= 12
    for package in locked("run") | locked("fax"):
        try:
            about = metadata.metadata(package)
        except metadata.PackageNotFoundError:
            continue  # Locked for another platform.
        words = about.get_all("License-Expression") or about.get_all("License") or []
        words = [
            *words,
            *(line for line in about.get_all("Classifier") or [] if line.startswith("License ::")),
        ]
        first_lines = " ".join(word.split("\n", 1)[0] for word in words)
        without_lesser = re.sub(r"LGPL|Lesser General Public License", "", first_lines)
        assert not re.search(r"GPL|General Public License", without_lesser), (package, first_lines)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as an installation would build it, without reaching for any index."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = place.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    on_disk = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "hostwatch").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    in_wheel = {name for name in wheel.namelist() if name.startswith("hostwatch/")}
    assert in_wheel == on_disk
    assert "hostwatch/py.typed" in in_wheel


def test_the_wheel_knows_its_version_its_licence_and_its_command(wheel: zipfile.ZipFile) -> None:
    info = f"hostwatch-{hostwatch.__version__}.dist-info"
    about = wheel.read(f"{info}/METADATA").decode()
    assert f"\nVersion: {hostwatch.__version__}\n" in about
    assert "\nLicense-Expression: Apache-2.0\n" in about
    assert "hostwatch = hostwatch.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_executable_and_needs_only_a_posix_shell(script: Path) -> None:
    assert script.stat().st_mode & 0o111 == 0o111
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n# ")
    assert "set -eu" in text
    checked = subprocess.run(["/bin/sh", "-n", script], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_make_knows_only_names_for_scripts() -> None:
    targets = re.findall(r"^([a-z ]+):$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) == 1
    assert set(targets[0].split()) <= {script.name for script in SCRIPTS}
    assert {"simulate", "killsweep", "test", "lint", "bench"} <= set(targets[0].split())


def test_the_readme_gives_the_two_commands_and_the_machine_runs_the_second() -> None:
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^ *(sudo )?scripts/try$", readme, re.MULTILINE)
    assert re.search(r"^ *(sudo )?scripts/test$", readme, re.MULTILINE)
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("\nscripts/test")


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout that anyone may read (pytest's own directories are root's alone), without an environment."""
    place = Path(tempfile.mkdtemp(prefix="hostwatch-checkout-"))
    place.chmod(0o755)
    shutil.copytree(ROOT / "scripts", place / "scripts")
    yield place
    shutil.rmtree(place)


@pytest.mark.lab
def test_without_root_the_tests_say_what_they_need_and_touch_nothing(checkout: Path) -> None:
    drop = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]
    done = subprocess.run(
        [*drop, checkout / "scripts" / "test"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert "need root: sudo scripts/test" in done.stderr
    assert "System packages that are still missing here: none" in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.lab
def test_without_permission_to_ping_the_try_says_what_helps(checkout: Path) -> None:
    """A new network namespace admits no group to ping sockets, and the bounding set withholds CAP_NET_RAW."""
    (checkout / "scripts" / "setup").write_text("#!/bin/sh\n")
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    tools = checkout / "tools"
    tools.mkdir()
    for tool in ("dirname", "cat", "id"):
        (tools / tool).symlink_to(str(shutil.which(tool)))
    lower = ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw", "--"]
    done = subprocess.run(
        ["unshare", "--net", *lower, "env", f"PATH={tools}", checkout / "scripts" / "try"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert "This user may not send a ping" in done.stderr
    assert 'sysctl -w net.ipv4.ping_group_range="0 2147483647"' in done.stderr


def test_a_lock_that_setup_does_not_know_is_refused() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "setup", "everything"], capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert "say 'run' or 'test', not 'everything'" in done.stderr
