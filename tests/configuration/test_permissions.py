"""Files that the daemon's user may not read. As root nothing could fail, so these run as nobody.

The child becomes nobody itself, after its imports: the interpreter may live where nobody cannot go.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
NOBODY = 65534
CHECK = f"""
import os, sys
from pathlib import Path
from hostwatch import channels
from hostwatch.configuration.load import load
from hostwatch.configuration.mistake import BadConfiguration
found = channels.kinds()
channels.kinds = lambda: found  # the project too may lie where nobody cannot go
for kind in found:
    channels.room(kind)
os.chdir(sys.argv[1])
load(Path("h.yaml"))
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
try:
    loaded = load(Path("h.yaml"))
except BadConfiguration as bad:
    print(bad)
else:
    print("valid", *{{warning.key for warning in loaded.warnings if warning.key.startswith("mail")}})
"""
TEXT = """\
site: {name: Here, timezone: UTC}
store: sqlite:///h.db
mail: {smtp: "smtps://mail.dc.example", from: noc@dc.example, username: noc, password: {file: kept}}
include: [customers.d/*.yaml, named.d/b.yaml]
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's own. What is in it is nobody's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("customers.d", "named.d"):
            (folder / part).mkdir(mode=0o755)
        (folder / "customers.d/a.yaml").write_text("id: acme\nname: Acme\n")
        (folder / "named.d/b.yaml").write_text("id: globex\nname: Globex\n")
        (folder / "kept").write_text("canary-7c1f")
        (folder / "h.yaml").write_text(TEXT)
        for path in ("kept", "h.yaml", "customers.d/a.yaml", "named.d/b.yaml"):
            os.chown(folder / path, NOBODY, NOBODY)
            (folder / path).chmod(0o600)
        yield folder


def as_nobody(folder: Path) -> str:
    """What nobody is told. Root loads first, and must succeed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHECK, str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def take(path: Path) -> None:
    """Make it root's alone."""
    os.chown(path, 0, 0)
    path.chmod(0o700 if path.is_dir() else 0o600)


def test_nobody_may_read_what_is_nobodys(folder: Path) -> None:
    assert as_nobody(folder) == "valid"


def test_an_unreadable_configuration(folder: Path) -> None:
    take(folder / "h.yaml")

    assert as_nobody(folder) == "h.yaml: the file may not be read by this user, check its owner and mode"


def test_an_unreadable_secret(folder: Path) -> None:
    take(folder / "kept")

    assert as_nobody(folder) == (
        "h.yaml:3: mail.password: cannot read the secret in kept: the file may not be read by this user, "
        "check its owner and mode"
    )


def test_a_secret_that_is_read_through_the_group_is_no_mistake(folder: Path) -> None:
    os.chown(folder / "kept", 0, NOBODY)
    (folder / "kept").chmod(0o640)

    assert as_nobody(folder) == "valid"


def test_an_unreadable_included_file(folder: Path) -> None:
    take(folder / "customers.d/a.yaml")

    assert as_nobody(folder) == (
        "customers.d/a.yaml: the file may not be read by this user, check its owner and mode"
    )


def test_an_unreadable_folder_of_customers_is_not_taken_for_an_empty_one(folder: Path) -> None:
    take(folder / "customers.d")

    assert as_nobody(folder) == (
        "h.yaml:4: include: the folder customers.d may not be read by this user, check its owner and mode"
    )


def test_an_unreadable_folder_of_a_named_file(folder: Path) -> None:
    take(folder / "named.d")

    assert as_nobody(folder) == (
        "h.yaml:4: include: there is no file named.d/b.yaml, check the path, which is relative to this file"
    )
