"""Contact data by the command line: a watch, a relay that takes mails, and what people tell on the telephone.

```
 hostwatch contacts verify acme ──▶ a code by mail ──▶ kill -9, start ──▶ contacts confirm ──▶ verified
 the address is changed while the watch runs ──▶ a mail to the old one, a code to the new one
```
"""

from __future__ import annotations

import json
import re
import signal
import socketserver
import threading
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from tests.checkers.servers import serving
from tests.daemon.running import CONFIGURATION, Running

MAILS: list[tuple[str, str]] = []
CAME = threading.Condition()


def relay(visitor: socketserver.StreamRequestHandler) -> None:
    """As much SMTP as takes mails, and keeps to whom they went and what they say."""
    visitor.wfile.write(b"220 relay\r\n")
    to, text, is_text = "", b"", False
    for line in visitor.rfile:
        if is_text and line == b".\r\n":
            is_text = False
            mail = message_from_bytes(text, policy=policy.default)
            body = mail.get_body(("plain",))
            assert body is not None
            with CAME:
                MAILS.append((to, body.get_content()))
                CAME.notify_all()
            visitor.wfile.write(b"250 taken\r\n")
        elif is_text:
            text += line
        else:
            if line.upper().startswith(b"RCPT"):
                to = re.findall(r"<(.*?)>", line.decode())[0]
            is_text, text = line.upper().startswith(b"DATA"), b""
            visitor.wfile.write(b"354 go on\r\n" if is_text else b"250 relay\r\n")
            if line.upper().startswith(b"QUIT"):
                return


def mail_to(address: str, says: str) -> str:
    """What a mail says that came, or comes now."""

    def found() -> list[str]:
        return [text for to, text in MAILS if to == address and says in text]

    with CAME:
        assert CAME.wait_for(found, timeout=20), MAILS
    return found()[-1]


def ways(watch: Running) -> list[str]:
    told: Any = json.loads(watch.command("contacts", "acme", "--json").stdout)
    return [one["state"] for one in told[0]["told"][0]["recorded"]]


def test_a_code_is_asked_told_and_survives_a_kill(start: Callable[..., Running], tmp_path: Path) -> None:
    MAILS.clear()
    with serving(relay, "127.0.0.1") as mail:
        text = CONFIGURATION.replace("127.0.0.1:9", f"127.0.0.1:{mail}")
        (tmp_path / "hostwatch.yaml").write_text(text, encoding="utf-8")
        address = re.findall(r"email: ([^\s},]+)", text)[0].strip("]}")
        watch = start()
        watch.wait_for("contact-ways")
        assert ways(watch) == ["unverified"]
        asked = watch.command("contacts", "verify", "acme")
        assert asked.stdout == "acme/duty: a code goes by email\n", asked.stderr
        code = re.findall(r"Code: (\d{4} \d{4})", mail_to(address, "Code:"))[0]
        watch.wait_for("notice-settled")

        watch.stop(signal.SIGKILL)
        watch = start()
        watch.wait_for("watch-started")
        wrong = watch.command("contacts", "confirm", "acme", "duty", "00000000")
        assert (wrong.returncode, "not the code" in wrong.stderr) == (2, True)
        told = watch.command("contacts", "confirm", "acme", "duty", code, "--by", "Ann Lee")
        assert told.stdout == "acme/duty: email is verified\n", told.stderr
        assert ways(watch) == ["verified"]

        watch.rewrite(address, "other@acme.example")
        assert watch.command("reload").returncode == 0
        assert "Not used any more: email " in mail_to(address, "Not used any more")
        mail_to("other@acme.example", "Code:")
        assert ways(watch) == ["asked"]
        assert watch.stop() == 0
