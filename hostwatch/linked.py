"""What a person may do by the link in their notice: look at it, say that they have it, or that they do not.

A link is believed as far as it goes and no further: it is of one emergency and one person, who must still be
authorised. What is answered is for them: what their notice says, and who of their customer's people has it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from hostwatch.asked import words
from hostwatch.clock import Clock
from hostwatch.core import acknowledging, delivery
from hostwatch.core.acknowledgement import Acknowledgement, How
from hostwatch.core.emergency import Emergency, Notice
from hostwatch.core.world import Decision, World
from hostwatch.directory import Directory
from hostwatch.engine import Engine
from hostwatch.links import Links
from hostwatch.messages import catalogue
from hostwatch.messages.text import first_line, local
from hostwatch.wording import for_reader

NAME_CHARS_MAX: Final = 100
"""Of who says that they have it."""

CHANGES_MAX: Final = 20
CHANGES_WITHIN: Final = timedelta(hours=1)
"""So often somebody may say otherwise by one link: each is a fact that is kept for ever."""

LINKS_COUNTED: Final = 10_000
EMERGENCIES_MAX: Final = 100
"""Of which it is remembered who is meant in their tokens."""

OTHERS_MAX: Final = 20
"""Others who have it, as a page names them."""

Person = tuple[str, str]
"""Customer and contact."""

ACTOR: Final = "their link"
TAKEN_BACK: Final = "taken back by the same link"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Whose link it is, and of what."""

    emergency: Emergency
    notice: Notice
    """The latest that tells this person of it."""

    name: str
    """The person's."""

    language: str


