"""Email through the site's own mail relay, by asyncio SMTP.

What the relay's answers mean stands in `_smtp`. That it took a mail is *accepted*, and stays so.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from hostwatch.channels import _mail_message, _smtp, base
from hostwatch.channels._smtp import Site as Site
from hostwatch.configuration.mail_address import check_address
from hostwatch.core.proof import Proof


class Settings(base.Entry):
    """One mailbox of a contact."""

    shorthand: ClassVar[str] = "address"

    address: str = Field(description="The bare mailbox address, such as ops@acme.example.")

    _check = field_validator("address")(staticmethod(check_address))

    def proves_with(self, site: object) -> Proof:
        """What relays report of it at best, where that is read."""
        reported = isinstance(site, Site) and site.returns is not None and site.dsn
        return Proof.DELIVERED if reported else self.proves


def build(settings: Settings, surroundings: base.Surroundings, *, followed: bool = True) -> Email:
    """The channel; without a relay there is none. `followed`: whether what becomes of a mail matters."""
    site = surroundings.site.get("email")
    if not isinstance(site, Site):
        raise base.Unusable("there is no mail relay", 'add `mail: {smtp: "smtp://…", from: …}` at the top')
    return Email(settings, site if followed else site.model_copy(update={"returns": None}), surroundings)


class Email(base.Channel):
    """One mailbox behind the site's relay."""

    kind = "email"

    def __init__(self, settings: Settings, site: Site, surroundings: base.Surroundings) -> None:
        self._to = settings.address
        self._site = site
        self._now = surroundings.now
        self._key = surroundings.webhook_key
        _ = site.tls  # Unreadable certificates are a mistake of the configuration, not of a send.

    @property
    def shown(self) -> str:
        return self._to

    async def send(self, message: base.Message) -> base.Receipt:
        return await _smtp.send(self._site, self._to, self.written(message))

    def written(self, message: base.Message) -> _smtp.Mail:
        """The message as it goes over the wire, and its envelope."""
        site, now = self._site, self._now()
        token, sender = "", site.sender
        if site.returns is not None:
            token = _mail_message.try_token(message, self._key, self._to, now)
            sender = site.returns.sender(site.sender, token)
        data = _mail_message.written(
            message, sender=site.sender, to=self._to, now=now, html=site.html, returns_by=token
        )
        return _smtp.Mail(data, sender, token)
