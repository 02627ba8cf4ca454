"""How a gateway says later what became of a message: where that comes in, who is believed, what it means."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import AfterValidator, Field, model_validator

from hostwatch.configuration.fields import PushesAddress, Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.pointer import WORD_CHARS_MAX, Place
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section

SECRET_CHARS_MIN: Final = 16
WORDS_MAX: Final = 30

_PATH = re.compile(r"(/[A-Za-z0-9._-]{1,50}){1,5}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,100}")
_QUERY = re.compile(r"[A-Za-z0-9._~%=&+-]{0,300}")

Word = Annotated[str, Field(min_length=1, max_length=WORD_CHARS_MAX)]
Words = Annotated[tuple[Word, ...], Field(max_length=WORDS_MAX)]


def _check_path(value: str) -> str:
    if _PATH.fullmatch(value):
        return value
    raise Wrong("is no path", "write one such as /sms/main: letters, digits, dots, hyphens and slashes")


def _check_secret(value: Secret) -> Secret:
    if value.reveal() and not _SECRET.fullmatch(value.reveal()):
        mend = "make one by: openssl rand -hex 32"
        raise Wrong(f"is not {SECRET_CHARS_MIN} to 100 letters, digits, hyphens and underscores", mend)
    return value


def _check_query(value: str) -> str:
    if _QUERY.fullmatch(value):
        return value
    raise Wrong("is not what stands behind a question mark", "write name=value, joined by &")


class Signed(Section):
    """A signature over the body: HMAC with a key that both sides know."""

    key: Secret
    """The key."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    """The header that it stands in."""

    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    """The hash."""

    form: Literal["hex", "base64"] = "hex"
    """How it is written."""

    prefix: Annotated[str, Field(max_length=20)] = ""
    """What stands before it, such as `sha256=`."""


class Means(Section):
    """What the gateway's words mean. All others say nothing, such as those for under way."""

    delivered: Words = ()
    """It lies on the telephone."""

    answered: Words = ()
    """Somebody picked up."""

    acknowledged: Words = ()
    """Somebody pressed the key, or replied with the word, that says: I have it."""

    returned: Words = ()
    """It did not arrive, and will not."""


class Callback(Section):
    """One way in which a gateway says more of a message."""

    listen: PushesAddress
    """Where it comes in: an address of ours and a port, such as 127.0.0.1:8477. Several may share one."""

    path: Annotated[str, AfterValidator(_check_path)]
    """The path that it comes to; each callback has its own."""

    secret: Annotated[Secret, AfterValidator(_check_secret)] | None = None
    """What stands behind the path, after a slash, and nobody else knows: for gateways that cannot sign."""

    signed: Signed | None = None
    """How the gateway signs what it says. Better than a secret in the path."""

    unprotected: bool = False
    """Allows a secret path at another address than one of loopback. There is no TLS here: let a reverse proxy
    speak it, and listen on loopback."""

    address: Text | None = None
    """The web address of the path as the gateway reaches it. It is sent where `fields.callback` says."""

    query: Annotated[str, AfterValidator(_check_query)] = ""
    """What stands behind that address, such as `said=%d` where the gateway fills in its word."""

    key_as: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,50}$")] | None = None
    """The name under which our key stands behind that address too."""

    each: Place | None = None
    """Where in the JSON a list of reports stands. A body that is a list itself needs none."""

    id: Place
    """Where in a report the name of the message stands: the gateway's if its answers have one, or our key."""

    word: Place
    """Where in a report its word stands."""

    means: Means
    """What its words mean."""

    @model_validator(mode="after")
    def _is_in_itself_right(self) -> Callback:
        if self.listen is None:
            raise Wrong("listens nowhere", "write listen: 127.0.0.1:8477")
        if (self.secret is None) is (self.signed is None):
            raise Wrong("needs either a secret path or a signature", "write secret: {file: …}")
        if self.secret is not None and not self.listen.address.is_loopback and not self.unprotected:
            mend = "listen on loopback behind a reverse proxy, or write unprotected: true if it may"
            raise Wrong("a secret would go over the line in plain text", mend)
        words = [word for _, said in self.means for word in said]
        if not words:
            raise Wrong("no word means anything", "write means: {delivered: […], returned: […]}")
        if len({*words}) < len(words):
            raise Wrong("a word means two things", "write each word once")
        if self.address is not None and urlsplit(self.address).scheme not in ("http", "https"):
            raise Wrong("the address is not a web address", "write https://HOST/PATH")
        return self

    def address_for(self, key: str) -> str:
        """What a gateway is told to call; it holds the secret. Empty if it knows that by itself."""
        if self.address is None:
            return ""
        secret = "" if self.secret is None else f"/{self.secret.reveal()}"
        named = urlencode({self.key_as: key}) if self.key_as else ""
        query = "&".join(part for part in (self.query, named) if part)
        return f"{self.address.rstrip('/')}{secret}{'?' if query else ''}{query}"
