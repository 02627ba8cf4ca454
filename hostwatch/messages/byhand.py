"""The words about emergencies by people's word: of a false alarm that is corrected."""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import service
from hostwatch.messages.fit import listed
from hostwatch.messages.shared import Form, hidden, names


def is_about(story: Story, kind: Kind) -> bool:
    """Whether these words are to be used."""
    return kind == "correction"


def first_line(t: NullTranslations, story: Story, kind: Kind, form: Form, room: int) -> str:
    """The first line, in as much room as there is."""
    pattern = t.gettext("%(reference)s: false alarm, we told you of this in error: %(names)s")
    values = {"reference": form.line(story.reference)}
    left = room - len(pattern % {**values, "names": ""})
    return pattern % {**values, "names": listed(_names(story, form), max(left, 1), hidden(story))}


def many(t: NullTranslations) -> str:
    """The pattern of the first line about several, with `count` and `devices`."""
    return t.gettext("%(count)d false alarms, we told you of these in error: %(devices)s")


def _names(story: Story, form: Form) -> list[str]:
    own = names(story, form.line) or [form.line(story.uplink)]
    alone = form.line(f"{story.service} {story.device}".strip())
    return [alone] if alone else own


def block(t: NullTranslations, story: Story, kind: Kind, form: Form) -> Iterator[str]:
    """What is corrected, why and since when."""
    yield t.gettext("Reference: %s (please quote it when you contact us)") % form.line(story.reference)
    if story.service:
        yield from service.what(t, story, form.line)
    elif story.device:
        values = {"device": form.line(story.device), "address": form.line(story.address)}
        yield t.gettext("Device: %(device)s, address %(address)s") % values
    else:
        yield t.gettext("What we had told you of: %s") % listed(_names(story, form), 200, hidden(story))
    yield t.gettext("As we had it, since: %s") % form.time(story.first_miss)
    yield t.gettext("Why it was none: %s") % form.line(story.correction)
    if story.corrected_at is not None:
        yield t.gettext("Corrected: %s") % form.time(story.corrected_at)


def next_steps(t: NullTranslations, kind: Kind) -> str:
    """What the reader can expect from us now."""
    return t.gettext(
        "What happens next: you need do nothing, and get no further notice about it. We are sorry for the"
        " trouble. It stays on our record, marked as corrected, with what was measured. We watch on."
    )
