"""What a program may do by the API: see who has an emergency, and note that somebody has it.

A program is known by its secret, which is compared in the same time whatever it is. It sees and does what is
of its customer; the operator's own may act for every customer. The record has its name.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from hostwatch.acknowledgements import acknowledge
from hostwatch.asked import REFERENCE, Refused, reference, words
from hostwatch.configuration.web import ApiToken
from hostwatch.core import instant
from hostwatch.core.acknowledgement import How
from hostwatch.core.world import World
from hostwatch.engine import Engine

NAME_CHARS_MAX: Final = 100
PEOPLE_MAX: Final = 50
"""Who may have one emergency of one customer, before programs note no more: each is kept for ever."""


class Programs:
    """Serves whoever has a token."""

    def __init__(self, engine: Engine, tokens: Callable[[], Iterable[ApiToken]]) -> None:
        self._engine = engine
        self._tokens = tokens

    async def list(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who has an emergency."""
        found = self._allowed(request, "look")
        if not isinstance(found, tuple):
            return found
        program, name = found
        asked = words(request, "customer")
        if asked and program.customer not in (None, asked):
            return _wrong("forbidden", f"this token is not of {asked}")
        customer = program.customer or asked
        known = [
            one
            for one in self._engine.world.acknowledged.get(name, ())
            if not customer or one.customer == customer
        ]
        results = [
            {
                "customer": one.customer,
                "contact": one.contact or None,
                "by": self._engine.vault.value_of(one.who),
                "how": one.how.value,
                "at": instant.rfc3339(one.at),
            }
            for one in known
        ]
        return {"state": "done", "answer": {"reference": name, "count": len(results), "results": results}}

    async def acknowledge(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Somebody has it."""
        found = self._allowed(request, "acknowledge")
        if not isinstance(found, tuple):
            return found
        program, name = found
        customer = words(request, "customer") or program.customer or ""
        if program.customer not in (None, customer):
            return _wrong("forbidden", f"this token is not of {customer}")
        if not 0 < len(words(request, "by")) <= NAME_CHARS_MAX:
            return _wrong("wrong", "cannot note that somebody has it without a name; say who as by")
        if self._is_full(name, customer, words(request, "by")):
            return _wrong("wrong", f"{PEOPLE_MAX} people have {name} already; no program adds more")
        asked = {
            "reference": name,
            "by": words(request, "by"),
            "customer": customer,
            "contact": words(request, "contact"),
            "how": How.API.value,
        }
        try:
            done = await acknowledge(self._engine, f"API token {program.name}", asked)
        except Refused as refused:
            return _wrong("wrong", str(refused).replace("--", ""))
        answer = {**done, "contact": done["contact"] or None}
        return {"state": "done" if done["again"] else "made", "answer": answer}

    def _allowed(self, request: Mapping[str, Any], right: str) -> tuple[ApiToken, str] | dict[str, Any]:
        """Which program it is, and the emergency it asks about; or why that is refused."""
        program = self._program(words(request, "token"))
        if program is None:
            return _wrong("nobody", "send Authorization: Bearer with the secret of a token")
        if right not in program.rights:
            return _wrong("forbidden", f"the token {program.name} has no right to {right}")
        asked = words(request, "reference")
        world = self._engine.world
        try:
            name = reference(world, asked) if REFERENCE.fullmatch(asked) else ""
        except Refused:
            name = ""
        if not name or (program.customer is not None and not _concerns(world, name, program.customer)):
            what = f"there is no open emergency {asked}" if program.customer else f"there is no {asked}"
            return _wrong("missing", what if asked else "that is no reference of an emergency")
        if name not in world.emergencies:
            return _wrong("over", f"{name} is over")
        return program, name

    def _is_full(self, name: str, customer: str, who: str) -> bool:
        """Whether many have it already, and this would be one more."""
        known = self._engine.world.acknowledged.get(name, ())
        mine = [one for one in known if customer in ("", one.customer)]
        return len(mine) >= PEOPLE_MAX and who not in {self._engine.vault.value_of(one.who) for one in mine}

    def _program(self, shown: str) -> ApiToken | None:
        """All are compared, so that the time tells nothing."""
        found, digest = None, hashlib.sha256(shown.encode()).digest()
        for one in self._tokens():
            secret = one.secret.reveal()
            if hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), digest) and secret:
                found = one
        return found


def _concerns(world: World, name: str, customer: str) -> bool:
    """Whether any of a customer's people was to be told of it."""
    return any(one.customer == customer for one in world.notices.of(name))


def _wrong(state: str, why: str) -> dict[str, Any]:
    return {"state": state, "error": why}
