"""The deeds of running notices: one begins, sums up, and ends when it is calm or stays down.

Only where the agreement accepts it. It begins with an emergency that is told with the words that it does;
whom that reached is told of the next ones in summaries. Whom it did not reach is told of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Literal

from hostwatch.core import facts
from hostwatch.core.device import Device
from hostwatch.core.emergency import Notice, NoticeState
from hostwatch.core.facts_of_flapping import RunningNoticeBegan, RunningNoticeEnded
from hostwatch.core.merged import both
from hostwatch.core.notice import Flaps, Story
from hostwatch.core.population import Customer
from hostwatch.core.running import KIND, Running, sum_id
from hostwatch.core.terms import RunningTerms
from hostwatch.core.world import Decision, World

Why = Literal["calm", "down", "withdrawn"]


def covering(world: World, story: Story, customer: Customer, contact: str) -> Running | None:
    """The running notice that tells a person of a new emergency, if one does."""
    one = _of(world, story, customer)
    return None if one is None or contact not in one.reached else one


def _of(world: World, story: Story, customer: Customer) -> Running | None:
    terms = customer.telling.running
    signal = _signal(world, story)
    return None if terms is None or not signal else world.running.open.get((customer.id, signal))


def _signal(world: World, story: Story) -> str:
    """Whose emergency a story is, if it is of one device or service alone, and by our own probes."""
    device = world.population.devices.get(story.device)
    if device is None or story.is_shared:
        return ""
    vantage = world.population.vantage
    service = device.service(story.service)
    return device.signal(vantage) if service is None else service.signal(device.id, vantage)


def beginning(world: World, story: Story, customer: Customer, now: datetime) -> RunningNoticeBegan | None:
    """The running notice that begins with a new emergency, if one does."""
    terms, signal = customer.telling.running, _signal(world, story)
    if terms is None or not signal or _of(world, story, customer) is not None:
        return None
    before = [one.reference for one in world.running.recent(signal, now - terms.within)]
    if len(before) + 1 < terms.after:
        return None
    return RunningNoticeBegan(
        at=now,
        reference=story.reference,
        customer=customer.id,
        device=story.device,
        signal=signal,
        emergencies=(*before, story.reference),
    )


def said(story: Story, began: RunningNoticeBegan, terms: RunningTerms) -> Story:
    """The story of the emergency that it begins with, which says so."""
    flaps = Flaps(
        since=story.first_miss,
        times=len(began.emergencies),
        within=terms.within,
        every=terms.every,
        calm_after=terms.calm_after,
    )
    return replace(story, flaps=flaps)


def next_at(world: World, one: Running) -> datetime | None:
    """When something is to be done about a running notice; None: at once."""
    terms = _terms(world, one)
    if terms is None:
        return None
    changes = (one.last.until or one.last.since) + terms.calm_after
    return min(changes, (one.summed_at or one.began_at) + terms.every) if _readers(world, one) else changes


def _readers(world: World, one: Running) -> list[str]:
    """Whom it reached, of those who are still contacts. Without any there is nothing to sum up."""
    return [
        contact for contact in world.population.customers[one.customer].contacts if contact in one.reached
    ]


def _terms(world: World, one: Running) -> RunningTerms | None:
    customer = world.population.customers.get(one.customer)
    device = world.population.devices.get(one.device)
    if customer is None or device is None or device.customer != one.customer:
        return None
    return customer.telling.running


def look(world: World, now: datetime) -> Decision:
    """Do what is due about each."""
    found = Decision()
    for one in world.running.open.values():
        terms = _terms(world, one)
        if terms is None:
            found = both(found, both(_ended(one, "withdrawn", now), _told_after_all(world, one, now)))
        elif (one.last.until or one.last.since) + terms.calm_after <= now:
            if one.last.until is None:
                found = both(found, both(_ended(one, "down", now), _told_after_all(world, one, now)))
            else:
                found = both(found, both(_sum(world, one, terms, now, calm=True), _ended(one, "calm", now)))
        elif _readers(world, one) and (one.summed_at or one.began_at) + terms.every <= now:
            found = both(found, _sum(world, one, terms, now))
    return found


def _ended(one: Running, why: Why, now: datetime) -> Decision:
    fact = RunningNoticeEnded(
        at=now,
        reference=one.reference,
        customer=one.customer,
        signal=one.signal,
        why=why,
        times=len(one.times),
        down_s=one.down_s(now),
    )
    return Decision(facts=(fact,))


def _told_after_all(world: World, one: Running, now: datetime) -> Decision:
    """What lasts is told as an emergency, to those who were told of it by the running notice alone."""
    found = Decision()
    for notice in world.notices.of(one.last.reference):
        if notice.state is NoticeState.RUNNING:
            fact = facts.NoticeReopened(
                at=now, notice=notice.id, why="the running notice is over, and it lasts"
            )
            opened = replace(notice, state=NoticeState.PENDING, settled_at=None)
            found = both(found, Decision(facts=(fact,), notices=(opened,)))
    return found


def _sum(world: World, one: Running, terms: RunningTerms, now: datetime, *, calm: bool = False) -> Decision:
    """Sum up, to whom it reached."""
    customer, device = world.population.customers[one.customer], world.population.devices[one.device]
    story = _story(world, one, device, terms, now, calm=calm)
    notices = tuple(_notices(one, story, customer, now))
    owed = (
        facts.NoticeOwed(
            at=now,
            notice=notice.id,
            kind=notice.kind,
            customer=notice.customer,
            contact=notice.contact,
            emergencies=(),
        )
        for notice in notices
    )
    return Decision(facts=tuple(owed), notices=notices)


def _notices(one: Running, story: Story, customer: Customer, now: datetime) -> Iterator[Notice]:
    for contact in customer.contacts:
        if contact in one.reached:
            yield Notice(
                id=sum_id(one, one.sums + 1, contact),
                kind=KIND,
                customer=one.customer,
                contact=contact,
                emergencies=(),
                stories=(story,),
                created_at=now,
            )


def _story(
    world: World, one: Running, device: Device, terms: RunningTerms, now: datetime, *, calm: bool
) -> Story:
    first = one.times[0]
    vantage = world.population.vantage
    mine = (each.name for each in device.services if each.signal(device.id, vantage) == one.signal)
    return Story(
        reference=one.reference,
        customer=one.customer,
        device=device.id,
        address=device.address,
        interval=terms.every,
        misses=0,
        last_answer=first.since,
        first_miss=first.since,
        verdict=now,
        why="",
        service=next(mine, ""),
        flaps=Flaps(
            since=first.since,
            times=len(one.times),
            down_s=one.down_s(now),
            within=terms.within,
            every=terms.every,
            calm_after=terms.calm_after,
            calm_since=one.last.until if calm else None,
            down_since=one.last.since if one.last.until is None else None,
        ),
    )
