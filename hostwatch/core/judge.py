"""The deeds of the watch: from what was seen to what is decided and owed.

Each deed is a pure function of the world, of what happened and of the time, and returns a decision.
A verdict cannot exist without its emergency, its duties and its notices, because one deed makes
them together and the store commits them together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from hostwatch.core import causing, facts, signal, signs, telling
from hostwatch.core.blindness import Why
from hostwatch.core.observing import Observing
from hostwatch.core.reading import Answer, Outcome, Reading
from hostwatch.core.schedule import Schedule
from hostwatch.core.signal import Signal
from hostwatch.core.world import Decision, Seen, Slice, SliceKey, World, seen

STEP = 500
"""Plain answers that are observed without a pause."""

READINGS_AT_ONCE = 50
"""Readings that are no plain answers and are observed without a pause: a source may say a great deal."""

Steps = Generator[None, None, Decision]
"""A deed in steps: between two of them others may have the loop, but nobody changes the world."""


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
    for number, reading in enumerate(brought, 1):
        observed.take(reading)
        if number % READINGS_AT_ONCE == 0:
            yield
    observe = observed.rest if closes and key is not None else observed.take_all
    for first in range(0, len(plain), STEP):
        observe(plain[first : first + STEP])
        yield
    yield from observed.conclude()
    people = telling.tell(world, observed, now)
    warned = yield from signs.warn(world, observed, people.emergencies, people.holds, now)
    causes = causing.Causes()
    yield from causing.find(world, observed, now, causes)
    looks = () if key is None else tuple(_looks(brought))
    return Decision(
        facts=(*observed.facts, *people.facts, *warned.facts, *causes.facts),
        signals=tuple(observed.changed.values()),
        resting=observed.resting,
        settled=tuple(observed.settled),
        emergencies=people.emergencies,
        duties=people.duties,
        customer_duties=people.customer_duties,
        notices=(*people.notices, *warned.notices),
        holds=people.holds,
        settled_emergencies=people.settled,
        warned=warned.warned,
        heard=observed.heard,
        causes=causes.attributed,
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


def follow_clock(world: World, before: datetime, after: datetime) -> Decision:
    """Carry every signal, every open duty and whatever waits over a step of the wall clock (T8).

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
        if duty.may_be_breached
    )
    moved_warned = {name: one.moved(after - before) for name, one in world.warned.items()}
    moved_holds = {hold.signal: hold.moved(after - before) for hold in world.holds.values()}
    said_already = {name: replace(one, since=after) for name, one in world.heard.items() if one.since > after}
    schedule = _anew(world.schedule) if after < before else None
    if schedule is not None:
        found.append(adopted(schedule, after))
    return Decision(
        facts=tuple(found),
        signals=tuple(carried),
        duties=duties,
        customer_duties=tuple(
            one.moved(after - before) for one in world.customer_duties.values() if one.may_be_breached
        ),
        exercises=tuple(one.moved(after - before) for one in world.exercises.open.values()),
        holds=moved_holds,
        warned=moved_warned,
        heard=said_already,
        schedule=schedule,
        alive_at=after,
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
