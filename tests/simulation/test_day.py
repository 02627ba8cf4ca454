"""A day of a thousand devices with everything going wrong, and the weeks of `scripts/simulate`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.simulation import script, weeks
from tests.simulation.accounts import months
from tests.simulation.simulation import Simulation


@pytest.mark.first
@pytest.mark.timeout(900)
def test_a_day_of_a_thousand_devices(tmp_path: Path) -> None:
    """Twenty-four hours, 288 looks at each; a failure names its seed."""
    plan = script.plan(
        20261024,
        devices=1000,
        customers=20,
        length=timedelta(days=1),
        faults=24,
        start=datetime(2026, 10, 24, tzinfo=UTC),
    )
    ran = Simulation(plan, tmp_path).run()
    assert ran.evidence.readings > 270_000
    assert ran.verdicts.down > 500
    assert ran.slices_checked > 10_000
    assert ran.history is not None
    sums = months(ran.history, plan.town.timezone, ["2026-10"])
    assert sums["up_s"] + sums["down_s"] + sums["unknown_s"] == sums["period_s"]


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("number", range(7))
def test_a_week_of_a_thousand_devices(number: int) -> None:
    """Seven days, each with faults of its own."""
    ran = weeks.run(weeks.day(1, number, 1000))
    assert ran.verdicts.down > 500
