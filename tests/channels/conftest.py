"""What every test of a channel needs: a message, a clock, and a house around it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from hostwatch.channels import base

NOW = datetime(2026, 10, 3, 6, 12, 30, tzinfo=UTC)
KEY = b"0123456789abcdef"


@pytest.fixture
def message() -> base.Message:
    return base.Message(
        key="n-7f3a",
        subject="E-000042：acme-web-1（127.0.0.2） 未应答",
        text="E-000042：acme-web-1（127.0.0.2） 未应答\n\n.a line with a dot\n编号：E-000042\n",
        payload={"version": 1, "kind": "emergency", "language": "zh-Hans", "emergencies": [{}]},
        repeat=False,
    )


@pytest.fixture
def surroundings() -> Callable[..., base.Surroundings]:
    def around(**site: Any) -> base.Surroundings:
        return base.Surroundings(site=site, webhook_key=KEY, now=lambda: NOW)

    return around
