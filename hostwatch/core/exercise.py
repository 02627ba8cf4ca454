"""An exercise: people are told of nothing, by the same ladders, attempts and proofs as of an emergency.

It has a reference of its own (`X-000001`) and a deadline, and ends when all have said that they have it, or
then. It opens no emergency, makes no duty, and counts nowhere but in its own result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hostwatch.core.proof import Proof

KIND: Final = "exercise"
"""The kind of its notices."""

PREFIX: Final = "X-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One person who is to be told."""

    customer: str
    contact: str
    met_by: Proof = Proof.ACCEPTED
    """What proves that they were, by the agreement."""

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.customer}/{self.contact}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise, under way or over."""

    reference: str
    opened_at: datetime
    due: datetime
    actor: str
    people: tuple[Asked, ...]
    by: str = ""
    """By which kind of channel alone; empty: by their whole ladder."""

    ended_at: datetime | None = None

    def moved(self, step: timedelta) -> Exercise:
        """With the time that is left after a step of the wall clock."""
        return replace(self, opened_at=self.opened_at + step, due=self.due + step)

    def met_by(self, customer: str, contact: str) -> Proof:
        """What proves that a person was told."""
        found = (one.met_by for one in self.people if (one.customer, one.contact) == (customer, contact))
        return next(found, Proof.ACCEPTED)


class Exercises:
    """Those that are under way, and how many there ever were."""

    def __init__(self, known: Iterable[Exercise] = (), count: int = 0) -> None:
        self.open: dict[str, Exercise] = {one.reference: one for one in known}
        self.count = count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exercises) and (self.open, self.count) == (other.open, other.count)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"Exercises({[*self.open.values()]}, {self.count})"

    @property
    def next_reference(self) -> str:
        """That of the next one."""
        return reference(self.count + 1)

    def of(self, references: Iterable[str]) -> Exercise | None:
        """The one that is under way which a notice tells of, if it tells of one."""
        return next((self.open[name] for name in references if name in self.open), None)

    def put(self, changed: Iterable[Exercise]) -> list[str]:
        """Take those that are new or over; the references of these."""
        over = []
        for one in changed:
            self.count += one.ended_at is None and one.reference not in self.open
            if one.ended_at is None:
                self.open[one.reference] = one
            else:
                self.open.pop(one.reference, None)
                over.append(one.reference)
        return over

    def beside(self, emergencies: Collection[str]) -> Collection[str]:
        """All references that are open."""
        return _Either(emergencies, self.open) if self.open else emergencies


class _Either(Collection[str]):
    """What is in one of two."""

    def __init__(self, one: Collection[str], other: Collection[str]) -> None:
        self._one, self._other = one, other

    def __contains__(self, name: object) -> bool:
        return name in self._one or name in self._other

    def __iter__(self) -> Iterator[str]:
        yield from self._one
        yield from self._other

    def __len__(self) -> int:
        return len(self._one) + len(self._other)


def reference(number: int) -> str:
    """What people quote."""
    return f"{PREFIX}{number:06d}"
