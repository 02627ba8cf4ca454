"""Somebody has it, by the command line: a watch, a service that goes away, a relay, and who is told.

```
 www is gone ── E-000001 ── mail to duty and boss, accepted ── met_by: acknowledged, so both are owed still
    hostwatch ack --contact boss ──▶ boss and the customer are told; duty rests, and is owed
    kill -9, start ──▶ it is as it was
    hostwatch ack --withdraw ──▶ nobody has it any more; that boss was told stays
```
"""

from __future__ import annotations

import json
import signal
import socketserver
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hostwatch.control import ask
from tests.checkers.servers import serving
from tests.daemon.running import CONFIGURATION, Running
from tests.daemon.test_applications import DEVICE, greet

REFERENCE = "E-000001"


def relay(visitor: socketserver.StreamRequestHandler) -> None:
    """As much SMTP as takes a mail."""
    visitor.wfile.write(b"220 relay\r\n")
    is_text = False
    for line in visitor.rfile:
        if is_text:
            if line == b".\r\n":
                is_text = False
                visitor.wfile.write(b"250 taken\r\n")
            continue
        is_text = line.upper().startswith(b"DATA")
        visitor.wfile.write(b"354 go on\r\n" if is_text else b"250 relay\r\n")
        if line.upper().startswith(b"QUIT"):
            return


def configure(folder: Path, service: int, mail: int) -> None:
    text = CONFIGURATION.replace("127.0.0.1:9", f"127.0.0.1:{mail}")
    text = text.replace("notices: {within: 10s}", "notices: {within: 15m, met_by: acknowledged}")
    check = f"{{www: {{checks: [tcp: {{port: {service}, expect: hello, timeout: 400ms}}]}}}}"
    text = text.replace("address: 127.0.0.2}", f"address: 127.0.0.2, services: {check}}}")
    other = "      - {id: boss, name: Boss, channels: [{email: boss@acme.example}]}\n    devices:"
    (folder / "hostwatch.yaml").write_text(text.replace("    devices:", other), encoding="utf-8")


def emergency(watch: Running) -> dict[str, Any]:
    told = watch.command("status", "--json")
    assert told.stdout, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)["emergencies"][0]
    return found


def states(watch: Running) -> dict[str, str]:
    return {notice["contact"]: notice["state"] for notice in emergency(watch)["notices"]}


def until(watch: Running, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    for _ in range(100):
        found = emergency(watch)
        if wanted(found):
            return found
        threading.Event().wait(0.1)
    raise AssertionError(emergency(watch))


def is_accepted(name: str, seen: dict[str, Any]) -> bool:
    return bool(seen["outcome"] == "accepted" and seen["notice"] == name)


def test_a_person_has_it_by_the_command_line(start: Callable[..., Running], tmp_path: Path) -> None:
    with serving(relay, "127.0.0.1") as mail:
        with serving(greet, DEVICE) as service:
            configure(tmp_path, service, mail)
            watch = start()
            watch.wait_for("device-proven", lambda seen: "www" in seen["signal"])
        watch.wait_for("emergency-opened")
        for contact in ("duty", "boss"):
            name = f"{REFERENCE}.emergency.acme.{contact}"
            watch.wait_for("attempt", partial(is_accepted, name))
        refused(watch)

        said = watch.command("ack", REFERENCE, "--contact", "boss", "--by", "Chen Wei", "--how", "cli")
        assert (said.returncode, said.stdout) == (0, f"acme/boss has {REFERENCE}\n"), said.stderr
        has = until(watch, lambda found: bool(found["acknowledged"]))
        assert states(watch) == {"duty": "pending", "boss": "acknowledged"}
        again = watch.command("ack", REFERENCE, "--contact", "boss", "--by", "Chen Wei")
        assert again.stdout == f"acme/boss has {REFERENCE}, as was known\n"

        watch.stop(signal.SIGKILL)
        watch = start()
        watch.wait_for("watch-started")
        assert emergency(watch)["acknowledged"] == has["acknowledged"]
        shown(watch)

        back = watch.command("ack", REFERENCE, "--withdraw", "--because", "he is on a train")
        assert back.returncode == 0, back.stderr
        until(watch, lambda found: not found["acknowledged"])
        assert states(watch) == {"duty": "pending", "boss": "acknowledged"}
        assert watch.stop() == 0


def refused(watch: Running) -> None:
    """What makes no sense is refused, and says why."""
    for asked, why in [
        ({"contact": "boss"}, "without a name"),
        ({"by": "Chen", "contact": "bos"}, "did you mean boss?"),
        ({"by": "Chen", "customer": "other"}, "known: acme"),
        ({"by": "Chen", "how": "smoke"}, "known: on behalf, cli"),
    ]:
        more: dict[str, Any] = {"reference": REFERENCE, **asked}
        told = ask(watch.folder / "watch.db.sock", "acknowledge", **more)
        assert (told["ok"], why in told["error"]) == (False, True), told
    told = ask(watch.folder / "watch.db.sock", "withdraw-acknowledgement", reference=REFERENCE, because="x")
    assert told["error"] == "nobody of acme has E-000001"
    without = watch.command("ack", REFERENCE, "--withdraw")
    assert (without.returncode, "without a reason" in without.stderr) == (2, True)


def shown(watch: Running) -> None:
    """Who has it stands in the status, with the name, and in what is explained, with who recorded it."""
    (has,) = emergency(watch)["acknowledged"]
    assert (has["contact"], has["by"], has["how"]) == ("boss", "Chen Wei", "cli")
    assert "boss: Chen Wei has it since" in " ".join(watch.command("status").stdout.replace("│", " ").split())
    told = watch.command("explain", REFERENCE).stdout
    assert "acme/boss: has it (cli, recorded by " in told
