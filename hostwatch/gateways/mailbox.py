"""The mailbox that relays report to: what became of our mails after a relay had taken them.

It is asked again and again, by IMAP or as a Maildir. What a mail says goes to the watch; only when that is on
record there is the mail put away. Until then it is said again in every round, so a kill at any moment loses
nothing. Mail that says nothing of ours is left where it is.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hostwatch.checks import _imap
from hostwatch.checks.base import Fault, Step, Visit
from hostwatch.configuration.returns import Imap, Returns
from hostwatch.gateways import _report, base
from hostwatch.gateways._report import MAIL_BYTES_MAX, Report, Said

MAILS_MAX: Final = 40
"""Mails that are read in one round; where there are more the next round comes at once."""

WAITING_MAX: Final = 100
"""Mails whose words wait to be on record; while there are so many no others are read."""

WAIT_S: Final = 15 * 60.0
"""How long one waits: longer than any attempt takes. Of what nobody knows by then no mail is ours."""

SOON_S: Final = 1.0

AGE_MAX_S: Final = 7 * 86_400
"""Of a Maildir older mail is not read: relays give up within five days."""

FILES_MAX: Final = 20_000
"""Mails of a Maildir that are not older, and known as read."""

_FETCHED = re.compile(rb"BODY\[\](?:<0>)? \{([0-9]{1,10})\}", re.IGNORECASE)


class Settings(Returns):
    """A mailbox, and whose it is."""

    of: str
    """The kind of channel whose messages come back there."""

    @property
    def address(self) -> str:
        """Where it is; empty of a folder on this machine."""
        return "" if self.imap is None else str(self.imap.address)


@dataclass(slots=True, eq=False)
class Memory:
    """What this process knows of one mailbox."""

    waiting: dict[str, tuple[Report, float]] = field(default_factory=dict)
    """What mails say that nobody has on record yet, and since when."""

    taken: set[str] = field(default_factory=set)
    """Mails whose words are on record, and that are not put away yet."""

    strange: set[str] = field(default_factory=set)
    """Mails that name none of ours, as the watch says: they are to be left alone."""

    known: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Of a Maildir, which nobody changes: mails that need not be read again."""

    more: bool = False

    def overdue(self, now_s: float) -> list[str]:
        """Mails that are about none of ours, or of which nobody knows what they are about."""
        return [
            name
            for name, (_, since_s) in self.waiting.items()
            if name in self.strange or since_s + WAIT_S < now_s
        ]

    def forget(self, names: Iterable[str]) -> None:
        """They are put away, or left alone."""
        for name in names:
            self.waiting.pop(name, None)
            self.taken.discard(name)
            self.strange.discard(name)

    def pass_over(self, names: Iterable[str]) -> None:
        """The same, where mail cannot be put away."""
        names = [*names]
        self.forget(names)
        self.known.update(dict.fromkeys(names))
        while len(self.known) > FILES_MAX:
            self.known.popitem(last=False)


_memories: dict[tuple[str, ...], Memory] = {}


def memory_of(settings: Settings) -> Memory:
    """What is known of a mailbox; of another one nothing is."""
    folder = settings.imap.folder if settings.imap is not None else ""
    return _memories.setdefault((settings.of, settings.address, folder, settings.maildir or ""), Memory())


async def listen(sources: Mapping[str, Settings], ear: base.Asked) -> None:
    """Have each mailbox read, again and again, until it is cancelled."""
    await asyncio.gather(*(_keep_asking(name, settings, ear) for name, settings in sources.items()))


async def _keep_asking(name: str, settings: Settings, ear: base.Asked) -> None:
    while True:
        ear.ask(name)
        every_s = settings.every.total_seconds()
        await asyncio.sleep(min(SOON_S, every_s) if memory_of(settings).more else every_s)


def took(settings: Settings, names: Collection[str], *, is_ours: bool = True) -> None:
    """What these mails say is on record now, or about none of ours."""
    memory = memory_of(settings)
    found = memory.taken if is_ours else memory.strange
    found.update(name for name in names if name in memory.waiting)
    memory.more = memory.more or (not is_ours and len(memory.waiting) >= WAITING_MAX)


async def read(settings: Settings, visit: Visit) -> str:
    """One round; what it brought, as JSON. Raises `Missed` or `Fault`."""
    memory, counts = memory_of(settings), Counter[str]()
    if settings.imap is not None:
        await _by_imap(settings.imap, visit, memory, counts)
    else:
        await asyncio.to_thread(_by_folder, Path(settings.maildir or ""), memory, counts)
    words = [
        (name, f"{settings.of}/{report.token}", report.said.value, report.words)
        for name, (report, _) in memory.waiting.items()
    ]
    return json.dumps({"words": words, "counts": counts}, ensure_ascii=False)


