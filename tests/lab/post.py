"""Where notices arrive: a mail relay and a web server on the loopback of hostwatch's own machine."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from typing import Any, Self

from aiosmtpd.smtp import SMTP

from tests.channels.servers import Receiver, Relay
from tests.lab.namespace import Namespace

SMTP_PORT = 2525
HOOK_PORT = 9000


@dataclass
class Post:
    """Both servers, in a thread of their own."""

    namespace: Namespace
    relay: Relay = field(default_factory=Relay)
    hook: Receiver = field(default_factory=Receiver)

    def __enter__(self) -> Self:
        sockets = [self.namespace.inside(partial(_listening, port)) for port in (SMTP_PORT, HOOK_PORT)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(*sockets), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def mails(self) -> list[EmailMessage]:
        """All mails that the relay took, as an ordinary reader of mail parses them."""
        return [self.relay.mail(number) for number in range(len(self.relay.received))]

    @property
    def told(self) -> list[str]:
        """What the mails tell of each emergency: one mail may tell of several."""
        parts = (part for mail in self.mails for part in re.split(r"(?:\r?\n){2}", mail.get_content()))
        return [part for part in parts if part.startswith("Reference: ")]

    @property
    def hooked(self) -> list[dict[str, Any]]:
        """All that the web server was sent."""
        return [json.loads(request.body) for request in self.hook.requests]

    async def _serve(self, smtp: socket.socket, web: socket.socket) -> None:
        protocol = partial(SMTP, self.relay, loop=self._loop, hostname="relay.example")
        self._servers = [
            await self._loop.create_server(protocol, sock=smtp),
            await asyncio.start_server(self.hook.serve, sock=web),
        ]

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


def _listening(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))
