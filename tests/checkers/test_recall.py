"""The last findings of each check: kept through restarts, bounded, and never a trouble to anybody.

```
 the check     ✓ 10:00   ✗ 10:05   ✗ 10:10   ✓ 10:15   ? 10:20
 is kept                           ✗ 10:10   ✓ 10:15   ? 10:20
```
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hostwatch import recall as module
from hostwatch.checkers.protocol import FINDING_CHARS_MAX, Seen
from hostwatch.checks.base import Finding, Said, of_data
from hostwatch.clock import SystemClock
from hostwatch.core.reading import Outcome
from hostwatch.recall import Recall, path_for

A, M, U = Outcome.ANSWERED, Outcome.MISSED, Outcome.UNKNOWN
NOW_US = 1_795_000_000_000_000
MINUTE_US = 60_000_000
SIGNAL = "acme-web-1/www@here"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_for(tmp_path / "hostwatch.db")


@pytest.fixture
async def recall(path: Path) -> AsyncIterator[Recall]:
    made = Recall(path, SystemClock())
    yield made
    await made.close()


def seen(outcome: Outcome, text: str = "", kind: str = "http") -> Seen:
    said = (Said(10, "<", text),) if text else ()
    finding = Finding(kind=kind, outcome=outcome, why="" if outcome is A else "refused", transcript=said)
    return Seen(kind, outcome, 10, json.dumps(finding.as_data()))


def told(found: list[dict[str, Any]]) -> list[tuple[str, int, str, str]]:
    return [(one["signal"], one["check"], one["outcome"], one["at"][11:16]) for one in found]


async def test_the_last_of_each_outcome_is_kept(recall: Recall) -> None:
    for minutes, outcome in ((0, A), (5, M), (10, M), (15, A), (20, U)):
        recall.note(SIGNAL, 0, seen(outcome, f"after {minutes}"), NOW_US + minutes * MINUTE_US)
    found = await recall.of("acme-web-1")
    assert [(one["outcome"], of_data(one["finding"]).transcript[0].text) for one in found] == [
        ("missed", "after 10"),
        ("answered", "after 15"),
        ("unknown", "after 20"),
    ]


async def test_it_is_found_by_device_with_all_its_services(recall: Recall) -> None:
    for device, service, place in (("a", "www", 0), ("a", "www", 1), ("a", "email", 0), ("a-1", "www", 0)):
        recall.note(f"{device}/{service}@here", place, seen(A), NOW_US)
    assert [(one[0], one[1]) for one in told(await recall.of("a"))] == [
        ("a/email@here", 0),
        ("a/www@here", 0),
        ("a/www@here", 1),
    ]
    assert await recall.of("b") == []


async def test_it_survives_a_restart(path: Path) -> None:
    first = Recall(path, SystemClock())
    first.note(SIGNAL, 0, seen(M, "good bye"), NOW_US)
    await first.close()
    second = Recall(path, SystemClock())
    (found,) = await second.of("acme-web-1")
    await second.close()
    assert of_data(found["finding"]).transcript[0].text == "good bye"


async def test_nobody_else_may_read_it(recall: Recall, path: Path) -> None:
    recall.note(SIGNAL, 0, seen(A), NOW_US)
    await recall.of("acme-web-1")
    assert path.name == "hostwatch.db.findings"
    assert path.stat().st_mode & 0o077 == 0  # noqa: ASYNC240


@pytest.mark.parametrize("broken", [b"no database", b"SQLite format 3\0" + b"\xff" * 5_000, "newer"])
async def test_a_broken_file_is_begun_anew(
    path: Path, broken: bytes | str, caplog: pytest.LogCaptureFixture
) -> None:
    if isinstance(broken, bytes):
        path.write_bytes(broken)  # noqa: ASYNC240
    else:
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA user_version = 99")
    recall = Recall(path, SystemClock())
    recall.note(SIGNAL, 0, seen(A), NOW_US)
    assert len(await recall.of("acme-web-1")) == 1
    await recall.close()
    assert [one.message for one in caplog.records] == ["findings-begun-anew"]


async def test_a_folder_that_cannot_be_written_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recall = Recall(tmp_path / "nowhere" / "x.findings", SystemClock())
    for _ in range(3):
        recall.note(SIGNAL, 0, seen(A), NOW_US)
        assert await recall.of("acme-web-1") == []
    await recall.close()
    assert [one.message for one in caplog.records] == ["findings-not-kept"]


async def test_a_full_file_gives_up_its_oldest_findings(path: Path) -> None:
    recall = Recall(path, SystemClock(), bytes_max=128 * 1024)
    for number in range(400):
        text = "".join(chr(33 + (number * 7919 + place * 104_729) % 90) for place in range(290))
        recall.note(f"device-{number:03}/www@here", 0, seen(M, text), NOW_US + number)
        if number % 20 == 19:
            await recall._write()
    newest, oldest = await recall.of("device-399"), await recall.of("device-000")
    await recall.close()
    assert path.stat().st_size <= 128 * 1024  # noqa: ASYNC240
    assert (len(newest), oldest) == (1, [])


async def test_what_waits_to_be_written_is_bounded(recall: Recall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_MAX", 3)
    for number in range(5):
        recall.note(f"device-{number}/www@here", 0, seen(A, "first"), NOW_US)
    recall.note("device-0/www@here", 0, seen(A, "second"), NOW_US + 1)
    assert [len(await recall.of(f"device-{number}")) for number in range(5)] == [1, 1, 1, 0, 0]
    (found,) = await recall.of("device-0")
    assert of_data(found["finding"]).transcript[0].text == "second"


async def test_who_is_looked_at_no_more_is_forgotten_after_weeks(recall: Recall) -> None:
    """With its old misses; those of who is still looked at stay, however old."""
    day_us = 24 * 60 * MINUTE_US
    for signal, last_us in (("gone/www@here", NOW_US - 36 * day_us), ("here/www@here", NOW_US)):
        recall.note(signal, 0, seen(M), NOW_US - 99 * day_us)
        recall.note(signal, 0, seen(A), last_us)
    await recall._write()
    await recall._do(lambda file: module._forget(file, NOW_US - 35 * day_us))
    assert await recall.of("gone") == []
    assert [one["outcome"] for one in await recall.of("here")] == ["missed", "answered"]


async def test_a_large_finding_packed_into_little_is_not_unpacked(recall: Recall) -> None:
    bomb = Seen("http", A, 1, json.dumps("x" * 50 * FINDING_CHARS_MAX))
    recall.note(SIGNAL, 0, bomb, NOW_US)
    recall.note(SIGNAL, 1, seen(A), NOW_US)
    assert told(await recall.of("acme-web-1")) == [(SIGNAL, 1, "answered", "11:06")]
