"""Claims of excuse as they come through the control socket: made, approved, rejected and withdrawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from hostwatch.asked import Refused, reference, words
from hostwatch.asked import instant as moment
from hostwatch.byhand import evidence_of
from hostwatch.core import claims, instant
from hostwatch.core.claims import Claim, Excuse, Word
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.facts_of_duties import DutyClaimed
from hostwatch.core.verification import Book, warned_of
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine
from hostwatch.store.duties import Owing

CONTACTS_MAX: Final = 50
"""Of one claim."""

CLAIM: Final = re.compile(r"C-\d{6,12}")


async def claim(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A breach is excused, as whoever asks says."""
    name, customer = _duty_named(words(request, "duty"))
    owing = await engine.owing_of(reference(engine.world, name), words(request, "customer") or customer)
    duty = _the_one(owing, name)
    excuse, because = _excuse(words(request, "class")), words(request, "because")
    since, until = moment(request, "since"), moment(request, "until")
    contacts = tuple(dict.fromkeys(words(request, "contacts").replace(",", " ").split()))
    evidence = evidence_of(engine.vault, request)
    wrong = [*_wrong(duty, excuse, contacts, since, until, engine.now())]
    wrong += [] if because else ["say why with --because"]
    wrong += [] if evidence else ["show it with at least one file: --evidence"]
    warned, unwarned = _warned(owing, duty, contacts) if excuse is Excuse.STALE_CONTACT else ((), ())
    wrong += unwarned
    if wrong:
        raise Refused(f"cannot claim an excuse for {duty.id}:\n" + "\n".join(wrong))
    why = engine.vault.commit_once(because)

    def deed(world: World, now: datetime) -> Decision:
        if any(one.is_alive for one in world.claims.of(duty.id)):
            return Decision()
        said = DutyClaimed(
            at=now,
            claim=world.claims.next_name(),
            duty=duty.id,
            excuse=excuse.value,
            contacts=contacts,
            warned=warned,
            since=since,
            until=until,
            because=why,
            evidence=evidence,
            actor=author,
        )
        return Decision(facts=(said,))

    done = await engine.do(deed)
    if not done.facts:
        alive = next(one for one in engine.world.claims.of(duty.id) if one.is_alive)
        raise Refused(f"{alive.fact.claim} says so of {duty.id}, and is {alive.word}: decide of that first")
    made = engine.world.claims.of(duty.id)[-1]
    return {"claim": made.fact.claim, "duty": duty.id, "class": excuse.value}


async def decide(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A claim is approved or rejected by another person, or withdrawn."""
    word = _word(words(request, "word"))
    name = _claim_named(engine.world, words(request, "claim")).fact.claim
    because = words(request, "because")
    if not because and word is not Word.APPROVED:
        raise Refused("say why with --because")
    why = engine.vault.commit_once(because) if because else ""
    refused = ""

    def deed(world: World, now: datetime) -> Decision:
        nonlocal refused
        known = _claim_named(world, name)
        refused = claims.may(known, word, author)
        return Decision() if refused else Decision(facts=(claims.decide(known, word, why, author, now),))

    await engine.do(deed)
    if refused:
        raise Refused(refused)
    return {"claim": name, "duty": _claim_named(engine.world, name).fact.duty, "word": word.value}


DEEDS: Final = {"claim-excuse": claim, "decide-claim": decide}


def _duty_named(text: str) -> tuple[str, str]:
    """Emergency and customer of `E-000042`, `E-000042/acme` or `E-000042.customer.acme`."""
    name, _, customer = text.replace(".customer.", "/", 1).partition("/")
    return name, customer


def _the_one(owing: Owing, name: str) -> CustomerDuty:
    if not owing.duties:
        raise Refused(f"of {name} nothing was owed to that customer, or to anybody")
    if len(owing.duties) > 1:
        known = ", ".join(one.customer for one in owing.duties)
        raise Refused(f"{name} was owed to several; say to whom, as {name}/CUSTOMER: {known}")
    return owing.duties[0]


def _excuse(text: str) -> Excuse:
    try:
        return Excuse(text)
    except ValueError:
        raise Refused(f"{text!r} excuses nothing; --class is one of: {', '.join(Excuse)}") from None


def _word(text: str) -> Word:
    if text in (Word.APPROVED, Word.REJECTED, Word.WITHDRAWN):
        return Word(text)
    raise Refused(f"cannot decide {text!r} of a claim")


def _claim_named(world: World, text: str) -> Claim:
    known = world.claims.one(text)
    if known is None:
        hint = "" if CLAIM.fullmatch(text) else "; they look like C-000007"
        raise Refused(f"there is no claim {text}{hint}")
    return known


def _wrong(
    duty: CustomerDuty,
    excuse: Excuse,
    contacts: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> Iterator[str]:
    if duty.breached_at is None and (duty.met_at is None or duty.met_at <= duty.due):
        yield "it was not breached: there is nothing to excuse"
    if excuse is Excuse.STALE_CONTACT:
        if not contacts:
            yield "say whose data are stale with --contact"
        if len(contacts) > CONTACTS_MAX:
            yield f"at most {CONTACTS_MAX} contacts"
        for name in contacts:
            if f"{duty.emergency}.emergency.{duty.customer}.{name}" not in duty.people:
                yield f"{name} is none of those by whom the customer was to be told"
    elif contacts:
        yield "--contact belongs to --class stale-contact"
    if since is not None and until is not None and until <= since:
        yield "--span ends before it begins"
    if since is not None and since > now:
        yield "--span begins after now"


def _warned(
    owing: Owing, duty: CustomerDuty, contacts: tuple[str, ...]
) -> tuple[tuple[dict[str, Any], ...], list[str]]:
    """By what the customer had been warned of these contacts before the verdict, and what lacks."""
    verdict = owing.opened_at
    then = Book(fact for fact in owing.ways if fact.at <= verdict)
    found, lacking = list[dict[str, Any]](), list[str]()
    for name in contacts:
        ways = then.of(duty.customer, name)
        mine = [
            {
                "contact": name,
                "channel": one.known.channel,
                "notice": fact.notice,
                "at": instant.rfc3339(fact.at),
            }
            for one in ways
            if (fact := warned_of(owing.ways, duty.customer, name, one.known.way, verdict)) is not None
        ]
        found += mine
        if not mine and owing.needs_warning:
            lacking.append(
                f"before the verdict at {instant.rfc3339(verdict)} nobody had warned the customer that a way"
                f" to {name} fails: whoever was not warned has no stale data (terms.stale_needs_warning)"
            )
    return tuple(found), lacking
