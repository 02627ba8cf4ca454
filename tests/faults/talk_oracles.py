"""What must be true of a store at any moment of the talk, and at its end.

Each oracle gives what is wrong in words; nothing wrong gives nothing. What people were told is taken from
those who were told it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tests.faults.oracles import Kept, the_present_follows_from_the_record
from tests.faults.partners import Partners, Told
from tests.faults.people import MARK
from tests.faults.record import Row, faults_of
from tests.faults.talk import DEVICES, Talked, told_of

DUTY_FACTS = ("DutyArose", "DutyMet", "DutyReopened", "DutyBreached", "DutyReleased")


def always(kept: Kept, seen: list[Row], accepted: list[Told], played: Talked) -> Iterator[str]:
    """What holds at every moment, and so also at the moment of a kill."""
    if kept.integrity != "ok":
        yield f"integrity: {kept.integrity}"
    yield from faults_of(kept.rows, seen)
    yield from the_present_follows_from_the_record(kept)
    yield from _told_twice(accepted)
    yield from _begun_before_they_left(kept, accepted)
    yield from _everything_said_is_recorded(kept, played)
    yield from _duties_are_met_or_open(kept)


def _told_twice(accepted: list[Told]) -> Iterator[str]:
    told: set[str] = set()
    for message in accepted:
        again = told & message.abouts
        if again and not message.repeat:
            yield f"told again without being marked as a repeat: {sorted(again)}"
        if message.repeat != (MARK in message.told):
            yield f"{message.key}: the mark for programs and {message.told!r} disagree"
        if not message.abouts:
            yield f"{message.told!r} tells of nothing that we know"
        told |= message.abouts


def _begun_before_they_left(kept: Kept, accepted: list[Told]) -> Iterator[str]:
    """No message left without an attempt on record for each thing that it told."""
    devices = {body["reference"]: body["signal"].partition("/")[0] for body in kept.bodies("EmergencyOpened")}
    begun: Counter[str] = Counter()
    for body in kept.bodies("AttemptBegan"):
        reference, kind, _, contact, *_ = body["notice"].split(".")
        begun[f"{devices[reference]}.{kind}.{contact}.{body['channel']}"] += 1
    told = Counter(about for message in accepted for about in message.abouts)
    for about, times in sorted(told.items()):
        if begun[about] < times:
            yield f"{about} was told {times} times, {begun[about]} attempts were recorded as begun"


def _everything_said_is_recorded(kept: Kept, played: Talked) -> Iterator[str]:
    """What the watch said yes to is a fact."""
    known = {
        "acknowledged": {body["reference"] for body in kept.bodies("Acknowledged")},
        "taken": {body["notice"] for body in kept.bodies("CallTaken")},
        "ended": {body["notice"] for body in kept.bodies("CallEnded")},
    }
    for what, recorded in known.items():
        for name in sorted({*getattr(played, what)} - recorded):
            yield f"{name} was said to be {what}, and that is not recorded"


def _duties_are_met_or_open(kept: Kept) -> Iterator[str]:
    """A duty is met, then perhaps open again, then met: never twice the same, and never both."""
    lives: dict[str, list[str]] = {}
    for row in kept.rows:
        if row[1] in DUTY_FACTS:
            lives.setdefault(kept.body(row)["duty"], []).append(row[1])
    met_at = {row["id"]: row["met_at"] for row in kept.tables["duties"]}
    if lives.keys() != met_at.keys():
        yield "duties and the facts that they arose do not match"
        return
    for duty, life in lives.items():
        if life[0] != "DutyArose" or any(one == after for one, after in pairwise(life)):
            yield f"the life of {duty}: {life}"
        if (met_at[duty] is not None) != (life[-1] == "DutyMet"):
            yield f"{duty} was {life[-1]} last and is met at {met_at[duty]}"
    pending = {row["duty"] for row in kept.tables["notices"] if row["state"] == "pending"}
    for duty, at in met_at.items():
        if (at is None) != (duty in pending):
            yield f"{duty} is met at {at}, and what is owed for it: {pending & {duty}}"


def _life(kept: Kept, duty: str) -> str:
    facts = ((row[1], kept.body(row)) for row in kept.rows if row[1] in DUTY_FACTS)
    return ", ".join(f"{kind} {body['at'][11:23]}" for kind, body in facts if body["duty"] == duty)


def at_the_end(kept: Kept, partners: Partners) -> Iterator[str]:
    """What holds when the talk is over: nothing lost, nothing invented, nothing left open."""
    if sorted(row["device"] for row in kept.tables["emergencies"]) != sorted(DEVICES):
        yield f"emergencies of {[row['device'] for row in kept.tables['emergencies']]}"
    told, wanted = partners.told(), told_of("emergency") | told_of("recovery")
    for about in sorted(wanted - told):
        yield f"{about} was lost: nobody accepted it"
    for about in sorted(told - wanted):
        yield f"{about} was invented"
    for row in kept.tables["duties"]:
        if row["met_at"] is None or row["breached_at"] is not None:
            yield f"{row['id']} was not met in time: {_life(kept, row['id'])}"
    for row in kept.tables["notices"]:
        if row["state"] == "pending":
            yield f"{row['id']} is owed still"
    if any(row["outcome"] == "open" for row in kept.tables["attempts"]):
        yield "an attempt was left open"
    yield from _reports_are_taken(kept, partners)


def _reports_are_taken(kept: Kept, partners: Partners) -> Iterator[str]:
    """What the provider said of a message, and was believed, is recorded of every attempt that it is of."""
    said = {f"sms/main/{report.id}": report.state for report in partners.reports if report.heard}
    for row in kept.tables["attempts"]:
        state = said.get(row["receipt"])
        if state == "DELIVRD" and row["proof"] != "delivered":
            yield f"{row['notice']} was delivered ({row['receipt']}), and is {row['outcome']}, {row['proof']}"
        if state == "UNDELIV" and row["outcome"] != "returned":
            yield f"{row['notice']} was given back ({row['receipt']}), and is {row['outcome']}"
