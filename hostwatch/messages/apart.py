"""Notices with words of their own, whatever they are about: which they are, and who words them."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import byhand, contactdata, exercise, reminder, running, warning
from hostwatch.messages.shared import Form


def first_line(t: NullTranslations, story: Story, kind: Kind, mark: str, form: Form, room: int) -> str | None:
    """The first line, in as much room as there is; None if it has no words of its own."""
    if story.contact is not None:
        return mark + contactdata.first_line(t, story.contact, kind, form.line)
    if exercise.is_one(kind):
        return exercise.first_line(t, story, mark)
    if story.warning:
        return mark + warning.first_line(t, story, kind, form)
    if reminder.is_one(kind):
        return mark + reminder.first_line(t, story, form, room - len(mark))
    if running.is_one(kind):
        return mark + running.first_line(t, story, form, room - len(mark))
    if byhand.is_about(story, kind):
        return mark + byhand.first_line(t, story, kind, form, room - len(mark))
    return None


def block(t: NullTranslations, story: Story, kind: Kind, form: Form) -> Iterator[str] | None:
    """The evidence, a line for each thing known; None if it has no words of its own."""
    if story.contact is not None:
        return contactdata.block(t, story.contact, kind, form.line, form.time)
    if story.warning or exercise.is_one(kind):
        return warning.block(t, story, kind, form)
    if reminder.is_one(kind):
        return reminder.block(t, story, form)
    if running.is_one(kind):
        return running.block(t, story, form)
    if byhand.is_about(story, kind):
        return byhand.block(t, story, kind, form)
    return None


def next_steps(t: NullTranslations, story: Story, kind: Kind, form: Form) -> str | None:
    """What happens next; None if it has no words of its own."""
    if story.contact is not None:
        return contactdata.next_steps(t, story.contact, kind)
    if story.warning or exercise.is_one(kind):
        return warning.next_steps(t, kind, story.warning)
    if reminder.is_one(kind):
        return reminder.next_steps(t, story)
    if running.is_one(kind):
        return running.next_steps(t, story, form)
    if byhand.is_about(story, kind):
        return byhand.next_steps(t, kind)
    return None


def many(t: NullTranslations, kind: Kind) -> str | None:
    """The pattern of the first line about several, with `count`, `since` and `devices`; None likewise."""
    if reminder.is_one(kind):
        return reminder.many(t)
    return byhand.many(t) if kind == "correction" else None