class _People:
    """Who is meant in the tokens of an emergency. Reckoned once of each: thousands may be told of one."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, datetime], dict[bytes, Person]] = OrderedDict()

    def of(self, links: Links, emergency: Emergency, told: Iterable[Notice]) -> Mapping[bytes, Person]:
        """All who were told of it until now."""
        key = emergency.reference, emergency.opened_at
        known = self._known.setdefault(key, {})
        self._known.move_to_end(key)
        while len(self._known) > EMERGENCIES_MAX:
            self._known.popitem(last=False)
        for person in {(one.customer, one.contact) for one in told}.difference(known.values()):
            known[links.person(*person, emergency)] = person
        return known


class Linked:
    """Serves whoever has a link."""

    def __init__(self, engine: Engine, clock: Clock, directory: Callable[[], Directory]) -> None:
        self._engine = engine
        self._clock = clock
        self._directory = directory
        self._changes: OrderedDict[str, list[datetime]] = OrderedDict()
        self._people = _People()

    async def look(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a link is about, and how that stands. Changes nothing."""
        found = self._find(words(request, "token"))
        return self._shown(found) if isinstance(found, _Found) else found

    async def acknowledge(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """They have it. Saying so again changes nothing."""
        found = self._find(words(request, "token"))
        if not isinstance(found, _Found):
            return found
        who = words(request, "by")[:NAME_CHARS_MAX] or found.name
        reference, notice = found.emergency.reference, found.notice
        if self._has(found):  # what else they are called is not kept
            return self._shown(found)
        if not self._may_change(words(request, "token")):
            return {"state": "busy", "language": found.language}
        commitment = self._engine.vault.commit(who)

        def deed(world: World, now: datetime) -> Decision:
            if reference not in world.emergencies or own(world, reference, notice):
                return Decision()
            said = Acknowledgement(
                customer=notice.customer,
                contact=notice.contact,
                who=commitment,
                how=How.LINK,
                actor=ACTOR,
                at=now,
            )
            return acknowledging.acknowledge(world, reference, said, now)

        await self._engine.do(deed)
        return await self.look(request)

    async def withdraw(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """They do not have it after all: what they said is taken back, however they had said it."""
        found = self._find(words(request, "token"))
        if not isinstance(found, _Found):
            return found
        reference, notice = found.emergency.reference, found.notice
        if not self._has(found):
            return self._shown(found)
        if not self._may_change(words(request, "token")):
            return {"state": "busy", "language": found.language}
        why = self._engine.vault.commit_once(TAKEN_BACK)

        def deed(world: World, now: datetime) -> Decision:
            decision = Decision()
            mine = own(world, reference, notice)
            if mine:
                decision = acknowledging.withdraw(
                    world, reference, mine[0], actor=ACTOR, because=why, now=now
                )
            return decision

        while own(self._engine.world, reference, notice):
            await self._engine.do(deed)
        return await self.look(request)

    def _has(self, found: _Found) -> bool:
        return bool(own(self._engine.world, found.emergency.reference, found.notice))

    def _find(self, text: str) -> _Found | dict[str, Any]:
        """Whose link it is; or why it is good for nothing."""
        links, world = self._directory().links, self._engine.world
        token = None if links is None else links.read(text)
        if links is None or token is None or not 1 <= token.number <= world.references:
            return {"state": "unknown"}
        if token.until <= self._clock.now():
            return {"state": "expired", "reference": token.reference}
        emergency = world.emergencies.get(token.reference)
        if emergency is None:
            return {"state": "over", "reference": token.reference}
        told = world.notices.of(token.reference)
        whose = self._people.of(links, emergency, told).get(token.person)
        theirs = [one for one in told if (one.customer, one.contact) == whose]
        if not theirs:
            return {"state": "unknown"}
        notice, directory = theirs[-1], self._directory()
        person = directory.person(notice)
        if person is None or not delivery.may_answer(world, notice, self._clock.now()):
            return {"state": "refused", "reference": token.reference}
        return _Found(emergency=emergency, notice=notice, name=person.name, language=person.language)

    def _shown(self, found: _Found) -> dict[str, Any]:
        notice, configuration = found.notice, self._directory().configuration
        customer = next(one for one in configuration.customers if one.id == notice.customer)
        zone = ZoneInfo(configuration.timezone_of(customer))
        known = self._engine.world.acknowledged.get(found.emergency.reference, ())
        stories = [for_reader(story, found.language) for story in notice.stories]
        return {
            "state": "open",
            "language": catalogue.resolve(found.language),
            "reference": found.emergency.reference,
            "site": configuration.site.name,
            "customer": customer.name,
            "contact": found.name,
            "subject": first_line(
                stories, notice.kind, language=found.language, zone=zone, repeat=False, late=False
            ),
            "opened": local(found.emergency.opened_at, zone),
            "mine": [self._said(one, zone) for one in own(self._engine.world, *_whose(found))],
            "others": self._others(found, known, zone),
        }

    def _others(
        self, found: _Found, known: Iterable[Acknowledgement], zone: ZoneInfo
    ) -> list[dict[str, str]]:
        """Of their own customer's people only."""
        notice = found.notice
        others = (one for one in known if one.customer == notice.customer and one.contact != notice.contact)
        return [self._said(one, zone) for one in islice(others, OTHERS_MAX)]

    def _said(self, one: Acknowledgement, zone: ZoneInfo) -> dict[str, str]:
        return {"by": self._engine.vault.value_of(one.who) or one.contact, "at": local(one.at, zone)}

    def _may_change(self, token: str) -> bool:
        """Whether they have not said otherwise too often."""
        now, key = self._clock.now(), token
        recent = [when for when in self._changes.pop(key, []) if when > now - CHANGES_WITHIN]
        may = len(recent) < CHANGES_MAX
        self._changes[key] = [*recent, now] if may else recent
        while len(self._changes) > LINKS_COUNTED:
            self._changes.popitem(last=False)
        return may


def own(world: World, reference: str, notice: Notice) -> list[Acknowledgement]:
    """What the person of a notice said of an emergency."""
    return [one for one in world.acknowledged.get(reference, ()) if one.is_of(notice)]


def _whose(found: _Found) -> tuple[str, Notice]:
    return found.emergency.reference, found.notice
