"""A notice as a few short values, each by its name: for gateways that send approved templates only.

The names are fixed, and so is what each holds. What comes from outside is one bounded, printable line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from hostwatch.core.dutyclock import customers_in
from hostwatch.core.notice import Kind, Story
from hostwatch.core.warned import OF_DUTIES
from hostwatch.messages import exercise, shared
from hostwatch.messages.fit import cut, line, listed

VALUE_CHARS_MAX: Final = 35
"""Providers of templates take no longer one."""

NAMES: Final = ("reference", "what", "address", "since", "site", "customer")


def named(
    stories: Sequence[Story], kind: Kind, *, zone: ZoneInfo, site: str, customer_name: str
) -> Mapping[str, str]:
    """The values of a notice; of several emergencies those of the first."""
    story = stories[0]
    since = (story.first_answer or story.verdict) if kind == "recovery" else story.first_miss
    return {
        "reference": _value(story.reference),
        "what": f"{exercise.mark()} / 演练" if exercise.is_one(kind) else what(stories),
        "address": _value(story.address),
        "since": f"{since.astimezone(zone):%Y-%m-%d %H:%M}",
        "site": _value(site),
        "customer": _value(customer_name),
    }


def what(stories: Sequence[Story], room: int = VALUE_CHARS_MAX) -> str:
    """What a notice is about: as many names of the first emergency as fit, and how many more there are."""
    story = stories[0]
    if story.contact is not None:
        return story.contact.code or story.contact.address
    about = f"{story.service} {story.device}".strip() or story.about or story.uplink
    if story.warning in OF_DUTIES:
        names = [line(one) for one in customers_in(story.why) or story.why.split(", ")]
    else:
        names = [line(about)] if about else shared.names(story, line)
    more = len(stories) - 1 + (0 if about else shared.hidden(story))
    return listed(names, room, more) if names else ""


def _value(text: str) -> str:
    return cut(line(text), VALUE_CHARS_MAX)
