"""A watch that is well, for tests of its pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hostwatch.health import Health

NOW = datetime(2026, 10, 1, tzinfo=UTC)
WELL = Health(
    troubles=(),
    hangs=False,
    last_slice_age=timedelta(seconds=1),
    last_commit_age=timedelta(seconds=2),
    oldest_notice_age=None,
)
