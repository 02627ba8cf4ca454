"""What gateways say later of messages: heard from the checkers, matched to an attempt, made a deed.

A word may come before the end of the attempt that it is about: it is kept for a while, and taken when that
attempt ends. One about an attempt that the world has dropped is looked up in the store. Of a word about no
message of ours nothing is left.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hostwatch import log
from hostwatch.clock import Clock
from hostwatch.core import acknowledging, afterwards, delivery
from hostwatch.core.acknowledgement import END, Acknowledgement, How
from hostwatch.core.emergency import Notice
from hostwatch.core.proof import Proof
from hostwatch.core.world import Decision, World
from hostwatch.engine import Engine
from hostwatch.store.errors import StoreError
from hostwatch.store.writer import Writer

EARLY_MAX: Final = 10_000
"""Words that are kept though nobody knows yet what they are about."""

EARLY_FOR: Final = timedelta(minutes=10)
"""How long one is kept: longer than any attempt takes."""

WAITING_MAX: Final = 20_000
"""Words that wait to be taken; further ones are dropped, and counted in the log."""


@dataclass(frozen=True, slots=True)
class Word:
    """A gateway said this of a message."""

    receipt: str
    proof: Proof | None
    """None: it did not arrive."""

    said: str


class Callbacks:
    """Takes the words of gateways, one after another."""

    def __init__(self, engine: Engine, writer: Writer, clock: Clock) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._waiting: asyncio.Queue[Word] = asyncio.Queue(WAITING_MAX)
        self._early: OrderedDict[Word, timedelta] = OrderedDict()
        """What is about nothing that is known, and when it came, by the monotonic clock."""

        self._by_receipt: dict[str, dict[Word, None]] = {}
        self.on_settled: Callable[[Word], None] = lambda word: None
        """Called with a word whose consequences are on record: it need not be said again."""

        self.on_taken: Callable[[Word], None] = lambda word: None
        """Called with a word that is settled, or is about nothing that is known or may come to be."""

        engine.listeners.append(self._on_decision)

    def hear(self, text: str) -> Word | None:
        """A gateway said something, as the checkers tell it. Does not wait. The word, if it will be taken."""
        word = _word(text)
        if word is None:
            log.error("callback-odd")
            return None
        return word if self.take(word) else None

    def take(self, word: Word) -> bool:
        """The other side said this. Does not wait. False if too many wait already."""
        try:
            self._waiting.put_nowait(word)
        except asyncio.QueueFull:
            log.error("callback-dropped", why=f"{WAITING_MAX:,} wait already")
            return False
        return True

    async def run(self) -> None:
        """Take words for ever."""
        while True:
            word = await self._waiting.get()
            if await self._take(word):
                self.on_taken(word)

    async def _take(self, word: Word) -> bool:
        """False if nobody knows yet what it is about."""
        self._keep(word)  # before it is looked for: its attempt may end meanwhile
        notices = await self._notices(word.receipt)
        if notices is None or word not in self._early:  # said again, or taken again as its attempt has ended
            return False
        if not notices:
            return not self._may_be_named_so(word.receipt)
        self._drop(word)
        said = self._engine.vault.commit_once(word.said)
        for notice in notices:
            await self._heard(notice, word, said)
        return True

    async def _heard(self, notice: Notice, word: Word, said: str) -> None:
        decision = await self._engine.do(
            lambda world, now: afterwards.heard(world, notice, word.receipt, word.proof, said=said, now=now)
        )
        if word.proof is Proof.ACKNOWLEDGED and notice.kind not in END:
            await self._acknowledge(notice, word.receipt.rpartition("/")[0])
        meant = "returned" if word.proof is None else word.proof.value
        log.info("callback", notice=notice.id, word=meant, news=decision != Decision())
        self.on_settled(word)

    async def _acknowledge(self, notice: Notice, gateway: str) -> None:
        """The person has it, by a key or a reply: every open emergency of the notice, or the exercise.

        Who is no contact any more has nothing: as by a link.
        """
        how = How.KEYPRESS if gateway.startswith("voice/") else How.REPLY
        who = self._engine.vault.commit(notice.contact)
        for reference in notice.emergencies:
            await self._engine.do(
                lambda world, now, reference=reference: (  # type: ignore[misc]
                    acknowledging.acknowledge(
                        world,
                        reference,
                        Acknowledgement(
                            customer=notice.customer,
                            contact=notice.contact,
                            who=who,
                            how=how,
                            actor=f"gateway {gateway}",
                            at=now,
                        ),
                        now,
                    )
                    if _is_theirs(world, notice, reference, now)
                    else Decision()
                )
            )

    async def _notices(self, receipt: str) -> list[Notice] | None:
        """The notices that were told in the message that is called so; None if the store is ill."""
        try:  # the world may have dropped some of them
            found = await self._writer.notices_of(receipt)
        except StoreError as error:
            log.error("callback-not-looked-up", error=str(error))
            return None
        return afterwards.in_message(found, receipt)

    def _may_be_named_so(self, receipt: str) -> bool:
        """Whether an attempt is under way that may turn out to be what a word is about."""
        channel, pending = receipt.partition("/")[0], self._engine.world.notices.pending.values()
        return any(one.has_open_attempt and one.attempts[-1].channel == channel for one in pending)

    def _keep(self, word: Word) -> None:
        now = self._clock.monotonic()
        self._early[word] = now
        self._early.move_to_end(word)
        self._by_receipt.setdefault(word.receipt, {})[word] = None
        while self._early:
            oldest, came = next(iter(self._early.items()))
            if len(self._early) <= EARLY_MAX and came + EARLY_FOR > now:
                return
            self._drop(oldest)

    def _drop(self, word: Word) -> None:
        del self._early[word]
        mine = self._by_receipt[word.receipt]
        del mine[word]
        if not mine:
            del self._by_receipt[word.receipt]

    def _on_decision(self, decision: Decision) -> None:
        """An attempt has ended: was anything said of it before?"""
        if not self._by_receipt:
            return
        for notice in decision.notices:
            receipt = notice.attempts[-1].receipt if notice.attempts else ""
            for word in list(self._by_receipt.get(receipt, ())) if receipt else ():
                self._drop(word)
                self.take(word)


def _is_theirs(world: World, notice: Notice, reference: str, now: datetime) -> bool:
    """Whether what a notice tells of goes on, and is still its person's to have."""
    is_open = reference in world.exercises.beside(world.emergencies)
    return is_open and delivery.may_answer(world, notice, now)


def _word(text: str) -> Word | None:
    try:
        told = json.loads(text)
    except ValueError:
        return None
    match told:
        case [str(receipt), "returned", str(said)]:
            return Word(receipt, None, said)
        case [str(receipt), str(proof), str(said)] if proof in {one.value for one in Proof}:
            return Word(receipt, Proof(proof), said)
    return None