def _heard(name: str, data: bytes, memory: Memory, counts: Counter[str]) -> bool:
    """Take in what a mail says; False if that is nothing about any mail of ours."""
    report = _report.read(data)
    if report.said is Said.NOTHING or not report.token:
        counts["nothing" if report.token else "unmatched"] += 1
        return False
    counts[report.said] += 1
    memory.waiting[name] = report, time.monotonic()
    return True


async def _by_imap(imap: Imap, visit: Visit, memory: Memory, counts: Counter[str]) -> None:
    session = await _imap.opened(visit, imap)
    with visit.at(Step.CONTENT):
        await session.ask_offered()
        await session.select(imap.folder, read_only=False)
        await _put_away(session, imap, sorted(memory.taken))
        memory.forget([*memory.taken])
        overdue = memory.overdue(time.monotonic())
        counts["unmatched"] += len(overdue)
        unread = await session.find(b"UNSEEN UNFLAGGED UNDELETED")
        memory.forget([*overdue, *(name for name in memory.waiting if int(name) not in unread)])
        fresh = [uid for uid in unread if str(uid) not in {*memory.waiting, *overdue}]
        now = fresh[: min(MAILS_MAX, WAITING_MAX - len(memory.waiting))]
        memory.more = bool(now) and len(fresh) > len(now)
        found = {uid: _heard(str(uid), await _fetched(session, uid), memory, counts) for uid in now}
        left = [*map(int, overdue), *(uid for uid, is_ours in found.items() if not is_ours)]
        await _mark(session, left, b"\\Flagged")
        await session.log_out()


async def _fetched(session: _imap.Session, uid: int) -> bytes:
    """The beginning of a mail, without marking it as read."""
    said = await session.must("the message", b"UID FETCH %d (BODY.PEEK[]<0.%d>)" % (uid, MAIL_BYTES_MAX))
    for line in said.before:
        if (found := _FETCHED.search(line)) is not None:
            return line[found.end() :][: int(found[1])]
    return b""  # somebody else has removed it


async def _put_away(session: _imap.Session, imap: Imap, names: Collection[str]) -> None:
    uids = tuple(sorted(map(int, names)))
    if not uids:
        return
    if imap.handled == "deleted":
        await session.remove(uids)
    elif imap.handled == "moved":
        some = ",".join(map(str, uids)).encode()
        if "MOVE" in session.offered:
            await session.must("moving", b"UID MOVE %s %s" % (some, _imap.quoted(imap.moved_to)))
        else:
            await session.must("moving", b"UID COPY %s %s" % (some, _imap.quoted(imap.moved_to)))
            await session.remove(uids)
    else:
        await _mark(session, uids, b"\\Seen")


async def _mark(session: _imap.Session, uids: Collection[int], flag: bytes) -> None:
    if uids:
        some = ",".join(map(str, sorted(uids))).encode()
        await session.must("marking", b"UID STORE %s +FLAGS.SILENT (%s)" % (some, flag))


def _by_folder(folder: Path, memory: Memory, counts: Counter[str]) -> None:
    memory.pass_over([*memory.taken])
    overdue = memory.overdue(time.monotonic())
    counts["unmatched"] += len(overdue)
    memory.pass_over(overdue)
    found = _mails_in(folder, lambda name: name not in memory.known and name not in memory.waiting)
    now = found[: min(MAILS_MAX, WAITING_MAX - len(memory.waiting))]
    memory.more = bool(now) and len(found) > len(now)
    for name, path in now:
        if not _heard(name, _beginning_of(path), memory, counts):
            memory.pass_over([name])


def _mails_in(folder: Path, is_wanted: Callable[[str], bool]) -> list[tuple[str, Path]]:
    """The names and files of the mails in a Maildir, the oldest first. Raises `Fault`."""
    oldest_s = time.time() - AGE_MAX_S
    dated: list[tuple[float, str, Path]] = []
    try:
        if not (folder / "new").is_dir():
            raise Fault(f"{folder} is no Maildir")
        for part in ("new", "cur"):
            if not (folder / part).is_dir():
                continue
            with os.scandir(folder / part) as entries:
                for entry in entries:
                    name = entry.name.partition(":")[0]
                    if entry.is_file(follow_symlinks=False) and is_wanted(name):
                        changed_s = entry.stat(follow_symlinks=False).st_mtime
                        if changed_s >= oldest_s:
                            dated.append((changed_s, name, Path(entry.path)))
                    if len(dated) >= FILES_MAX:
                        break
    except OSError as error:
        raise Fault(f"{folder} cannot be read: {error.strerror}") from None
    return [(name, path) for _, name, path in sorted(dated)]


def _beginning_of(path: Path) -> bytes:
    """The beginning of a mail; nothing of what is no file, or has been moved meanwhile. Raises `Fault`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Fault(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAIL_BYTES_MAX) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
