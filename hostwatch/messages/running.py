"""The words of a running notice: what goes up and down all the time is summed up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import service
from hostwatch.messages.fit import cut
from hostwatch.messages.shared import Form


def is_one(kind: Kind) -> bool:
    """Whether a notice of a kind sums up."""
    return kind == "running"


def first_line(t: NullTranslations, story: Story, form: Form, room: int) -> str:
    """The first line, in as much room as there is."""
    if story.flaps is not None and story.flaps.calm_since is not None:
        since = story.flaps.calm_since
        pattern = t.gettext("%(reference)s: calm again since %(since)s: %(name)s")
    else:
        since = story.first_miss
        pattern = t.gettext("%(reference)s: comes and goes since %(since)s: %(name)s")
    values = {"reference": form.line(story.reference), "since": form.time(since)}
    left = room - len(pattern % {**values, "name": ""})
    return pattern % {
        **values,
        "name": cut(form.line(f"{story.service} {story.device}".strip()), max(left, 1)),
    }


def begins(t: NullTranslations, story: Story, form: Form) -> Iterator[str]:
    """In the notice of an emergency that a running notice begins with: that it does."""
    flaps = story.flaps
    if flaps is None:
        return
    yield t.gettext("Comes and goes: %(times)d emergencies within %(within)s") % {
        "times": flaps.times,
        "within": form.interval(flaps.within),
    }
    yield t.gettext(
        "From now on you get a summary every %(every)s while it goes on so, and none for each time, as you"
        " agreed: until it is calm for %(calm)s. Of one that lasts as long we tell you as ever."
    ) % {"every": form.interval(flaps.every), "calm": form.interval(flaps.calm_after)}


def block(t: NullTranslations, story: Story, form: Form) -> Iterator[str]:
    """How often it was down, and for how long."""
    yield t.gettext("Reference: %s (please quote it when you contact us)") % form.line(story.reference)
    if story.service:
        yield from service.what(t, story, form.line)
    else:
        values = {"device": form.line(story.device), "address": form.line(story.address)}
        yield t.gettext("Device: %(device)s, address %(address)s") % values
    flaps = story.flaps
    if flaps is None:
        return
    yield t.gettext("Since: %s") % form.time(flaps.since)
    yield t.gettext("Emergencies so far: %(times)d, %(span)s in all") % {
        "times": flaps.times,
        "span": form.span(flaps.down_s),
    }
    if flaps.down_since is not None:
        yield t.gettext("Lasts now, since: %s") % form.time(flaps.down_since)
    if flaps.calm_since is not None:
        yield t.gettext("Calm since: %s") % form.time(flaps.calm_since)
    yield t.gettext("As of: %s") % form.time(story.verdict)


def next_steps(t: NullTranslations, story: Story, form: Form) -> str:
    """What the reader can expect from us now."""
    if story.flaps is not None and story.flaps.calm_since is not None:
        return t.gettext(
            "What happens next: we watch on, and tell you of each further emergency by itself again."
            " Each of them is on our record, and counts as it would without this."
        )
    every = form.interval(timedelta(0) if story.flaps is None else story.flaps.every)
    return (
        t.gettext(
            "What happens next: we sum it up again in %s if it goes on so, and tell you when it is calm."
            " Of one that lasts we tell you as ever. Each of them is on our record, and counts as it would"
            " without this."
        )
        % every
    )
