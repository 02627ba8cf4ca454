"""The kinds of values that stand in a configuration, each refused in plain words when it is wrong.

A value that has passed is in its canonical form: written out again it means the same.
"""

from __future__ import annotations

import difflib
import re
import zoneinfo
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.whereabouts import STORE_PREFIX

Address = IPv4Address | IPv6Address

LANGUAGES = ("en", "zh-CN")
"""The languages that notices can be written in, as BCP 47 tags."""

TEXT_CHARS_MAX = 500
"""The longest name or description."""

ID_PATTERN = "[a-z0-9][a-z0-9._-]{0,62}"
_NOT_ZONES = ("localtime", "posixrules", "Factory")


def _check_id(value: str) -> str:
    if re.fullmatch(ID_PATTERN, value):
        return value
    raise Wrong(
        "is not an identifier",
        "write 1 to 63 characters of a-z, 0-9, dot, hyphen and underscore, beginning with a letter or digit",
    )


def _check_text(value: str) -> str:
    text = value.strip()
    if not text:
        raise Wrong("is empty", "write some text")
    if len(text) > TEXT_CHARS_MAX:
        raise Wrong(f"has {len(text)} characters", f"write at most {TEXT_CHARS_MAX}")
    if not text.isprintable():
        raise Wrong("holds a line break or a control character", "write one line of text")
    return text


def _check_language(value: str) -> str:
    if value in LANGUAGES:
        return value
    raise Wrong("is not a language that notices are written in", f"write one of {', '.join(LANGUAGES)}")


def _check_zone(value: str) -> str:
    try:
        if value.startswith(("posix/", "right/")) or value in _NOT_ZONES:
            raise ValueError
        zoneinfo.ZoneInfo(value)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        near = difflib.get_close_matches(value, zoneinfo.available_timezones(), 1)
        hint = f"did you mean {near[0]}?" if near else "write an IANA name such as Asia/Shanghai or UTC"
        raise Wrong("is not a known time zone", hint) from None
    return value


def _parse_address(value: Any) -> Address:
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    if not isinstance(value, str):
        raise Wrong("is not an IP address", 'write it as text, such as 192.0.2.7 or "2001:db8::7"')
    try:
        return ip_address(value.strip())
    except ValueError:
        raise Wrong(
            "is not an IP address",
            'write an IPv4 or IPv6 address such as 192.0.2.7 or "2001:db8::7"; names are not looked up here',
        ) from None


def _check_address(value: Address) -> Address:
    """One machine, reachable by this very address."""
    if value.is_unspecified:
        raise Wrong("is the unspecified address", "write the address of one machine")
    if value.is_multicast:
        raise Wrong("is a multicast address", "write the address of one machine")
    if value == IPv4Address("255.255.255.255"):
        raise Wrong("is the broadcast address", "write the address of one machine")
    if isinstance(value, IPv6Address):
        if value.ipv4_mapped is not None:
            raise Wrong("is an IPv4 address in disguise", f"write {value.ipv4_mapped}")
        if value.is_link_local and value.scope_id is None:
            raise Wrong("is link-local and lacks its interface", f"write {value}%eth0, say")
        if not value.is_link_local and value.scope_id is not None:
            raise Wrong("names an interface, which only a link-local address needs", "remove the %")
    return value


def _check_gateway(value: Address) -> Address:
    if value.is_loopback:
        raise Wrong(
            "is on loopback, which answers even if we see nothing at all",
            "write the address of your own gateway",
        )
    return value


def _check_beacon(value: Address) -> Address:
    for is_near, where in ((value.is_loopback, "on loopback"), (value.is_link_local, "link-local")):
        if is_near:
            raise Wrong(
                f"is {where}, which never lies beyond our gateway", "write the address of somebody outside"
            )
    return value


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the daemon's own pages are: loopback only. Port 0 takes any free one."""

    address: Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


_LISTEN = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})")
LISTEN_MEND = "write 127.0.0.1:9464, say, or off"


def once_each(value: tuple[Address, ...]) -> tuple[Address, ...]:
    """Addresses that vote, each of which stands there once."""
    for place, address in enumerate(value):
        if address in value[:place]:
            raise Wrong(f"names {address} twice", "write each once: one machine has one vote")
    return value


