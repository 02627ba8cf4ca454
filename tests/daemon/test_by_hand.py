"""Emergencies by people's word, by the command line: a watch, a service that goes away, a relay, the mails.

```
 www is gone ── E-000001 ── mail to duty, accepted
    hostwatch emergency correct E-000001 --because … --evidence trace.pcap ──▶ one mail more: a false alarm
    kill -9, start ──▶ it is as it was; www is back, E-000001 is over, and no mail says so
```
"""

from __future__ import annotations

import hashlib
import json
import signal
import socketserver
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hostwatch.control import ask
from tests.checkers.servers import serving
from tests.daemon.running import Running
from tests.daemon.test_acknowledgement import configure, emergency, is_accepted
from tests.daemon.test_applications import DEVICE, greet


class Relay:
    """Takes mails, and keeps their subjects."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    def serve(self, visitor: socketserver.StreamRequestHandler) -> None:
        visitor.wfile.write(b"220 relay\r\n")
        is_text = False
        for line in visitor.rfile:
            if is_text:
                if line.lower().startswith(b"subject:"):
                    self.subjects.append(line[8:].decode().strip())
                if line == b".\r\n":
                    is_text = False
                    visitor.wfile.write(b"250 taken\r\n")
                continue
            is_text = line.upper().startswith(b"DATA")
            visitor.wfile.write(b"354 go on\r\n" if is_text else b"250 relay\r\n")
            if line.upper().startswith(b"QUIT"):
                return


@pytest.fixture
def relay() -> Relay:
    return Relay()


def one_person(folder: Path, service: int, mail: int) -> None:
    configure(folder, service, mail)
    file = folder / "hostwatch.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(", met_by: acknowledged", "")
    text = text.replace("      - {id: boss, name: Boss, channels: [{email: boss@acme.example}]}\n", "")
    file.write_text(text, encoding="utf-8")


def test_a_false_alarm_is_corrected(start: Callable[..., Running], tmp_path: Path, relay: Relay) -> None:
    trace = tmp_path / "trace.pcap"
    trace.write_bytes(b"what the filter dropped")
    with serving(relay.serve, "127.0.0.1") as mail:
        with serving(greet, DEVICE) as service:
            one_person(tmp_path, service, mail)
            watch = start()
            watch.wait_for("device-proven", lambda seen: "www" in seen["signal"])
        watch.wait_for("attempt", partial(is_accepted, "E-000001.emergency.acme.duty"))
        refused(watch)

        words = ("--because", "a filter of ours", "--evidence", str(trace))
        said = watch.command("emergency", "correct", "E-000001", *words)
        digest = hashlib.sha256(trace.read_bytes()).hexdigest()
        assert said.stdout == (
            "E-000001 is corrected; who is told so: acme/duty\n"
            f"evidence: trace.pcap, 23 bytes, SHA-256 {digest}: keep this file\n"
        ), said.stderr
        watch.wait_for("attempt", partial(is_accepted, "E-000001.correction.acme.duty"))
        again = watch.command("emergency", "correct", "E-000001", *words)
        assert (again.returncode, "already" in again.stderr) == (2, True), again.stderr

        watch.stop(signal.SIGKILL)
        watch = start()
        watch.wait_for("watch-started")
        assert emergency(watch)["reference"] == "E-000001"
        told = watch.command("explain", "E-000001").stdout
        assert "and was a false alarm" in told
        assert "corrects E-000001, a false alarm: a filter of ours" in told
        assert json.loads(watch.command("explain", "E-000001", "--json").stdout)["corrected_at"] is not None
        with serving(greet, DEVICE, port=service):
            watch.wait_for("emergency-ended")
        assert watch.stop() == 0
    assert ["false alarm" in one for one in relay.subjects] == [False, True]


def refused(watch: Running) -> None:
    """What makes no sense is refused, and says why."""
    for asked, why in [
        ({"because": ""}, "without a reason"),
        ({"reference": "E-000002"}, "there is no emergency E-000002; 1 have been opened"),
        ({"evidence": "[{}]"}, "its SHA-256, its size and its name"),
        ({"evidence": "no"}, "at most 16 files"),
    ]:
        more: dict[str, Any] = {"reference": "E-000001", "because": "x", **asked}
        told = ask(watch.folder / "watch.db.sock", "correct-emergency", **more)
        assert (told["ok"], why in told["error"]) == (False, True), told
    missing = watch.command("emergency", "correct", "E-000001", "--because", "x", "--evidence", "/nowhere")
    assert (missing.returncode, "cannot read /nowhere" in missing.stderr) == (2, True)
