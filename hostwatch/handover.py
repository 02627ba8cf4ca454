"""One try to hand a notice over: claims it in the record, sends, and records what became of it.

The claim may wait long for the store. So whether the person is still authorised, and the channel still
theirs, is asked again after it. What the other side said is kept in the store and not in the log: it
often names the person's address.
"""

from __future__ import annotations

import asyncio
import re
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from hostwatch import log
from hostwatch.channels.base import Channel, Failed, Message, Refused, printable
from hostwatch.clock import Clock
from hostwatch.core import bundle, calls, delivery, ladder, reminding
from hostwatch.core.emergency import AttemptOutcome, Notice
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision, World
from hostwatch.directory import Directory, Person, Way
from hostwatch.engine import Engine
from hostwatch.links import links_of

BROKEN_PAUSE = timedelta(seconds=5)
"""A fault of ours is not repeated faster than this."""

LONG = 20
"""A message of so many stories, and more, takes long enough to compose that it is not done on the loop."""

_STATUS = re.compile(r"[1-9]\d\d(?=\D|$)")
"""The other side's code, where its words begin with one: of SMTP or HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """What became of a try."""

    outcome: AttemptOutcome
    said: str
    perhaps_arrived: bool = False
    retry_after: timedelta | None = None
    proof: Proof = Proof.ACCEPTED
    receipt: str = ""


class Handover:
    """Makes single tries; what is tried, and when, is decided by others."""

    def __init__(self, engine: Engine, clock: Clock, directory: Callable[[], Directory]) -> None:
        self._engine = engine
        self._clock = clock
        self._directory = directory
        self.ends_by: dict[str, timedelta] = {}
        """By notice, while the other side is told: when that must have ended, by the monotonic clock."""

        self.leaving: dict[str, Callable[[], bool]] = {}
        """By notice: what is asked when its message is about to leave; whether it may."""

    async def attempt(self, notice: str, way: Way, rung: int, beside: Collection[str] = ()) -> None:
        """Claim, send, record. A fault of ours may leave the attempt without an end, for others to end.

        `beside`: other notices that the same message may tell.
        """
        try:
            await self._attempt(notice, way, rung, beside)
        except Exception as error:
            log.error("attempt-broke", notice=notice, **fault(error))
            await self._clock.sleep(BROKEN_PAUSE)

    async def _attempt(self, notice: str, way: Way, rung: int, beside: Collection[str]) -> None:
        address = self._engine.vault.commit(way.channel.shown)
        claimed = await self._engine.do(
            lambda world, now: bundle.claim(
                world,
                world.notices[notice],
                beside,
                rung=rung,
                channel=way.channel.kind,
                address=address,
                way=way.name,
                now=now,
            )
        )
        claim = claimed.notices[0]
        await self._engine.do(_nothing)  # what was to change while the claim waited has changed by then
        directory = self._directory()
        authorised = delivery.is_authorised(self._engine.world, claim)
        person = directory.person(claim) if authorised else None
        present = None if person is None else person.way(way.name)
        if person is None or present is None or reminding.is_overtaken(self._engine.world, claim):
            end = _End(outcome=AttemptOutcome.UNSENT, said="withdrawn before it was sent")
        else:
            end = await self._send(claim, directory, person, present.channel)
        await self._record(claim, end)
        self._complain_if_nobody(notice)

    async def _send(self, notice: Notice, directory: Directory, person: Person, channel: Channel) -> _End:
        try:
            message = await self._worded(notice, directory, person)
        except Exception as error:  # a fault of ours in the words: nothing has left
            log.error("message-broke", notice=notice.id, **fault(error))
            return _End(outcome=AttemptOutcome.FAILED, said=repr(error))
        within = directory.attempt_timeout(notice)
        self.ends_by[notice.id] = self._clock.monotonic() + within
        try:
            leaves = self.leaving.pop(notice.id, None)
            if leaves is not None and not leaves():
                return _End(outcome=AttemptOutcome.UNSENT, said="asked to be left alone before it was sent")
            return await self._told(notice, message, channel, within)
        finally:
            del self.ends_by[notice.id]

    async def _worded(self, notice: Notice, directory: Directory, person: Person) -> Message:
        """A message in words. A long one is composed beside the loop, which has pings to look after."""
        world = self._engine.world
        members = world.notices.in_message(notice, len(notice.attempts))
        told = bundle.contents(world, notice)
        compose = partial(
            directory.message,
            notice,
            person,
            repeat=any(one.attempts[-1].repeat for one in members),
            late=any(self._is_late(one) for one in members),
            told=told,
            links={
                reference: link
                for one in members
                for reference, link in links_of(directory.links, one, world.emergencies).items()
            },
        )
        if len(told.stories) < LONG:
            return compose()
        return await asyncio.get_running_loop().run_in_executor(None, compose)

    async def _told(self, notice: Notice, message: Message, channel: Channel, within: timedelta) -> _End:
        try:
            receipt = await asyncio.wait_for(channel.send(message), within.total_seconds())
        except Refused as refused:
            return _End(outcome=AttemptOutcome.REFUSED, said=str(refused))
        except Failed as failed:
            return _End(
                outcome=AttemptOutcome.FAILED,
                said=str(failed),
                perhaps_arrived=failed.perhaps_arrived,
                retry_after=failed.retry_after,
                receipt=failed.receipt,
            )
        except TimeoutError:
            return _End(outcome=AttemptOutcome.FAILED, said=f"no end within {within}", perhaps_arrived=True)
        except Exception as error:  # a fault of ours in a channel must not lose the notice
            log.error("channel-broke", channel=channel.kind, notice=notice.id, **fault(error))
            return _End(outcome=AttemptOutcome.FAILED, said=repr(error), perhaps_arrived=True)
        is_taken = receipt.proof.covers(Proof.ACCEPTED)
        return _End(
            outcome=AttemptOutcome.ACCEPTED if is_taken else AttemptOutcome.ATTEMPTED,
            said=receipt.said,
            perhaps_arrived=not is_taken and not calls.is_call(receipt.receipt),
            proof=receipt.proof,
            receipt=receipt.receipt,
        )

    def _is_late(self, notice: Notice) -> bool:
        duty = None if notice.duty is None else self._engine.world.duties.get(notice.duty)
        return duty is not None and duty.due < self._clock.now()

    async def _record(self, notice: Notice, end: _End) -> None:
        words = printable(end.said)
        status = _STATUS.match(words)
        say = log.info if end.outcome in delivery.TAKEN else log.warning
        say(
            "attempt",
            notice=notice.id,
            channel=notice.attempts[-1].channel,
            outcome=end.outcome,
            status=None if status is None else int(status[0]),
        )
        said = self._engine.vault.commit_once(words)
        await self._engine.do(
            lambda world, now: delivery.end(
                world,
                world.notices[notice.id],
                end.outcome,
                said=said,
                now=now,
                perhaps_arrived=end.perhaps_arrived,
                retry_after=end.retry_after,
                proof=end.proof,
                receipt=end.receipt,
            )
        )

    def _complain_if_nobody(self, name: str) -> None:
        """Say loudly that none of a contact's channels takes a notice: somebody has to ring them."""
        notice = self._engine.world.notices.get(name)
        directory = self._directory()
        person = None if notice is None else directory.person(notice)
        if notice is None or person is None or not ladder.refused_by_all(notice, person.rungs):
            return
        now, pace = self._clock.now(), directory.pace(notice)
        step = ladder.next_step(notice, person.rungs, pace, now)
        if isinstance(step, ladder.Send) or (
            isinstance(step, ladder.Wait) and step.until < now + pace.first_retry
        ):
            return  # the next channel has its turn: the round is not at its end
        log.error(
            "nobody-told",
            notice=name,
            customer=notice.customer,
            contact=notice.contact,
            why="every channel refused; tell them by other means and correct their channels",
        )


def _nothing(_world: World, _now: datetime) -> Decision:
    """A deed that is done when all that were brought before it are."""
    return Decision()


def fault(error: BaseException) -> dict[str, str]:
    """What the log says of a fault of ours: its words may hold an address or a token."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None
    return {"error": type(error).__name__, **({} if where is None else {"where": where})}
