"""A month of evidence is made of the slices that are there, and of all their columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.bench import month


def store(path: Path, rows: Sequence[tuple[object, ...]]) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TABLE slices (version INTEGER, number INTEGER, missed TEXT, unknown TEXT,"
            " closed_at INTEGER, latencies BLOB, PRIMARY KEY (version, number)) STRICT, WITHOUT ROWID"
        )
        db.executemany("INSERT INTO slices VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.commit()
    return path


def test_a_month_has_a_row_for_each_slice_and_the_old_ones_do_not_count_twice(tmp_path: Path) -> None:
    """Two slices of the last five minutes are 17,280 a month; the one before them is left out."""
    at = 1_000_000_000
    path = store(
        tmp_path / "store.db",
        [
            (1, 1, "x" * 1_000, "[]", at - 400_000_000, b""),
            (1, 80, "[]", "[]", at, b"\0" * 500),
            (1, 81, "[]", "[]", at + 5_000_000, b"\0" * 500),
            (1, 82, "[]", "[]", None, b""),
        ],
    )

    bare = month.of(path, tmp_path / "month.db", healthy=True)
    full = month.of(path, tmp_path / "month.db", healthy=False)

    assert 17_280 * 15 < bare < 17_280 * 60
    assert 17_280 * 500 < full < 17_280 * 700


def test_a_large_month_is_reckoned_from_a_part_of_it(tmp_path: Path) -> None:
    rows = [(1, number, "[]", "[]", 1_000_000_000 + number, b"\0" * 400_000) for number in range(4)]
    path = store(tmp_path / "store.db", rows)

    assert month.of(path, tmp_path / "month.db", healthy=False) == pytest.approx(
        8_640 * 4 * 403_000, rel=0.02
    )
    assert not (tmp_path / "month.db").exists()


def test_a_store_without_evidence_says_so(tmp_path: Path) -> None:
    with pytest.raises(month.NoSlices):
        month.of(store(tmp_path / "store.db", []), tmp_path / "month.db", healthy=True)
