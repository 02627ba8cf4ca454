"""The notices that the world holds, found by what is asked of them: what it costs does not grow with a storm.

A notice is held while it is pending or an attempt has no outcome, while it belongs to an open emergency,
while one that it is told after is pending, and while one of those that are held so waits for it.
`World.apply` alone changes them.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, TypeVar

from hostwatch.core.acknowledgement import END
from hostwatch.core.emergency import Notice, NoticeState, message_of

Reader = tuple[str, str]
"""A customer, and a contact of theirs."""

K = TypeVar("K", bound=Hashable)

REMINDER: Final = "reminder"
"""The kind of notices that tell once more of what lasts."""


class Notices(Mapping[str, Notice]):
    """Notices by name, oldest first."""

    def __init__(self, known: Iterable[Notice] = ()) -> None:
        self._all: dict[str, Notice] = {}
        self.pending: dict[str, Notice] = {}
        """Those that are still to be sent, oldest first."""

        self.tried: set[str] = set()
        """Those whose latest attempt has no outcome yet."""

        self._by_message: dict[str, dict[str, None]] = {}
        """By the message that another notice led, those that were told in it."""

        self._pending_to: dict[Reader, dict[str, None]] = {}
        """By person those that are still to be sent, oldest first."""

        self._told_at: dict[tuple[Reader, bool, bool], datetime] = {}
        """By person when a message of a beginning, or of an end, left last, of devices or of services, as far
        as that is known."""

        self.reminding: set[str] = set()
        """Reminders that are still to be sent."""

        self._reminders: dict[Reader, dict[str, None]] = {}
        """By person all that are held, oldest first."""

        self._by_emergency: dict[str, dict[str, None]] = {}
        self._behind: dict[str, set[str]] = {}
        """By the name of a notice those that wait for it, or have waited, and are held for their own sake."""

        for notice in known:
            self.put(notice)

    def __getitem__(self, name: str) -> Notice:
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return f"Notices({[*self._all.values()]})"

    def of(self, emergency: str) -> list[Notice]:
        """Those that tell of an emergency, oldest first."""
        return [self._all[name] for name in self._by_emergency.get(emergency, ())]

    def pending_to(self, customer: str, contact: str) -> Iterable[str]:
        """The names of those that are still to be sent to a person, oldest first."""
        return self._pending_to.get((customer, contact), {}).keys()

    def told_like(self, notice: Notice) -> datetime | None:
        """When a message left last for its person that was like it: of a beginning or an end, of devices or
        services."""
        return self._told_at.get(_alike(notice))

    def reminders_to(self, customer: str, contact: str) -> list[Notice]:
        """The reminders to a person, oldest first."""
        return [self._all[name] for name in self._reminders.get((customer, contact), ())]

    def in_message(self, notice: Notice, number: int) -> list[Notice]:
        """Those that were told in the message of an attempt, the one that leads it first."""
        message = notice.attempts[number - 1].led_by or message_of(notice.id, number)
        leader = self._all.get(message.rpartition("#")[0])
        led = [self._all[name] for name in self._by_message.get(message, ())]
        return led if leader is None else [leader, *led]

    def chain(self, name: str) -> list[Notice]:
        """All that stand behind another, the one behind the other."""
        found = self.behind(name)
        for one in found:  # grows meanwhile
            found.extend(self.behind(one.id))
        return found

    def behind(self, name: str) -> list[Notice]:
        """Those that are not sent before another is settled."""
        return [self._all[waiting] for waiting in sorted(self._behind.get(name, ()))]

    def put(self, notice: Notice) -> None:
        """Take one that is new, or no longer as it was. Of what it tells, and after which, never changes."""
        name = notice.id
        self._all[name] = notice
        for emergency in notice.emergencies:
            self._by_emergency.setdefault(emergency, {})[name] = None
        for attempt in notice.attempts:
            if attempt.led_by:
                self._by_message.setdefault(attempt.led_by, {})[name] = None
        if notice.kind in ("emergency", *END) and notice.attempts:
            of, began = _alike(notice), notice.attempts[-1].began_at
            self._told_at[of] = max(self._told_at.get(of, began), began)
        if notice.after is not None:
            self._behind.setdefault(notice.after, set()).add(name)
        if notice.state is NoticeState.PENDING:
            self.pending[name] = notice
            self._pending_to.setdefault((notice.customer, notice.contact), {})[name] = None
        else:
            self.pending.pop(name, None)
            _take_out(self._pending_to, (notice.customer, notice.contact), name)
        if notice.kind == REMINDER:
            self._reminders.setdefault((notice.customer, notice.contact), {})[name] = None
            (self.reminding.add if name in self.pending else self.reminding.discard)(name)
        if notice.has_open_attempt:
            self.tried.add(name)
        else:
            self.tried.discard(name)

    def forget(self, names: Iterable[str], is_open: Collection[str]) -> set[str]:
        """Drop those of these that are over, and whom they waited for; the store keeps them. Who that was."""
        dropped: set[str] = set()
        for name in names:
            notice = self._all.get(name)
            if notice is None or self._is_wanted(notice, is_open):
                continue
            if notice.after is not None and notice.after in self._behind:
                self._behind[notice.after].discard(name)
                if not self._behind[notice.after]:
                    del self._behind[notice.after]
                    dropped |= self.forget((notice.after,), is_open)
            if name not in self._behind:
                self._drop(notice)
                dropped.add(name)
        return dropped

    def _is_wanted(self, notice: Notice, is_open: Collection[str]) -> bool:
        has_work = notice.id in self.pending or notice.id in self.tried
        if has_work or any(one in is_open for one in notice.emergencies):
            return True
        return self._is_behind_pending(notice)

    def _is_behind_pending(self, notice: Notice) -> bool:
        """Whether one that it is told after may be sent again: then this is told with it."""
        before = None if notice.after is None else self._all.get(notice.after)
        while before is not None:
            if before.id in self.pending:
                return True
            before = None if before.after is None else self._all.get(before.after)
        return False

    def _drop(self, notice: Notice) -> None:
        del self._all[notice.id]
        _take_out(self._reminders, (notice.customer, notice.contact), notice.id)
        for attempt in notice.attempts:
            _take_out(self._by_message, attempt.led_by, notice.id)
        for emergency in notice.emergencies:
            _take_out(self._by_emergency, emergency, notice.id)


def _alike(notice: Notice) -> tuple[Reader, bool, bool]:
    is_of_service = bool(notice.stories) and bool(notice.stories[0].service)
    return (notice.customer, notice.contact), notice.kind in END, is_of_service


def _take_out(index: dict[K, dict[str, None]], key: K, name: str) -> None:
    named = index.get(key)
    if named is not None:
        named.pop(name, None)
        if not named:
            del index[key]
