"""What counts as progress, and what a restart may help."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from hostwatch.clock import SystemClock
from hostwatch.core.world import World
from hostwatch.health import Examiner

AGO = timedelta(minutes=5)


class Standing(SystemClock):
    """A monotonic clock that stands."""

    def monotonic(self) -> timedelta:
        return timedelta(hours=1)


def examined(**changed: Any) -> Any:
    now = Standing().monotonic()
    parts: dict[str, Any] = {
        "slice": now,
        "commit": now,
        "tried": now,
        "round": now,
        "stuck": None,
        **changed,
    }
    engine = SimpleNamespace(
        last_commit=parts["commit"],
        last_try=parts["tried"],
        stuck=parts["stuck"],
        world=World(),
    )
    prober = SimpleNamespace(last_slice=parts["slice"])
    outbox = SimpleNamespace(last_round=parts["round"], overdue=lambda _: parts.get("overdue", []))
    return Examiner(Standing(), engine, prober, outbox).examine()  # type: ignore[arg-type]


def test_a_watch_that_moves_on_is_well() -> None:
    health = examined()

    assert (health.ok, health.hangs) == (True, False)


@pytest.mark.parametrize("part", ["slice", "tried", "round"])
@pytest.mark.parametrize("when", [None, timedelta(hours=1) - AGO])
def test_whatever_stands_still_hangs(part: str, when: timedelta | None) -> None:
    health = examined(**{part: when})

    assert (health.ok, health.hangs) == (False, True)


def test_a_full_disk_is_a_trouble_that_no_restart_helps() -> None:
    health = examined(commit=timedelta(hours=1) - AGO, stuck="cannot write to the store: the disk is full")

    assert (health.ok, health.hangs) == (False, False)
    assert health.troubles == ("cannot write to the store: the disk is full",)


def test_a_notice_that_nobody_takes_up_hangs() -> None:
    health = examined(overdue=["E-000001.emergency.acme.duty"])

    assert (health.ok, health.hangs) == (False, True)
