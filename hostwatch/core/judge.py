"""The deeds of the watch: from what was seen to what is decided and owed.

Each deed is a pure function of the world, of what happened and of the time, and returns a decision.
A verdict cannot exist without its emergency, its duties and its notices, because one deed makes
them together and the store commits them together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hostwatch.core import facts, signal, stories, uplink
from hostwatch.core.blindness import Why
from hostwatch.core.emergency import (
    Duty,
    Emergency,
    Notice,
    NoticeState,
    notice_id,
    reference,
)
from hostwatch.core.notice import Kind, Story
from hostwatch.core.observing import Observing
from hostwatch.core.population import Device
from hostwatch.core.reading import Answer, Outcome, Reading
from hostwatch.core.schedule import Schedule
from hostwatch.core.signal import Signal
from hostwatch.core.world import Decision, Seen, Slice, SliceKey, World, seen

STEP = 500
"""Plain answers that are observed without a pause."""

Steps = Generator[None, None, Decision]
"""A deed in steps: between two of them others may have the loop, but nobody changes the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What verdicts and recoveries make for people: parts of a decision."""

    facts: tuple[facts.Fact, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    duties: tuple[Duty, ...] = ()
    notices: tuple[Notice, ...] = ()


def readings(
    world: World,
    key: SliceKey | None,
    brought: Sequence[Reading],
    *,
    closes: bool,
    now: datetime,
    latencies: bytes = b"",
    plain: Sequence[Answer] = (),
) -> Decision:
    """Observe readings of one slice, or outside the schedule when `key` is None.

    `closes` says that all targets of the slice have now been looked at, and `plain` are those of them
    that answered when they were due: nearly all, and of nearly all of those there is nothing to say.
    Readings of signals that are no longer watched are dropped.
    """
    return whole(
        readings_by_steps(world, key, brought, closes=closes, now=now, latencies=latencies, plain=plain)
    )


def readings_by_steps(
    world: World,
    key: SliceKey | None,
    brought: Sequence[Reading],
    *,
    closes: bool,
    now: datetime,
    latencies: bytes = b"",
    plain: Sequence[Answer] = (),
) -> Steps:
    """The same with pauses, after which the world must be as it was before: first answers take long."""
    observed = Observing(world)
    for reading in brought:
        observed.take(reading)
    observe = observed.rest if closes and key is not None else observed.take_all
    for first in range(0, len(plain), STEP):
        observe(plain[first : first + STEP])
        yield
    people = tell(world, observed.facts, now)
    looks = () if key is None else tuple(_looks(brought))
    return Decision(
        facts=(*observed.facts, *people.facts),
        signals=tuple(observed.changed.values()),
        resting=observed.resting,
        settled=tuple(observed.settled),
        emergencies=people.emergencies,
        duties=people.duties,
        notices=people.notices,
        slice=None if key is None else _evidence(world, key, looks, latencies, closes=closes, now=now),
        looks=looks,
        unscheduled=() if key is not None else (*brought, *(answer.reading for answer in plain)),
        alive_at=now,
    )


def whole(steps: Steps) -> Decision:
    """What steps come to, without pauses."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            decision: Decision = end.value
            return decision


def held(world: World, answers: Sequence[Answer], now: datetime) -> Decision:
    """Observe answers that waited for the end of their slices, which is still to come and tells of them."""
    return replace(readings(world, None, (), closes=False, now=now, plain=answers), unscheduled=())


def _looks(brought: Iterable[Reading]) -> Iterator[tuple[Outcome, Seen]]:
    for reading in brought:
        if reading.outcome is not Outcome.ANSWERED:
            yield reading.outcome, seen(reading)


def _evidence(
    world: World,
    key: SliceKey,
    looks: Iterable[tuple[Outcome, Seen]],
    latencies: bytes,
    *,
    closes: bool,
    now: datetime,
) -> Slice:
    version, number = key
    evidence = world.slices.get(key) or Slice(version=version, number=number)
    missed = tuple(entry for outcome, entry in looks if outcome is Outcome.MISSED)
    unknown = tuple(entry for outcome, entry in looks if outcome is Outcome.UNKNOWN)
    evidence = replace(evidence, missed=(*evidence.missed, *missed), unknown=(*evidence.unknown, *unknown))
    return replace(evidence, closed_at=now, latencies=latencies) if closes else evidence


