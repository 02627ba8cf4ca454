"""A notice as data: the JSON that `docs/notices.md` promises to programs.

Names and codes are the same in every language. Fields may be added within a version, never changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hostwatch.core import instant
from hostwatch.core.notice import ContactData, Flaps, Kind, Part, Seen, Story
from hostwatch.messages import catalogue, exercise, reminder, spans
from hostwatch.messages.text import Composed

VERSION = 1


def payload(
    stories: Sequence[Story],
    kind: Kind,
    *,
    composed: Composed,
    language: str,
    site: str,
    customer_name: str,
    contact_name: str,
    late: bool = False,
    both: bool = False,
) -> dict[str, Any]:
    """The documented data of a notice, JSON types only."""
    return {
        "version": VERSION,
        "kind": kind,
        "site": site,
        "customer": {"id": stories[0].customer, "name": customer_name},
        "contact": contact_name,
        "language": catalogue.resolve(language),
        "late": late,
        "beginning_too": both or None,
        "subject": composed.subject,
        "text": composed.text,
        "emergencies": [_emergency(story) for story in stories if story.contact is None],
        **({} if stories[0].contact is None else {"contact_data": _contact(stories[0].contact)}),
        **({"not_listed": stories[0].further} if reminder.is_one(kind) else {}),
        **({"exercise": True} if exercise.is_one(kind) else {}),
    }


def _contact(care: ContactData) -> dict[str, Any]:
    return {
        "contact": care.whose,
        "at": _instant(care.at),
        "address": care.address or None,
        "code": care.code or None,
        "until": _instant(care.until),
        "not_used": list(care.old),
        "used": list(care.new),
        "why": _code(care.why) or None,
    }


def _emergency(story: Story) -> dict[str, Any]:
    length = spans.length(story)
    return {
        "reference": story.reference or None,
        "device": story.device or None,
        "address": story.address or None,
        "interval_s": story.interval // timedelta(seconds=1),
        "misses": story.misses,
        "why": _code(_check(story.why) if story.service else story.why),
        "last_answer": _instant(story.last_answer),
        "first_miss": _instant(story.first_miss),
        "verdict": _instant(story.verdict),
        "last_miss": _instant(story.last_miss),
        "first_answer": _instant(story.first_answer),
        "silent_s": None if length is None else length.point_s,
        "silent_least_s": None if length is None else length.least_s,
        "silent_most_s": None if length is None else length.most_s,
        "uplink": story.uplink or None,
        "references": story.references or None,
        "quorum": story.quorum or None,
        "behind": story.behind if story.is_shared else None,
        "devices": list(story.devices) if story.is_shared else None,
        "parts": [_part(part) for part in story.parts] if story.parts else None,
        "method": None if story.is_shared or story.service or story.warning else story.method or "icmp",
        "service": story.service or None,
        "found": story.why if story.service else None,
        "device_itself": story.itself or None,
        "services_failing": None if story.is_shared or story.warning else list(story.failing),
        "services_answering": None if not story.device or story.service else list(story.answering),
        "supplies": list(story.supplies) if story.supplies else None,
        "measured_at": story.measured_at or None,
        "switches": list(story.switches) if story.switches else None,
        "withdrawn_because": "another customer's" if story.gone else None,
        "told_under": story.under or None,
        "warning": story.warning or None,
        "about": story.about or None,
        "elements": list(story.elements) if story.elements else None,
        "members": list(story.members) if story.members else None,
        "spared": story.spared or None,
        "spared_customers": story.spared_customers or None,
        "reported": story.reported or None,
        "latest": _instant(story.latest),
        "seen": [_seen(one) for one in story.seen] if story.reported else None,
        "corrected_at": _instant(story.corrected_at),
        "correction": story.correction or None,
        **({} if story.flaps is None else {"flaps": _flaps(story.flaps)}),
        **(_still(story) if story.still_at else {}),
    }


def _flaps(flaps: Flaps) -> dict[str, Any]:
    """What a running notice says."""
    return {
        "since": _instant(flaps.since),
        "times": flaps.times,
        "down_s": flaps.down_s,
        "down_since": _instant(flaps.down_since),
        "calm_since": _instant(flaps.calm_since),
        "every_s": flaps.every // timedelta(seconds=1),
        "calm_after_s": flaps.calm_after // timedelta(seconds=1),
    }


def _still(story: Story) -> dict[str, Any]:
    """What only a reminder says."""
    return {
        "still_at": _instant(story.still_at),
        "had_by": story.had_by or None,
        "had_since": _instant(story.had_at),
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {"device": seen.device, "how": seen.how, "since": _instant(seen.since)}


def _part(part: Part) -> dict[str, Any]:
    length = spans.length(part)
    return {
        "on": part.on,
        "behind": part.behind,
        "devices": list(part.devices),
        "first_misses": [_instant(one) for one in part.missed] or None,
        "last_answer": _instant(part.last_answer),
        "first_miss": _instant(part.first_miss),
        "last_miss": _instant(part.last_miss),
        "first_answer": _instant(part.first_answer),
        "silent_s": None if length is None else length.point_s,
        "silent_least_s": None if length is None else length.least_s,
        "silent_most_s": None if length is None else length.most_s,
    }


def _check(found: str) -> str:
    """Which check, and which step of it, found a service wrong: `http: TLS` of `http: TLS: the … expired`."""
    kind, _, rest = found.partition("; ")[0].partition(": ")
    step, colon, _ = rest.partition(": ")
    return f"{kind}: {step}" if colon and " " not in step else kind if rest else found


def _code(why: str) -> str:
    """Why a look missed, without who said so and which machine answered instead."""
    words = re.split(r", says | \(", why.lower())[0]
    return re.sub(r"[^a-z0-9]+", "_", words).strip("_")


def _instant(when: datetime | None) -> str | None:
    return None if when is None else instant.rfc3339(when)
