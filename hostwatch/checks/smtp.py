"""Mail is accepted by SMTP (port 25, or 465 with TLS), and moves, if that is set: a message arrives.

With a `delivery` each run sends a message, and waits until it can be seen in a mailbox by IMAP. Then it
deletes it there, and whatever earlier runs of the same check left behind. The mailbox is opened before that:
what cannot be seen to arrive is not sent.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import model_validator

from hostwatch.checks import _delivery, _mail, _smtp, base
from hostwatch.configuration.duration import Duration, between, shown
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mail_address import Domain
from hostwatch.configuration.mistake import Wrong

EXAMPLE = """
smtp:
  host: mail.acme.example
  port: 587
  starttls: required
  login: {user: probe@acme.example, password: {credential: acme-probe}}
  delivery:
    from: probe@acme.example
    to: probe@acme.example
    mailbox:
      implicit_tls: true
      login: {user: probe@acme.example, password: {credential: acme-probe}}
  authorisation: letter of 2026-03-01
"""

WITHOUT_DELIVERY: Final = timedelta(minutes=1)
"""The longest time of a check that sends nothing."""


class Settings(base.Settings, _mail.Server):
    """Where the server is, what it must say, and what is sent through it."""

    shorthand = "port"
    ports = (25, 465)

    timeout: Annotated[Duration, between("100ms", "5m")] = base.TIMEOUT_DEFAULT
    """How long the whole check may take, whatever the other side does: at most 1 min; with a delivery at most
    5 min, and 1 min if absent."""

    hello: Domain | None = None
    """The name that we say we have; if absent our address, in brackets."""

    greeting: Text | None = None
    """A text that the greeting must hold."""

    extensions: _mail.Words = ()
    """What the server must offer, once the line is protected."""

    delivery: _delivery.Delivery | None = None
    """A message that is sent with each run, and must arrive within the time of the check; none if absent."""

    @property
    def intrudes(self) -> str:
        """A login and a message are operations on the customer's system."""
        return "delivers mail" if self.delivery else "logs in" if self.login else ""

    @model_validator(mode="before")
    @classmethod
    def _gives_a_delivery_time(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("delivery") is not None:
            return {"timeout": WITHOUT_DELIVERY, **value}
        return value

    @model_validator(mode="after")
    def _needs_so_long(self) -> Settings:
        if self.delivery is None and self.timeout > WITHOUT_DELIVERY:
            raise Wrong("timeout is too long for a check that delivers nothing", "write at most 1m")
        return self


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Be greeted, begin TLS, log in and have a message delivered, as far as that is set; say goodbye."""
    session = _smtp.Session(visit, settings, await _mail.connect(visit, settings), settings.hello)
    await session.greet(settings.greeting)
    await session.protect()
    if settings.login is not None:
        await session.log_in(settings.login)
    with visit.at(base.Step.ANSWER):
        _mail.check_offered(settings.extensions, session.offered)
    if settings.delivery is not None:
        await _deliver(settings, settings.delivery, session, visit)
    else:
        await session.leave()


async def _deliver(
    settings: Settings, delivery: _delivery.Delivery, session: _smtp.Session, visit: base.Visit
) -> None:
    """The mailbox is opened first: what cannot be seen to arrive is not sent."""
    now_us = visit.surroundings.now_us()
    what = f"{visit.address} {settings.host} {settings.port_used} {delivery.sender} {delivery.to}"
    token = _delivery.new_token(what, now_us)
    mailbox = delivery.mailbox
    if mailbox.host is None:
        mailbox = mailbox.model_copy(update={"host": settings.host})
    sent_to = visit.connected
    watched = await _delivery.watched(visit, mailbox, token)
    visit.connected = sent_to
    with visit.at(base.Step.ANSWER):
        await watched.tidy()
        message = _delivery.written(delivery, token, now_us)
        accepted = await session.hand_over(delivery.sender, delivery.to, message)
        await session.leave(last=False)
    visit.note(f"the server accepted the message: {accepted.shown.decode('utf-8', 'replace')}")
    with visit.at(base.Step.CONTENT):
        visit.known = base.Missed(
            "the message was accepted, and did not arrive within {within}",
            within=shown(settings.timeout),
            expected=f"a message for {delivery.to} in {mailbox.folder}",
            came=accepted.shown,
        )
        await watched.arrived()


base.chinese(
    """
    the message was accepted, and did not arrive within {within}
        测试邮件已被接收，但{within}内未送达邮箱
    """
)
