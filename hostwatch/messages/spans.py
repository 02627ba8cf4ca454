"""How long a silence was, in whole seconds, with both bounds (rule J3); and lengths in words.

Instants are floored to the second first, as the accounting does, so that a notice and the monthly
report name the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Final

from hostwatch.core import instant
from hostwatch.core.notice import Part, Story

ENGLISH: Final = NullTranslations()
"""Commands speak it."""


@dataclass(frozen=True, slots=True)
class Length:
    """A silence that has ended."""

    point_s: int
    """From the first miss to the first answer: the figure that is counted."""

    least_s: int
    """From the first miss to the last miss: it was silent at least so long."""

    most_s: int
    """From the last answer before to the first answer after: it was silent at most so long."""


def length(story: Story | Part) -> Length | None:
    """The length of a silence, or None while it lasts."""
    if story.first_answer is None:
        return None
    return between(story.last_answer, story.first_miss, story.last_miss, story.first_answer)


def between(last_answer: datetime, first_miss: datetime, last_miss: datetime | None, end: datetime) -> Length:
    """The length of a silence that ended then, or has lasted until then."""
    began = instant.second(first_miss)
    return Length(
        point_s=instant.second(end) - began,
        least_s=instant.second(last_miss or first_miss) - began,
        most_s=instant.second(end) - instant.second(last_answer),
    )


def words(seconds: int, t: NullTranslations = ENGLISH) -> str:
    """`1 h 5 min 3 s`: exact, since a rounded length could contradict the statement."""
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [
        t.gettext("%d h") % hours if hours else "",
        t.gettext("%d min") % minutes if minutes else "",
        t.gettext("%d s") % left if left or not seconds else "",
    ]
    return " ".join(part for part in parts if part)
