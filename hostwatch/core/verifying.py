"""The deeds of contact data: ways become known, are asked, verified, changed, and fail.

A way is asked by a code that goes by it and by no other. Who answers tells us the code, or presses a key, or
follows a link. What comes to nothing is told to the customer by other ways, and that they were told so is on
record: only then can anybody claim that their data are stale.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hostwatch.core import canonical, facts, instant
from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice, NoticeState
from hostwatch.core.facts_of_contacts import (
    CodeWrong,
    ContactChangeConfirmed,
    ContactChanged,
    ContactWarned,
    ContactWarningReturned,
    ContactWays,
    WayAsked,
    WayFailed,
    WayVerified,
)
from hostwatch.core.notice import ContactData, Kind, Story
from hostwatch.core.proof import Proof
from hostwatch.core.reverifying import ASKS_MAX, Term, is_due, is_working
from hostwatch.core.roster import Right
from hostwatch.core.verification import CHANGE_FOR, CODE_FOR, How, Known, Person, Standing
from hostwatch.core.world import Decision, World

AT_ONCE_MAX: Final = 50
"""Ways that one look asks: some hundred an hour."""

SAME: Final = timedelta(minutes=1)
"""Within which it says nothing new that a way was answered: one message may have told of many emergencies."""

STEP: Final = 500
"""Ways that are looked at without a pause."""

Steps = Generator[None, None, Decision]
"""A deed in steps."""

Digest = Callable[[str], str]
"""The hash of the code that goes with a notice."""


def adopt(world: World, present: Mapping[Person, Sequence[Known]], digest: Digest, now: datetime) -> Decision:
    """The configuration names these ways. Of what is otherwise the old ways are told."""
    found = _Found(world, now)
    for (customer, contact), ways in present.items():
        before = world.ways.of(customer, contact)
        if [one.known for one in before] == [*ways]:
            continue
        plain = tuple({name: getattr(one, name) for name in Known.__slots__} for one in ways)
        found.happen(ContactWays(at=now, customer=customer, contact=contact, ways=plain))
        there = {one.known.way for one in before}
        lost = tuple(one for one in before if one.known.way not in {way.way for way in ways})
        gained = tuple(one for one in ways if one.way not in there)
        if before and ways and (lost or gained):
            _changed(found, (customer, contact), before, lost, gained, digest)
    return found.decision()


def _changed(
    found: _Found,
    person: Person,
    before: Sequence[Standing],
    lost: Sequence[Standing],
    gained: Sequence[Known],
    digest: Digest,
) -> None:
    customer, contact = person
    gone = tuple(one.known.way for one in lost)
    new = tuple(one.way for one in gained)
    care = ContactData(
        whose=contact, at=found.now, until=found.now + CHANGE_FOR, lost=gone, gained=new, channel=""
    )
    asked = []
    for to, one in (
        *((contact, one) for one in before if one.known.reads),
        *_others(found.world, person, found.now),
    ):
        way = "" if one is None else one.known.way
        may = one is not None and one.is_known and to in _with_right(found.world, customer, found.now)
        name = _name("contact-changed", (customer, contact, way), to, customer, found.now)
        if may and (lost or gained):
            asked.append({"notice": name, "whose": to, "way": way, "code": digest(name)})
        found.owe(name, "contact-changed", customer, to, replace(care, way=way, asks=may))
    found.happen(
        ContactChanged(
            at=found.now,
            customer=customer,
            contact=contact,
            lost=gone,
            gained=new,
            asked=tuple(asked),
            until=found.now + CHANGE_FOR,
        )
    )
    for known in gained:
        if known.reads:
            standing = Standing(customer=customer, contact=contact, known=known, since=found.now)
            _ask(found, standing, "changed", digest)


def _with_right(world: World, customer: str, now: datetime) -> tuple[str, ...]:
    known = world.population.customers.get(customer)
    return () if known is None else known.holding(Right.CONTACTS, now)


def _others(world: World, person: Person, now: datetime) -> Iterator[tuple[str, Standing | None]]:
    """The others of a customer who may change contacts, each with a way that is known, or by any."""
    customer, contact = person
    for other in _with_right(world, customer, now):
        if other != contact:
            mine = (one for one in world.ways.of(customer, other) if one.is_known and one.known.reads)
            yield other, next(mine, None)


def ask(world: World, wanted: Iterable[Standing], why: str, digest: Digest, now: datetime) -> Decision:
    """Send codes. Where one is still on its way there is no other."""
    found = _Found(world, now)
    for one in wanted:
        if one.known.reads and one.notice not in world.notices.pending:
            _ask(found, one, why, digest)
    return found.decision()


def _ask(found: _Found, one: Standing, why: str, digest: Digest) -> None:
    way, until = one.known.way, found.now + CODE_FOR
    name = _name("verification", (one.customer, one.contact, way), one.contact, one.customer, found.now)
    found.happen(
        WayAsked(
            at=found.now,
            customer=one.customer,
            contact=one.contact,
            way=way,
            notice=name,
            code=digest(name),
            until=until,
            why=why,
        )
    )
    care = ContactData(
        whose=one.contact, way=way, at=found.now, until=until, channel=one.known.channel, asks=True
    )
    found.owe(name, "verification", one.customer, one.contact, care)


def confirm(
    world: World, person: Person, digest: Digest, *, who: str, how: How, actor: str, now: datetime
) -> Decision:
    """Somebody tells a code. `digest` is that of what they told, for each notice that one went with."""
    customer, contact = person
    found, awaited = _Found(world, now), False
    for one in world.ways.of(customer, contact):
        if one.awaits(now):
            awaited = True
            if digest(one.notice) == one.code:
                found.happen(_verified(one, how, who, actor, now))
    change = world.ways.change(customer, contact)
    if change is not None and change.awaits(now):
        for asked in change.asked:
            awaited = True
            may = asked["whose"] in _with_right(world, customer, now)
            if may and digest(asked["notice"]) == asked["code"]:
                found.happen(
                    ContactChangeConfirmed(
                        at=now,
                        customer=customer,
                        contact=contact,
                        whose=asked["whose"],
                        way=asked["way"],
                        who=who,
                        actor=actor,
                    )
                )
    if awaited and not found.facts:
        found.happen(CodeWrong(at=now, customer=customer, contact=contact, actor=actor))
    return found.decision()


def answered(world: World, notice: Notice, *, how: How, who: str, actor: str, now: datetime) -> Decision:
    """Who was asked by a notice says that they have it: by its link, a key or a reply. Once, in its time."""
    care = notice.stories[0].contact
    one = None if care is None else world.ways.one(notice.customer, care.whose, care.way)
    if one is None or one.notice != notice.id or not one.awaits(now):
        return Decision()
    return Decision(facts=(_verified(one, how, who, actor, now),))


def proves_way(
    world: World, notice: Notice, attempt: Attempt, *, how: How, who: str, actor: str, now: datetime
) -> Decision:
    """The contact themself answered what an attempt brought: so its way leads to them."""
    one = world.ways.at(notice.customer, notice.contact, attempt.channel, attempt.address)
    if one is None or (not one.code and one.verified_at is not None and now - one.verified_at < SAME):
        return Decision()
    return Decision(facts=(_verified(one, how, who, actor, now),))


def once(decision: Decision) -> Decision:
    """With one fact of each way that was verified: several notices may have been told in one call."""
    found: list[facts.Fact] = []
    for fact in decision.facts:
        if not isinstance(fact, WayVerified) or fact not in found:
            found.append(fact)
    return replace(decision, facts=tuple(found))


def _verified(one: Standing, how: How, who: str, actor: str, now: datetime) -> WayVerified:
    return WayVerified(
        at=now,
        customer=one.customer,
        contact=one.contact,
        way=one.known.way,
        how=how.value,
        who=who,
        actor=actor,
    )


def look(world: World, terms: Mapping[str, Term], digest: Digest, now: datetime) -> Steps:
    """Ask what is due, in working hours, and give up what was asked often enough."""
    found, asked = _Found(world, now), 0
    for number, one in enumerate(list(world.ways), 1):
        if number % STEP == 0:
            yield
        term = terms.get(one.customer)
        if term is None or not is_due(one, term.every, now):
            continue
        if one.code and one.asks >= ASKS_MAX:
            _fail(found, one, "not answered", one.notice)
        elif asked < AT_ONCE_MAX and is_working(term.zone, now) and one.notice not in world.notices.pending:
            asked += 1
            _ask(found, one, "reminder" if one.code else "due", digest)
    return found.decision()


def _fail(found: _Found, one: Standing, why: str, notice: str) -> None:
    """A way fails: the customer is told by others, as long as there are any."""
    way = one.known.way
    found.happen(
        WayFailed(at=found.now, customer=one.customer, contact=one.contact, way=way, notice=notice, why=why)
    )
    care = ContactData(
        whose=one.contact, way=way, at=found.now, until=None, why=why, channel=one.known.channel
    )
    for to in _told_of_failing(found, one):
        name = _name("contact-failing", (one.customer, one.contact, way), to, one.customer, found.now)
        found.owe(name, "contact-failing", one.customer, to, care)


def _told_of_failing(found: _Found, one: Standing) -> tuple[str, ...]:
    """They themselves by another way, and who may change contacts; else all who are authorised."""
    ways = found.world.ways
    mine = [other for other in ways.of(one.customer, one.contact) if other.known.way != one.known.way]
    told = [one.contact] if any(other.known.reads for other in mine) else []
    told += [to for to in _with_right(found.world, one.customer, found.now) if to != one.contact]
    customer = found.world.population.customers.get(one.customer)
    if not told and customer is not None:
        told = [to for to in customer.authorised(found.now) if to != one.contact]
    return tuple(told)


def followed(world: World, decision: Decision, now: datetime) -> Decision:
    """With what follows for contact data from what became of notices about them."""
    found, notices = _Found(world, now), []
    for notice in decision.notices:
        care = notice.stories[0].contact if notice.stories else None
        if care is None or not notice.attempts:
            notices.append(notice)
        elif notice.kind == "verification":
            notices.append(_verification(found, notice, care))
        else:
            notices.append(notice)
            if notice.kind == "contact-failing":
                _failing(found, notice, care)
    if not found.facts:
        return decision
    return replace(
        decision,
        facts=(*decision.facts, *found.facts),
        notices=(*notices, *found.notices),
    )


def _failing(found: _Found, notice: Notice, care: ContactData) -> None:
    """The customer is warned by a notice when somebody takes it, and by none that is given back."""
    one = found.world.ways.one(notice.customer, care.whose, care.way)
    was_warned = one is not None and notice.id in {name for name, _ in one.warned}
    about = {"customer": notice.customer, "contact": care.whose, "way": care.way, "notice": notice.id}
    if not _is_taken(notice):
        if was_warned:
            found.happen(ContactWarningReturned(at=found.now, **about))
        return
    has_failed = one is None or one.failed_at is not None  # else it was verified meanwhile
    if has_failed and not was_warned and not _is_taken(found.world.notices.get(notice.id)):
        found.happen(ContactWarned(at=found.now, told=notice.contact, **about))


def _is_taken(notice: Notice | None) -> bool:
    return notice is not None and notice.proof is not None and notice.proof.covers(Proof.ACCEPTED)


def _verification(found: _Found, notice: Notice, care: ContactData) -> Notice:
    """What became of a code that was sent: nobody tries another way, or again."""
    one = found.world.ways.one(notice.customer, care.whose, care.way)
    if one is None or one.notice != notice.id or not one.code:
        return notice
    outcome = notice.attempts[-1].outcome
    why = {AttemptOutcome.REFUSED: "refused", AttemptOutcome.RETURNED: "returned"}.get(outcome, "")
    if not why and notice.state is NoticeState.GIVEN_UP:
        why = "not taken"
    if not why:
        return notice
    _fail(found, one, why, notice.id)
    if notice.state is not NoticeState.PENDING:
        return notice
    state = NoticeState.GIVEN_UP
    found.happen(facts.NoticeSettled(at=found.now, notice=notice.id, state=state.value, why=why))
    return replace(notice, state=state, settled_at=found.now)


class _Found:
    """Gathers the parts of a decision."""

    def __init__(self, world: World, now: datetime) -> None:
        self.world, self.now = world, now
        self.facts: list[facts.Fact] = []
        self.notices: list[Notice] = []

    def happen(self, fact: facts.Fact) -> None:
        self.facts.append(fact)

    def owe(self, name: str, kind: Kind, customer: str, contact: str, care: ContactData) -> None:
        """One notice about contact data. Nobody is owed it by a time."""
        self.notices.append(
            Notice(
                id=name,
                kind=kind,
                customer=customer,
                contact=contact,
                emergencies=(),
                stories=(_story(customer, care, self.now),),
                created_at=self.now,
            )
        )
        self.facts.append(
            facts.NoticeOwed(
                at=self.now, notice=name, kind=kind, customer=customer, contact=contact, emergencies=()
            )
        )

    def decision(self) -> Decision:
        return Decision(facts=tuple(self.facts), notices=tuple(self.notices))


def _name(kind: Kind, about: tuple[str, ...], to: str, customer: str, now: datetime) -> str:
    mark = canonical.digest([kind, *about, instant.micros(now)])[:12]
    return f"C-{mark}.{kind}.{customer}.{to}"


def _story(customer: str, care: ContactData, now: datetime) -> Story:
    return Story(
        reference="",
        customer=customer,
        device="",
        address="",
        interval=timedelta(0),
        misses=0,
        last_answer=now,
        first_miss=now,
        verdict=now,
        why="",
        contact=care,
    )
