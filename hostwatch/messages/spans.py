"""How long a silence was, in whole seconds, with both bounds (rule J3).

Instants are floored to the second first, as the accounting does, so that a notice and the monthly
report name the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass

from hostwatch.core import instant
from hostwatch.core.notice import Part, Story


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
    first_miss, first_answer = instant.second(story.first_miss), instant.second(story.first_answer)
    last_miss = first_miss if story.last_miss is None else instant.second(story.last_miss)
    return Length(
        point_s=first_answer - first_miss,
        least_s=last_miss - first_miss,
        most_s=first_answer - instant.second(story.last_answer),
    )
