"""The words about an uplink through which the carrier does not answer."""

from __future__ import annotations

from gettext import NullTranslations

from hostwatch.core.notice import Kind


def first_line(t: NullTranslations, kind: Kind) -> str:
    """The pattern of the first line: with `reference`, `uplink` and `since`."""
    if kind == "emergency":
        return t.gettext("%(reference)s: the carrier has not answered us through %(uplink)s since %(since)s")
    if kind == "recovery":
        return t.gettext("%(reference)s: the carrier answers us through %(uplink)s again since %(since)s")
    return t.gettext("%(reference)s: the uplink %(uplink)s is no longer watched by us")


def next_steps(t: NullTranslations, kind: Kind) -> str:
    """The same after an outage of an uplink, and what that means for the devices behind it."""
    match kind:
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
