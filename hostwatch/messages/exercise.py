"""The words of an exercise. Its mark stands before all else, so that nobody takes it for an emergency."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

from hostwatch.core.exercise import KIND
from hostwatch.core.notice import Kind, Story
from hostwatch.messages.fit import line
from hostwatch.messages.shared import Form
from hostwatch.messages.spans import ENGLISH


def is_one(kind: Kind) -> bool:
    """Whether a notice of a kind is an exercise."""
    return kind == KIND


def mark(t: NullTranslations = ENGLISH) -> str:
    """What everything begins with."""
    return t.gettext("EXERCISE")


def first_line(t: NullTranslations, story: Story, marks: str) -> str:
    """What a pager must show. `marks`: those of a repeat."""
    told = t.gettext("%(reference)s: nothing has happened, this tests whether we reach you")
    return f"{mark(t)} {marks}{told % {'reference': line(story.reference)}}"


def block(t: NullTranslations, story: Story, form: Form) -> Iterator[str]:
    """What there is to know, a line for each thing."""
    yield t.gettext("This is an exercise. No device is concerned.")
    yield t.gettext("Reference: %s (please quote it when you contact us)") % line(story.reference)
    yield t.gettext("Sent since: %s") % form.time(story.verdict)


def next_steps(t: NullTranslations) -> str:
    """What the reader is asked for."""
    return t.gettext(
        "What to do: say that you have got it, as you would if it were an emergency. Nothing else is to be"
        " done. You get no further notice about it."
    )
