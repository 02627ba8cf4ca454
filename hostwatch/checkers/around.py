"""What all runs of checks have in common here: the clocks, our own resolver, the outbound policy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from hostwatch.checks import base


class _NoNames:
    """Without a resolver no name is known, and that is our own failure."""

    async def addresses(self, name: str, family: int) -> tuple[str, ...]:
        raise base.Fault(f"names are not resolved here: {name}")


class _LiteralOnly:
    """Only addresses that the operator wrote are connected to."""

    def refusal(self, address: str, port: int, *, literal: bool) -> str:
        return "" if literal else "only addresses that the operator wrote are allowed"


def surroundings(_settings: Mapping[str, Any]) -> base.Surroundings:
    """Those that the watch asked for. Raises `ValueError` if they cannot be had."""
    return base.Surroundings(
        names=_NoNames(),
        policy=_LiteralOnly(),
        monotonic_us=lambda: time.monotonic_ns() // 1_000,
        now_us=lambda: time.time_ns() // 1_000,
    )
