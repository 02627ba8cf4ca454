"""Any application that speaks over TCP: connect, perhaps send something, perhaps expect something."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator

from hostwatch.checks import base
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong

EXAMPLE = """
tcp:
  port: 6667
  send: "PING hostwatch\\r\\n"
  expect: "PONG"
"""

ANSWER_BYTES_MAX: Final = 65_536
"""How much of what comes is searched for what is expected."""

TEXT_CHARS_MAX: Final = 1_000


def _check_payload(value: str) -> str:
    if not value:
        raise Wrong("is empty", "write what is to be sent or expected, or leave it out")
    if len(value) > TEXT_CHARS_MAX:
        raise Wrong(f"has {len(value):,} characters", f"write at most {TEXT_CHARS_MAX:,}")
    return value


Payload = Annotated[str, AfterValidator(_check_payload)]


class Settings(base.Settings):
    """Where to connect to, and what is said there."""

    shorthand = "port"

    port: base.Port
    """The TCP port."""

    host: Text | None = None
    """A name or an address; the device's own address if absent."""

    tls: base.Tls | None = None
    """How TLS is spoken, from the first byte; without TLS if absent."""

    send: Payload | None = None
    """What is sent first. Lines mostly end with \\r\\n."""

    expect: Payload | None = None
    """What must come, anywhere in the first 64 KiB."""


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Connect, send, and read until what is expected has come."""
    line = await base.connect(visit, settings.host or "", settings.port, settings.tls)
    with visit.at(base.Step.ANSWER):
        if settings.send is not None:
            await line.write(settings.send.encode())
        if settings.expect is not None:
            await _expect(line, visit, settings.expect)


async def _expect(line: base.Line, visit: base.Visit, expected: str) -> None:
    wanted, came = expected.encode(), bytearray()
    while wanted not in came:
        piece = await line.read_some(ANSWER_BYTES_MAX - len(came)) if len(came) < ANSWER_BYTES_MAX else b""
        if not piece:
            raise base.Missed("what is expected did not come", expected=expected, came=bytes(came))
        visit.tell("<", piece)
        came += piece


base.chinese(
    """
    what is expected did not come
        没有收到应有的应答
    """
)
