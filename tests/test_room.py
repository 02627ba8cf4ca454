"""A room: a new kind is a new file and nothing else; what is no kind is refused in words for people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostwatch.room import Room


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of kinds of tea, with what they share."""
    package = tmp_path / "teas"
    package.mkdir()
    for name, text in {
        "__init__": "",
        "base": "",
        "_water": "",
        "green": "brew = 70\n",
        "oolong": "brew = 90\n",
    }.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("teas")
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "teas"]:
        del sys.modules[name]


def room() -> Room:
    return Room("teas", "infusion", "teas", ("brew",))


def test_a_file_is_a_kind_and_what_kinds_share_is_none(folder: Path) -> None:
    teas = room()
    assert teas.kinds() == ("green", "oolong")
    assert "teas.green" not in sys.modules, "asking which there are imports none"
    assert teas.room("green").brew == 70

    (folder / "black.py").write_text("brew = 95\n")

    assert teas.kinds() == ("black", "green", "oolong")
    assert teas.room("black").brew == 95
    assert teas.room("black") is teas.room("black")


def test_what_is_no_kind_is_refused_with_those_there_are(folder: Path) -> None:
    for name in ("base", "_water", "cocoa", "../green", "green.brew", ""):
        with pytest.raises(LookupError) as refused:
            room().room(name)
        assert str(refused.value) == f"cannot find the infusion {name!r}: the teas are green, oolong"


def test_a_file_that_lacks_something_is_named(folder: Path) -> None:
    (folder / "empty.py").write_text("")
    teas = room()

    for _ in range(2):
        with pytest.raises(TypeError) as refused:
            teas.room("empty")
        assert str(refused.value) == f"cannot use {folder / 'empty.py'} as an infusion: it lacks brew"


def test_a_kind_that_was_taken_away_is_found_no_more(folder: Path) -> None:
    teas = room()
    teas.room("green")
    (folder / "green.py").unlink()
    del sys.modules["teas.green"]

    with pytest.raises(LookupError, match="the teas are oolong"):
        teas.room("green")
