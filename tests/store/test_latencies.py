"""What a signal brought is found again in the evidence of the slices, whatever happened to the schedule."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.core import latency
from hostwatch.core.latency import Brought
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import Turn
from hostwatch.store.reader import Reader
from tests.store.evidence import BEGINNING, Filled, population

LONG = timedelta(days=1)


class Chance:
    """Any outcome, and any latency."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def __call__(self, _: Turn) -> tuple[Outcome, int]:
        outcome = self._random.choice([Outcome.ANSWERED, Outcome.ANSWERED, Outcome.MISSED, Outcome.UNKNOWN])
        timed = outcome is Outcome.ANSWERED and self._random.random() < 0.9
        return outcome, latency.code(self._random.randrange(1, 10**7), 0) if timed else latency.NO_FIGURE


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    store = Filled(tmp_path / "store.db")
    yield store
    store.ledger.close()


def read(
    store: Filled, signal: str, after: timedelta = timedelta(0), until: timedelta = LONG
) -> list[Brought]:
    with Reader(store.path) as reader:
        return list(reader.brought(signal, BEGINNING + after, BEGINNING + until))


def agrees(store: Filled) -> None:
    """Everybody's pings are read as they were stored."""
    assert store.brought
    for signal, brought in store.brought.items():
        assert read(store, signal) == brought, signal


def test_each_ping_is_found_in_its_slice(filled: Filled) -> None:
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(40)}))

    filled.slices(50, Chance(1))

    agrees(filled)


def test_intervals_that_do_not_fit_into_each_other(filled: Filled) -> None:
    many = {f"a-{n}": 7 for n in range(9)}
    filled.enrol(population(acme=many, globex={f"b-{n}": 13 for n in range(9)}, tiny={"c": 60}))

    filled.slices(100, Chance(2))

    agrees(filled)


def test_devices_come_and_go_and_change_their_interval(filled: Filled) -> None:
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(20)}))
    filled.slices(20, Chance(3))
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(5, 25)}))
    filled.slices(20, Chance(4))
    filled.enrol(population(acme={f"web-{n}": 30 for n in range(5, 25)}, globex={"mail": 60}))
    filled.slices(20, Chance(5))

    agrees(filled)
    with Reader(filled.path) as reader:
        assert reader.signals_of("web-0") == ["web-0/ping@main"]
        assert reader.signals_of("web-") == []


def test_only_what_was_due_in_the_span(filled: Filled) -> None:
    filled.enrol(population(acme={"web-1": 60}))
    filled.slices(48, Chance(6))
    (signal,) = filled.brought
    whole = filled.brought[signal]
    first, last = whole[1].due_us, whole[3].due_us
    start = BEGINNING.timestamp() * 1e6

    found = read(filled, signal, timedelta(microseconds=first - start), timedelta(microseconds=last - start))

    assert found == whole[1:3]


def test_a_slice_that_was_never_closed_tells_only_who_did_not_answer(filled: Filled) -> None:
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(40)}))
    filled.slices(12, Chance(7))
    silent = set(sorted(filled.brought)[:20])
    filled.slices(
        12, lambda turn: (Outcome.MISSED if turn.signal in silent else Outcome.ANSWERED, 0), closes=False
    )
    agrees(filled)  # it is still open
    filled.reopen()

    for signal, brought in filled.brought.items():
        found = read(filled, signal)
        assert found[: len(brought)] == brought
        assert [ping.outcome for ping in found[len(brought) :]] == [Outcome.MISSED] * (signal in silent)


def test_more_slices_than_one_transaction_reads(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hostwatch.store.latencies.SLICES_AT_ONCE", 3)
    filled.enrol(population(acme={"web-1": 30}))
    filled.slices(60, Chance(8))

    agrees(filled)
