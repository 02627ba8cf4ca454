"""What customers and programs reach of us: where our pages are, and which programs may use the API."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import FilePath, Id, Listen, WebAddress
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section

URL_CHARS_MAX: Final = 100
"""A link to acknowledge is that and 42 characters more, and is to fit into an SMS."""

SECRET_CHARS_MIN: Final = 20
TOKENS_MAX: Final = 100
PROXIES_MAX: Final = 20

_HOST = re.compile(r"[A-Za-z0-9.-]{1,80}|\[[0-9A-Fa-f:.]{2,45}\]")


def _check_url(value: str) -> str:
    mend = "write https://status.dc.example, say"
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise Wrong("is no web address", mend) from None
    name = url.netloc if port is None else url.netloc.rpartition(":")[0]
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(name) or url.query or url.fragment:
        raise Wrong("is no web address of pages", mend)
    if not re.fullmatch(r"[A-Za-z0-9._~/-]*", url.path) or len(value) > URL_CHARS_MAX:
        raise Wrong("is longer or odder than a link in an SMS may be", f"at most {URL_CHARS_MAX}: {mend}")
    host = url.hostname or ""
    if url.scheme == "http" and host not in ("localhost", "::1") and not host.startswith("127."):
        raise Wrong("who reads along could acknowledge for others", mend)
    return value.rstrip("/")


def _network(value: Any) -> IPv4Network | IPv6Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value) if isinstance(value, str) else ip_network("")
    except ValueError:
        raise Wrong("is neither an address nor a network", "write 127.0.0.1 or 10.0.0.0/24") from None


NEAR: Final = (ip_network("127.0.0.1"), ip_network("::1"))
Url = Annotated[str, AfterValidator(_check_url)]
Proxy = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["127.0.0.1", "10.0.0.0/24"]}),
]


class Tls(Section):
    """A certificate of our own, where no reverse proxy has one."""

    certificate: FilePath
    """The certificate with its chain, in PEM, relative to this file."""

    key: FilePath
    """Its key."""


class Web(Section):
    """The desk for customers and programs: links by which people acknowledge, and the API."""

    url: Url
    """What people and programs call us by: https://, or http:// on loopback. Links begin with it."""

    listen: WebAddress = None
    """Where it listens: an address and a port. Default: 127.0.0.1:8470, for a reverse proxy."""

    tls: Tls | None = None
    """A certificate, if it faces the network without a reverse proxy."""

    unprotected: bool = False
    """Allows another address than one of loopback without a certificate, where only a proxy reaches it."""

    proxies: tuple[Proxy, ...] = Field(default=NEAR, max_length=PROXIES_MAX)
    """Reverse proxies, whose X-Forwarded-For is believed: addresses or networks."""

    socket: FilePath | None = None
    """Where a desk that is a service of its own speaks to the watch. Absent: the watch starts the desk."""

    links_valid: Annotated[Duration, between("1h", "365d")] = timedelta(days=30)
    """For how long a link in a notice is good."""

    requests_per_minute: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 60
    """How many requests one address may make in a minute; of IPv6 one /64."""

    @property
    def at(self) -> Listen:
        """Where it listens."""
        return self.listen or Listen(ip_network("127.0.0.1/32").network_address, 8470)

    @model_validator(mode="after")
    def _is_protected(self) -> Web:
        if not self.at.address.is_loopback and self.tls is None and not self.unprotected:
            mend = "listen on loopback behind a reverse proxy, or add tls: {certificate: …, key: …}"
            raise Wrong("links and tokens would go over the line in plain text", mend)
        return self


class ApiToken(Section):
    """A program that may use the API."""

    name: Id
    """What it is called in the record."""

    secret: Secret
    """What it shows as `Authorization: Bearer …`: at least 20 characters."""

    customer: Id | None = None
    """Whose program it is: it sees and does what is of this customer alone."""

    operator: bool = False
    """Or the operator's own: it may act for every customer."""

    rights: tuple[Literal["look", "acknowledge"], ...] = ("look",)
    """What it may do: look, acknowledge."""

    @model_validator(mode="after")
    def _is_somebodys(self) -> ApiToken:
        if (self.customer is None) is not self.operator:
            raise Wrong("is nobody's, or of two", "write either customer: ID or operator: true")
        told = self.secret.reveal()
        if told and (len(told) < SECRET_CHARS_MIN or not re.fullmatch(r"[A-Za-z0-9._~+/=-]+", told)):
            mend = f"write {SECRET_CHARS_MIN} or more letters and digits: openssl rand -hex 32"
            raise Wrong("the secret can be guessed, or cannot be sent", mend)
        return self


class Api(Section):
    """The interface for programs; it needs `web:`."""

    tokens: tuple[ApiToken, ...] = Field(default=(), max_length=TOKENS_MAX)
    """Who may use it."""

    @model_validator(mode="after")
    def _each_is_one(self) -> Api:
        names = [one.name for one in self.tokens]
        if len({*names}) < len(names):
            raise Wrong("two tokens have one name", "give each a name of its own")
        secrets = [one.secret for one in self.tokens if one.secret.reveal()]
        if len({*secrets}) < len(secrets):
            raise Wrong("two tokens have one secret", "give each a secret of its own")
        return self
