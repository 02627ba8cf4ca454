"""A notice as a mail: its headers and its parts, ASCII only, so that every relay takes it unchanged."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final

from hostwatch.channels import base
from hostwatch.configuration.returns import token_of

SUBJECT_MAX_CHARS: Final = 200

_TOKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def written(
    message: base.Message,
    *,
    sender: str,
    to: str,
    now: datetime,
    html: bool = True,
    returns_by: str = "",
) -> bytes:
    """The message as it goes over the wire. `sender` and `to` are bare addresses.

    Without `html` it is the text alone. `returns_by` is what this try is known by when it is given back: a
    report gives our headers back.
    """
    mail = _headed(message, sender=sender, to=to, subject=message.subject, now=now, returns_by=returns_by)
    _fill(mail, message, html=html and message.html != "")
    language = str(message.payload.get("language", ""))
    if _LANGUAGE.fullmatch(language):
        mail["Content-Language"] = language  # Last, since the content takes it away.
    return mail.as_bytes()


def carrying(
    message: base.Message,
    pdf: bytes,
    *,
    sender: str,
    to: str,
    now: datetime,
    subject: str,
    text: str,
    returns_by: str = "",
) -> bytes:
    """A mail that carries the message as a page: it is read by a machine, with fixed words beside it."""
    mail = _headed(message, sender=sender, to=to, subject=subject, now=now, returns_by=returns_by)
    name = f"{token(message.key)}.pdf"
    if text:
        mail.set_content(text, charset="utf-8")
        mail.add_attachment(pdf, maintype="application", subtype="pdf", filename=name)
        mail.set_boundary(hashlib.sha256(message.key.encode() + pdf).hexdigest()[:40])
    else:
        mail.set_content(pdf, maintype="application", subtype="pdf", filename=name, disposition="attachment")
    return mail.as_bytes()


def _headed(
    message: base.Message, *, sender: str, to: str, subject: str, now: datetime, returns_by: str
) -> EmailMessage:
    """A mail without its content."""
    mail = EmailMessage(policy=SMTP_POLICY.clone(cte_type="7bit"))
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = base.printable(subject)[:SUBJECT_MAX_CHARS]
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id(message.key, sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Hostwatch-Notice"] = token(message.key)
    if returns_by:
        mail["X-Hostwatch-Try"] = returns_by
    if message.repeat:
        mail["X-Hostwatch-Repeat"] = "yes"
    return mail


def message_id(key: str, sender: str) -> str:
    """The same in every try of a notice."""
    return f"<{token(key)}@{sender.rpartition('@')[2]}>"


def token(key: str) -> str:
    """The key as it may stand in a header: itself when it is plain, else a hash of it."""
    return key if _TOKEN.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()[:40]


def try_token(message: base.Message, key: bytes, to: str, now: datetime) -> str:
    """What one try is known by: under our own key, so nobody can name a mail that he has not seen."""
    return token_of(key, f"{message.key}\0{to}\0{now.isoformat()}".encode())


def _fill(mail: EmailMessage, message: base.Message, *, html: bool) -> None:
    """Put in the words of a notice: the text, and after it the same as HTML (RFC 2046)."""
    mail.set_content(message.text, charset="utf-8")
    if html:
        mail.add_alternative(message.html, subtype="html", charset="utf-8")
        mail.set_boundary(hashlib.sha256(f"{message.key}{message.text}".encode()).hexdigest()[:40])
