"""The words of a reminder: what we told of goes on."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations
from typing import Final

from hostwatch.core import instant
from hostwatch.core.notice import Kind, Story
from hostwatch.messages import service
from hostwatch.messages.fit import listed
from hostwatch.messages.shared import Form, hidden, names

LISTED_CHARS: Final = 200
"""Of the devices in a line of their own."""


def is_one(kind: Kind) -> bool:
    """Whether a notice of a kind is a reminder."""
    return kind == "reminder"


def first_line(t: NullTranslations, story: Story, form: Form, room: int) -> str:
    """The first line, in as much room as there is."""
    pattern = t.gettext("%(reference)s: reminder, not over yet, since %(since)s: %(names)s")
    values = {"reference": form.line(story.reference), "since": form.time(story.first_miss)}
    left = room - len(pattern % {**values, "names": ""})
    return pattern % {**values, "names": listed(_names(story, form), max(left, 1), hidden(story))}


def many(t: NullTranslations) -> str:
    """The pattern of the first line about several, with `count`, `since` and `devices`."""
    return t.gettext("Reminder: %(count)d emergencies not over yet, the first since %(since)s: %(devices)s")


def _names(story: Story, form: Form) -> list[str]:
    own = names(story, form.line) or [form.line(story.device or story.uplink)]
    return [form.line(f"{story.service} {own[0]}".strip()), *own[1:]]


def block(t: NullTranslations, story: Story, form: Form) -> Iterator[str]:
    """What it is about, how long it has lasted, and who has it."""
    yield t.gettext("Reference: %s (please quote it when you contact us)") % form.line(story.reference)
    if story.service and story.device:
        yield from service.what(t, story, form.line)
    elif story.device:
        values = {"device": form.line(story.device), "address": form.line(story.address)}
        yield t.gettext("Device: %(device)s, address %(address)s") % values
    else:
        yield t.gettext("What it is about: %s") % listed(_names(story, form), LISTED_CHARS, hidden(story))
    if story.still_at is not None:
        seconds = instant.second(story.still_at) - instant.second(story.first_miss)
        values = {"span": form.span(max(seconds, 0)), "at": form.time(story.still_at)}
        yield t.gettext("Not over for: %(span)s, as of %(at)s") % values
    yield t.gettext("Since: %s") % form.time(story.first_miss)
    if story.had_at is not None:
        by = form.line(story.had_by) or t.gettext("one of your people")
        yield t.gettext("%(by)s has it since %(at)s.") % {"by": by, "at": form.time(story.had_at)}
    yield t.gettext("Declared an emergency: %s") % form.time(story.verdict)


def next_steps(t: NullTranslations, story: Story) -> str:
    """What the reader can expect from us now, and how many are not listed."""
    more = ""
    if story.further:
        pattern = t.ngettext(
            "%(count)d more emergency of yours is not over yet and is not listed here.",
            "%(count)d more emergencies of yours are not over yet and are not listed here.",
            story.further,
        )
        more = pattern % {"count": story.further} + "\n"
    return more + t.gettext(
        "What happens next: we tell you as soon as it is over, and remind you while it lasts."
        " Once one of your people says that they have it, nobody of yours is reminded any more."
    )
