"""Where what becomes of our mails comes back to, and how it is read there."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from hostwatch.checks import _imap
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import DeviceAddress
from hostwatch.configuration.mail_address import ADDRESS_MAX_CHARS, MailAddress
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section

TOKEN_CHARS: Final = 26
"""Characters of a token: letters and digits of base32. Half is its own, half its seal: 65 bits each."""

LOCAL_CHARS_MAX: Final = 64
"""Of the part of an address before the @ (RFC 5321)."""

PATH_CHARS_MAX: Final = 1_000


def token_of(key: bytes, about: bytes) -> str:
    """The token of what it is about, under our own key."""
    own = _written(key, b"mail " + about)
    return own + _written(key, b"seal " + own.encode("ascii"))


def is_token(key: bytes, token: str) -> bool:
    """Whether we made a token: nobody else can, and who shows one has had a mail of ours in hand."""
    own, seal = token[: TOKEN_CHARS // 2], token[TOKEN_CHARS // 2 :]
    made = _written(key, b"seal " + own.encode("utf-8", "replace"))
    return hmac.compare_digest(seal.encode("utf-8", "replace"), made.encode("ascii"))


def _written(key: bytes, about: bytes) -> str:
    digest = hmac.new(key, about, hashlib.sha256).digest()
    return base64.b32encode(digest).decode("ascii").lower()[: TOKEN_CHARS // 2]


class Imap(_imap.Server):
    """A mailbox that is read by IMAP."""

    address: DeviceAddress
    """The address of the server. Names are not looked up: the one of its certificate stands at tls.name."""

    folder: _imap.FolderName = "INBOX"
    """The mailbox there."""

    handled: Literal["seen", "moved", "deleted"] = "seen"
    """What becomes of a mail when what it says is on record."""

    moved_to: _imap.FolderName = "Handled"
    """Where to it is moved then."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Imap:
        if self.host is not None:
            raise Wrong("the server is named twice", "write its address alone, and its name at tls.name")
        if self.login is None:
            raise Wrong("nobody logs in", "write login: {user: …, password: {file: …}}")
        if self.handled == "moved" and self.moved_to == self.folder:
            raise Wrong("would be moved to where it is", "write another mailbox at moved_to")
        return self


class Returns(Section):
    """The mailbox that relays report to."""

    to: MailAddress | None = None
    """The address that it has, and the sender on each envelope; `mail.from` if absent."""

    separator: Literal["+", "-", "=", ""] = "+"
    """What stands between its name and the token of a mail: bounces+TOKEN@dc.example. Empty where such
    addresses do not arrive: then only what gives our headers, or the token of the envelope, back is known."""

    imap: Imap | None = None
    """The mailbox, if it is read by IMAP."""

    maildir: Annotated[str, Field(min_length=1, max_length=PATH_CHARS_MAX)] | None = None
    """The mailbox, if it is a folder on this machine. It is only read."""

    every: Annotated[Duration, between("100ms", "10m")] = timedelta(minutes=1)
    """How often it is read."""

    timeout: Annotated[Duration, between("100ms", "1m")] = timedelta(seconds=20)
    """For one reading."""

    @field_validator("to")
    @classmethod
    def _has_room(cls, value: str | None) -> str | None:
        if value is not None:
            check_room(value)
        return value

    @model_validator(mode="after")
    def _is_one_mailbox(self) -> Returns:
        if (self.imap is None) is (self.maildir is None):
            raise Wrong("needs one mailbox", "write either imap: {address: …, login: …} or maildir: PATH")
        return self

    def sender(self, mailbox: str, token: str) -> str:
        """The sender on the envelope of a mail; `mailbox` is `mail.from`."""
        local, _, domain = (self.to or mailbox).rpartition("@")
        return f"{local}{self.separator}{token}@{domain}" if self.separator else f"{local}@{domain}"


def check_room(value: str) -> None:
    """Whether a token still fits into an address. Raises `Wrong`."""
    local_max = LOCAL_CHARS_MAX - 1 - TOKEN_CHARS
    if len(value.rpartition("@")[0]) > local_max or len(value) + 1 + TOKEN_CHARS > ADDRESS_MAX_CHARS:
        raise Wrong(
            "leaves no room for the token of a mail",
            f"write an address of at most {local_max} characters before the @",
        )
