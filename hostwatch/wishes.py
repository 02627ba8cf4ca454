"""What people ask of a running watch by its control socket, beside its state: what was seen, and causes.

A wish that decides something is a deed: who asked, by the kernel's word, goes into the record with it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from hostwatch.applications import Applications
from hostwatch.control import Handler
from hostwatch.core import causing, emergency
from hostwatch.core.cause import STATED, Cause, Statement
from hostwatch.core.world import World
from hostwatch.engine import Engine

BECAUSE_CHARS_MAX: Final = 1_000
"""Of a reason, and of who ordered something."""

REFERENCE: Final = re.compile(r"E-(\d{6,12})")


class Refused(Exception):
    """What was asked for makes no sense, in words for a person."""


def of(engine: Engine, applications: Applications) -> dict[str, Handler]:
    """What is asked, by its name."""

    async def cause(author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return await _cause(engine, author, request)
        except Refused as refused:
            return {"ok": False, "error": str(refused)}

    return {"last": applications.last, "cause": cause}


async def _cause(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """State the cause of an emergency, or take back what was stated."""
    reference = _reference(engine.world, request.get("reference"))
    because = _words(request, "because")
    if not because:
        raise Refused("cannot state a cause without a reason; say why with --because")
    named = _words(request, "is")
    vault = engine.vault
    if not named:
        why = vault.commit_once(because)
        await engine.do(lambda world, now: causing.withdraw(world, reference, author, why, now))
        return {"reference": reference, "cause": None}
    cause, since, until = _cause_named(named), _instant(request, "from"), _instant(request, "until")
    if since is not None and until is not None and until <= since:
        raise Refused("cannot state a cause that ends before it began; --until is to be after --from")
    why, ordered_by = vault.commit_once(because), vault.commit_once(_words(request, "ordered_by"))

    def state(world: World, now: datetime) -> Any:
        said = Statement(reference, now, cause, author, why, ordered_by, since, until)
        return causing.state(world, said, now)

    await engine.do(state)
    return {"reference": reference, "cause": cause.value}


def _reference(world: World, asked: object) -> str:
    """A reference that there is. All are numbered, from the first on."""
    text = asked if isinstance(asked, str) else ""
    found = REFERENCE.fullmatch(text)
    if found is None:
        raise Refused(f"{text!r} is no reference of an emergency; they look like {emergency.reference(42)}")
    if not 1 <= int(found[1]) <= world.references or emergency.reference(int(found[1])) != text:
        raise Refused(f"there is no emergency {text}; {world.references} have been opened")
    return text


def _cause_named(named: str) -> Cause:
    for cause in STATED:
        if cause.value == named:
            return cause
    near = difflib.get_close_matches(named, [cause.value for cause in STATED], 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(STATED)}"
    raise Refused(f"{named!r} is no cause that can be stated; {hint}")


def _words(request: Mapping[str, Any], key: str) -> str:
    text = request.get(key, "")
    if not isinstance(text, str) or len(text) > BECAUSE_CHARS_MAX or (text and not text.isprintable()):
        raise Refused(f"cannot take what was given as {key}: at most {BECAUSE_CHARS_MAX:,} printable signs")
    return text.strip()


def _instant(request: Mapping[str, Any], key: str) -> datetime | None:
    text = _words(request, key)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} is no instant; write it as 2026-12-01T01:00:00+08:00") from None
    if found.tzinfo is None:
        raise Refused(f"{text!r} has no zone; write it as 2026-12-01T01:00:00+08:00")
    return found
