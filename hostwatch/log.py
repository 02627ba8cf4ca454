"""What the daemon says: one event per fact, with a name and fields.

On a terminal an event is a line for eyes; in the journal its fields are fields; elsewhere it is a
line of JSON. Nothing else in the house formats a log line.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from hostwatch.core import canonical, instant

JOURNAL = Path("/run/systemd/journal/socket")
FIELD_MAX_CHARS = 2_000
"""A longer field is cut: the record has it whole."""

BRIEF_MAX_CHARS = 60
"""A longer field is cut on a terminal."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_logger = logging.getLogger("hostwatch")
_COLOURS = {logging.WARNING: "\x1b[33m", logging.ERROR: "\x1b[31m", logging.CRITICAL: "\x1b[1;31m"}

Format = Literal["auto", "text", "json"]


def info(event: str, **fields: object) -> None:
    """Something happened as it should."""
    _logger.info(event, extra={"fields": fields})


def warning(event: str, **fields: object) -> None:
    """Somebody should look at this today."""
    _logger.warning(event, extra={"fields": fields})


def error(event: str, **fields: object) -> None:
    """Somebody should look at this now."""
    _logger.error(event, extra={"fields": fields})


def debug(event: str, **fields: object) -> None:
    """For those who read the code."""
    _logger.debug(event, extra={"fields": fields})


def set_up(form: Format = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Send events to the journal when it listens to our standard error, else to that stream."""
    out = stream or sys.stderr
    handler: logging.Handler
    if form == "auto" and stream is None and _is_journal():
        handler = JournalHandler(JOURNAL)
    else:
        handler = logging.StreamHandler(out)
        plain = form == "text" or (form == "auto" and out.isatty())
        handler.setFormatter(
            _Text(colour=out.isatty() and "NO_COLOR" not in os.environ) if plain else _Json()
        )
    _logger.handlers[:] = [handler]
    _logger.setLevel(level.upper())
    _logger.propagate = False


def _is_journal() -> bool:
    """Whether standard error is the journal's own stream, as systemd says in `JOURNAL_STREAM`."""
    try:
        stat = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}" and JOURNAL.exists()


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    fields = dict(getattr(record, "fields", {}))
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"] = repr(record.exc_info[1])
    return {key: _shown(value) for key, value in fields.items() if value is not None}


def _shown(value: object) -> Any:
    try:
        plain = canonical.plain(value)
    except TypeError:
        plain = str(value)
    if isinstance(plain, str) and len(plain) > FIELD_MAX_CHARS:
        return plain[: FIELD_MAX_CHARS - 1] + "…"
    return plain


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        head = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        return json.dumps({**head, **_fields(record)}, ensure_ascii=False)


class _Text(logging.Formatter):
    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        local = datetime.fromtimestamp(record.created, UTC).astimezone()
        words = " ".join(
            f"{key}={_word(_brief(value))}" for key, value in _fields(record).items() if key != "at"
        )
        line = f"{local:%H:%M:%S} {record.getMessage():<21} {words}".rstrip()
        colour = _COLOURS.get(record.levelno) if self._colour else None
        return f"{colour}{line}\x1b[0m" if colour else line


def _brief(value: object) -> object:
    """A value for eyes: instants as local time of day, digests and what is long cut short."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ",".join(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if _INSTANT.fullmatch(text):
        return f"{instant.from_rfc3339(text).astimezone():%H:%M:%S}"
    if _DIGEST.fullmatch(text):
        return f"{text[:12]}…"
    return text if len(text) <= BRIEF_MAX_CHARS else text[: BRIEF_MAX_CHARS - 1] + "…"


def _word(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    bare = text and not any(c in ' "=' or not c.isprintable() for c in text)
    return text if bare else json.dumps(text, ensure_ascii=False)


class JournalHandler(logging.Handler):
    """Speaks the journal's own datagram protocol, so that each field can be searched for."""

    PRIORITIES: Mapping[int, int] = {10: 7, 20: 6, 30: 4, 40: 3, 50: 2}

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def emit(self, record: logging.LogRecord) -> None:
        fields = _fields(record)
        words = " ".join(f"{key}={_word(value)}" for key, value in fields.items())
        entries = {
            "MESSAGE": f"{record.getMessage()} {words}".rstrip(),
            "PRIORITY": str(self.PRIORITIES.get(record.levelno, 6)),
            "SYSLOG_IDENTIFIER": "hostwatch",
            "HOSTWATCH_EVENT": record.getMessage(),
            **{f"HOSTWATCH_{key.upper()}": _word(value) for key, value in fields.items()},
        }
        try:
            self._socket.sendto(b"".join(_entry(key, value) for key, value in entries.items()), self._path)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        self._socket.close()
        super().close()


def _entry(key: str, value: str) -> bytes:
    data = value.encode()
    return key.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
