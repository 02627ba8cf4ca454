"""What is asked through the control socket, read with care: references, words and instants.

What makes no sense is refused in words for a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hostwatch.core import emergency
from hostwatch.core.exercise import PREFIX
from hostwatch.core.world import World

BECAUSE_CHARS_MAX: Final = 1_000
"""Of a reason, a name, and of who ordered something."""

REFERENCE: Final = re.compile(r"E-(\d{6,12})")


class Refused(Exception):
    """What was asked for makes no sense, in words for a person."""


def reference(world: World, asked: object) -> str:
    """A reference that there is. All are numbered, from the first on."""
    text = asked if isinstance(asked, str) else ""
    found = REFERENCE.fullmatch(text)
    if found is None:
        raise Refused(f"{text!r} is no reference of an emergency; they look like {emergency.reference(42)}")
    if not 1 <= int(found[1]) <= world.references or emergency.reference(int(found[1])) != text:
        raise Refused(f"there is no emergency {text}; {world.references} have been opened")
    return text


def open_reference(world: World, asked: object) -> str:
    """That of an emergency, or of an exercise that is under way."""
    if isinstance(asked, str) and asked.startswith(PREFIX):
        if asked in world.exercises.open:
            return asked
        under_way = ", ".join(world.exercises.open) or "none"
        raise Refused(f"no exercise {asked} is under way; under way: {under_way}")
    return reference(world, asked)


def words(request: Mapping[str, Any], key: str) -> str:
    """Printable words; empty if none were given."""
    text = request.get(key, "")
    if not isinstance(text, str) or len(text) > BECAUSE_CHARS_MAX or (text and not text.isprintable()):
        raise Refused(f"cannot take what was given as {key}: at most {BECAUSE_CHARS_MAX:,} printable signs")
    return text.strip()


def instant(request: Mapping[str, Any], key: str) -> datetime | None:
    """An instant with its zone, if one was given."""
    text = words(request, key)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no instant; write it as 2026-12-01T01:00:00+08:00") from None
    if found.tzinfo is None:
        raise Refused(f"{text!r} has no zone; write it as 2026-12-01T01:00:00+08:00")
    return found
