"""The words about an uplink, or a redundancy group, through which the carrier does not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from gettext import NullTranslations

from hostwatch.core.notice import Kind, Story

Line = Callable[[str], str]
"""What others wrote, on one line."""


def first_line(t: NullTranslations, kind: Kind) -> str:
    """The pattern of the first line: with `reference`, `uplink` and `since`."""
    if kind == "emergency":
        return t.gettext("%(reference)s: the carrier has not answered us through %(uplink)s since %(since)s")
    if kind == "recovery":
        return t.gettext("%(reference)s: the carrier answers us through %(uplink)s again since %(since)s")
    return t.gettext("%(reference)s: the uplink %(uplink)s is no longer watched by us")


def what(t: NullTranslations, story: Story, line: Line) -> Iterator[str]:
    """What the emergency is about: the uplink and who is behind it."""
    if story.members:
        yield t.gettext("Redundancy group of uplinks: %s") % line(story.uplink)
    else:
        yield t.gettext("Uplink: %s") % line(story.uplink)
    if story.spared and not story.behind:
        yield t.gettext("Nobody is behind it alone")
    elif story.customers:
        yield t.gettext("Behind it: %(count)d devices, customers: %(customers)d") % {
            "count": story.behind,
            "customers": story.customers,
        }
    elif story.behind:
        names = [line(device) for device in story.devices]
        hidden = story.behind - len(names)
        listed = ", ".join(names) + (f" +{hidden}" if hidden else "")
        yield t.gettext("Your devices behind it: %(count)d (%(devices)s)") % {
            "count": story.behind,
            "devices": listed,
        }
    if story.spared:
        yield t.gettext(
            "Still reach the carrier by other uplinks: %(count)d devices, customers: %(customers)d"
        ) % {"count": story.spared, "customers": story.spared_customers}


def seen(t: NullTranslations, story: Story, line: Line, why: str, interval: str) -> str:
    """What we saw, in one line."""
    if story.members:
        return t.gettext(
            "What we saw: of the uplinks %(uplinks)s too few still reach the carrier, by looks at"
            " each of them (%(why)s); we look every %(interval)s"
        ) % {"uplinks": ", ".join(map(line, story.members)), "why": why, "interval": interval}
    return t.ngettext(
        "What we saw: %(count)d look in which fewer than %(quorum)d of %(references)d"
        " reference points of the carrier answered (%(why)s); we look every %(interval)s",
        "What we saw: %(count)d looks in a row in which fewer than %(quorum)d of %(references)d"
        " reference points of the carrier answered (%(why)s); we look every %(interval)s",
        story.misses,
    ) % {
        "count": story.misses,
        "quorum": story.quorum,
        "references": story.references,
        "why": why,
        "interval": interval,
    }


def next_steps(t: NullTranslations, stories: Sequence[Story], kind: Kind) -> str:
    """The same after an outage of an uplink, and what that means for the devices behind it."""
    match kind:
        case "emergency" | "update" if all(story.spared and not story.behind for story in stories):
            return t.gettext(
                "What happens next: we keep looking and tell you when the carrier answers again."
                " No customer is told as long as the other uplinks carry."
                " We have not established the cause yet."
            )
        case "emergency" | "update":
            return t.gettext(
                "What happens next: we keep looking and tell you when the carrier answers again."
                " Until then devices may answer inside our network and not be reached from outside."
                " We have not established the cause yet."
            )
        case "recovery":
            return t.gettext(
                "What happens next: we keep looking and tell you if the carrier falls silent again."
            )
        case _:
            return t.gettext(
                "What happens next: the uplink was taken out of our watch while it was silent."
                " We do not know whether the carrier can be reached now,"
                " and you get no further notice about it."
            )
