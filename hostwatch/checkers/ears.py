"""Sources that speak by themselves: what was heard goes to the watch at once, between two rounds of readings.

A kind of source that can listen has, beside `read`, one more function:

    async def listen(sources: Mapping[str, Settings], ear: Ear) -> None

It is run in the process of the checkers for all sources of its kind together, by their names, and listens
until it is cancelled: it opens its own sockets and closes them. It is begun anew with the present sources
whenever one of them comes, goes or is another. If none of them wants to be listened to, it returns. What it
hears is hostile until it is authenticated. It tells an `Ear` of it:

- `ear.ask(name)`: something happened there. The source is read at once, as if it were due: most that a trap
  says is better asked.
- `ear.said(name, reading)`: the source said all of this. It need not be asked.

A kind may have `took(settings, names, is_ours=…)`: it is called when the watch has on record what was brought
under these names, or found that it is about nothing of ours.

Both come to the watch as an unscheduled look (`protocol.Pushed`), and to the core as a reading of the kind
FOLLOW_UP: it finds the edges of what happened, and never counts towards a verdict (J5). Neither waits. What
cannot be listened to (a port that is taken) is raised: it is said in the log, and tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hostwatch.checkers.services import Check, Service
from hostwatch.checks.base import Fault, Finding, Missed, printable
from hostwatch.core.reading import Outcome

AGAIN_S: Final = 10.0
"""After that what could not be listened to is tried again."""

SETTLED_S: Final = 0.2
"""So long after a source came or went others may come: then its kind listens anew."""

BURST_MAX: Final = 10
"""So often a source may speak at once, if its kind does not say otherwise (`EAR_BURST`)."""

RATE_MAX: Final = 1
"""After that so often in a second (`EAR_RATE`)."""

WHY_CHARS_MAX: Final = 300


class Words(Protocol):
    """What a source says, in the words of its room."""

    @property
    def text(self) -> str:
        """As it is sent."""
        ...


class Ear(Protocol):
    """Told of what was heard. Neither call waits, and what is too much is dropped."""

    def ask(self, name: str) -> None:
        """Something happened at a source: it is to be read at once."""
        ...

    def said(self, name: str, reading: Words) -> bool:
        """A source said this; False if that was too much to be told now."""
        ...


@dataclass(slots=True, eq=False)
class Heard:
    """One source that is listened to."""

    key: str
    check: Check
    burst: float
    rate: float
    allowance: float
    counted_us: int = 0
    asking: asyncio.Task[None] | None = None
    again: bool = False
    """It is to be asked once more when it has answered."""


class Ears:
    """All that is listened to in this process."""

    def __init__(
        self,
        push: Callable[[str, Finding], None],
        look: Callable[[Check], Awaitable[Finding]],
        complain: Callable[[str], None],
        monotonic_us: Callable[[], int],
    ) -> None:
        """`push` tells the watch what came of a key; `look` reads a source now; `complain` is for the log."""
        self._push = push
        self._look = look
        self._complain = complain
        self._monotonic_us = monotonic_us
        self._sources: dict[str, dict[str, Heard]] = {}
        """By kind, then by the name of the source: the present definition of each."""

        self._listening: dict[str, asyncio.Task[None]] = {}
        self._changed: dict[str, asyncio.Event] = {}

    def define(self, key: str, source: Service) -> None:
        """A source is defined, anew if there was one of its name."""
        (check,) = source.checks
        if source.listener is None:
            return
        mine = self._sources.setdefault(check.kind, {})
        if source.name not in mine or mine[source.name].key != key:
            burst = getattr(check.module, "EAR_BURST", BURST_MAX)
            rate = getattr(check.module, "EAR_RATE", RATE_MAX)
            mine[source.name] = Heard(key, check, burst, rate, allowance=burst)
            self._listen_anew(check.kind)

    def forget(self, key: str) -> None:
        """A definition is needed no more."""
        for kind, mine in self._sources.items():
            gone = [name for name, heard in mine.items() if heard.key == key]
            for name in gone:
                del mine[name]
                self._listen_anew(kind)

    async def close(self) -> None:
        """Listen no more."""
        tasks = [*self._listening.values()]
        tasks += [one.asking for mine in self._sources.values() for one in mine.values() if one.asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def took(self, key: str, names: Sequence[str], *, is_ours: bool) -> None:
        """What a source brought is on record, or is none of ours."""
        for mine in self._sources.values():
            for heard in mine.values():
                if heard.key == key and (took := getattr(heard.check.module, "took", None)) is not None:
                    took(heard.check.settings, names, is_ours=is_ours)

    def ask(self, kind: str, name: str) -> None:
        """Read a source at once; if it is being read already, once more after that."""
        heard = self._heard(kind, name)
        if heard is None:
            return
        if heard.asking is None:
            heard.asking = asyncio.create_task(self._ask(heard))
        else:
            heard.again = True

    def said(self, kind: str, name: str, reading: Words) -> bool:
        """Tell the watch what a source said; False if that was too much."""
        heard = self._heard(kind, name)
        if heard is None:
            return False
        self._push(heard.key, Finding(kind=kind, outcome=Outcome.ANSWERED, value=reading.text))
        return True

    def _heard(self, kind: str, name: str) -> Heard | None:
        """A source that may speak now; None for one that is not known, or speaks too often."""
        heard = self._sources.get(kind, {}).get(name)
        if heard is None:
            return None
        now_us = self._monotonic_us()
        earned = (now_us - heard.counted_us) / 1e6 * heard.rate
        heard.allowance, heard.counted_us = min(heard.allowance + earned, heard.burst), now_us
        if heard.allowance < 1:
            return None
        heard.allowance -= 1
        return heard

    async def _ask(self, heard: Heard) -> None:
        try:
            while True:
                heard.again = False
                self._push(heard.key, await self._look(heard.check))
                if not heard.again:
                    return
        finally:
            heard.asking = None

    def _listen_anew(self, kind: str) -> None:
        self._changed.setdefault(kind, asyncio.Event()).set()
        if kind not in self._listening:
            self._listening[kind] = asyncio.create_task(self._keep_listening(kind))

    async def _keep_listening(self, kind: str) -> None:
        """Listen for one kind, and anew whenever its sources are others: never twice at the same time."""
        changed = self._changed[kind]
        while True:
            await asyncio.sleep(SETTLED_S)
            changed.clear()
            listening = asyncio.create_task(self._listen(kind))
            try:
                await changed.wait()
            finally:
                listening.cancel()
                await asyncio.wait([listening])

    async def _listen(self, kind: str) -> None:
        """Listen for the present sources of one kind until it is cancelled."""
        while sources := {name: heard.check for name, heard in self._sources[kind].items()}:
            listen = next(iter(sources.values())).module.listen
            settings: Mapping[str, Any] = {name: check.settings for name, check in sources.items()}
            try:
                await listen(settings, _EarOf(self, kind))
                return
            except (Missed, Fault, OSError, ValueError) as error:
                self._complain(printable(f"cannot listen for {kind}: {error}", WHY_CHARS_MAX))
            except Exception as error:  # our own mistake: its words may quote what was written
                self._complain(f"cannot listen for {kind}: {type(error).__name__}")
            await asyncio.sleep(AGAIN_S)


class _EarOf:
    """The ear of one kind."""

    def __init__(self, ears: Ears, kind: str) -> None:
        self._ears = ears
        self._kind = kind

    def ask(self, name: str) -> None:
        self._ears.ask(self._kind, name)

    def said(self, name: str, reading: Words) -> bool:
        return self._ears.said(self._kind, name, reading)
