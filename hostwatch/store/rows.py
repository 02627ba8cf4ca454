"""How the values of the core lie in rows and come back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hostwatch.core import canonical, instant, latency
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.emergency import Attempt, AttemptOutcome, Duty, Emergency, Notice, NoticeState
from hostwatch.core.holds import Hold
from hostwatch.core.notice import ContactData, Flaps, Part, Story
from hostwatch.core.notice import Seen as SeenOfReport
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import Target
from hostwatch.core.signal import Signal, Silence
from hostwatch.core.terms import Told
from hostwatch.core.warned import Warned, What
from hostwatch.core.world import Heard, Seen, Slice

Row = tuple[Any, ...]

EVERYBODY = "*"
"""Stands in a list of a slice for all who were due in it."""


def us(when: datetime | None) -> int | None:
    """An instant as the store keeps it."""
    return None if when is None else instant.micros(when)


def when(count: int | None) -> datetime | None:
    """An instant as the core knows it."""
    return None if count is None else instant.from_micros(count)


def at(count: int) -> datetime:
    """An instant that is never absent."""
    return instant.from_micros(count)


def text(value: object) -> str:
    """A value as canonical JSON text."""
    return canonical.text(value)


def signal_row(signal: Signal) -> Row:
    """A row of `signals`."""
    silence = signal.silence
    return (
        signal.name,
        us(signal.speaks_until),
        us(signal.last_reading),
        us(signal.last_answer),
        us(signal.blind_since),
        signal.blind_why,
        signal.misses,
        us(signal.counted_at),
        None if silence is None else us(silence.last_answer),
        None if silence is None else us(silence.first_miss),
        None if silence is None else us(silence.last_miss),
        None if silence is None else silence.why,
        us(signal.verdict),
    )


def signal(row: Row) -> Signal:
    """The signal of a row."""
    name, speaks, reading, answer, blind, why, misses, counted, heard, first, last, seen, verdict = row
    silence = None
    if first is not None:
        silence = Silence(last_answer=at(heard), first_miss=at(first), last_miss=at(last), why=seen)
    return Signal(
        name=name,
        speaks_until=at(speaks),
        last_reading=when(reading),
        last_answer=when(answer),
        blind_since=when(blind),
        blind_why=why,
        misses=misses,
        counted_at=when(counted),
        silence=silence,
        verdict=when(verdict),
    )


def slice_row(evidence: Slice) -> Row:
    """A row of `slices`. Each entry is `[signal, instant in microseconds, why]`.

    When we see nothing at all, everybody who was due is unknown for one reason: then one entry with the
    name `EVERYBODY` stands for all of them, or an hour of that would fill the disk.
    """
    return (
        evidence.version,
        evidence.number,
        _seen_text(evidence.missed),
        _seen_text(_unknown(evidence)),
        us(evidence.closed_at),
        evidence.latencies,
    )


def _unknown(evidence: Slice) -> tuple[Seen, ...]:
    found = evidence.unknown
    due = len(evidence.latencies) // latency.CODE_BYTES
    if len(found) < 2 or len(found) != due or any(entry.why != found[0].why for entry in found):
        return found
    return (Seen(signal=EVERYBODY, at=found[0].at, why=found[0].why),)


def names(entries: str, signal: str) -> bool:
    """Whether a list of a row of `slices` names a signal."""
    return any(entry[0] in (signal, EVERYBODY) for entry in json.loads(entries))


def open_slice(version: int, number: int, looks: Iterable[Row]) -> Slice:
    """A slice that was never closed, from rows of `open_looks`: outcome, signal, instant and why."""
    found = [(outcome, Seen(signal=signal, at=at(count), why=why)) for outcome, signal, count, why in looks]
    return Slice(
        version=version,
        number=number,
        missed=tuple(seen for outcome, seen in found if outcome == Outcome.MISSED),
        unknown=tuple(seen for outcome, seen in found if outcome == Outcome.UNKNOWN),
    )


def _seen_text(entries: Iterable[Seen]) -> str:
    return text([[entry.signal, us(entry.at), entry.why] for entry in entries])


def story(body: Mapping[str, Any]) -> Story:
    """A story from its canonical form."""
    dates = (
        "last_answer",
        "first_miss",
        "verdict",
        "last_miss",
        "first_answer",
        "latest",
        "corrected_at",
        "still_at",
        "had_at",
    )
    restored: dict[str, Any] = {
        key: instant.from_rfc3339(value) if key in dates and value is not None else value
        for key, value in body.items()
    }
    restored["interval"] = timedelta(microseconds=restored["interval"])
    for key in ("devices", "failing", "answering", "supplies", "switches", "elements", "members"):
        restored[key] = tuple(restored.get(key, ()))
    restored["parts"] = tuple(canonical.restore(Part, one) for one in restored.get("parts", ()))
    if restored.get("contact") is not None:
        restored["contact"] = canonical.restore(ContactData, restored["contact"])
    if restored.get("flaps") is not None:
        restored["flaps"] = canonical.restore(Flaps, restored["flaps"])
    restored["seen"] = tuple(canonical.restore(SeenOfReport, one) for one in restored.get("seen", ()))
    return Story(**restored)


def emergency_row(emergency: Emergency) -> Row:
    """A row of `emergencies`."""
    return (
        emergency.reference,
        emergency.signal,
        emergency.story.customer,
        emergency.story.device,
        us(emergency.opened_at),
        us(emergency.ended_at),
        int(emergency.withdrawn),
        text(emergency.story),
        text(emergency.joined),
    )


def emergency(row: Row) -> Emergency:
    """The emergency of a row."""
    name, signal_name, _, _, opened_at, ended_at, withdrawn, told, joined = row
    return Emergency(
        reference=name,
        signal=signal_name,
        opened_at=at(opened_at),
        ended_at=when(ended_at),
        withdrawn=bool(withdrawn),
        story=story(json.loads(told)),
        joined=tuple(json.loads(joined)),
    )


def hold_row(hold: Hold) -> Row:
    """A row of `holds`."""
    return hold.signal, us(hold.since), us(hold.until)


def hold(row: Row) -> Hold:
    """The hold of a row."""
    name, since, until = row
    return Hold(signal=name, since=at(since), until=at(until))


def heard_row(heard: Heard) -> Row:
    """A row of `heard`."""
    return heard.source, us(heard.since), heard.said


def warned_row(one: Warned) -> Row:
    """A row of `warnings`."""
    return one.what.value, one.about, one.said, us(one.since), us(one.quiet_since)


def warned(row: Row) -> Warned:
    """The warning of a row."""
    what, about, said, since, quiet = row
    return Warned(what=What(what), about=about, said=said, since=at(since), quiet_since=when(quiet))


def heard(row: Row) -> Heard:
    """What a row says that a source said."""
    name, since, said = row
    return Heard(source=name, since=at(since), said=said)


def duty_row(duty: Duty) -> Row:
    """A row of `duties`."""
    dates = (duty.due, duty.met_at, duty.breached_at, duty.released_at)
    return duty.id, duty.emergency, duty.contact, *map(us, dates), duty.met_by.value, duty.customer


def duty(row: Row) -> Duty:
    """The duty of a row."""
    name, emergency_name, contact, due, met_at, breached_at, released_at, met_by, customer = row
    return Duty(
        id=name,
        emergency=emergency_name,
        customer=customer,
        contact=contact,
        due=at(due),
        met_by=Proof(met_by),
        met_at=when(met_at),
        breached_at=when(breached_at),
        released_at=when(released_at),
    )


def customer_duty_row(duty: CustomerDuty) -> Row:
    """A row of `customer_duties`."""
    who = {"told": duty.told, "people": duty.people, "met": duty.met, "released": duty.released}
    dates = (duty.due, duty.met_at, duty.breached_at, duty.released_at)
    return duty.emergency, duty.customer, *map(us, dates), text(who)


def customer_duty(row: Row) -> CustomerDuty:
    """The duty of a row."""
    emergency_name, customer, due, met_at, breached_at, released_at, body = row
    who = json.loads(body)
    return CustomerDuty(
        emergency=emergency_name,
        customer=customer,
        due=at(due),
        told=Told(who["told"]),
        people=tuple(who["people"]),
        met=tuple(who["met"]),
        released=tuple(who["released"]),
        met_at=when(met_at),
        breached_at=when(breached_at),
        released_at=when(released_at),
    )


def notice_row(notice: Notice) -> Row:
    """A row of `notices`."""
    return (
        notice.id,
        notice.kind,
        notice.customer,
        notice.contact,
        us(notice.created_at),
        notice.duty,
        notice.after,
        notice.state.value,
        us(notice.settled_at),
        int(notice.late),
        text(notice.stories),
    )


def notice(row: Row, emergencies: Iterable[str], attempts: Iterable[Attempt]) -> Notice:
    """The notice of a row, with what it tells of and how it was tried."""
    name, kind, customer, contact, created_at, duty_id, follows, state, settled_at, late, stories = row
    return Notice(
        id=name,
        kind=kind,
        customer=customer,
        contact=contact,
        emergencies=tuple(emergencies),
        stories=tuple(story(body) for body in json.loads(stories)),
        created_at=at(created_at),
        duty=duty_id,
        after=follows,
        state=NoticeState(state),
        settled_at=when(settled_at),
        late=bool(late),
        attempts=tuple(attempts),
    )


def attempt_row(notice_id: str, attempt: Attempt) -> Row:
    """A row of `attempts`."""
    return (
        notice_id,
        attempt.number,
        attempt.rung,
        attempt.channel,
        us(attempt.began_at),
        us(attempt.ended_at),
        attempt.outcome.value,
        int(attempt.perhaps_arrived),
        None if attempt.retry_after is None else attempt.retry_after // instant.MICROSECOND,
        int(attempt.repeat),
        attempt.address,
        attempt.said,
        attempt.way,
        None if attempt.proof is None else attempt.proof.value,
        attempt.receipt,
        attempt.led_by,
    )


def attempt(row: Row) -> Attempt:
    """The attempt of a row (without the notice it belongs to)."""
    _, number, rung, channel, began, ended, outcome, perhaps, retry_us, repeat, address, *words = row
    said, way, proof, receipt, led_by = words
    return Attempt(
        number=number,
        rung=rung,
        channel=channel,
        began_at=at(began),
        ended_at=when(ended),
        outcome=AttemptOutcome(outcome),
        perhaps_arrived=bool(perhaps),
        retry_after=None if retry_us is None else timedelta(microseconds=retry_us),
        repeat=bool(repeat),
        address=address,
        said=said,
        way=way,
        proof=None if proof is None else Proof(proof),
        receipt=receipt,
        led_by=led_by,
    )


def target(row: Row) -> Target:
    """The target of a row of `schedule_targets`, without its version."""
    signal, address, interval_us, method, phased_by = row
    return Target(
        signal=signal,
        address=address,
        interval=timedelta(microseconds=interval_us),
        method=method,
        phased_by=phased_by,
    )
