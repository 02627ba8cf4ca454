"""`scripts/simulate`: weeks of a simulated site, with progress, and the count of every fault.

scripts/simulate                        one week of 200 devices with seed 1
scripts/simulate --weeks 4 --seed 7
scripts/simulate --small --seed 42      one small world of the tests, to reproduce a failure
scripts/simulate --small --seeds 1000   a thousand of them
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.simulation import script
from tests.simulation.simulation import Broken, Plan, Simulation

FAULTS_A_DAY = 40


def small(seed: int) -> Plan:
    """The world of one seed of the tests: under three hours at an interval of a minute."""
    return script.plan(seed, length=timedelta(hours=2, minutes=45), interval=timedelta(minutes=1))


def day(seed: int, number: int, devices: int) -> Plan:
    """One day of a site. Its faults are its own, so that a red day can be run alone."""
    return script.plan(
        seed * 1_000_003 + number,
        devices=devices,
        customers=max(devices // 20, 2),
        length=timedelta(days=1),
        faults=FAULTS_A_DAY,
        start=datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=number),
    )


def run(plan: Plan) -> Simulation:
    """One plan in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return Simulation(plan, Path(folder)).run()


def main(given: list[str]) -> int:
    """0 when no checker went red."""
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--weeks", type=int, default=1)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="small worlds instead of weeks")
    parser.add_argument("--seeds", type=int, default=1, help="how many small worlds, from --seed on")
    options = parser.parse_args(given)
    if options.small:
        plans = (small(seed) for seed in range(options.seed, options.seed + options.seeds))
    else:
        plans = (day(options.seed, number, options.devices) for number in range(options.weeks * 7))
    return _all(plans)


def _all(plans: object) -> int:
    began, counts, devices_us, red = time.monotonic(), Counter[str](), 0, 0
    for plan in plans:  # type: ignore[attr-defined]
        try:
            ran = run(plan)
        except Broken as broken:
            red += 1
            print(f"RED  {broken}", flush=True)
            continue
        counts += ran.faults
        counts["readings"] += ran.evidence.readings
        counts["verdicts"] += ran.verdicts.down
        counts["lives"] += ran.begun
        counts += ran.telling.counts()
        devices_us += sum(len(h.devices) for h in plan.town.houses.values()) * ran.clock.true_us()
        days, spent = devices_us / 86_400e6, time.monotonic() - began
        print(
            f"{plan.name}: well; {days:.1f} device-days in {spent:.0f} s, {days / spent:.1f} a second",
            flush=True,
        )
    for name, count in sorted(counts.items()):
        print(f"{count:10d}  {name}")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
