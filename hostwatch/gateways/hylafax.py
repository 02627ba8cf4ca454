"""HylaFAX servers: what became of pages after they were queued.

The list of what is done is asked for again and again. What it says of a page of ours goes to the watch; when
that is on record it is not said again. A page is known by a token that only its server and we have seen.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hostwatch import hylafax
from hostwatch.checks.base import Fault, Missed, Visit, printable
from hostwatch.configuration.faxserver import FaxServer
from hostwatch.configuration.returns import TOKEN_CHARS
from hostwatch.gateways import base

PAGES_MAX: Final = 100
"""Pages that are told of in one round; the others in the next."""

KNOWN_MAX: Final = 20_000
"""Pages of which all is on record. Servers list what is done for a while."""

FORM: Final = "%J|%a|%j|%P|%T|%s"
"""Our token, the state, the server's number, pages, tries, and what went wrong last."""

STATES: Final = {"D": "delivered", "F": "returned"}
"""What the states of what is done mean: the other machine took all pages, or the server gave up."""

_LINE = re.compile(rf"{hylafax.TAG}([a-z2-7]{{{TOKEN_CHARS}}})\|\s*([A-Z])\|(.*)")


class Settings(FaxServer):
    """A server, and whose it is."""

    of: str
    """The kind of channel and the gateway: `fax/main`."""


@dataclass(slots=True, eq=False)
class Memory:
    """What this process knows of one server."""

    waiting: set[str] = field(default_factory=set)
    """Pages that were told of."""

    known: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Pages of which all is on record."""


_memories: dict[tuple[str, str, int], Memory] = {}


def memory_of(settings: Settings) -> Memory:
    """What is known of a server; of another one nothing is."""
    return _memories.setdefault((settings.of, str(settings.address), settings.port), Memory())


async def listen(sources: Mapping[str, Settings], ear: base.Asked) -> None:
    """Have each server asked, again and again, until it is cancelled."""
    await asyncio.gather(*(_keep_asking(name, settings, ear) for name, settings in sources.items()))


async def _keep_asking(name: str, settings: Settings, ear: base.Asked) -> None:
    while True:
        ear.ask(name)
        await asyncio.sleep(settings.every.total_seconds())


def took(settings: Settings, names: Collection[str], *, is_ours: bool = True) -> None:
    """What was said of these pages is on record now, or they are none of ours: it is not said again."""
    memory = memory_of(settings)
    for name in memory.waiting.intersection(names):
        memory.waiting.discard(name)
        memory.known[name] = None
    while len(memory.known) > KNOWN_MAX:
        memory.known.popitem(last=False)


async def read(settings: Settings, _visit: Visit) -> str:
    """One round; what it brought, as JSON. Raises `Missed` or `Fault`."""
    password = "" if settings.password is None else settings.password.reveal()
    talk = hylafax.Talk()
    try:
        await talk.log_in(str(settings.address), settings.port, settings.user, password)
        lines = await talk.listing("doneq", FORM)
        await talk.leave()
    except (hylafax.Broken, hylafax.Denied) as error:
        why = printable(str(error).replace(password, "***") if password else str(error), base.SAID_CHARS_MAX)
        raise (Fault(why) if isinstance(error, hylafax.Denied) else Missed(why)) from error
    finally:
        talk.close()
    return json.dumps({"words": [*_words(settings, lines)], "counts": {}}, ensure_ascii=False)


def _words(settings: Settings, lines: Collection[str]) -> Iterator[tuple[Any, ...]]:
    """What is new of pages of ours: a name, what the page is known by, what it means, and as evidence."""
    memory, many = memory_of(settings), 0
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None or found[2] not in STATES or found[1] in memory.known:
            continue
        memory.waiting.add(found[1])
        shown = printable(" ".join(found[3].replace("|", " ").split()), base.SAID_CHARS_MAX)
        yield found[1], f"{settings.of}/{found[1]}", STATES[found[2]], shown
        many += 1
        if many >= PAGES_MAX:
            return
