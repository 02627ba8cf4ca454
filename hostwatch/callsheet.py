"""The call sheet as people at the desk read it, and what they say of their calls.

The sheet is read from the store, with the numbers from the table of personal data; what somebody takes or
ends goes to the watch as a deed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from hostwatch import log, messages
from hostwatch.asked import Refused, words
from hostwatch.configuration.model import Configuration
from hostwatch.core import bundle, calling, calls
from hostwatch.core.calls import Entry, Outcome
from hostwatch.core.emergency import Notice
from hostwatch.core.facts_from_people import CallEnded
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine
from hostwatch.messages import asking, catalogue
from hostwatch.wording import for_reader

Personal = Callable[[str], str | None]
"""What a commitment stands for; None if it was erased."""


def name_of(entry: Entry) -> str:
    """What people call a call: `E-000042/acme/duty#1`."""
    notice = entry.notice
    return f"{_reference(notice)}/{notice.customer}/{notice.contact}#{entry.attempt.number}"


def _reference(notice: Notice) -> str:
    """Of what it is; of one that is about no emergency the first part of its own name."""
    return notice.emergencies[0] if notice.emergencies else notice.id.partition(".")[0]


def sheet(
    world: World, configuration: Configuration, personal: Personal, now: datetime
) -> list[dict[str, Any]]:
    """All calls that are to be made, those with the fewest minutes left first; as plain data."""
    found = [_entry(world, configuration, personal, now, entry) for entry in calling.sheet(world)]
    return sorted(found, key=lambda one: (one["left_s"] is None, one["left_s"], one["since"], one["call"]))


def _entry(
    world: World, configuration: Configuration, personal: Personal, now: datetime, entry: Entry
) -> dict[str, Any]:
    notice, attempt, call = entry
    duty = world.duties.get(notice.duty or "")
    what, _, number = (personal(attempt.address) or "").partition(" ")
    taken = None if call is None or not call.is_taken else call
    return {
        "call": name_of(entry),
        "kind": notice.kind,
        "customer": notice.customer,
        "contact": notice.contact,
        "by_fax": what == "fax",
        "number": number or None,
        "left_s": None if duty is None or not duty.is_open else int((duty.due - now).total_seconds()),
        "since": attempt.began_at,
        "taken_by": None if taken is None else personal(taken.by),
        "taken_at": None if taken is None else taken.taken_at,
        "came_back": 0 if call is None else call.times,
        "supervisor": bool(call and call.times and taken is None),
        **_text(configuration, entry, bundle.contents(world, notice, attempt.number)),
    }


def _text(configuration: Configuration, entry: Entry, told: bundle.Contents) -> dict[str, Any]:
    """What to say, or to send, in the person's language; nothing of one who is no customer any more."""
    notice = entry.notice
    customer = next((one for one in configuration.customers if one.id == notice.customer), None)
    contact = next((one for one in customer.contacts if one.id == notice.contact), None) if customer else None
    if customer is None or contact is None:
        return {"language": None, "say": [], "text": ""}
    language = contact.language or customer.language
    composed = messages.compose(
        [for_reader(story, language) for story in told.stories],
        told.kind,
        both=told.both,
        language=language,
        zone=ZoneInfo(configuration.timezone_of(customer)),
        site=configuration.site.name,
        customer_name=customer.name,
        contact_name=contact.name,
        repeat=entry.attempt.repeat,
    )
    say = asking.lines(
        catalogue.words(catalogue.resolve(language)),
        site=configuration.site.name,
        customer=customer.name,
        contact=contact.name,
        subject=composed.subject,
    )
    return {"language": catalogue.resolve(language), "say": [*say], "text": composed.text}


async def take(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Somebody is about to make a call."""
    by = words(request, "by")
    if not by:
        raise Refused("cannot take a call without a name; say who takes it with --by")
    entry = _found(calling.sheet(engine.world), words(request, "call"))
    who = engine.vault.commit(by)
    call = entry.call
    if call is not None and call.is_taken and call.by != who:
        raise Refused(f"{name_of(entry)} was taken by somebody else; it comes back if nothing comes of it")
    notice, number = entry.notice.id, entry.attempt.number
    await engine.do(lambda world, now: calling.take(world, notice, number, who, author, now))
    return {"call": name_of(entry), "within_s": int(calls.TAKEN_FOR.total_seconds())}


async def end(engine: Engine, author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What came of a call."""
    entry = _found(calling.open_ones(engine.world), words(request, "call"))
    outcome = _outcome(words(request, "outcome"))
    to, by, reference = words(request, "to"), words(request, "by"), words(request, "reference")
    has_it = words(request, "acknowledged") == "yes"
    if outcome is Outcome.SPOKE and not to:
        raise Refused("cannot note that somebody was spoken to without a name; say to whom with --to")
    if outcome is not Outcome.SPOKE and (to or has_it):
        raise Refused(f"nobody was spoken to if the outcome is {outcome.value!r}: no --to, no --has-it")
    if not by and entry.call is None:
        raise Refused(f"nobody took {name_of(entry)}; say who made the call with --by")
    vault, notice, number = engine.vault, entry.notice.id, entry.attempt.number
    who = vault.commit(by) if by else entry.call.by if entry.call else ""
    whom, kept = vault.commit(to), vault.commit_once(reference)

    def deed(world: World, now: datetime) -> Decision:
        said = CallEnded(
            at=now,
            notice=notice,
            number=number,
            outcome=outcome.value,
            to=whom,
            acknowledged=has_it,
            by=who,
            evidence=calls.INDEPENDENT if reference else calls.STATED,
            reference=kept,
            actor=author,
        )
        return calling.end(world, world.notices[notice], said)

    await engine.do(deed)
    if outcome is Outcome.WRONG_NUMBER:
        log.warning(
            "wrong-number",
            notice=notice,
            why="their contact data are stale: tell the customer by another way, and correct the number",
        )
    return {"call": name_of(entry), "outcome": outcome.value}


DEEDS: Final = {"take-call": take, "end-call": end}


def _outcome(text: str) -> Outcome:
    try:
        return Outcome(text.replace("-", " "))
    except ValueError:
        known = ", ".join(one.value for one in Outcome)
        raise Refused(f"{text!r} is nothing that can come of a call; known: {known}") from None


def _found(entries: Iterable[Entry], asked: str) -> Entry:
    """The call that is meant: its whole name, or as much as tells it from the others."""
    there = {name_of(entry): entry for entry in entries}
    if asked in there:
        return there[asked]
    mine = {name: entry for name, entry in there.items() if _is_meant(entry, asked)}
    if len(mine) == 1:
        return next(iter(mine.values()))
    if mine:
        raise Refused(f"{asked} may be several calls; write one of {', '.join(mine)}")
    near = difflib.get_close_matches(asked, there, 1, 0.5)
    raise Refused(
        f"no call {asked!r} is to be made; "
        + (f"did you mean {near[0]}?" if near else "hostwatch calls shows those that are")
    )


def _is_meant(entry: Entry, asked: str) -> bool:
    """`E-000042`, `E-000042/duty` or `E-000042/acme/duty`, each also with `#1`; or the notice's own name."""
    words, mark, number = asked.partition("#")
    if mark and number != str(entry.attempt.number):
        return False
    notice = entry.notice
    reference = _reference(notice)
    return words in (
        reference,
        f"{reference}/{notice.contact}",
        f"{reference}/{notice.customer}/{notice.contact}",
        notice.id,
    )