def tell(world: World, happened: Iterable[facts.Fact], now: datetime) -> People:
    """Emergencies, duties and notices that follow from flips."""
    made = People()
    opened = 0
    for fact in happened:
        match fact:
            case facts.WentDown() if not uplink.is_reference(fact.signal):
                opened += 1
                made = joined(made, _open(world, fact, world.references + opened, now))
            case facts.CameUp():
                made = joined(made, _end(world, fact, now))
            case _:
                pass
    return made


def joined(left: People, right: People) -> People:
    """Both, in order."""
    return People(
        facts=left.facts + right.facts,
        emergencies=left.emergencies + right.emergencies,
        duties=left.duties + right.duties,
        notices=left.notices + right.notices,
    )


def _open(world: World, flip: facts.WentDown, number: int, now: datetime) -> People:
    people, name = world.population, reference(number)
    mine = people.uplink_of(flip.signal)
    if mine is None:
        opening = stories.of_device(people, _device(world, flip), flip, name)
    else:
        opening = stories.of_uplink(people, mine, flip, name)
    emergency = Emergency(reference=name, signal=flip.signal, opened_at=flip.at, story=opening.story)
    owed = [
        _owe(story, contact, flip.at + customer.terms.notice_within, now)
        for customer, story in opening.told
        for contact in customer.contacts
    ]
    return People(
        facts=(opening.fact, *(fact for duty, notice in owed for fact in _owed_facts(duty, notice))),
        emergencies=(emergency,),
        duties=tuple(duty for duty, _ in owed),
        notices=tuple(notice for _, notice in owed),
    )


def _device(world: World, flip: facts.WentDown) -> Device:
    device = world.device(flip.signal)
    assert device is not None  # only watched signals are observed
    return device


def _owe(story: Story, contact: str, due: datetime, now: datetime) -> tuple[Duty, Notice]:
    name = notice_id(story.reference, "emergency", story.customer, contact)
    duty = Duty(id=name, emergency=story.reference, contact=contact, due=due)
    notice = Notice(
        id=name,
        kind="emergency",
        customer=story.customer,
        contact=contact,
        emergencies=(story.reference,),
        stories=(story,),
        created_at=now,
        duty=duty.id,
    )
    return duty, notice


def _owed_facts(duty: Duty, notice: Notice) -> tuple[facts.Fact, ...]:
    arose = facts.DutyArose(
        at=notice.created_at, duty=duty.id, emergency=duty.emergency, contact=duty.contact, due=duty.due
    )
    return arose, _notice_owed(notice)


def _notice_owed(notice: Notice) -> facts.NoticeOwed:
    return facts.NoticeOwed(
        at=notice.created_at,
        notice=notice.id,
        kind=notice.kind,
        customer=notice.customer,
        contact=notice.contact,
        emergencies=notice.emergencies,
    )


def _end(world: World, flip: facts.CameUp, now: datetime) -> People:
    emergency = world.emergency_of(flip.signal)
    if emergency is None:
        return People()
    story = replace(emergency.story, last_miss=flip.last_miss, first_answer=flip.first_answer)
    ended = replace(emergency, story=story, ended_at=flip.at)
    return _ended(world, ended, "recovery", now)


def withdraw(world: World, known: Signal, now: datetime) -> People:
    """End the emergency of a signal that is no longer watched."""
    emergency = world.emergency_of(known.name)
    if emergency is None:
        return People()
    last_miss = emergency.story.first_miss if known.silence is None else known.silence.last_miss
    story = replace(emergency.story, last_miss=last_miss)
    return _ended(world, replace(emergency, story=story, ended_at=now, withdrawn=True), "withdrawn", now)


def _ended(world: World, emergency: Emergency, kind: Kind, now: datetime) -> People:
    """The end of an emergency, told to whoever was to be told of its beginning."""
    notices = tuple(
        Notice(
            id=notice_id(emergency.reference, kind, first.customer, first.contact),
            kind=kind,
            customer=first.customer,
            contact=first.contact,
            emergencies=(emergency.reference,),
            stories=tuple(
                _told_end(story, emergency.story)
                for story in first.stories
                if story.reference == emergency.reference
            ),
            created_at=now,
            after=first.id,
        )
        for first in world.notices.of(emergency.reference)
        if first.kind == "emergency" and first.state is not NoticeState.FORBIDDEN
    )
    ended = facts.EmergencyEnded(
        at=emergency.ended_at or now,
        reference=emergency.reference,
        withdrawn=emergency.withdrawn,
        last_miss=emergency.story.last_miss or emergency.story.first_miss,
        first_answer=emergency.story.first_answer,
    )
    return People(
        facts=(ended, *(_notice_owed(notice) for notice in notices)),
        emergencies=(emergency,),
        notices=notices,
    )


