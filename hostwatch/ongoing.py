"""What is told of an emergency that goes on, as plain data: whom it concerns, and who was told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hostwatch import acknowledgements
from hostwatch.acknowledgements import Names
from hostwatch.core import instant
from hostwatch.core.behind import Group
from hostwatch.core.concerned import Concerned, roots_of
from hostwatch.core.emergency import Emergency, Notice
from hostwatch.core.facts import PathSeen
from hostwatch.core.parents import Ways
from hostwatch.core.path import told
from hostwatch.core.reported import groups, is_reported
from hostwatch.core.service import device_in
from hostwatch.core.world import World
from hostwatch.traces import SHARED_FOR, neighbourhood


def path_of(paths: Sequence[PathSeen], address: str, since: datetime) -> str | None:
    """Where the path to who fell silent then was seen to break."""
    if not address:  # an uplink's
        return None
    network = neighbourhood(address)
    found = (path for path in paths if path.network == network and path.at >= since - SHARED_FOR)
    seen = next(found, None)
    return None if seen is None else told(seen, address)


def described(
    world: World, emergency: Emergency, now: datetime, paths: Sequence[PathSeen], names: Names
) -> dict[str, Any]:
    """One that is open."""
    story = emergency.story
    notices = [
        n for n in world.notices.values() if emergency.reference in n.emergencies and n.kind == "emergency"
    ]
    behind = _behind(world, emergency) if story.is_shared else None
    reported = is_reported(emergency)
    return {
        "reference": emergency.reference,
        "customer": story.customer,
        "device": story.device,
        "address": story.address,
        "uplink": story.uplink or None,
        "supplies": list(story.supplies),
        "switches": list(story.switches),
        "customers": None if behind is None else len(behind),
        "behind": None if behind is None else sum(group.count for group in behind.values()),
        "service": story.service or None,
        "reported": story.reported or None,
        "devices": list(dict.fromkeys(map(device_in, emergency.joined))) if reported else None,
        "corrected_at": story.corrected_at,
        "found": story.why if story.service and not reported else None,
        "services_failing": list(story.failing),
        "services_answering": list(story.answering),
        "last_answer": story.last_answer,
        "first_miss": story.first_miss,
        "verdict": story.verdict,
        "down_s": max(instant.second(now) - instant.second(story.first_miss), 0),
        "path": path_of(paths, story.address, story.first_miss),
        "notices": [notice_of(world, notice, now) for notice in notices],
        "acknowledged": acknowledgements.shown(world.acknowledged.get(story.reference, ()), names),
    }


def _behind(world: World, emergency: Emergency) -> Mapping[str, Group]:
    """Whom an emergency that many share concerns now: the devices of each customer."""
    people = world.population
    if is_reported(emergency):
        return dict(groups(people, emergency))
    own = people.uplink_of(emergency.signal)
    if own is not None:
        return dict(people.behind(own.id))
    return Concerned(people, Ways(people)).by(roots_of(emergency))


def notice_of(world: World, notice: Notice, now: datetime) -> dict[str, Any]:
    """How it stands with one who is told."""
    owed = world.duties.get(notice.duty or "")
    duty = owed if owed is not None and owed.is_open else None
    return {
        "customer": notice.customer,
        "contact": notice.contact,
        "state": notice.state.value,
        "told_by": notice.told_by,
        "proof": notice.proof,
        "settled_at": notice.settled_at,
        "attempts": len(notice.attempts),
        "due": None if duty is None else duty.due,
        "left_s": None if duty is None else int((duty.due - now).total_seconds()),
        "breached": _is_breached(world, notice),
    }


def _is_breached(world: World, notice: Notice) -> bool:
    """Whether the contact heard, or will hear, of the beginning after the deadline."""
    duty = world.duties.get(notice.duty or "")
    first = world.notices.get(notice.after or "")
    return (
        notice.late
        or (duty is not None and duty.breached_at is not None)
        or (first is not None and _is_breached(world, first))
    )
