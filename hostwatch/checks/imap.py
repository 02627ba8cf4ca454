"""Mail can be read by IMAP (port 143, or 993 with TLS): the server greets, offers, lets in who may."""

from __future__ import annotations

from hostwatch.checks import _imap, _mail, base
from hostwatch.configuration.fields import Text

EXAMPLE = """
imap:
  host: imap.acme.example
  implicit_tls: true
  capabilities: [IDLE]
  login: {user: probe@acme.example, password: {credential: acme-probe}}
  authorisation: letter of 2026-03-01
"""


class Settings(base.Settings, _imap.Server):
    """Where the server is, what it must say, and what is looked at there."""

    shorthand = "port"

    greeting: Text | None = None
    """A text that the greeting must hold."""

    capabilities: _mail.Words = ()
    """What the server must offer, once the line is protected."""

    folder: _imap.FolderName = "INBOX"
    """The mailbox that is opened after a login, without changing anything in it."""

    @property
    def intrudes(self) -> str:
        """A login is an operation on the customer's system."""
        return "logs in" if self.login else ""


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Be greeted, begin TLS, log in and look at a mailbox, as far as that is set; say goodbye."""
    session = await _imap.opened(visit, settings, settings.greeting)
    with visit.at(base.Step.ANSWER):
        _mail.check_offered(settings.capabilities, session.offered)
        if settings.login is not None:
            await session.select(settings.folder, read_only=True)
        await session.log_out()
