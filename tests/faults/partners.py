"""The other sides of the talk: a provider of SMS that says later what became of each, a relay, a webhook.

They note whatever they said yes to, before they say it. What a message tells is known by the names of the
devices in its words, so nothing that we believe of it comes from the watch.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import Any

from tests.faults.people import HOOK_PORT, MARK, SMTP_PORT, Accepted

CALLBACK_PORT = 8477
SECRET = "0123456789abcdef0123"
RETURNED_TO, DELIVERED_TO = "+8613800000001", "+8613800000002"
"""A telephone at which no emergency arrives, though each recovery does; and one at which all does."""

CONTACTS = {RETURNED_TO: "duty", DELIVERED_TO: "oncall"}
AGAIN_AFTER_S = 0.1
RECOVERED = re.compile(r"\banswers? .*\bagain\b")


@dataclass(frozen=True, slots=True)
class Told(Accepted):
    """What somebody has read."""

    contact: str
    channel: str
    references: tuple[str, ...] = ()

    @property
    def abouts(self) -> frozenset[str]:
        """`web-1.emergency.boss.webhook`, of each device that is named."""
        kind = "recovery" if RECOVERED.search(self.told) else "emergency"
        found = re.findall(r"\b(?:web|app)-\d\b", self.told)
        return frozenset(f"{device}.{kind}.{self.contact}.{self.channel}" for device in found)


@dataclass(slots=True)
class Report:
    """What became of a message that the provider took."""

    id: str
    number: str
    state: str
    heard: bool = False
    """Whether the other side said yes to it. Then it is not said again."""


class Partners:
    """All of them, and what they have accepted and said."""

    def __init__(self) -> None:
        self.accepted: list[Told] = []
        self.reports: list[Report] = []
        self._came = asyncio.Event()
        self._saying: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on loopback."""
        await asyncio.start_server(self._mail, "127.0.0.1", SMTP_PORT)
        await asyncio.start_server(self._web, "127.0.0.1", HOOK_PORT)

    def told(self) -> set[str]:
        """All that has been told to anybody."""
        return {about for message in self.accepted for about in message.abouts}

    async def until_told(self, wanted: Iterable[str]) -> None:
        """Wait until all of this has been told."""
        while not {*wanted} <= self.told():
            self._came.clear()
            await self._came.wait()

    def _note(self, message: Told) -> None:
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
        is_repeat = mail["X-Hostwatch-Repeat"] == "yes"
        self._note(Told(mail["X-Hostwatch-Notice"], is_repeat, mail["Subject"], "duty", "email"))

    async def _web(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length:")[2].split()[0])
            body = json.loads(await reader.readexactly(length))
            answer = json.dumps(self._sms(body) if head.startswith("POST /sms ") else self._hook(body))
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n".encode())
            writer.write(f"Connection: close\r\n\r\n{answer}".encode())
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    def _hook(self, body: dict[str, Any]) -> dict[str, Any]:
        named = tuple(one["reference"] for one in body["emergencies"])
        self._note(Told(body["key"], body["repeat"], body["subject"], "boss", "webhook", named))
        return {}

    def _sms(self, body: dict[str, Any]) -> dict[str, Any]:
        text, number = body["text"], body["to"]
        message = Told(body["key"], MARK in text, text, CONTACTS[number], "sms")
        is_lost = number == RETURNED_TO and any(".emergency." in about for about in message.abouts)
        report = Report(f"m-{len(self.reports) + 1}", number, "UNDELIV" if is_lost else "DELIVRD")
        self.reports.append(report)
        self._note(message)
        saying = asyncio.create_task(self._say(report))
        self._saying.add(saying)
        saying.add_done_callback(self._saying.discard)
        return {"state": "ok", "id": report.id}

    async def _say(self, report: Report) -> None:
        """Say what became of a message until the other side has said yes, as providers do."""
        body = json.dumps({"id": report.id, "state": report.state})
        head = f"POST /sms/main/{SECRET} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        request = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        while not report.heard:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", CALLBACK_PORT)
                try:
                    writer.write(request)
                    report.heard = (await reader.readline()).startswith(b"HTTP/1.1 2")
                finally:
                    writer.close()
            except OSError:
                pass  # nobody listens just now, or who did was killed
            if not report.heard:
                await asyncio.sleep(AGAIN_AFTER_S)