def _told_end(begun: Story, ended: Story) -> Story:
    """The story that a contact was told of the beginning, with its end."""
    return replace(begun, last_miss=ended.last_miss, first_answer=ended.first_answer)


def follow_clock(world: World, before: datetime, after: datetime) -> Decision:
    """Carry every signal and every open duty over a step of the wall clock (T8).

    The time that is left for telling is kept: who set the clock does not shorten or lengthen a promise.
    """
    carried: list[Signal] = []
    found: list[facts.Fact] = [facts.ClockStepped(at=after, before=before)]
    for known in world.signals.values():
        moved, happened = signal.step(known, before, after)
        carried.append(moved)
        found.extend(happened)
    duties = tuple(
        replace(duty, due=duty.due + (after - before))
        for duty in world.duties.values()
        if duty.breached_at is None
    )
    schedule = _anew(world.schedule) if after < before else None
    if schedule is not None:
        found.append(adopted(schedule, after))
    return Decision(
        facts=tuple(found), signals=tuple(carried), duties=duties, schedule=schedule, alive_at=after
    )


def _anew(schedule: Schedule) -> Schedule:
    """The same schedule as a new version: the same slices come again, and each is evidence of its own."""
    return schedule.with_changes(schedule.version + 1, (), ())


def adopted(schedule: Schedule, now: datetime) -> facts.ScheduleAdopted:
    """From the next slice on, who is due follows from this version."""
    return facts.ScheduleAdopted(
        at=now,
        version=schedule.version,
        from_slice=schedule.slice_at(now) + 1,
        slice_us=schedule.slice_us,
        digest=schedule.digest,
    )


def go_blind(world: World, why: str, detail: str, at: datetime) -> Decision:
    """We can no longer look, or believe what we see; nothing if we knew that already."""
    if why in world.blind:
        return Decision()
    return Decision(facts=(facts.BlindBegan(at=at, why=why, detail=detail),), blind={why: at})


def see_again(world: World, why: str, at: datetime) -> Decision:
    """The end of a blindness that `go_blind` began; nothing if there was none."""
    since = world.blind.get(why)
    if since is None:
        return Decision()
    return Decision(facts=(facts.BlindEnded(at=at, since=since, why=why),), blind={why: None})


def was_blind(why: str, detail: str, since: datetime, until: datetime) -> Decision:
    """A blindness that is noticed only when it is over, such as a stop of the whole process."""
    began = facts.BlindBegan(at=since, why=why, detail=detail)
    return Decision(facts=(began, facts.BlindEnded(at=until, since=since, why=why)))


def start(world: World, epoch: int, version: str, now: datetime) -> Decision:
    """A watch takes the store over. From the last sign of life until now nobody looked."""
    started = facts.WatchStarted(at=now, epoch=epoch, version=version)
    alive_at = world.alive_at
    if alive_at is None:
        return Decision(facts=(started,), alive_at=now)
    if alive_at > now:  # the clock went back while we were away
        moved = follow_clock(world, alive_at, now)
        return replace(moved, facts=(started, *moved.facts))
    gap = was_blind(Why.STOPPED.value, "no watch was running", alive_at, now)
    return replace(gap, facts=(started, *gap.facts), alive_at=now)


def stop(world: World, epoch: int, reason: str, now: datetime) -> Decision:
    """The watch lays its work down in good order."""
    stopped = facts.WatchStopped(at=now, epoch=epoch, reason=reason)
    if world.alive_at is None or world.alive_at <= now:
        return Decision(facts=(stopped,), alive_at=now)
    moved = follow_clock(world, world.alive_at, now)  # the clock was set back, and nobody had noticed yet
    return replace(moved, facts=(*moved.facts, stopped))


def refuse(author: str, mistakes: tuple[str, ...], now: datetime) -> Decision:
    """A new configuration was not valid; the old one stays in force."""
    return Decision(facts=(facts.ConfigurationRefused(at=now, author=author, mistakes=mistakes),))
