"""The notices that the world holds, found by what is asked of them: what it costs does not grow with a storm.

A notice is held while it is pending or an attempt has no outcome, while it belongs to an open emergency, and
while one of those that are held so waits for it. `World.apply` alone changes them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from hostwatch.core.emergency import Notice, NoticeState


class Notices(Mapping[str, Notice]):
    """Notices by name, oldest first."""

    def __init__(self, known: Iterable[Notice] = ()) -> None:
        self._all: dict[str, Notice] = {}
        self.pending: dict[str, Notice] = {}
        """Those that are still to be sent, oldest first."""

        self.tried: set[str] = set()
        """Those whose latest attempt has no outcome yet."""

        self._by_receipt: dict[str, str] = {}
        """By what the other side calls a message the notice that it is about."""

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

    def by_receipt(self, receipt: str) -> Notice | None:
        """The one of which the other side calls a message so."""
        name = self._by_receipt.get(receipt)
        return None if name is None else self._all[name]

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
            if attempt.receipt:
                self._by_receipt[attempt.receipt] = name
        if notice.after is not None:
            self._behind.setdefault(notice.after, set()).add(name)
        if notice.state is NoticeState.PENDING:
            self.pending[name] = notice
        else:
            self.pending.pop(name, None)
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
        return has_work or any(one in is_open for one in notice.emergencies)

    def _drop(self, notice: Notice) -> None:
        del self._all[notice.id]
        for attempt in notice.attempts:
            if self._by_receipt.get(attempt.receipt) == notice.id:
                del self._by_receipt[attempt.receipt]
        for emergency in notice.emergencies:
            named = self._by_emergency.get(emergency)
            if named is not None:
                named.pop(notice.id, None)
                if not named:
                    del self._by_emergency[emergency]
