"""Acknowledgements that people bring through the control socket, and how they are shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from hostwatch.asked import Refused, open_reference, words
from hostwatch.core import acknowledging
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine


async def acknowledge(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Somebody has an emergency, as whoever asks says."""
    name = open_reference(engine.world, request.get("reference"))
    who = words(request, "by")
    if not who:
        raise Refused("cannot note that somebody has it without a name; say who with --by")
    how = _how(words(request, "how"))
    customer = _customer(engine.world, name, words(request, "customer"))
    contact = _contact(engine.world, name, customer, words(request, "contact"))
    commitment = engine.vault.commit(who)

    def deed(world: World, now: datetime) -> Decision:
        said = Acknowledgement(
            customer=customer, contact=contact, who=commitment, how=how, actor=author, at=now
        )
        return acknowledging.acknowledge(world, name, said, now)

    done = await engine.do(deed)
    return {"reference": name, "customer": customer, "contact": contact, "again": not done.facts}


async def withdraw(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """They do not have it after all."""
    name = open_reference(engine.world, request.get("reference"))
    because = words(request, "because")
    if not because:
        raise Refused("cannot take an acknowledgement back without a reason; say why with --because")
    customer = _customer(engine.world, name, words(request, "customer"))
    contact = words(request, "contact")
    known = engine.world.acknowledged.get(name, ())
    mine = [one for one in known if one.customer == customer and contact in ("", one.contact)]
    if not mine:
        raise Refused(f"nobody of {customer} has {name}")
    if len(mine) > 1:
        named = ", ".join(one.contact or "somebody who is no contact" for one in mine)
        raise Refused(f"several have {name}: {named}; say whose is taken back with --contact")
    why = engine.vault.commit_once(because)
    await engine.do(
        lambda world, now: acknowledging.withdraw(world, name, mine[0], actor=author, because=why, now=now)
    )
    return {"reference": name, "customer": customer, "contact": mine[0].contact}


DEEDS: Final = {"acknowledge": acknowledge, "withdraw-acknowledgement": withdraw}


def _how(text: str) -> How:
    try:
        return How(text or How.ON_BEHALF)
    except ValueError:
        raise Refused(f"{text!r} is no way to say so; known: {', '.join(How)}") from None


def _customer(world: World, name: str, asked: str) -> str:
    """Whose people were to be told of an emergency; the only one, if none was named."""
    told = list(dict.fromkeys(notice.customer for notice in world.notices.of(name)))
    if not told:
        raise Refused(f"{name} is over, or nobody was to be told of it: there is nothing to acknowledge")
    if asked in told:
        return asked
    if asked:
        raise Refused(f"{asked} was not to be told of {name}; {_known(asked, told)}")
    if len(told) > 1:
        raise Refused(f"{name} concerns several; say whose it is with --customer: {', '.join(told)}")
    return told[0]


def _contact(world: World, name: str, customer: str, asked: str) -> str:
    """Which of their contacts; empty if it is none of them."""
    told = list(dict.fromkeys(one.contact for one in world.notices.of(name) if one.customer == customer))
    if asked and asked not in told:
        raise Refused(f"no contact {asked} of {customer} was to be told of {name}; {_known(asked, told)}")
    return asked


def _known(asked: str, there: list[str]) -> str:
    near = difflib.get_close_matches(asked, there, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(there)}"


Names = Mapping[str, str | None]
"""What commitments stand for; None for what was erased."""


def shown(known: Iterable[Acknowledgement], names: Names) -> list[dict[str, Any]]:
    """Who has an emergency, as plain data; instants are aware UTC."""
    return [
        {
            "customer": one.customer,
            "contact": one.contact or None,
            "by": names.get(one.who),
            "how": one.how.value,
            "at": one.at,
        }
        for one in known
    ]


def line(one: Mapping[str, Any], when: str) -> str:
    """The same in words, for a line of a table."""
    who = one["by"] or "somebody whose name was erased"
    return f"{one['contact'] or one['customer']}: {who} has it since {when} ({one['how']})"
