"""What the daemon says: JSON for programs, lines for eyes, fields for the journal."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hostwatch import log


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    logger = logging.getLogger("hostwatch")
    handlers, level = logger.handlers[:], logger.level
    yield
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_program_reads_json() -> None:
    out = io.StringIO()
    log.set_up("json", stream=out)

    log.info("went-down", at=datetime(2026, 10, 1, tzinfo=UTC), device="web-1", nothing=None)

    event = json.loads(out.getvalue())
    assert event.pop("time")
    assert event == {
        "level": "info",
        "event": "went-down",
        "at": "2026-10-01T00:00:00.000000Z",
        "device": "web-1",
    }


def test_a_person_reads_words() -> None:
    out = io.StringIO()
    log.set_up("text", stream=out)

    log.warning("went-down", device="web-1", why="no answer")

    assert out.getvalue().rstrip().endswith('device=web-1 why="no answer"')


def test_an_event_is_one_line_whatever_is_in_it() -> None:
    out = io.StringIO()
    log.set_up("text", stream=out)

    log.error("attempt", said='two\nlines and "quotes" \x1b[31m')

    assert out.getvalue().count("\n") == 1
    assert "\x1b" not in out.getvalue()


def test_a_long_field_is_cut() -> None:
    out = io.StringIO()
    log.set_up("json", stream=out)

    log.info("attempt", said="x" * 10_000)

    assert len(json.loads(out.getvalue())["said"]) == log.FIELD_MAX_CHARS


def test_levels_below_are_not_said() -> None:
    out = io.StringIO()
    log.set_up("json", "warning", out)

    log.info("quiet")
    log.debug("quieter")

    assert out.getvalue() == ""


def test_the_journal_gets_fields(tmp_path: Path) -> None:
    """The journal's own protocol, read at a socket of ours."""
    path = tmp_path / "journal"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(path))
        journal.settimeout(5)
        logger = logging.getLogger("hostwatch")
        logger.handlers[:] = [log.JournalHandler(path)]
        logger.setLevel("INFO")

        log.error("went-down", device="web-1", why="two\nlines")

        fields = _entries(journal.recv(65536))

    assert fields["PRIORITY"] == "3"
    assert fields["HOSTWATCH_EVENT"] == "went-down"
    assert fields["HOSTWATCH_DEVICE"] == "web-1"
    assert fields["MESSAGE"] == 'went-down device=web-1 why="two\\nlines"'


def _entries(datagram: bytes) -> dict[str, str]:
    fields = {}
    while datagram:
        key, _, rest = datagram.partition(b"\n")
        length = int.from_bytes(rest[:8], "little")
        fields[key.decode()] = rest[8 : 8 + length].decode()
        datagram = rest[8 + length + 1 :]
    return fields
