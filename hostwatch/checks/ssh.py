"""A server of SSH says who it is, and, if a host key is set, proves that it has it. Nobody logs in.

The key exchange goes as far as the server's signature, and ends there. A server that has keys of several
types is asked for the others too, over a connection for each, until one is among those that are set.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from hostwatch.checks import _ssh, base
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong

EXAMPLE = """
ssh:
  port: 22
  host_keys: ["SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"]
"""

HOST_KEYS_MAX: Final = 20
"""Host keys of which one must come."""

_FINGERPRINT: Final = re.compile("SHA256:[A-Za-z0-9+/]{43}")


def _check_fingerprint(value: str) -> str:
    if _FINGERPRINT.fullmatch(value):
        return value
    raise Wrong("is not a fingerprint", "write it as `ssh-keygen -l` shows it: SHA256: and 43 characters")


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Settings(base.Settings):
    """Where to connect to, and who must be there."""

    shorthand = "port"

    port: base.Port = 22
    """The TCP port."""

    host: Text | None = None
    """A name or an address; the device's own address if absent."""

    software: Text | None = None
    """A text that the identification must hold, such as `OpenSSH_9`."""

    host_keys: Annotated[
        tuple[Annotated[str, AfterValidator(_check_fingerprint)], ...],
        BeforeValidator(_one_or_more),
        Field(max_length=HOST_KEYS_MAX),
    ] = ()
    """Fingerprints of host keys as `ssh-keygen -l` shows them; the server must prove one of them. Without
    them it need not prove anything."""

    key_type: Literal["ed25519", "ecdsa", "rsa"] | None = None
    """The type of the host key that is asked for; any if absent."""


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Be told who the server is; have it prove its host keys until one is expected."""
    wanted = [settings.key_type] if settings.key_type else [*_ssh.SIGNATURES]
    seen: list[_ssh.HostKey] = []
    while True:
        line, theirs = await _greeted(settings, visit)
        if not settings.host_keys:
            return
        with visit.at(base.Step.ANSWER):
            key, offer = await _ssh.Exchange(visit, line, theirs).host_key(wanted)
        with visit.at(base.Step.CONTENT):
            if key is not None:
                if key.fingerprint in settings.host_keys:
                    _note(visit, key)
                    return
                seen.append(key)
            wanted = [kind for kind in wanted if kind in offer.types and kind != (key and key.type)]
            if key is None or not wanted:
                raise _without_key(settings, seen, offer)


async def _greeted(settings: Settings, visit: base.Visit) -> tuple[base.Line, bytes]:
    line = await base.connect(visit, settings.host or "", settings.port)
    with visit.at(base.Step.GREETING):
        theirs = await _ssh.identified(line)
        if settings.software is not None and settings.software.encode() not in theirs:
            raise base.Missed("another software answers", expected=settings.software, came=theirs)
        await line.write(_ssh.OURS + b"\r\n")
    return line, theirs


def _note(visit: base.Visit, key: _ssh.HostKey) -> None:
    visit.note(f"host key {key.fingerprint} ({key.type}, {key.bits} bits)")
    if key.type == "rsa" and key.bits < _ssh.RSA_BITS_WEAK:
        visit.note(f"the host key is weak: fewer than {_ssh.RSA_BITS_WEAK:,} bits")


def _without_key(settings: Settings, seen: list[_ssh.HostKey], offer: _ssh.Offer) -> base.Missed:
    expected = ", ".join(settings.host_keys)
    if not seen:
        came = ", ".join(offer.signatures)
        if settings.key_type is None:
            return base.Missed(
                "the server has no host key of a type that we know", expected=expected, came=came
            )
        return base.Missed(
            "the server has no host key of type {name}", name=settings.key_type, expected=expected, came=came
        )
    came = ", ".join(f"{key.fingerprint} ({key.type})" for key in seen)
    return base.Missed("the server has another host key", expected=expected, came=came)


base.chinese(
    """
    another software answers
        应答的软件与预期不符
    the server has no host key of a type that we know
        服务器没有我们支持的类型的主机密钥
    the server has no host key of type {name}
        服务器没有 {name} 类型的主机密钥
    the server has another host key
        服务器的主机密钥与预期不符
    """
)
