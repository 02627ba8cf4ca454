"""`hostwatch drill` with a real watch and a real receiver: begun, told, acknowledged, filed; a kill -9."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.running import CONFIGURATION, WITHIN_S, Running


class Receiver:
    """Takes webhooks, or hangs until it is let go."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.hangs = threading.Event()
        self.goes_on = threading.Event()
        self._came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def take(self, body: dict[str, Any]) -> None:
        with self._came:
            self.bodies.append(body)
            self._came.notify_all()
        if self.hangs.is_set():
            self.goes_on.wait(WITHIN_S)

    def wait_for(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.bodies) >= count, WITHIN_S)

    def close(self) -> None:
        self.goes_on.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def prepared(folder: Path, receiver: Receiver) -> None:
    text = CONFIGURATION.replace("{email: ops@acme.example}", f"{{webhook: {receiver.url!r}}}")
    (folder / "hostwatch.yaml").write_text(f"{text}operator: acme\n")


def test_an_exercise_is_told_acknowledged_and_filed(
    start: Callable[..., Running], tmp_path: Path, receiver: Receiver
) -> None:
    prepared(tmp_path, receiver)
    watch = start()
    watch.wait_for("configuration-applied")
    assert watch.command("drill", "list").stdout == "there was no exercise yet\n"

    begun = watch.command("drill", "--within", "10m")
    assert begun.stdout == "X-000001: told to acme/duty\n", begun.stderr
    receiver.wait_for(1)
    assert receiver.bodies[0]["subject"].startswith("EXERCISE X-000001: ")
    assert receiver.bodies[0]["exercise"] is True
    again = watch.command("drill")
    assert (again.returncode, again.stderr[:28]) == (2, "X-000001 is under way until ")

    ack = watch.command("ack", "X-000001", "--contact", "duty", "--by", "Chen Wei")
    assert ack.stdout == "acme/duty has X-000001\n", ack.stderr
    watch.wait_for("exercise-ended")
    shown = watch.command("drill", "show", "X-000001")
    assert shown.returncode == 0, shown.stderr
    assert "1 of 1 told in time, 1 acknowledged" in shown.stdout
    assert "acme/duty" in shown.stdout
    assert "see hostwatch drill show X-000001" in watch.command("explain", "X-000001").stderr
    (listed,) = json.loads(watch.command("drill", "list", "--json").stdout)
    assert listed["results"][0]["proof"] == "acknowledged"
    assert f"filed as fact {listed['fact']}, leaf {listed['leaf']}" in shown.stdout
    assert "EXERCISE" not in watch.command("status").stdout
    assert watch.command("ack", "X-000001", "--by", "Chen Wei").returncode == 2


def test_a_watch_that_is_killed_in_the_middle_goes_on_with_it(
    start: Callable[..., Running], tmp_path: Path, receiver: Receiver
) -> None:
    """begun ── the receiver has it and does not answer ── kill -9 ── the next run sends it as a repeat"""
    prepared(tmp_path, receiver)
    receiver.hangs.set()
    watch = start()
    watch.wait_for("configuration-applied")
    watch.command("drill", "--within", "15s")
    receiver.wait_for(1)
    watch.stop(signal.SIGKILL)
    receiver.hangs.clear()

    watch = start()
    receiver.wait_for(2)
    assert receiver.bodies[1]["repeat"] is True
    assert receiver.bodies[1]["key"] == receiver.bodies[0]["key"]
    watch.wait_for("exercise-ended")
    (result,) = json.loads(watch.command("drill", "show", "X-000001", "--json").stdout)["results"]
    assert [tried["outcome"] for tried in result["attempts"]] == ["interrupted", "accepted"]


def test_who_was_not_told_in_time_is_a_finding_and_what_makes_no_sense_is_refused(
    start: Callable[..., Running], tmp_path: Path, receiver: Receiver
) -> None:
    prepared(tmp_path, receiver)
    receiver.hangs.set()
    watch = start()
    watch.wait_for("configuration-applied")

    found = watch.command("drill", "--within", "2s", "--wait")

    assert found.returncode == 1, found.stderr
    assert "not in time" in found.stdout
    for words, said in (
        (("--to", "acem"), "there is no customer acem; did you mean acme?"),
        (("--by", "pigeon"), "pigeon is no kind of channel"),
        (("--by", "sms"), "nobody is told by sms"),
        (("--within", "2"), "--within 2 has no unit"),
        (("show",), "write hostwatch drill show EXERCISE"),
    ):
        refused = watch.command("drill", *words)
        assert refused.returncode == 2
        assert said in refused.stderr
    assert watch.command("drill", "show", "X-000009").returncode == 1
