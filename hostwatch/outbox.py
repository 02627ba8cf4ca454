"""The outbox: hands owed notices over, one contact's ladder at a time, and records each attempt.

It polls: what is owed lies in the engine's world, which the store can rebuild. An attempt is claimed
in the record before the message leaves; whatever dies in between, the notice is sent again and says
that it may be a repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from hostwatch import log
from hostwatch.channels.base import Channel, Failed, Refused, printable
from hostwatch.clock import Clock
from hostwatch.core import delivery, ladder
from hostwatch.core.emergency import AttemptOutcome, Notice, NoticeState
from hostwatch.core.world import Decision
from hostwatch.directory import Directory, Person
from hostwatch.engine import Engine

IN_FLIGHT_MAX = 32
"""Attempts at one time."""

IDLE = timedelta(seconds=60)
"""The longest wait between two looks at what is owed."""

GRACE = timedelta(seconds=5)
"""How long attempts may go on when the watch stops."""


class Outbox:
    """Sends what is owed to people."""

    def __init__(self, engine: Engine, clock: Clock, directory: Callable[[], Directory]) -> None:
        self._engine = engine
        self._clock = clock
        self._directory = directory
        self._in_flight: dict[str, asyncio.Task[None]] = {}
        self._wake = engine.changed
        self.last_round: timedelta | None = None
        """When the outbox was last looked through, by the monotonic clock."""

    async def run(self) -> None:
        """Send for ever."""
        await self._engine.do(delivery.interrupted)
        self.last_round = self._clock.monotonic()
        try:
            while True:
                self._wake.clear()
                wake_at = await self._round()
                self.last_round = self._clock.monotonic()
                await self._wait(wake_at)
        finally:
            await self._finish()

    async def _round(self) -> datetime:
        """Do all that is due; when to look again."""
        now = self._clock.now()
        if any(duty.breached_at is None and duty.due <= now for duty in self._engine.world.duties.values()):
            await self._engine.do(delivery.breaches)
        wake_at = now + IDLE
        for notice in self._engine.world.pending():
            if notice.id not in self._in_flight and not self._waits(notice):
                wake_at = min(wake_at, await self._next(notice, now))
        open_duties = [d.due for d in self._engine.world.duties.values() if d.breached_at is None]
        return min([wake_at, *open_duties])

    def _waits(self, notice: Notice) -> bool:
        """Whether another notice must be settled first."""
        before = None if notice.after is None else self._engine.world.notices.get(notice.after)
        return before is not None and before.state is NoticeState.PENDING

    async def _next(self, notice: Notice, now: datetime) -> datetime:
        directory = self._directory()
        person = directory.person(notice)
        if person is None:
            await self._settle(notice, NoticeState.FORBIDDEN, "the contact is no longer authorised")
            return now
        match ladder.next_step(notice, len(person.ladder), directory.pace(notice), now):
            case ladder.Send(rung) if len(self._in_flight) < IN_FLIGHT_MAX:
                self._launch(notice, person, rung)
            case ladder.Wait(until):
                return until
            case ladder.GiveUp(why):
                await self._settle(notice, NoticeState.GIVEN_UP, why)
            case _:
                pass  # as many attempts as allowed are under way; the end of one wakes us
        return now + IDLE

    async def _settle(self, notice: Notice, state: NoticeState, why: str) -> None:
        log.error("notice-not-sent", notice=notice.id, state=state, why=why)
        await self._engine.do(lambda world, now: delivery.abandon(world, notice, state, why, now))

    def _launch(self, notice: Notice, person: Person, rung: int) -> None:
        task = asyncio.create_task(self._attempt(notice, person, rung))
        self._in_flight[notice.id] = task

        def ended(done: asyncio.Task[None]) -> None:
            self._in_flight.pop(notice.id, None)
            self._wake.set()
            if not done.cancelled() and (error := done.exception()) is not None:
                log.error("attempt-broke", notice=notice.id, error=repr(error))

        task.add_done_callback(ended)

    async def _attempt(self, notice: Notice, person: Person, rung: int) -> None:
        """One try: claim, send, record."""
        channel = person.ladder[rung]
        address = self._engine.vault.commit(channel.shown)
        claimed = await self._engine.do(
            lambda world, now: delivery.begin(
                world.notices[notice.id], rung=rung, channel=channel.kind, address=address, now=now
            )
        )
        claim = claimed.notices[0]
        if self._is_withdrawn(claim, channel):
            outcome = self._ended(claim, AttemptOutcome.FAILED, "not sent: withdrawn while the claim waited")
        else:
            outcome = await self._send(claim, person, channel)
        await self._engine.do(outcome)

    def _is_withdrawn(self, notice: Notice, channel: Channel) -> bool:
        """Whether the contact, or this way to reach them, went while the claim waited for the store."""
        person = self._directory().person(notice)
        ladder = () if person is None else person.ladder
        return not any((one.kind, one.shown) == (channel.kind, channel.shown) for one in ladder)

    async def _send(self, notice: Notice, person: Person, channel: Channel) -> Callable[..., Decision]:
        """Hand the message over; the deed that records what became of it."""
        directory = self._directory()
        message = directory.message(
            notice, person, repeat=notice.attempts[-1].repeat, late=self._is_late(notice)
        )
        timeout = directory.attempt_timeout(notice)
        try:
            receipt = await asyncio.wait_for(channel.send(message), timeout.total_seconds())
        except Refused as refused:
            return self._ended(notice, AttemptOutcome.REFUSED, str(refused))
        except Failed as failed:
            return self._ended(
                notice,
                AttemptOutcome.FAILED,
                str(failed),
                perhaps_arrived=failed.perhaps_arrived,
                retry_after=failed.retry_after,
            )
        except TimeoutError:
            return self._ended(
                notice, AttemptOutcome.FAILED, f"no end within {timeout}", perhaps_arrived=True
            )
        except Exception as error:  # a fault of ours in a channel must not lose the notice
            log.error("channel-broke", channel=channel.kind, notice=notice.id, error=repr(error))
            return self._ended(notice, AttemptOutcome.FAILED, repr(error), perhaps_arrived=True)
        return self._ended(notice, AttemptOutcome.ACCEPTED, receipt.said)

    def _is_late(self, notice: Notice) -> bool:
        duty = None if notice.duty is None else self._engine.world.duties.get(notice.duty)
        return duty is not None and duty.due < self._clock.now()

    def _ended(
        self,
        notice: Notice,
        outcome: AttemptOutcome,
        said: str,
        *,
        perhaps_arrived: bool = False,
        retry_after: timedelta | None = None,
    ) -> Callable[..., Decision]:
        words = printable(said)
        say = log.info if outcome is AttemptOutcome.ACCEPTED else log.warning
        say("attempt", notice=notice.id, channel=notice.attempts[-1].channel, outcome=outcome, said=words)
        commitment = self._engine.vault.commit(words)
        return lambda world, now: delivery.end(
            world,
            world.notices[notice.id],
            outcome,
            said=commitment,
            now=now,
            perhaps_arrived=perhaps_arrived,
            retry_after=retry_after,
        )

    async def _wait(self, until: datetime) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep_until(until))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({sleeping, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _finish(self) -> None:
        """Give attempts under way a moment; what is cut off then is repeated after the next start."""
        tasks = set(self._in_flight.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=GRACE.total_seconds())
        for task in late:
            task.cancel()
