"""Links by which a person says that they have an emergency: made and read under a key of this store.

A link is good for one purpose, one emergency and one person, and until an instant; that is what is signed. It
names nobody: whom it is of can only be found by asking whose it may be. It is written in digits and
letters, so that no sign of it ends it early, and is as short as an SMS in Chinese wants it.
"""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Self

from hostwatch.configuration.web import Web
from hostwatch.core import emergency, instant
from hostwatch.core.emergency import Emergency, Notice

TOKEN_CHARS: Final = 39
ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
MAC_BYTES: Final = 16
PERSON_BYTES: Final = 6
NUMBER_BYTES: Final = 4
HOUR_BYTES: Final = 3
TOKEN_BYTES: Final = NUMBER_BYTES + PERSON_BYTES + HOUR_BYTES + MAC_BYTES

PURPOSE: Final = b"ack"
"""What it is good for; what was signed for anything else is none."""

NO_LINKS: Final[Mapping[str, str]] = MappingProxyType({})

HOUR: Final = timedelta(hours=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a link says, once its signature was found to be ours."""

    number: int
    """Of the emergency."""

    person: bytes
    """Whose it is, so that only we can tell."""

    until: datetime
    """When it is good no more."""

    @property
    def reference(self) -> str:
        """What people call the emergency."""
        return emergency.reference(self.number)


class Links:
    """Makes and reads links."""

    def __init__(self, key: bytes, url: str, valid: timedelta) -> None:
        """`key`: that of the store. `url`: where our pages are. `valid`: for how long links are good."""
        self._key = hmac.digest(key, b"links to acknowledge", hashlib.sha256)
        self._url = url.rstrip("/")
        self._valid = valid

    @classmethod
    def of(cls, web: Web | None, key: bytes) -> Self | None:
        """Those of a configuration; None where there are no pages."""
        return None if web is None else cls(key, web.url, web.links_valid)

    def link(self, notice: Notice, of: Emergency) -> str:
        """The link of a notice's person to an emergency; the same in every try."""
        return f"{self._url}/a/{self.token(notice, of)}"

    def token(self, notice: Notice, of: Emergency) -> str:
        """What is in it."""
        until = -((EPOCH - notice.created_at - self._valid) // HOUR)  # rounded up
        body = (
            int(of.reference.removeprefix("E-")).to_bytes(NUMBER_BYTES, "big")
            + self.person(notice.customer, notice.contact, of)
            + until.to_bytes(HOUR_BYTES, "big")
        )
        return written(body + self._signature(PURPOSE, body))

    def read(self, text: str) -> Token | None:
        """What a token says; None if it is none of ours."""
        found = bytes_of(text)
        if found is None:
            return None
        body, signature = found[:-MAC_BYTES], found[-MAC_BYTES:]
        if not hmac.compare_digest(signature, self._signature(PURPOSE, body)):
            return None
        number, person = body[:NUMBER_BYTES], body[NUMBER_BYTES:-HOUR_BYTES]
        return Token(
            number=int.from_bytes(number, "big"),
            person=person,
            until=EPOCH + HOUR * int.from_bytes(body[-HOUR_BYTES:], "big"),
        )

    def is_of(self, token: Token, customer: str, contact: str, of: Emergency) -> bool:
        """Whether a token is of this person, and of this emergency, not of one of another store so named."""
        return hmac.compare_digest(token.person, self.person(customer, contact, of))

    def person(self, customer: str, contact: str, of: Emergency) -> bytes:
        """What stands for a person in the tokens of an emergency."""
        whose = f"{of.reference}\0{instant.rfc3339(of.opened_at)}\0{customer}\0{contact}"
        return hmac.digest(self._key, b"person\0" + whose.encode(), hashlib.sha256)[:PERSON_BYTES]

    def _signature(self, purpose: bytes, body: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + body, hashlib.sha256)[:MAC_BYTES]


def written(token: bytes) -> str:
    """A token in digits and letters: nothing that a telephone would take for the end of a link."""
    number, text = int.from_bytes(token, "big"), ""
    for _ in range(TOKEN_CHARS):
        number, digit = divmod(number, len(ALPHABET))
        text = ALPHABET[digit] + text
    return text


def bytes_of(text: str) -> bytes | None:
    """What is written so; None if nothing is. Each token is written in one way."""
    if len(text) != TOKEN_CHARS or not all(char in ALPHABET for char in text):
        return None
    number = 0
    for char in text:
        number = number * len(ALPHABET) + ALPHABET.index(char)
    return number.to_bytes(TOKEN_BYTES, "big") if number < 1 << 8 * TOKEN_BYTES else None


def links_of(links: Links | None, notice: Notice, opened: Mapping[str, Emergency]) -> Mapping[str, str]:
    """The links in a notice by the reference of what they are about: of what lasts still, and is told of."""
    if links is None or notice.kind not in ("emergency", "update"):
        return NO_LINKS
    there = {name: opened[name] for name in notice.emergencies if name in opened}
    return {name: links.link(notice, one) for name, one in there.items()}
