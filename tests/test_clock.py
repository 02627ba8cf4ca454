"""The clocks are compared: steps and sleeps are found; that we were held up between two looks is neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.clock import STEP_MIN, Clock, Stepped, Suspended, Timekeeper

START = datetime(2026, 10, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Machine(Clock):
    """Time passes when it is told to; before looks at its clocks in the order given it is held up."""

    boot_id: str = "boot"
    held_up: tuple[timedelta, ...] = ()
    sleeps: bool = False
    """Whether the machine sleeps when it is held up."""

    passed: timedelta = timedelta(0)
    slept: timedelta = timedelta(0)
    stepped: timedelta = timedelta(0)

    def _looked_at(self) -> timedelta:
        first, *rest = self.held_up or (timedelta(0),)
        self.held_up = tuple(rest)
        self.passed += first
        self.slept += first if self.sleeps else timedelta(0)
        return self.passed

    def now(self) -> datetime:
        return START + self._looked_at() + self.stepped

    def monotonic(self) -> timedelta:
        return self._looked_at() - self.slept

    def boottime(self) -> timedelta:
        return self._looked_at()

    async def sleep(self, pause: timedelta) -> None:
        raise NotImplementedError

    async def sleep_until(self, when: datetime) -> None:
        raise NotImplementedError


def test_a_step_and_a_sleep_are_found_once() -> None:
    machine = Machine()
    keeper = Timekeeper(machine)
    machine.passed += SECOND
    assert keeper.check() == []

    machine.stepped += SECOND
    assert keeper.check() == [Stepped(START + SECOND, START + 2 * SECOND)]
    machine.passed += 3 * SECOND
    machine.slept += 2 * SECOND
    assert keeper.check() == [Suspended(START + 3 * SECOND, START + 5 * SECOND)]
    assert keeper.check() == []


@pytest.mark.parametrize("place", range(8))
def test_who_is_held_up_between_two_looks_at_clocks_finds_no_step(place: int) -> None:
    """A second passes before one of the looks: too little CPU, a page that must be fetched, a stop signal."""
    machine = Machine()
    keeper = Timekeeper(machine)
    machine.held_up = (timedelta(0),) * place + (SECOND,)

    assert [keeper.check(), keeper.check()] == [[], []]


@pytest.mark.parametrize("place", range(8))
def test_a_sleep_between_two_looks_at_clocks_is_a_sleep_and_no_step(place: int) -> None:
    machine = Machine(sleeps=True)
    keeper = Timekeeper(machine)
    machine.held_up = (timedelta(0),) * place + (SECOND,)

    assert [*keeper.check(), *keeper.check()] == [Suspended(START, START + SECOND)]


def test_a_step_is_found_by_whoever_is_held_up_as_well() -> None:
    machine = Machine()
    keeper = Timekeeper(machine)
    machine.stepped += SECOND
    machine.held_up = (timedelta(0), SECOND)

    assert keeper.check() == [Stepped(START + SECOND, START + 2 * SECOND)]


def test_who_is_always_held_up_compares_clocks_all_the_same() -> None:
    machine = Machine()
    keeper = Timekeeper(machine)
    machine.stepped += timedelta(hours=1)
    machine.held_up = (STEP_MIN / 10,) * 100

    (found,) = keeper.check()
    assert isinstance(found, Stepped)
