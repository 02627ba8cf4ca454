"""The parts of an emergency that many share: what was lost when, each with bounds and an end of its own.

A supply that goes down later, or comes back sooner, than the one that the emergency began with is told with
its own figures: they are those of the account, which somebody may be held to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from hostwatch.core import facts
from hostwatch.core.notice import Part, Story
from hostwatch.core.population import Population

PARTS_MAX: Final = 50
"""Of one reader's notice: the devices of further ones are counted with all, and have no figures there."""


def begun(ons: Iterable[str], flip: facts.WentDown) -> Iterator[Part]:
    """What was lost by one verdict."""
    for on in ons:
        yield Part(on=on, last_answer=flip.last_answer, first_miss=flip.first_miss)


def ended(
    parts: Iterable[Part], still: Collection[str], last_miss: datetime, first_answer: datetime | None
) -> tuple[Part, ...]:
    """The parts, when of those that were open only these are still lost."""
    return tuple(
        part
        if part.last_miss is not None or part.on in still
        else replace(part, last_miss=max(last_miss, part.first_miss), first_answer=first_answer)
        for part in parts
    )


def by_reader(people: Population, story: Story) -> dict[str, tuple[Part, ...]]:
    """The parts of each customer with devices on them, and of the operator, who reads of all."""
    hanging = people.supplied if story.supplies else people.ways
    found: dict[str, list[Part]] = {}
    for part in story.parts:
        groups = dict(hanging.groups(part.on))
        for customer, group in groups.items():
            if customer != people.operator:
                mine = replace(part, behind=group.count, devices=tuple(group.names))
                found.setdefault(customer, []).append(mine)
        everybody = replace(part, behind=sum(group.count for group in groups.values()))
        found.setdefault(people.operator, []).append(everybody)
    return {reader: tuple(mine[:PARTS_MAX]) for reader, mine in found.items()}


def with_ends(parts: Iterable[Part], over: Iterable[Part]) -> tuple[Part, ...]:
    """A reader's parts, with the ends that are known by now.

    What was told of a supply may end under another name: with the one that took its place, and its dates.
    """
    ends = [part for part in over if part.last_miss is not None]

    def end_of(part: Part) -> Part | None:
        same = [one for one in ends if one.first_miss == part.first_miss]
        return next(
            (one for one in same if one.on == part.on),
            same[-1] if same else next((one for one in reversed(ends) if one.on == part.on), None),
        )

    return tuple(
        part
        if (end := end_of(part)) is None
        else replace(part, last_miss=end.last_miss, first_answer=end.first_answer)
        for part in parts
    )


def with_misses(parts: Iterable[Part], missed: Callable[[str], datetime | None]) -> tuple[Part, ...]:
    """A reader's parts, with when each device itself missed first."""
    return tuple(replace(part, missed=tuple(map(missed, part.devices))) for part in parts)
