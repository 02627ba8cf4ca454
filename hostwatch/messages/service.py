"""The words about a service: an application that does not pass our checks, alone or with its device.

A check says what it found in a few words of its own; they are shown as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Story
from hostwatch.core.together import Stand

Line = Callable[[str], str]
"""Makes something from outside fit to be part of one line."""

Time = Callable[[datetime], str]
Interval = Callable[[timedelta], str]


def first_line(t: NullTranslations, kind: Kind) -> str:
    """The pattern of the first line: with `reference`, `service`, `device` and `since`."""
    match kind:
        case "emergency":
            return t.gettext(
                "%(reference)s: %(service)s on %(device)s has not passed our checks since %(since)s"
            )
        case "update":
            return t.gettext("%(reference)s: more on %(device)s does not pass our checks: %(service)s")
        case "recovery":
            return t.gettext(
                "%(reference)s: %(service)s on %(device)s passes our checks again since %(since)s"
            )
        case _:
            return t.gettext("%(reference)s: %(service)s on %(device)s is no longer watched by us")


def many(t: NullTranslations, kind: Kind) -> str:
    """The same about several: with `count`, `since` and `devices`, of which each names a service too."""
    match kind:
        case "emergency":
            return t.gettext(
                "%(count)d services have not passed our checks, the first since %(since)s: %(devices)s"
            )
        case "recovery":
            return t.gettext("%(count)d services pass our checks again: %(devices)s")
        case _:
            return t.gettext("%(count)d services are no longer watched by us: %(devices)s")


def named(story: Story, kind: Kind, line: Line) -> str:
    """The service, or all that an update tells of."""
    names = (story.service, *story.failing) if kind == "update" else (story.service,)
    return ", ".join(line(name) for name in names)


def what(t: NullTranslations, story: Story, line: Line) -> Iterator[str]:
    """Which service it is, and on what."""
    yield t.gettext("Service: %(service)s on the device %(device)s, address %(address)s") % {
        "service": line(story.service),
        "device": line(story.device),
        "address": line(story.address),
    }


def since(t: NullTranslations, story: Story, time: Time) -> str:
    """The bounds of the beginning."""
    return t.gettext(
        "Not right since: after %(answer)s (last look that was right), by %(miss)s (first that was not)"
    ) % {"answer": time(story.last_answer), "miss": time(story.first_miss)}


def until(t: NullTranslations) -> str:
    """The pattern for the bounds of the end, with `miss` and `answer`."""
    return t.gettext("Right since: after %(miss)s (last look that was not), by %(answer)s (first that was)")


def lasted(t: NullTranslations) -> str:
    """The pattern for the length, with `point`, `least` and `most`."""
    return t.gettext("Not right for: %(point)s (at least %(least)s, at most %(most)s)")


def seen(t: NullTranslations, story: Story, line: Line, interval: Interval) -> str:
    """What the looks brought."""
    return t.ngettext(
        "What we saw: %(count)d look missed (%(why)s); we look every %(interval)s",
        "What we saw: %(count)d looks in a row missed (%(why)s); we look every %(interval)s",
        story.misses,
    ) % {"count": story.misses, "why": line(story.why), "interval": interval(story.interval)}


def beside(t: NullTranslations, story: Story, kind: Kind, line: Line) -> Iterator[str]:
    """What else is known of the device and of its services."""
    names = ", ".join(line(name) for name in story.failing)
    if story.service and kind in ("emergency", "update"):
        match story.itself:
            case Stand.ANSWERS.value:
                yield t.gettext("The device itself answers us.")
            case Stand.SILENT.value:
                yield t.gettext("The device itself does not answer us either at the moment.")
            case Stand.NOT_PROVEN.value:
                yield t.gettext("The device itself has never answered us: we do not know how it is.")
            case _:
                yield t.gettext("We do not know whether the device itself answers.")
    if names and kind == "recovery":
        yield t.gettext("Services on it that do not pass our checks yet: %s") % names
    elif names:
        yield t.gettext("Services on it that do not pass our checks either: %s") % names
    if story.answering and kind in ("emergency", "update"):
        yield t.gettext(
            "Services on it that pass our checks: %s. So the device may be well, and only silent to us."
        ) % ", ".join(line(name) for name in story.answering)


def next_steps(t: NullTranslations, kind: Kind, count: int) -> str:
    """What the reader can expect from us now, of so many services."""
    match kind:
        case "emergency" | "update":
            return t.ngettext(
                "What happens next: we keep checking the service and tell you when it passes again."
                " We have not established the cause yet.",
                "What happens next: we keep checking the services and tell you when they pass again."
                " We have not established the cause yet.",
                count,
            )
        case "recovery":
            return t.ngettext(
                "What happens next: we keep checking the service and tell you if it does not pass again.",
                "What happens next: we keep checking the services and tell you if one does not pass again.",
                count,
            )
        case _:
            return t.ngettext(
                "What happens next: the service was taken out of our watch while it did not pass our checks."
                " We do not know whether it does now, and you get no further notice about it.",
                "What happens next: the services were taken out of our watch while they did not pass our"
                " checks. We do not know whether they do now, and you get no further notice about them.",
                count,
            )
