"""Fax: a notice as a page, by a HylaFAX server, or by a gateway that takes it as a mail.

The page is drawn by a program of its own (`_typesetter`). That a server queued it, or a relay took the mail,
proves that it was *accepted*. Of a server it is asked later what became of it (`gateways.hylafax`); of a mail
nobody says that the machine at the other end has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field, field_validator, model_validator

from hostwatch import hylafax
from hostwatch.channels import _mail_message, _phone, _smtp, _typesetter, base
from hostwatch.channels._gateway import Country, Limit
from hostwatch.configuration.callback import Callback
from hostwatch.configuration.faxserver import FaxServer, Numbers, written
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

    numbers: Numbers = "digits"
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
        return self.to.replace(PLACEHOLDER, written(number, self.numbers))


class Gateway(Section):
    """By what faxes are sent."""

    callbacks: ClassVar[tuple[Callback, ...]] = ()

    country: Country
    """The country that numbers and pages go to, by its two letters (ISO 3166)."""

    hylafax: FaxServer | None = None
    """A HylaFAX server."""

    mail: ByMail | None = None
    """A gateway that takes mails, by the relay of the site."""

    sender: _phone.Number | None = None
    """The number that a page names beside the site; absent: none."""

    limit: Limit = Limit(messages=10)
    """How many pages it takes in a time."""

    at_once: Annotated[int, Field(ge=1, le=8, strict=True)] = _typesetter.AT_ONCE
    """How many may be drawn and handed over at one time."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Gateway:
        if (self.hylafax is None) is (self.mail is None):
            raise Wrong("needs one way", "write either hylafax: {address: …} or mail: {to: …}")
        return self


class Settings(_phone.Entry):
    """One fax machine of a contact."""

    def wrong_among(self, kind: str, sites: Mapping[str, object]) -> Wrong | None:
        """Its gateway is missing, or what that needs is; or no page can be drawn here."""
        if (wrong := super().wrong_among(kind, sites)) is not None:
            return wrong
        what, hint = _typesetter.lacks()
        if what:
            return Wrong(what, hint)
        gateway = _chosen(sites.get(kind), self.gateway)
        needs_relay = gateway is not None and gateway.mail is not None
        return Wrong(*NO_RELAY) if needs_relay and not isinstance(sites.get("email"), _smtp.Site) else None

    def path_with(self, kind: str, site: object) -> str:
        """Its pages are mailed: what becomes of the relay becomes of them."""
        return "email"

    def proves_with(self, site: object) -> Proof:
        """What its gateway says at best."""
        gateway = _chosen(site, self.gateway)
        return self.proves if gateway is None or gateway.hylafax is None else Proof.DELIVERED


class Site(base.SiteEntry):
    """The site's gateways for faxes."""

    gateways: Mapping[Id, Gateway] = Field(min_length=1, max_length=10)
    """By their names; the first serves who names none."""


def _chosen(site: object, name: str | None) -> Gateway | None:
    """The gateway of an entry: the one that it names, or the first."""
    gateways = site.gateways if isinstance(site, Site) else {}
    return gateways.get(name or next(iter(gateways), ""))


def build(settings: Settings, surroundings: base.Surroundings) -> Fax:
    """The channel. Raises `Unusable` without its gateway."""
    site = surroundings.site.get("fax")
    gateways = site.gateways if isinstance(site, Site) else {}
    found = settings.gateway or next(iter(gateways), "")
    if found not in gateways:
        raise base.Unusable("there is no such gateway for fax", "write one under channels: fax: gateways:")
    if gateways[found].mail is not None and not isinstance(surroundings.site.get("email"), _smtp.Site):
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
        if self._gateway.hylafax is not None:
            return await self._by_server(self._gateway.hylafax, message, pdf)
        assert self._gateway.mail is not None
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

    async def _by_server(self, server: FaxServer, message: base.Message, pdf: bytes) -> base.Receipt:
        """Have a server send it. It knows the page by a token of ours, also where its answer was lost."""
        now, key = self._surroundings.now(), self._surroundings.webhook_key
        token = _mail_message.try_token(message, key, self._number, now)
        receipt, talk = f"{self.lane}/{token}", hylafax.Talk()
        password = "" if server.password is None else server.password.reveal()
        try:
            async with asyncio.timeout(server.timeout.total_seconds()):
                await talk.log_in(str(server.address), server.port, server.user, password)
                document = await talk.store(pdf)
                answer = await talk.submit([*self._parameters(server, token, document)])
            await talk.leave()
            return base.Receipt(_said(answer, password), receipt=receipt)
        except hylafax.Denied as denied:
            if talk.is_in and denied.code // 100 == 5:
                raise base.Refused(_said(denied, password)) from denied
            raise base.Failed(_said(denied, password)) from denied
        except (TimeoutError, OSError, hylafax.Broken) as error:
            why = str(error) or type(error).__name__
            why = f"timed out while {talk.doing}" if isinstance(error, TimeoutError) else why
            over = talk.handed_over
            raise base.Failed(
                _said(why, password), perhaps_arrived=over, receipt=receipt if over else ""
            ) from error
        finally:
            talk.close()

    def _parameters(self, server: FaxServer, token: str, document: str) -> Iterator[tuple[str, str]]:
        """What a server is told of a page."""
        number = server.prefix + written(self._number, server.numbers)
        minutes = max(int(server.kill_after.total_seconds() // 60), 1)
        yield "FROMUSER", hylafax.quoted("hostwatch")
        yield "JOBINFO", hylafax.quoted(f"{hylafax.TAG}{token}")
        yield "EXTERNAL", hylafax.quoted(self._number)
        yield "DIALSTRING", hylafax.quoted(number)
        yield "NOTIFY", hylafax.quoted("none")
        yield "LASTTIME", f"{minutes // 1440:02}{minutes // 60 % 24:02}{minutes % 60:02}"
        yield "MAXTRIES", str(server.tries)
        yield "MAXDIALS", str(server.dials)
        yield "VRES", "196" if server.resolution == "fine" else "98"
        yield "PAGEWIDTH", "209"
        yield "PAGELENGTH", "296"
        yield "PAGECHOP", hylafax.quoted("none")
        if self._gateway.sender is not None:
            yield "TSI", hylafax.quoted(self._gateway.sender)
        yield "DOCUMENT", hylafax.quoted(document)


def _said(what: object, password: str) -> str:
    """A server's words, without our password if it repeats that."""
    said = str(what)
    return base.printable(said.replace(password, "***") if password else said)