def _parse_listen(value: Any) -> Listen | None:
    if value is None or value is False or value == "off" or isinstance(value, Listen):
        return value if isinstance(value, Listen) else None
    found = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[3]) > 65535:
        raise Wrong("is not an IP address and a port", LISTEN_MEND)
    try:
        address = ip_address(found[1] or found[2])
    except ValueError:
        raise Wrong("is not an IP address and a port", LISTEN_MEND) from None
    if not address.is_loopback:
        raise Wrong("is not on loopback", f"{LISTEN_MEND}; let a reverse proxy face the network")
    return Listen(address, int(found[3]))


def _parse_open(value: Any, port: int) -> Listen | None:
    """As `_parse_listen`, and anywhere: what is heard there comes from others. `port`: that of the mend."""
    if value is None or value is False or value == "off" or isinstance(value, Listen):
        return value if isinstance(value, Listen) else None
    found = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is None or not 1 <= int(found[3]) <= 65_535:
            raise ValueError
        return Listen(ip_address(found[1] or found[2]), int(found[3]))
    except ValueError:
        mend = f'write 0.0.0.0:{port}, "[::]:{port}", or off'
        raise Wrong("is not an address and a port to listen at", mend) from None


def _parse_web(value: Any) -> Listen | None:
    """As `_parse_open`; port 0 takes any free one."""
    found = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if found is not None and int(found[3]) == 0:
        try:
            return Listen(ip_address(found[1] or found[2]), 0)
        except ValueError:
            raise Wrong("is not an address and a port to listen at", "write 127.0.0.1:8470") from None
    return _parse_open(value, 8470)


def _check_store(value: str) -> str:
    mend = f"write {STORE_PREFIX}hostwatch.db, relative to this file, or {STORE_PREFIX}/var/lib/hostwatch.db"
    if value.startswith(("postgresql:", "postgres:")):
        raise Wrong("PostgreSQL is not there yet", mend)
    path = value.removeprefix(STORE_PREFIX)
    if not value.startswith(STORE_PREFIX) or not path or path.endswith("/"):
        raise Wrong("is not a store that is known here", mend)
    if path.startswith(":") or any(sign in path for sign in "?#\0"):
        raise Wrong("is not the path of a file", mend)
    return value


def _check_path(value: str) -> str:
    if not value or "\0" in value or value.endswith("/"):
        raise Wrong("is not the path of a file", "write a path, relative to this file or absolute")
    return value


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Id = Annotated[str, AfterValidator(_check_id), Field(json_schema_extra={"pattern": f"^{ID_PATTERN}$"})]
Text = Annotated[str, AfterValidator(_check_text)]
Language = Annotated[str, AfterValidator(_check_language), Field(json_schema_extra={"enum": list(LANGUAGES)})]
Zone = Annotated[str, AfterValidator(_check_zone), Field(examples=["Asia/Shanghai", "UTC"])]
DeviceAddress = Annotated[
    IPv4Address | IPv6Address,
    AfterValidator(_check_address),
    BeforeValidator(_parse_address),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]
GatewayAddress = Annotated[DeviceAddress, AfterValidator(_check_gateway)]
BeaconAddress = Annotated[DeviceAddress, AfterValidator(_check_beacon)]
ListenAddress = Annotated[
    Listen | None,
    BeforeValidator(_parse_listen),
    PlainSerializer(lambda value: None if value is None else str(value)),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "null"}, {"const": False}],
            "examples": ["127.0.0.1:9464", "off"],
        }
    ),
]
TrapsAddress = Annotated[
    Listen | None,
    BeforeValidator(partial(_parse_open, port=1162)),
    PlainSerializer(lambda value: None if value is None else str(value)),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "null"}, {"const": False}],
            "examples": ["0.0.0.0:1162", "off"],
        }
    ),
]
PushesAddress = Annotated[
    Listen | None,
    BeforeValidator(partial(_parse_open, port=8476)),
    PlainSerializer(lambda value: None if value is None else str(value)),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "null"}, {"const": False}],
            "examples": ["127.0.0.1:8476", "off"],
        }
    ),
]
WebAddress = Annotated[
    Listen | None,
    BeforeValidator(_parse_web),
    PlainSerializer(lambda value: None if value is None else str(value)),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}], "examples": ["127.0.0.1:8470"]}),
]
Store = Annotated[
    str, AfterValidator(_check_store), Field(json_schema_extra={"pattern": f"^{STORE_PREFIX}.+"})
]
FilePath = Annotated[str, AfterValidator(_check_path)]
Globs = Annotated[
    tuple[FilePath, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
