"""What a change of one device costs the store does not grow with the number of devices."""

from __future__ import annotations

from datetime import timedelta

from hostwatch.core import facts
from hostwatch.core.world import Decision
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger
from tests.store.stories import BEGINNING


def installed(number: int) -> facts.PopulationChanged:
    at = BEGINNING + timedelta(seconds=number)
    return facts.PopulationChanged(
        at=at, thing="device", name=f"d{number}", customer="acme", state="in-service", body={}
    )


def steps_of_a_change(devices: int) -> int:
    """How many instructions SQLite takes, in tens, to record a new version of one device among so many."""
    db = connect(None)
    ledger = Ledger(db, "a boot")
    ledger.open()
    ledger.commit(Decision(facts=tuple(installed(number) for number in range(devices))), BEGINNING)
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    db.set_progress_handler(count, 10)
    ledger.commit(Decision(facts=(installed(0),)), BEGINNING)
    db.set_progress_handler(None, 0)
    ledger.close()
    return steps


def test_a_new_version_of_a_device_is_found_without_reading_all_devices() -> None:
    assert steps_of_a_change(2_000) <= steps_of_a_change(20) * 1.5
