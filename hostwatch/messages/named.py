"""A notice as a few short values, each by its name: for gateways that send approved templates only.

The names are fixed, and so is what each holds. What comes from outside is one bounded, printable line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import shared
from hostwatch.messages.fit import cut, line

VALUE_CHARS_MAX: Final = 35
"""Providers of templates take no longer one."""

NAMES: Final = ("reference", "what", "address", "since", "site", "customer")


def named(
    stories: Sequence[Story], kind: Kind, *, zone: ZoneInfo, site: str, customer_name: str
) -> Mapping[str, str]:
    """The values of a notice: of several emergencies those of the first, and how many more there are."""
    story, more = stories[0], f" +{len(stories) - 1}" if len(stories) > 1 else ""
    since = (story.first_answer or story.verdict) if kind == "recovery" else story.first_miss
    return {
        "reference": _value(story.reference),
        "what": _value(what(stories[:1]), more),
        "address": _value(story.address),
        "since": f"{since.astimezone(zone):%Y-%m-%d %H:%M}",
        "site": _value(site),
        "customer": _value(customer_name),
    }


def what(stories: Sequence[Story]) -> str:
    """What a notice is about."""
    story, more = stories[0], f" +{len(stories) - 1}" if len(stories) > 1 else ""
    about = f"{story.service} {story.device}".strip() or story.about or story.uplink
    return (about or ", ".join(shared.names(story, line))) + more


def _value(text: str, more: str = "") -> str:
    return cut(line(text), VALUE_CHARS_MAX - len(more)) + more
