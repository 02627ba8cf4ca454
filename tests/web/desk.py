"""A real watch with its desk, an emergency of which two people are told by mail, and their links."""

from __future__ import annotations

import email
import email.policy
import http.client
import re
import socket
import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from tests.checkers.servers import serving
from tests.daemon.running import Running
from tests.daemon.test_acknowledgement import configure, emergency, is_accepted
from tests.daemon.test_applications import DEVICE, greet

REFERENCE = "E-000001"
URL = "https://status.dc.example"
WEB = f"web: {{url: {URL}, listen: '127.0.0.1:0', requests_per_minute: 10000}}\nlisten:"


@dataclass
class Desk:
    """Where it is, and who got which link."""

    watch: Running
    port: int
    texts: dict[str, str] = field(default_factory=dict)
    """The text of the mail to each contact."""

    public: str = URL

    def path(self, contact: str) -> str:
        """That of the link in somebody's mail."""
        found = re.search(rf"^{self.public}(/a/[0-9A-Za-z]{{39}})$", self.texts[contact], re.MULTILINE)
        assert found, self.texts[contact]
        return found[1]

    def ask(self, method: str, path: str, body: str | bytes = "", **headers: str) -> Answer:
        """One request, on a connection of its own."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            if method == "POST":
                named.setdefault("Content-Type", "application/x-www-form-urlencoded")
            line.request(method, path, body or None, named)
            said = line.getresponse()
            return Answer(said.status, said.read().decode(), {k.lower(): v for k, v in said.getheaders()})
        finally:
            line.close()

    def press(self, path: str, do: str = "acknowledge", by: str = "", **headers: str) -> Answer:
        """Open the page, and press its button."""
        form = self.ask("GET", path).form
        return self.ask("POST", path, urlencode({"form": form, "do": do, "by": by}), **headers)

    def known(self) -> list[tuple[str, str, str]]:
        """Who has it, by the status."""
        has = emergency(self.watch)["acknowledged"]
        return [(one["contact"], one["by"], one["how"]) for one in has]


@dataclass(frozen=True)
class Answer:
    code: int
    text: str
    headers: dict[str, str]

    @property
    def form(self) -> str:
        found = re.search(r'name="form" value="([0-9a-f]{32})"', self.text)
        return found[1] if found else ""

    @property
    def title(self) -> str:
        found = re.search(r"<title>(.*?)</title>", self.text)
        return found[1] if found else ""


class Relay:
    """As much SMTP as takes mails, and keeps their texts by whom they are to."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def serve(self, visitor: socketserver.StreamRequestHandler) -> None:
        visitor.wfile.write(b"220 relay\r\n")
        text: list[bytes] | None = None
        for line in visitor.rfile:
            if text is not None and line != b".\r\n":
                text.append(line)
                continue
            if text is not None:
                self._keep(b"".join(text))
                text = None
                visitor.wfile.write(b"250 taken\r\n")
                continue
            text = [] if line.upper().startswith(b"DATA") else None
            visitor.wfile.write(b"250 relay\r\n" if text is None else b"354 go on\r\n")
            if line.upper().startswith(b"QUIT"):
                return

    def _keep(self, data: bytes) -> None:
        mail = email.message_from_bytes(data, policy=email.policy.default)
        body = mail.get_body(("plain",))
        assert body is not None
        self.texts[str(mail["To"]).partition("@")[0]] = body.get_content().replace("\r\n", "\n")


def free_port() -> int:
    """One that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def open_desk(
    start: Callable[..., Running],
    folder: Path,
    *changes: tuple[str, str],
    web: str = WEB,
    url: str = URL,
    port: int = 0,
) -> Iterator[Desk]:
    """The whole scene, until a service of the only device is gone and both people were told."""
    relay = Relay()
    with serving(relay.serve, "127.0.0.1") as mail:
        with serving(greet, DEVICE) as service:
            configure(folder, service, mail)
            path = folder / "hostwatch.yaml"
            text = path.read_text(encoding="utf-8").replace("listen:", web, 1)
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
            watch = start()
            port = port or watch.wait_for("web-listening")["port"]
            watch.wait_for("device-proven", lambda seen: "www" in seen["signal"])
        watch.wait_for("emergency-opened")
        for contact in ("duty", "boss"):
            watch.wait_for("attempt", partial(is_accepted, f"{REFERENCE}.emergency.acme.{contact}"))
        texts = {"duty": relay.texts["ops"], "boss": relay.texts["boss"]}
        yield Desk(watch, port, texts, url)
