"""A message that is sent to prove that mail moves: how it is known again, and how its return is waited for.

```
token = check-decade-chance     which check sent it, in which ten minutes, and a number nobody can guess
```
Each run finds its own message by the whole token, and removes it. It also removes what earlier runs of the
same check left behind, but nothing younger than ten minutes: another run of the check may wait for that.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, NamedTuple

from pydantic import Field, model_validator

from hostwatch.checks import _imap, _mail, base
from hostwatch.configuration.mail_address import MailAddress
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section

HEADER: Final = "X-Hostwatch-Delivery"

DECADE_US: Final = 600_000_000
"""Ten minutes: longer than any run."""

PAUSE_FIRST_S: Final = 0.25
PAUSE_MAX_S: Final = 5.0
"""Between two looks into the mailbox: each is twice the one before, up to this."""


class Mailbox(_imap.Server):
    """Where a message arrives, and is looked for by IMAP."""

    login: _mail.Login | None = Field(default=None, validate_default=True)
    """Who may read and delete there. It must be written."""

    folder: _imap.FolderName = "INBOX"
    """The mailbox. Only messages of this check are deleted in it."""

    @model_validator(mode="after")
    def _somebody_logs_in(self) -> Mailbox:
        if self.login is None:
            raise Wrong("does not say who logs in", "add login: {user: …, password: …}")
        return self


class Delivery(Section):
    """A message that is sent, and must arrive."""

    sender: MailAddress = Field(alias="from")
    """Who sends it."""

    to: MailAddress
    """Who gets it: best an address for nothing but this."""

    mailbox: Mailbox
    """Where it arrives. Its host is that of the check if it names none."""


class Token(NamedTuple):
    """By what a message of ours is known."""

    check: str
    decade: int
    chance: str

    def __str__(self) -> str:
        return f"{self.check}-{self.decade}-{self.chance}"

    @property
    def leftovers(self) -> bytes:
        """The criteria of IMAP for what earlier runs of the same check left behind."""
        young = " ".join(
            f'NOT HEADER {HEADER} "{self.check}-{decade}-"' for decade in (self.decade - 1, self.decade)
        )
        return f'HEADER {HEADER} "{self.check}-" {young} UNDELETED'.encode()

    @property
    def itself(self) -> bytes:
        """The criteria for the message of this run: either header may have been lost on its way."""
        return f'OR HEADER {HEADER} "{self}" HEADER Message-ID "{self}@"'.encode()


def new_token(what: str, now_us: int) -> Token:
    """A fresh one for a message that is sent now by the check that `what` tells apart from all others."""
    check = hashlib.sha256(what.encode()).hexdigest()[:16]
    return Token(check, now_us // DECADE_US, secrets.token_hex(16))


def written(delivery: Delivery, token: Token, now_us: int) -> bytes:
    """The message as SMTP takes it: ASCII, short lines."""
    domain = delivery.sender.rpartition("@")[2]
    lines = [
        f"From: <{delivery.sender}>",
        f"To: <{delivery.to}>",
        f"Subject: Does mail move? {token.chance}",
        f"Date: {format_datetime(datetime.fromtimestamp(now_us // 1_000_000, UTC))}",
        f"Message-ID: <{token}@{domain}>",
        f"{HEADER}: {token}",
        "Auto-Submitted: auto-generated",
        "",
        "This message shows that mail moves. Whoever sent it deletes it when it has arrived.",
        "",
    ]
    return "\r\n".join(lines).encode("ascii")


@contextmanager
def of_the_mailbox() -> Iterator[None]:
    """What is wrong here is wrong with the mailbox, not with the server that the message was given to."""
    try:
        yield
    except base.Missed as missed:
        expected, came = missed.said
        raise base.Missed(
            "the mailbox: {why}", why=missed, expected=expected, came=came, step=missed.step
        ) from missed


class Return:
    """The other end of a delivery: the mailbox, watched."""

    def __init__(self, visit: base.Visit, token: Token, session: _imap.Session, folder: _imap.Folder) -> None:
        self._visit = visit
        self._token = token
        self._session = session
        self._folder = folder

    async def tidy(self) -> None:
        """Remove what earlier runs left behind: the youngest of it first, so that many runs remove all."""
        if not self._folder.exists:
            return
        first = max(1, self._folder.exists - _imap.FOUND_MAX + 1)
        window = b"%d:%d " % (first, self._folder.exists)
        with of_the_mailbox():
            left = await self._session.find(window + self._token.leftovers)
            if left:
                self._visit.note(f"messages of earlier runs were still there: {len(left)}")
                await self._session.remove(left)

    async def arrived(self) -> None:
        """Wait until the message is there, and remove it. Only the time of the check ends the waiting."""
        new = b"UID %d:* " % self._folder.uid_next if self._folder.uid_next else b""
        pause_s = PAUSE_FIRST_S
        with of_the_mailbox():
            while not (found := await self._session.find(new + self._token.itself)):
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
                await self._session.look_again()
            self._visit.known = None
            if len(found) > 1:
                self._visit.note(f"the message arrived {len(found)} times")
            await _mail.goodbye(self._visit, self._leave(found))

    async def _leave(self, uids: tuple[int, ...]) -> None:
        await self._remove(uids)
        await self._session.log_out()

    async def _remove(self, uids: tuple[int, ...]) -> None:
        """Who may not delete can still see that mail moves."""
        try:
            await self._session.remove(uids)
        except base.Missed as missed:
            self._visit.note(f"messages of ours cannot be deleted: {missed.why}")


async def watched(visit: base.Visit, mailbox: Mailbox, token: Token) -> Return:
    """Open the mailbox before the message is sent. Raises `Missed` or `Fault`."""
    with of_the_mailbox():
        session = await _imap.opened(visit, mailbox)
        with visit.at(base.Step.ANSWER):
            await session.ask_offered()
            folder = await session.select(mailbox.folder, read_only=False)
    return Return(visit, token, session, folder)


base.chinese(
    """
    the mailbox: {why}
        邮箱：{why}
    """
)
