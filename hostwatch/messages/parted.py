"""The words about an emergency whose parts were lost, or came back, at different times.

Parts with the same dates, to the second, are one group: whoever lost all at once reads one date. The dates of
each group are those of the account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from gettext import NullTranslations

from hostwatch.core import instant
from hostwatch.core.notice import Part, Story

GROUPS_MAX = 10
"""Groups of one notice that are told with their dates; the devices of further ones are counted."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parts with the same dates."""

    ons: tuple[str, ...]
    part: Part
    """All of them taken together."""


def groups(story: Story) -> list[Group]:
    """The groups, in the order in which they were lost."""
    found: dict[tuple[int | None, ...], Group] = {}
    for part in story.parts:
        dates = (part.last_answer, part.first_miss, part.last_miss, part.first_answer)
        key = tuple(None if when is None else instant.second(when) for when in dates)
        same = found.get(key)
        found[key] = Group((part.on,), part) if same is None else _joined(same, part)
    return list(found.values())


def _joined(group: Group, part: Part) -> Group:
    both = replace(
        group.part,
        behind=group.part.behind + part.behind,
        devices=(*group.part.devices, *part.devices),
        missed=(*group.part.missed, *part.missed),
    )
    return Group((*group.ons, part.on), both)


def heading(t: NullTranslations, group: Group, line: Callable[[str], str], *, is_power: bool) -> str:
    """Of what the dates that follow are: the reader's devices; for the operator, what they are on."""
    part = group.part
    if not part.devices:
        pattern = (
            t.gettext("On %(names)s: %(count)d devices")
            if is_power
            else t.gettext("Behind %(names)s: %(count)d devices")
        )
        return pattern % {"names": ", ".join(map(line, group.ons)), "count": part.behind}
    more = part.behind - len(part.devices)
    listed = ", ".join(map(line, part.devices)) + (f" +{more}" if more else "")
    return t.gettext("Of them %(count)d (%(devices)s):") % {"count": part.behind, "devices": listed}


def misses(
    t: NullTranslations, group: Group, line: Callable[[str], str], time: Callable[[datetime], str]
) -> Iterator[str]:
    """When devices behind a switch missed first themselves, as far as they were looked at."""
    part = group.part
    known = [
        f"{line(device)} {time(when)}"
        for device, when in zip(part.devices, part.missed, strict=False)
        if when is not None
    ]
    if known:
        yield t.gettext("First miss of each that we have looked at since: %s") % ", ".join(known)


def left(story: Story, found: list[Group]) -> int:
    """How many devices are told without their dates."""
    untold = sum(group.part.behind for group in found[GROUPS_MAX:])
    return untold + max(story.behind - sum({part.on: part.behind for part in story.parts}.values()), 0)


def further(t: NullTranslations, count: int) -> str:
    """That there are more."""
    return t.gettext("%d more at other times: the monthly report has the figures of each.") % count
