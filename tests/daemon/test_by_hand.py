"""Emergencies by people's word, by the command line: a watch, a service that goes away, a relay, the mails.

```
 www is gone ── E-000001 ── mail to duty, accepted
    hostwatch emergency correct E-000001 --because … --evidence trace.pcap ──▶ one mail more: a false alarm
    kill -9, start ──▶ it is as it was; www is back, E-000001 is over, and no mail says so

 a customer rings ── hostwatch emergency open --device web-1 … ──▶ E-000001, and at once kill -9
    start ──▶ duty is told once, though web-1 answers ── end ──▶ a mail that it is over
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
from tests.daemon.test_acknowledgement import configure, emergency, is_accepted, until
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


SINCE = "2026-01-05T09:00:00+08:00"


def test_a_person_opens_an_emergency_and_ends_it(
    start: Callable[..., Running], tmp_path: Path, relay: Relay
) -> None:
    with serving(relay.serve, "127.0.0.1") as mail, serving(greet, DEVICE) as service:
        one_person(tmp_path, service, mail)
        watch = start()
        watch.wait_for("device-proven", lambda seen: "ping" in seen["signal"])
        not_opened(watch)

        words = ("--told-by", "Chen Wei, by telephone", "--because", "no pictures")
        said = watch.command("emergency", "open", "--device", "web-1", "--since", SINCE, *words)
        assert said.stdout == "E-000001 is open; who is owed a notice: acme/duty\n", said.stderr
        watch.stop(signal.SIGKILL)
        watch = start()
        watch.wait_for("watch-started")
        found = until(watch, lambda seen: bool(seen["notices"][0]["state"] == "accepted"))
        assert (found["reported"], found["devices"], found["customers"]) == ("no pictures", ["web-1"], 1)
        assert "reported" in watch.command("status").stdout
        again = watch.command("emergency", "open", "--device", "web-1", "--since", SINCE, *words)
        assert again.stderr == ("nothing is reported: an emergency tells of each already: web-1 (E-000001)\n")

        over = ("--at", "2026-01-05T09:30:00+08:00", "--because", "she says so")
        said = watch.command("emergency", "end", "E-000001", *over)
        assert said.stdout == "E-000001 is over; who is told so: acme/duty\n", said.stderr
        watch.wait_for("attempt", partial(is_accepted, "E-000001.recovery.acme.duty"))
        told = watch.command("explain", "E-000001").stdout
        assert "reports E-000001: web-1, told by Chen Wei, by telephone: no pictures" in told
        assert "says that E-000001 is over: she says so" in told
        assert watch.command("emergency", "end", "E-000001", *over).returncode == 2
        assert watch.stop() == 0
    first, *repeats, last = relay.subjects
    assert all("[repeat]" in one for one in repeats), (
        "what may have arrived is marked when it is sent once more"
    )
    assert "reported to us" in first
    assert "in use again" in last


def not_opened(watch: Running) -> None:
    """All that is wrong is said at once."""
    wrong = watch.command("emergency", "open", "--device", "web-2,web-1", "--service", "ww")
    assert wrong.returncode == 2
    assert wrong.stderr.splitlines() == [
        "cannot report an emergency:",
        "there is no device web-2; did you mean web-1?",
        "web-1 has no service ww; it has: www",
        "say since when, with --since",
        "say whom it was told by, and how, with --told-by",
        "say what is seen, in words that people are told, with --because",
    ]
    for typed, why in [
        (("open", "E-000001"), "does not take E-000001"),
        (("end", "E-000001", "--device", "x"), "does not take --device"),
        (("correct", "E-000001", "--at", SINCE), "does not take --at"),
    ]:
        told = watch.command("emergency", *typed)
        assert (told.returncode, why in told.stderr) == (2, True), told.stderr
