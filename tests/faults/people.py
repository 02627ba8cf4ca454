"""The people who are told: a mail relay and a webhook receiver that note every message they accepted."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser

SMTP_PORT = 2525
HOOK_PORT = 9000
MARK = "[repeat] "


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that we said yes to."""

    key: str
    repeat: bool
    told: str
    """The first line, as a person reads it."""

    @property
    def about(self) -> str:
        """What it tells whom: `E-000001.emergency.acme.duty`; its key goes on, with a time."""
        return about(self.key)


def about(key: str) -> str:
    """The part of a notice's key that the script knows beforehand."""
    return ".".join(key.split(".")[:4])


class People:
    """Both servers, and what they have accepted."""

    def __init__(self) -> None:
        self.accepted: list[Accepted] = []
        self._came = asyncio.Event()

    async def start(self) -> None:
        """Listen on loopback."""
        await asyncio.start_server(self._mail, "127.0.0.1", SMTP_PORT)
        await asyncio.start_server(self._hook, "127.0.0.1", HOOK_PORT)

    async def until_told(self, wanted: set[str]) -> None:
        """Wait until we have been told about all of these."""
        while not wanted <= {message.about for message in self.accepted}:
            self._came.clear()
            await self._came.wait()

    def _note(self, message: Accepted) -> None:
        """Noted before the yes is sent: whoever dies in between has been told all the same."""
        self.accepted.append(message)
        self._came.set()

    async def _mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 relay.example\r\n")
            while line := (await reader.readline()).rstrip():
                match line.split()[0].upper():
                    case b"DATA":
                        writer.write(b"354 go on\r\n")
                        self._read_mail(await reader.readuntil(b"\r\n.\r\n"))
                        writer.write(b"250 2.0.0 queued\r\n")
                    case b"QUIT":
                        writer.write(b"221 bye\r\n")
                        return
                    case _:
                        writer.write(b"250 relay.example\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the sender was killed in the middle: what we have not got whole we do not accept
        finally:
            writer.close()

    def _read_mail(self, data: bytes) -> None:
        mail = BytesParser(policy=policy.default).parsebytes(data[:-3])
        self._note(Accepted(mail["X-Hostwatch-Notice"], mail["X-Hostwatch-Repeat"] == "yes", mail["Subject"]))

    async def _hook(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length:")[2].split()[0])
            body = json.loads(await reader.readexactly(length))
            self._note(Accepted(body["key"], body["repeat"], body["subject"]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ntaken")
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
