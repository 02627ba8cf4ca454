"""The words about emergencies by people's word: what was reported, and a false alarm that is corrected.

What a person reported is told as their word, and beside it how our own probes see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import service, withdrawn
from hostwatch.messages.fit import listed
from hostwatch.messages.shared import Form, hidden, names

LISTED_CHARS = 200
"""Of the devices in a line of their own."""


def is_about(story: Story, kind: Kind) -> bool:
    """Whether these words are to be used."""
    return kind == "correction" or (bool(story.reported) and not withdrawn.goes_on(story, kind))


def first_line(t: NullTranslations, story: Story, kind: Kind, form: Form, room: int) -> str:
    """The first line, in as much room as there is."""
    pattern = _pattern(t, kind)
    since = (story.first_answer or story.verdict) if kind == "recovery" else story.first_miss
    values = {"reference": form.line(story.reference), "since": form.time(since)}
    left = room - len(pattern % {**values, "names": ""})
    return pattern % {**values, "names": listed(_names(story, form), max(left, 1), hidden(story))}


def _pattern(t: NullTranslations, kind: Kind) -> str:
    match kind:
        case "correction":
            return t.gettext("%(reference)s: false alarm, we told you of this in error: %(names)s")
        case "emergency":
            return t.gettext("%(reference)s: reported to us as out of use since %(since)s: %(names)s")
        case "update":
            return t.gettext("%(reference)s: more is known of what was reported to us: %(names)s")
        case "recovery":
            return t.gettext("%(reference)s: in use again since %(since)s, as we are told: %(names)s")
        case _:
            return t.gettext("%(reference)s: no longer watched by us: %(names)s")


def many(t: NullTranslations) -> str:
    """The pattern of the first line about several, with `count` and `devices`."""
    return t.gettext("%(count)d false alarms, we told you of these in error: %(devices)s")


def _names(story: Story, form: Form) -> list[str]:
    own = names(story, form.line) or [form.line(story.device or story.uplink)]
    return [form.line(f"{story.service} {own[0]}".strip()), *own[1:]]


def block(t: NullTranslations, story: Story, kind: Kind, form: Form) -> Iterator[str]:
    """What it is about, what was said of it by whom, and how our own probes see it."""
    yield t.gettext("Reference: %s (please quote it when you contact us)") % form.line(story.reference)
    yield from _what(t, story, form)
    if kind == "correction":
        yield t.gettext("As we had it, since: %s") % form.time(story.first_miss)
        yield t.gettext("Why it was none: %s") % form.line(story.correction)
        if story.corrected_at is not None:
            yield t.gettext("Corrected: %s") % form.time(story.corrected_at)
        return
    yield t.gettext("What a person reported to us: %s") % form.line(story.reported)
    yield _since(t, story, form)
    if kind == "recovery" and story.first_answer is not None:
        yield t.gettext("In use again since, as a person tells us: %s") % form.time(story.first_answer)
    else:
        yield from _seen(t, story, form)
    yield t.gettext("Declared an emergency: %s") % form.time(story.verdict)


def _what(t: NullTranslations, story: Story, form: Form) -> Iterator[str]:
    if story.service and story.device:
        yield from service.what(t, story, form.line)
    elif story.device:
        values = {"device": form.line(story.device), "address": form.line(story.address)}
        yield t.gettext("Device: %(device)s, address %(address)s") % values
    elif story.reported:
        found = listed(_names(story, form), LISTED_CHARS, hidden(story))
        pattern = t.gettext("Your devices concerned: %(count)d (%(devices)s)")
        yield pattern % {"count": story.behind, "devices": found}
    else:
        found = listed(_names(story, form), LISTED_CHARS, hidden(story))
        yield t.gettext("What we had told you of: %s") % found


def _since(t: NullTranslations, story: Story, form: Form) -> str:
    values = {"since": form.time(story.first_miss), "earliest": form.time(story.last_answer)}
    if story.latest is not None:
        pattern = t.gettext(
            "Out of use since, as we are told: %(since)s (at the earliest %(earliest)s,"
            " at the latest %(latest)s)"
        )
        return pattern % {**values, "latest": form.time(story.latest)}
    if story.last_answer != story.first_miss:
        return (
            t.gettext("Out of use since, as we are told: %(since)s (at the earliest %(earliest)s)") % values
        )
    return t.gettext("Out of use since, as we are told: %(since)s") % values


def _seen(t: NullTranslations, story: Story, form: Form) -> Iterator[str]:
    """How our own probes see it, a line for each way."""
    ways = {
        "answering": t.gettext("Our own probes are answered by: %s"),
        "unknown": t.gettext("Of these our own probes tell us nothing: %s"),
    }
    for how, pattern in ways.items():
        found = [form.line(one.device) for one in story.seen if one.how == how]
        if found:
            yield pattern % listed(found, LISTED_CHARS)
    for one in story.seen:
        if one.how == "silent" and one.since is not None:
            values = {"device": form.line(one.device), "since": form.time(one.since)}
            yield t.gettext("Our own probes are not answered by %(device)s since %(since)s") % values


def next_steps(t: NullTranslations, kind: Kind) -> str:
    """What the reader can expect from us now."""
    match kind:
        case "correction":
            return t.gettext(
                "What happens next: you need do nothing, and get no further notice about it."
                " We are sorry for the trouble. It stays on our record, marked as corrected,"
                " with what was measured. We watch on."
            )
        case "emergency" | "update":
            return t.gettext(
                "What happens next: we look into it, and tell you when we are told that it is over."
                " An answer to our own probes does not end it. We have not established the cause yet."
            )
        case "recovery":
            return t.gettext("What happens next: we watch on. If it is not over for you, please tell us.")
        case _:
            return t.gettext(
                "What happens next: this was taken out of our watch meanwhile."
                " We do not know how it is now, and you get no further notice about it."
            )
