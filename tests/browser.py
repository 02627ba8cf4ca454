"""A browser without a screen, driven through two pipes: what a page looks like, and how large things are.

It is Debian's chromium-headless-shell, by the protocol of its developer tools. It finds no name and has no
way to any address but 127.0.0.1, so whatever a page asks for is seen and never gets out.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

Mode = Literal["light", "dark"]

PROGRAM = "chromium-headless-shell"
ANSWER_BYTES = 1 << 20


class Browser:
    """One browser with one page."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = os.pipe(), os.pipe()
        self._process = subprocess.Popen(
            [
                "bash", "-c", f'exec "$@" 3<&{ours[0]} 4>&{theirs[1]}', "bash",
                PROGRAM, "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
                "--disable-background-networking", "--disable-component-update", "--no-first-run",
                "--disable-sync", "--disable-dev-shm-usage", "--proxy-server=127.0.0.1:9",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                f"--user-data-dir={folder / 'profile'}", "about:blank",
            ],
            pass_fds=(ours[0], theirs[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(ours[0])
        os.close(theirs[1])
        self._to, self._from = ours[1], theirs[0]
        self._waiting = b""
        self._number = 0
        self._session = ""
        self.asked_for: list[str] = []
        """Everything that pages asked for, themselves included."""

        self._page = folder / "page.html"
        self._open()

    def _open(self) -> None:
        target = next(one for one in self.do("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self.do("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self.do("Page.enable")
        self.do("Network.enable")

    def show(self, html: str, *, width: int = 360, height: int = 800, mode: Mode = "light") -> None:
        """Show a page at a width, by day or in the dark, and wait until it is loaded."""
        self._page.write_text(html, encoding="utf-8")
        self.visit(self._page.as_uri(), width=width, height=height, mode=mode)

    def visit(self, url: str, *, width: int = 360, height: int = 800, mode: Mode = "light") -> None:
        """The same with a page that is somewhere."""
        self.do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": mode}])
        self.asked_for = []
        self.do("Page.navigate", url=url)
        self._until("Page.loadEventFired")

    def press(self, selector: str) -> None:
        """Press a button as a finger does, and wait for the page that comes of it."""
        middle = self.ask(
            f"(()=>{{const b=document.querySelector({json.dumps(selector)});b.scrollIntoView();"
            "const r=b.getBoundingClientRect();return [r.x+r.width/2,r.y+r.height/2]})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            at = {"x": middle[0], "y": middle[1], "button": "left", "clickCount": 1}
            self.do("Input.dispatchMouseEvent", type=kind, **at)
        self._until("Page.loadEventFired")

    @property
    def others(self) -> list[str]:
        """What the page asked for beside itself."""
        return [url for url in self.asked_for if url != self._page.as_uri()]

    def ask(self, script: str) -> Any:
        """What an expression of JavaScript comes to in the page."""
        found = self.do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def picture(self, form: Literal["png", "webp"] = "png", **options: Any) -> bytes:
        """What is on the screen."""
        found = self.do("Page.captureScreenshot", format=form, **options)
        return base64.b64decode(found["data"])

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give one order, and wait for its answer."""
        self._number += 1
        order: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._to, json.dumps(order).encode() + b"\0")
        while True:
            said = self._hear()
            if said.get("id") == self._number:
                assert "error" not in said, (method, said["error"])
                result: dict[str, Any] = said["result"]
                return result

    def _until(self, event: str) -> None:
        while self._hear().get("method") != event:
            pass

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            piece = os.read(self._from, ANSWER_BYTES)
            assert piece, f"{PROGRAM} ended"
            self._waiting += piece
        one, _, self._waiting = self._waiting.partition(b"\0")
        said: dict[str, Any] = json.loads(one)
        if said.get("method") == "Network.requestWillBeSent":
            self.asked_for.append(said["params"]["request"]["url"])
        return said

    def close(self) -> None:
        """End it, with all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        os.close(self._from)


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser that is ended in any case; what it keeps lies in that folder."""
    made = Browser(folder)
    try:
        yield made
    finally:
        made.close()
