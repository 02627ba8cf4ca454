"""Web addresses, as an operator writes them and as a redirect names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from hostwatch.configuration.mistake import Wrong

URL_CHARS_MAX: Final = 2_000

PORTS: Final = {"http": 80, "https": 443}

MEND: Final = "write /PATH for the device itself, or http://NAME/PATH, or https://NAME/PATH"

_SAFE: Final = "/%:@!$&'()*+,;=~-._?[]"
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")


@dataclass(frozen=True, slots=True)
class Url:
    """Where something is on the web."""

    scheme: str
    name: str
    """The name or the bare address; empty: the device itself."""

    port: int
    target: str
    """The path and what is asked: what stands in the first line of a request."""

    def at(self, name: str) -> str:
        """The whole address, if this is the name."""
        return f"{self.scheme}://{authority(name, self.port, self.scheme)}{self.target}"


def authority(name: str, port: int, scheme: str) -> str:
    """As it stands in a `Host` header: the port only if it is not the usual one."""
    shown = f"[{name}]" if ":" in name else name
    return shown if port == PORTS[scheme] else f"{shown}:{port}"


@lru_cache(1_024)
def parsed(text: str) -> Url:
    """What an address means. Raises `Wrong`."""
    if len(text) > URL_CHARS_MAX or not text.isprintable() or " " in text:
        raise Wrong("is no web address", MEND)
    whole = f"http://{text}" if text.startswith("/") and not text.startswith("//") else text
    try:
        parts = urlsplit(whole)
        port = parts.port
        name = named(parts.hostname or "")
    except ValueError:
        raise Wrong("is no web address", MEND) from None
    if parts.scheme not in PORTS:
        raise Wrong("is no web address", MEND)
    if "@" in parts.netloc:
        raise Wrong("holds a login", "write user and password under login")
    if port == 0:
        raise Wrong("names port 0", "write a port from 1 to 65535, or none")
    query = f"?{parts.query}" if parts.query else ""
    target = quote(f"{parts.path or '/'}{query}", safe=_SAFE)
    return Url(parts.scheme, name, PORTS[parts.scheme] if port is None else port, target)


def named(name: str) -> str:
    """A name as the resolver and certificates know it, or an address in its short form. Raises `Wrong`."""
    try:
        return str(ip_address(name))
    except ValueError:
        pass
    try:
        plain = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        plain = "-"
    if plain and (len(plain) > 253 or not _NAME.fullmatch(plain.lower())):
        raise Wrong("is no name", "write a name such as www.example.com, or an address")
    return plain.lower().removesuffix(".")


def redirected(base: str, location: bytes) -> Url:
    """Where a `Location` leads from a whole address. Raises `Wrong`."""
    return parsed(urljoin(base, location.decode("utf-8", "replace")).partition("#")[0])
