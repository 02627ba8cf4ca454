"""The present is read in parts, and what many devices have is held once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostwatch.core.device import State
from hostwatch.core.reading import Outcome
from hostwatch.core.world import World
from hostwatch.store import present
from hostwatch.store.connection import connect
from hostwatch.store.reader import Reader
from hostwatch.store.rows import Row
from tests.store.stories import Story, device, population

MANY = 30


@pytest.fixture
def story(tmp_path: Path) -> Story:
    told = Story(connect(tmp_path / "watch.db"))
    told.enrol(population(*(device(number) for number in range(MANY))))
    told.round(lambda _: Outcome.ANSWERED)
    told.round(lambda _: Outcome.ANSWERED)
    return told


def test_those_at_rest_are_found_however_few_slices_are_read_at_a_time(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "SPANS_AT_ONCE", 1)
    assert story.world.signals.resting == MANY

    story.agrees()
    with Reader(tmp_path / "watch.db") as reading:
        assert reading.world().signals == story.world.signals


def test_nothing_is_made_of_rows_while_a_transaction_is_open(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Reader(tmp_path / "watch.db") as reading:
        real, open_then = present.world, []

        def noting(*given: object) -> object:
            open_then.append(reading._db is not None and reading._db.in_transaction)
            return real(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(present, "world", noting)
        assert len(reading.world().population.devices) == MANY

    assert open_then == [False]


def test_all_devices_are_read_however_few_at_a_time(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(present, "ROWS_AT_ONCE", 7)
    story.enrol(population(*(device(number) for number in range(1, MANY))))

    with Reader(tmp_path / "watch.db") as reading:
        found = {name: state for name, _, state, _ in reading.devices()}

    assert [*found] == sorted(f"d{number}" for number in range(MANY))
    assert [name for name, state in found.items() if state != State.IN_SERVICE] == ["d0"]


def test_the_present_is_the_same_however_few_devices_are_read_at_a_time(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.enrol(population(*(device(number) for number in range(1, MANY + 3))))
    monkeypatch.setattr(present, "ROWS_AT_ONCE", 7)

    with Reader(tmp_path / "watch.db") as reading:
        found = reading.world()

    same(found, story.world)


@pytest.mark.parametrize("changes", [1, 1_000])
def test_a_configuration_that_comes_into_force_meanwhile_is_read_whole(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    """Some devices come between two pages; or with each page, so that they must be read in one."""
    monkeypatch.setattr(present, "ROWS_AT_ONCE", 7)
    real, left = present.devices, iter(range(changes))

    def meanwhile(read: present.Transact) -> Iterator[Row]:
        for place, row in enumerate(real(read)):
            if place == 10 and (number := next(left, None)) is not None:
                story.enrol(population(*(device(one) for one in range(MANY + 1 + number))))
            yield row

    monkeypatch.setattr(present, "devices", meanwhile)

    with Reader(tmp_path / "watch.db") as reading:
        as_of, found = reading.moment()

        assert as_of == reading.as_of()
    same(found, story.world)


def same(one: World, other: World) -> None:
    """Worlds that differ in nothing; of schedules the digest tells all."""
    assert (one.schedule.version, one.schedule.digest) == (other.schedule.version, other.schedule.digest)
    assert replace(one, schedule=other.schedule) == other


def test_what_many_have_is_held_once(story: Story) -> None:
    world = story.ledger.load()
    devices = list(world.population.devices.values())

    assert len({id(one.customer) for one in devices}) == len({id(one.method) for one in devices}) == 1
    for target in world.schedule.targets:
        found = world.device(target.signal)
        assert found is not None
        assert target.address is found.address
