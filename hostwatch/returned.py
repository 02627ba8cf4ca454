"""What mailboxes say of our mails, on its way to the record; and whether anybody reads these mailboxes.

What fax servers list of our pages goes the same way: one that cannot be asked counts as an unread mailbox.

The checkers read them. What they bring goes the way of all later words of the other side, and when it is on
record they are told so. A mailbox that nobody reads for long is a warning to operators.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from hostwatch import log
from hostwatch.callbacks import Callbacks, Word
from hostwatch.checkers.protocol import Pushed
from hostwatch.checkers.services import Service
from hostwatch.clock import Clock
from hostwatch.core import unread
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome
from hostwatch.engine import Engine
from hostwatch.gateways.base import name_of
from hostwatch.gauges import Count, Figure, Gauge

UNREAD_AFTER: Final = timedelta(minutes=10)
"""When operators are warned that nobody reads a mailbox."""

LOOK_EVERY: Final = timedelta(seconds=30)

READ: Final = ("gateways/mailbox", "gateways/hylafax")
"""What is read to know what became of messages: mailboxes, and the lists of fax servers."""

KINDS: Final = frozenset(
    {"delivered", "returned", "delayed", "relayed", "complained", "unmatched", "nothing"}
)
"""What mails are counted by."""

WORDS: Final[Mapping[str, Proof | None]] = {"delivered": Proof.DELIVERED, "returned": None}
"""What decides something. All else that a relay says is logged and counted."""


class Took(Protocol):
    """Tells the checkers what became of the mails that they brought of a mailbox."""

    def __call__(self, key: str, names: Sequence[str], *, is_ours: bool = True) -> None:
        """What these say is on record; or, if it `is_ours` not, is about no mail of ours."""
        ...


@dataclass(slots=True)
class _Mailbox:
    """One mailbox, since it is configured."""

    name: str
    read_at: timedelta
    """When it was read last, or when reading began, by the monotonic clock."""

    why: str = "not read yet"
    is_well: bool = False


class Returned:
    """Takes what was read in mailboxes."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        callbacks: Callbacks,
        took: Took,
        is_ours: Callable[[str], bool],
    ) -> None:
        """`took` tells the checkers that what they brought of a mailbox is on record, or is none of ours.

        `is_ours` says of a token whether we made it.
        """
        self._engine = engine
        self._clock = clock
        self._callbacks = callbacks
        self._took = took
        self._is_ours = is_ours
        self._mailboxes: dict[str, _Mailbox] = {}
        self._awaited: dict[Word, dict[tuple[str, str], None]] = {}
        """Words that are not on record yet, and in which mails of which mailboxes they stand."""

        self._called: dict[Word, dict[tuple[str, str], None]] = {}
        """Words of gateways that are not taken yet: whose they are, and what the checkers call them."""

        self._counts: Counter[tuple[str, ...]] = Counter()
        callbacks.on_settled = self._on_settled
        callbacks.on_taken = self._on_taken

    def attend(self, listened: Mapping[str, Service]) -> None:
        """These are the mailboxes from now on; others among them are none of ours."""
        now = self._clock.monotonic()
        wanted = {key: one.name for key, one in listened.items() if one.checks[0].kind in READ}
        known = self._mailboxes
        self._mailboxes = {key: known.get(key) or _Mailbox(name, now) for key, name in wanted.items()}
        self._awaited.clear()  # what they bring they bring again until they are told

    def hear(self, pushed: Pushed) -> None:
        """Somebody who is listened to said something. Does not wait."""
        mailbox = self._mailboxes.get(pushed.key)
        if mailbox is None:
            word = self._callbacks.hear(pushed.said)
            if word is not None:
                self._called.setdefault(word, {})[pushed.key, name_of(pushed.said)] = None
            return
        if pushed.outcome is not Outcome.ANSWERED:
            if mailbox.is_well or mailbox.why != pushed.why:
                log.warning("mailbox-unread", mailbox=mailbox.name, why=pushed.why)
            mailbox.why, mailbox.is_well = pushed.why, False
            return
        if not mailbox.is_well:
            log.info("mailbox-read", mailbox=mailbox.name)
        mailbox.read_at, mailbox.why, mailbox.is_well = self._clock.monotonic(), "", True
        try:
            told = json.loads(pushed.said)
            self._count(told["counts"])
            self._hear_all(pushed.key, mailbox.name, told["words"])
        except (ValueError, TypeError, KeyError, AttributeError):
            log.error("callback-odd")

    def _count(self, counts: Mapping[str, Any]) -> None:
        self._counts.update({(what,): many for what, many in counts.items() if what in KINDS and many})

    def _hear_all(self, key: str, mailbox: str, words: Sequence[Any]) -> None:
        settled, strange = list[str](), list[str]()
        for name, receipt, said, shown in words:
            if not self._is_ours(str(receipt).rpartition("/")[2]):
                strange.append(str(name))
            elif said in WORDS:
                word = Word(str(receipt), WORDS[said], str(shown))
                self._awaited.setdefault(word, {})[key, str(name)] = None
                self._callbacks.take(word)
            else:
                say = log.warning if said == "complained" else log.info
                say("mail-said", mailbox=mailbox, word=str(said), receipt=str(receipt))
                settled.append(str(name))
        self._took(key, settled)
        self._took(key, strange, is_ours=False)

    def _on_settled(self, word: Word) -> None:
        for key, name in self._awaited.pop(word, {}):
            self._took(key, [name])

    def _on_taken(self, word: Word) -> None:
        for key, name in self._called.pop(word, {}):
            self._took(key, [name])

    async def run(self) -> None:
        """Warn operators, for ever."""
        while True:
            late = self._late()
            if late or unread.lasts(self._engine.world):
                await self._engine.do(lambda world, now, late=late: unread.look(world, late, now))  # type: ignore[misc]
            await self._clock.sleep(LOOK_EVERY)

    def _late(self) -> dict[str, str]:
        oldest = self._clock.monotonic() - UNREAD_AFTER
        return {one.name: one.why for one in self._mailboxes.values() if one.read_at <= oldest}

    def warnings(self) -> Iterator[str]:
        """Mailboxes that nobody reads, for people."""
        for name, why in self._late().items():
            yield f"the mailbox {name} is not read ({why}): a bounce would not be known"

    def figures(self) -> Iterator[Figure]:
        """What the metrics say; nothing where no mailbox is configured."""
        if not self._mailboxes:
            return
        now = self._clock.monotonic()
        yield Gauge(
            "hostwatch_mailbox_read_seconds",
            "How long ago the mailbox of what comes back was read last, or was to be read first.",
            {one.name: (now - one.read_at).total_seconds() for one in self._mailboxes.values()},
            "mailbox",
        )
        yield Count(
            "hostwatch_mails_back_total",
            "Mails that were read there, by what they said.",
            dict(self._counts),
            ("what",),
        )
