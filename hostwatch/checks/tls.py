"""TLS on any port: the handshake, the chain, the name, how long the certificate is valid, the version."""

from __future__ import annotations

from hostwatch.checks import base
from hostwatch.configuration.fields import Text

EXAMPLE = """
tls:
  port: 8443
  name: www.example.com
  days_left: 14
  minimum: "1.3"
"""


class Settings(base.Settings, base.Tls):
    """Where to connect to, how TLS is spoken there, and what the certificate must be."""

    shorthand = "port"

    port: base.Port
    """The TCP port on which TLS is spoken from the first byte."""

    host: Text | None = None
    """A name or an address; the device's own address if absent."""


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Connect and shake hands; the certificate is examined on the way."""
    await base.connect(visit, settings.host or "", settings.port, settings)
