"""What happens next with devices themselves, in the words of the reader."""

from __future__ import annotations

from gettext import NullTranslations

from hostwatch.core.notice import Kind


def next_steps(words: NullTranslations, kind: Kind, count: int, all_pinged: bool) -> str:
    """What the reader can expect from us now."""
    t = words
    match kind:
        case "emergency" | "update" if not all_pinged:
            return t.ngettext(
                "What happens next: we keep looking at the device and tell you when it answers again."
                " We have not established the cause yet.",
                "What happens next: we keep looking at the devices and tell you when they answer again."
                " We have not established the cause yet.",
                count,
            )
        case "emergency" | "update":
            return t.ngettext(
                "What happens next: we keep pinging the device and tell you when it answers again."
                " We have not established the cause yet.",
                "What happens next: we keep pinging the devices and tell you when they answer again."
                " We have not established the cause yet.",
                count,
            )
        case "recovery":
            return t.ngettext(
                "What happens next: we keep watching the device and tell you if it falls silent again.",
                "What happens next: we keep watching the devices and tell you if one falls silent again.",
                count,
            )
        case _:
            return t.ngettext(
                "What happens next: the device was taken out of our watch while it was silent."
                " We do not know whether it answers now, and you get no further notice about it.",
                "What happens next: the devices were taken out of our watch while they were silent."
                " We do not know whether they answer now, and you get no further notice about them.",
                count,
            )
