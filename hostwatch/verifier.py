"""Keeps contact data true: takes over which ways there are, asks what is due, and hears what people answer.

Ways that a contact had before are told of a change as well. What they are made of is kept among the personal
data for that, if no secret is part of it; else it is known only as long as the watch runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from hostwatch import log
from hostwatch.asked import Refused, words
from hostwatch.clock import Clock
from hostwatch.configuration.zones import zone_of
from hostwatch.contactdata import typed
from hostwatch.core import verifying
from hostwatch.core.emergency import Notice
from hostwatch.core.reverifying import Term
from hostwatch.core.verification import How, Known, Person, Standing, State
from hostwatch.core.world import Decision
from hostwatch.directory import Directory, Way
from hostwatch.engine import Engine
from hostwatch.gauges import Gauge
from hostwatch.store.writer import Writer

LOOK_EVERY: Final = timedelta(minutes=5)
PEOPLE_AT_ONCE: Final = 100
"""Contacts whose ways are taken over in one deed."""

ASKED_MAX: Final = 500
"""Ways that one command asks."""


class Verifier:
    """Knows the configuration, and brings deeds."""

    def __init__(
        self, engine: Engine, writer: Writer, clock: Clock, directory: Callable[[], Directory]
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._directory = directory
        self._counts: dict[str, float] | None = None
        self._terms_of: Directory | None = None
        self._terms: Mapping[str, Term] = {}

    async def run(self) -> None:
        """Look for ever what is due."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Ask what is due now."""
        digest, terms = self._directory().codes.digest, self._present_terms()
        await self._engine.do(lambda world, now: verifying.look(world, terms, digest, now))
        counts = dict.fromkeys((state.value for state in State), 0.0)
        for number, one in enumerate(list(self._engine.world.ways), 1):
            counts[one.state.value] += one.known.reads
            if number % verifying.STEP == 0:
                await self._clock.sleep(timedelta(0))
        self._counts = counts

    def figures(self) -> Iterator[Gauge]:
        """How many ways are in which state, as of the last look."""
        yield Gauge(
            "hostwatch_contact_ways",
            "Ways to contacts that a person reads, by whether they are verified.",
            self._counts,
            "state",
        )

    def _present_terms(self) -> Mapping[str, Term]:
        """By customer; made once for each configuration."""
        directory = self._directory()
        if self._terms_of is not directory:
            configuration = directory.configuration
            self._terms = {
                customer.id: Term(
                    every=configuration.verify_every_of(customer),
                    zone=zone_of(configuration.timezone_of(customer)),
                )
                for customer in configuration.customers
            }
            self._terms_of = directory
        return self._terms

    async def adopt(self, before: Directory | None = None) -> None:
        """Take over the ways of the configuration in force. `before`: the one that we ran until now."""
        directory, book = self._directory(), self._engine.world.ways
        gone = (person for person in book.people() if person not in directory.people)
        people = iter((*directory.people, *gone))
        while some := list(islice(people, PEOPLE_AT_ONCE)):
            await self._adopt(directory, before, self._changed(directory, some))
            await self._clock.sleep(timedelta(0))
        for notice in self._engine.world.pending():
            care = notice.stories[0].contact
            if notice.kind == "contact-changed" and care is not None:
                for known in book.former(notice.customer, care.whose):
                    await self._remember(directory, before, (notice.customer, care.whose), known)

    async def _adopt(
        self, directory: Directory, before: Directory | None, some: Mapping[Person, Sequence[Known]]
    ) -> None:
        """What these contacts lose is ready before anybody is told by it."""
        for person, ways in some.items():
            still = {one.way for one in ways}
            for standing in self._engine.world.ways.of(*person):
                if standing.known.way not in still:
                    await self._remember(directory, before, person, standing.known)
        if some:
            digest = directory.codes.digest
            await self._engine.do(lambda world, now: verifying.adopt(world, some, digest, now))

    def _changed(self, directory: Directory, some: Sequence[Person]) -> dict[Person, tuple[Known, ...]]:
        """Those of some contacts whose ways are others than on record."""
        found: dict[Person, tuple[Known, ...]] = {}
        for person in some:
            one = directory.people.get(person)
            ways = () if one is None else self._known(person, one.ladder)
            if ways != tuple(standing.known for standing in self._engine.world.ways.of(*person)):
                found[person] = ways
        return found

    def _known(self, person: Person, ladder: Sequence[Way]) -> tuple[Known, ...]:
        found: dict[str, Known] = {}
        for way in ladder:
            address = self._engine.vault.commit(way.channel.shown)
            standing = self._engine.world.ways.one(*person, way.leads)
            if standing is not None and standing.known.address == address:
                found[way.leads] = standing.known
            else:
                found[way.leads] = Known(
                    way=way.leads,
                    channel=way.channel.kind,
                    address=address,
                    kept=self._engine.vault.commit_once(way.kept),
                    reads=way.channel.reads,
                )
        return tuple(found.values())

    async def _remember(
        self, directory: Directory, before: Directory | None, person: Person, known: Known
    ) -> None:
        if known.way in directory.former:
            return
        found = None if before is None else before.way_to(*person, known.way)
        if found is None and known.kept:
            made_of = await self._writer.value_of(known.kept)
            found = None if made_of is None else directory.former_way(made_of)
        if found is not None:
            directory.former[known.way] = found
        else:
            log.warning("former-way-not-told", channel=known.channel, why="what it was is not kept")

    @property
    def deeds(self) -> Mapping[str, Callable[[Engine, str, Mapping[str, Any]], Any]]:
        """What is asked by the control socket."""
        return {"verify-contacts": self.verify, "confirm-contact": self.confirm}

    async def verify(self, engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send codes: to what is not verified yet; of one contact to all ways."""
        customer, contact = words(request, "customer"), words(request, "contact")
        channel = words(request, "channel")
        self._check(customer, contact)
        digest = self._directory().codes.digest
        found = [
            one
            for one in engine.world.ways
            if customer in ("", one.customer)
            and contact in ("", one.contact)
            and channel in ("", one.known.channel)
            and (contact or one.state is not State.VERIFIED)
        ]
        if not found:
            raise Refused("there is no such way to ask; hostwatch contacts shows which there are")
        wanted = [one for one in found if one.known.reads]
        if not wanted:
            raise Refused("no person reads what goes there: it cannot be asked")
        some = wanted[:ASKED_MAX]
        done = await engine.do(
            lambda world, now: verifying.ask(world, some, "asked by operator", digest, now)
        )
        log.info("contacts-asked", author=author, asked=len(done.notices))
        told = {(notice.customer, notice.contact, _way(notice)) for notice in done.notices}
        return {
            "asked": [_named(one) for one in some if (one.customer, one.contact, one.known.way) in told],
            "under_way": [
                _named(one) for one in some if (one.customer, one.contact, one.known.way) not in told
            ],
            "more": len(wanted) - len(some),
        }

    async def confirm(self, engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Somebody told a code."""
        customer, contact = words(request, "customer"), words(request, "contact")
        self._check(customer, contact)
        code = typed(words(request, "code"))
        if not code:
            raise Refused("a code has eight digits, such as 1234 5678")
        codes, who = self._directory().codes, engine.vault.commit(words(request, "by"))
        done = await engine.do(
            lambda world, now: verifying.confirm(
                world,
                (customer, contact),
                lambda notice: codes.hashed(notice, code),
                who=who,
                how=How.CODE,
                actor=author,
                now=now,
            )
        )
        if not done.facts:
            raise Refused(f"nothing of {customer}/{contact} waits for a code; send one with contacts verify")
        kinds = [type(fact).__name__ for fact in done.facts]
        if "CodeWrong" in kinds:
            raise Refused(
                "that is not the code, or it is worth nothing any more; after five wrong ones none is"
            )
        verified = {getattr(fact, "way", "") for fact in done.facts if type(fact).__name__ == "WayVerified"}
        ways = [one for one in engine.world.ways.of(customer, contact) if one.known.way in verified]
        return {
            "verified": [_named(one) for one in ways],
            "change": "ContactChangeConfirmed" in kinds,
        }

    def _check(self, customer: str, contact: str) -> None:
        """Refuse who is nobody."""
        people = self._directory().people
        if customer and not any(whose == customer for whose, _ in people):
            raise Refused(f"there is no customer {customer} with contacts")
        if contact and (customer, contact) not in people:
            known = ", ".join(name for whose, name in people if whose == customer)
            raise Refused(f"{customer} has no contact {contact}; known: {known}")


async def follow_link(engine: Engine, notice: Notice, actor: str) -> bool:
    """Who was asked by a notice followed its link, and clicked: whether that verified a way."""

    done: Decision = await engine.do(
        lambda world, now: verifying.answered(world, notice, how=How.LINK, who="", actor=actor, now=now)
    )
    return bool(done.facts)


def _way(notice: Notice) -> str:
    care = notice.stories[0].contact
    return "" if care is None else care.way


def _named(one: Standing) -> dict[str, str]:
    return {"customer": one.customer, "contact": one.contact, "channel": one.known.channel}
