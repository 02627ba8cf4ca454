"""Fax: a notice as a page, by a gateway that takes it as a mail.

The page is drawn by a program of its own (`_typesetter`). That a relay took the mail proves that it was
*accepted*: nobody has said that the machine at the other end has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, field_validator, model_validator

from hostwatch.channels import _mail_message, _phone, _smtp, _typesetter, base
from hostwatch.channels._gateway import Country, Limit
from hostwatch.configuration.callback import Callback
from hostwatch.configuration.fields import Id, Text
from hostwatch.configuration.mail_address import check_address
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section
from hostwatch.core.budget import Budget
from hostwatch.core.proof import Proof

PLACEHOLDER: Final = "{number}"
NO_RELAY: Final = ("faxes by mail need a mail relay", 'add `mail: {smtp: "smtp://…", from: …}` at the top')


class ByMail(Section):
    """A gateway that sends as a fax what is mailed to it."""

    to: str
    """Its address, with {number} where the number stands: "{number}@fax.example"."""

    numbers: Literal["digits", "plus", "00"] = "digits"
    """How a number is written there: 8628…, +8628… or 008628…."""

    subject: Text | None = None
    """The subject of each mail; absent: the first line of the notice."""

    secret_subject: Secret | None = None
    """The same where it must not be seen, such as a PIN."""

    text: Text | None = None
    """What stands beside the page; absent: nothing, since many gateways make a page of that too."""

    @field_validator("to")
    @classmethod
    def _check_to(cls, value: str) -> str:
        if value.count(PLACEHOLDER) != 1 or PLACEHOLDER not in value.rpartition("@")[0]:
            raise Wrong("has no one place for the number", 'write it as in "{number}@fax.example"')
        check_address(value.replace(PLACEHOLDER, "0" * 17))
        return value

    @model_validator(mode="after")
    def _is_one_subject(self) -> ByMail:
        if self.subject is not None and self.secret_subject is not None:
            raise Wrong("two subjects", "write either subject: or secret_subject:")
        return self

    def address(self, number: str) -> str:
        """Where a page for a number is mailed to."""
        digits = number.removeprefix("+")
        written = {"digits": digits, "plus": number, "00": f"00{digits}"}[self.numbers]
        return self.to.replace(PLACEHOLDER, written)


class Gateway(Section):
    """By what faxes are sent."""

    callbacks: ClassVar[tuple[Callback, ...]] = ()

    country: Country
    """The country that numbers and pages go to, by its two letters (ISO 3166)."""

    mail: ByMail
    """A gateway that takes mails, by the relay of the site."""

    sender: _phone.Number | None = None
    """The number that a page names beside the site; absent: none."""

    limit: Limit = Limit(messages=10)
    """How many pages it takes in a time."""

    at_once: Annotated[int, Field(ge=1, le=8, strict=True)] = _typesetter.AT_ONCE
    """How many may be drawn and handed over at one time."""


class Settings(_phone.Entry):
    """One fax machine of a contact."""

    def wrong_among(self, kind: str, sites: Mapping[str, object]) -> Wrong | None:
        """Its gateway is missing, or what that needs is; or no page can be drawn here."""
        if (wrong := super().wrong_among(kind, sites)) is not None:
            return wrong
        what, hint = _typesetter.lacks()
        if what:
            return Wrong(what, hint)
        return None if isinstance(sites.get("email"), _smtp.Site) else Wrong(*NO_RELAY)

    def path_with(self, kind: str, site: object) -> str:
        """Its pages are mailed: what becomes of the relay becomes of them."""
        return "email"

    def proves_with(self, site: object) -> Proof:
        """What its gateway says at best."""
        return self.proves


class Site(base.SiteEntry):
    """The site's gateways for faxes."""

    gateways: Mapping[Id, Gateway] = Field(min_length=1, max_length=10)
    """By their names; the first serves who names none."""


def build(settings: Settings, surroundings: base.Surroundings) -> Fax:
    """The channel. Raises `Unusable` without its gateway."""
    site = surroundings.site.get("fax")
    gateways = site.gateways if isinstance(site, Site) else {}
    found = settings.gateway or next(iter(gateways), "")
    if found not in gateways:
        raise base.Unusable("there is no such gateway for fax", "write one under channels: fax: gateways:")
    if not isinstance(surroundings.site.get("email"), _smtp.Site):
        raise base.Unusable(*NO_RELAY)
    return Fax(settings.number, found, gateways[found], surroundings)


class Fax(base.Channel):
    """One fax machine behind a gateway."""

    kind = "fax"

    def __init__(self, number: str, name: str, gateway: Gateway, surroundings: base.Surroundings) -> None:
        self._number = number
        self._gateway = gateway
        self._surroundings = surroundings
        self.at_once = gateway.at_once
        self.budget = Budget(messages=gateway.limit.messages, every=gateway.limit.every)
        self._lane = f"{self.kind}/{name}"

    @property
    def shown(self) -> str:
        return self._number

    @property
    def lane(self) -> str:
        return self._lane

    async def send(self, message: base.Message) -> base.Receipt:
        try:
            pdf = await _typesetter.drawn(self.page(message))
        except (_typesetter.Undrawn, OSError) as error:
            raise base.Failed(base.printable(error)) from error
        return await self._by_mail(self._gateway.mail, message, pdf)

    def page(self, message: base.Message) -> Mapping[str, object]:
        """What stands on the page."""
        now, sender = self._surroundings.now(), self._gateway.sender or ""
        return _typesetter.filled(message.page, number=self._number, sender=sender, at=now)

    async def _by_mail(self, way: ByMail, message: base.Message, pdf: bytes) -> base.Receipt:
        """Mail the page. A relay is not asked to report that it was delivered: no machine would have it."""
        site, now, to = self._surroundings.site["email"], self._surroundings.now(), way.address(self._number)
        token, sender = "", site.sender
        if site.returns is not None:
            token = _mail_message.try_token(message, self._surroundings.webhook_key, to, now)
            sender = site.returns.sender(site.sender, token)
        secret = way.secret_subject.reveal() if way.secret_subject is not None else ""
        data = _mail_message.carrying(
            message,
            pdf,
            sender=site.sender,
            to=to,
            now=now,
            subject=secret or way.subject or message.subject,
            text=way.text or "",
            returns_by=token,
        )
        return await _smtp.send(site, to, _smtp.Mail(data, sender, token, reports="FAILURE"))
