"""Where checks of services may go, and whom they ask for addresses, as it is written.

What the operator writes as an address is always allowed. A name, a redirect and whatever a customer enters
lead where others decide, so they are held against the networks and ports that are written here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from hostwatch.configuration.fields import Address
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.strict import Section

RESOLVERS_MAX: Final = 8
NETWORKS_MAX: Final = 1_000
AT_ONCE_MAX = 2_000
"""Checks that may run at one time, whatever is written."""

AT_ONE_ADDRESS_MIN: Final = 4
"""As many as run for one device: its own address has room for its own checks."""

PORTS_MAX: Final = 1_000
DNS_PORT: Final = 53

NetworkAddress = IPv4Network | IPv6Network

PORTS_DEFAULT: Final = (21, 22, 25, 53, 80, 110, 143, 443, 465, 587, 853, 990, 993, 995)
"""Where the applications of the contract mostly are: ftp, ssh, mail, names and the web."""

NEVER: Final = {
    "0.0.0.0/8": "this machine itself",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local, where clouds keep their metadata",
    "192.88.99.0/24": "a relay of 6to4",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved or broadcast",
    "::/96": "this machine itself, or IPv4 in disguise",
    "::ffff:0:0/96": "IPv4 in disguise",
    "::ffff:0:0:0/96": "IPv4 in disguise",
    "64:ff9b::/96": "IPv4 behind a translator",
    "64:ff9b:1::/48": "IPv4 behind a translator",
    "100::/64": "discarded",
    "2001::/32": "IPv4 in a tunnel (Teredo)",
    "2002::/16": "IPv4 in a tunnel (6to4)",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
"""Where nothing that others name may lead, whatever is written."""

NEVER_NETWORKS: Final = {ip_network(written): what for written, what in NEVER.items()}


@dataclass(frozen=True, slots=True)
class Server:
    """A name server: where questions are sent."""

    address: Address
    port: int = DNS_PORT

    def __str__(self) -> str:
        if self.port == DNS_PORT:
            return str(self.address)
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


_SERVER = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})")
_SERVER_MEND: Final = 'write 192.0.2.53, "2001:db8::53" or 192.0.2.53:5353, say'


def _parse_server(value: Any) -> Server:
    if isinstance(value, Server):
        return value
    found = _SERVER.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        address = ip_address((found[1] or found[2]) if found else str(value).strip())
    except ValueError:
        raise Wrong("is not the address of a name server", _SERVER_MEND) from None
    port = int(found[3]) if found else DNS_PORT
    if not 1 <= port <= 65_535 or address.is_unspecified or address.is_multicast:
        raise Wrong("is not the address of a name server", _SERVER_MEND)
    return Server(address, port)


def _parse_network(value: Any) -> NetworkAddress:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value.strip() if isinstance(value, str) else str(value))
    except ValueError as error:
        strict = "host bits" in str(error)
        raise Wrong(
            "has bits beyond its length" if strict else "is not a network",
            "write it as 203.0.113.0/24 or 2001:db8::/32",
        ) from None


def _check_allowed(value: NetworkAddress) -> NetworkAddress:
    for never, what in NEVER_NETWORKS.items():
        if value.version == never.version and value.subnet_of(never):  # type: ignore[arg-type]
            raise Wrong(
                f"lies in {never} ({what}), where no name may ever lead",
                "write the address itself in the check",
            )
    return value


ServerAddress = Annotated[
    Server,
    BeforeValidator(_parse_server),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["192.0.2.53", "[2001:db8::53]:5353"]}),
]
Network = Annotated[
    NetworkAddress,
    BeforeValidator(_parse_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["203.0.113.0/24", "2001:db8::/32"]}),
]
AllowedNetwork = Annotated[Network, AfterValidator(_check_allowed)]
PortNumber = Annotated[int, Field(ge=1, le=65_535, strict=True)]


class Checks(Section):
    """How the applications of devices are looked at."""

    resolvers: tuple[ServerAddress, ...] = Field(default=(), max_length=RESOLVERS_MAX)
    """Name servers that look up names for us, in the order in which they are asked. Default: those of
    /etc/resolv.conf."""

    networks: tuple[AllowedNetwork, ...] = Field(default=(), max_length=NETWORKS_MAX)
    """Where names, redirects and what customers enter may lead, beside the device's own address."""

    never: tuple[Network, ...] = Field(default=(), max_length=NETWORKS_MAX)
    """Where they may not lead although a network above holds it: the operator's own networks."""

    ports: tuple[PortNumber, ...] = Field(default=PORTS_DEFAULT, max_length=PORTS_MAX)
    """The ports that names, redirects and what customers enter may lead to."""

    at_once: Annotated[int, Field(ge=1, le=AT_ONCE_MAX, strict=True)] = 512
    """Checks that run at one time, in all; of one device at most 4."""

    at_one_address: Annotated[int, Field(ge=AT_ONE_ADDRESS_MIN, le=AT_ONCE_MAX, strict=True)] = 32
    """Checks that are connected to one address at one time, whichever devices they are about."""
