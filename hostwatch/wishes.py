"""What people ask of a running watch by its control socket, beside its state: what was seen, and causes.

A wish that decides something is a deed: who asked, by the kernel's word, goes into the record with it.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from hostwatch import acknowledgements, byhand, callsheet, excuses, exercises
from hostwatch.applications import Applications
from hostwatch.asked import Refused, instant, reference, words
from hostwatch.control import Handler
from hostwatch.core import causing
from hostwatch.core.cause import STATED, Cause, Statement
from hostwatch.core.world import World
from hostwatch.engine import Engine

Deed = Callable[[Engine, str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""What is done for whom, by the kernel's word, and what they asked for; the answer is JSON types."""


def of(engine: Engine, applications: Applications, more: Mapping[str, Deed]) -> dict[str, Handler]:
    """What is asked, by its name."""

    def asked(deed: Deed) -> Handler:
        async def handler(author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
            try:
                return await deed(engine, author, request)
            except Refused as refused:
                return {"ok": False, "error": str(refused)}

        return handler

    told = {**acknowledgements.DEEDS, **callsheet.DEEDS, **byhand.DEEDS, **exercises.DEEDS, **excuses.DEEDS}
    deeds = {"cause": _cause, **told, **more}
    return {"last": applications.last, **{name: asked(deed) for name, deed in deeds.items()}}


async def _cause(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """State the cause of an emergency, or take back what was stated."""
    name = reference(engine.world, request.get("reference"))
    because = words(request, "because")
    if not because:
        raise Refused("cannot state a cause without a reason; say why with --because")
    named = words(request, "is")
    vault = engine.vault
    if not named:
        why = vault.commit_once(because)
        await engine.do(lambda world, now: causing.withdraw(world, name, author, why, now))
        return {"reference": name, "cause": None}
    cause, since, until = _cause_named(named), instant(request, "from"), instant(request, "until")
    if since is not None and until is not None and until <= since:
        raise Refused("cannot state a cause that ends before it began; --until is to be after --from")
    why, ordered_by = vault.commit_once(because), vault.commit_once(words(request, "ordered_by"))

    def state(world: World, now: datetime) -> Any:
        said = Statement(name, now, cause, author, why, ordered_by, since, until)
        return causing.state(world, said, now)

    await engine.do(state)
    return {"reference": name, "cause": cause.value}


def _cause_named(named: str) -> Cause:
    for cause in STATED:
        if cause.value == named:
            return cause
    near = difflib.get_close_matches(named, [cause.value for cause in STATED], 1, 0.4)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(STATED)}"
    raise Refused(f"{named!r} is no cause that can be stated; {hint}")
