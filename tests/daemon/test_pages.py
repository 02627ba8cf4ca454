"""The watch's own pages and its control socket, also in front of rude visitors."""

from __future__ import annotations

import json
import re
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hostwatch import control
from tests.daemon.running import CONFIGURATION, Running, command


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def say(port: int, text: bytes) -> bytes:
    """Send bytes and read until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(text)
        answer = b""
        while chunk := sock.recv(65536):
            answer += chunk
    return answer


DEVICE = (("customer", "acme"), ("device", "web-1"), ("instance", "127.0.0.2"))


def measured(watch: Running, page: str = "/metrics") -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    status, text = get(f"{watch.url}{page}")
    assert status == 200, text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_watch_that_works_is_healthy_ready_and_measured(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")

    assert get(f"{watch.url}/-/healthy") == (200, "healthy\n")
    assert get(f"{watch.url}/-/ready") == (200, "ready\n")
    samples = measured(watch)
    assert samples["probe_success", DEVICE] == 1
    assert samples["hostwatch_healthy", ()] == 1
    assert samples["hostwatch_signals", (("state", "up"),)] == 1
    assert samples["hostwatch_readings_total", (("outcome", "answered"),)] >= 1


@pytest.mark.parametrize("asked", ["off", "on"])
def test_each_device_is_on_a_page_of_its_own_and_if_asked_for_among_the_metrics(
    start: Callable[..., Running], tmp_path: Path, asked: str
) -> None:
    text = f"{CONFIGURATION}metrics: {{devices: {asked}}}\n"
    (tmp_path / "hostwatch.yaml").write_text(text, encoding="utf-8")
    watch = start()
    watch.wait_for("device-proven")
    timed = ("probe_icmp_duration_seconds", (*DEVICE, ("phase", "rtt")))

    devices = measured(watch, "/metrics/devices")
    while timed not in devices:  # the first look is none of the schedule, and is not timed
        devices = measured(watch, "/metrics/devices")

    assert devices["probe_success", DEVICE] == 1
    assert 0 < devices[timed] < 1
    assert (("probe_success", DEVICE) in measured(watch)) is (asked == "on")
    assert ("hostwatch_healthy", ()) in measured(watch)
    assert ("hostwatch_healthy", ()) not in devices


def test_other_pages_do_not_exist(start: Callable[..., Running]) -> None:
    watch = start()

    assert get(f"{watch.url}/")[0] == 404


@pytest.mark.parametrize(
    "rude",
    [
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["long header", "long line", "post", "tls"],
)
def test_rude_visitors_are_shown_out(start: Callable[..., Running], rude: bytes) -> None:
    watch = start()
    watch.wait_for("device-proven")
    port = int(watch.url.rpartition(":")[2])

    assert re.match(rb"HTTP/1\.[01] 4\d\d ", say(port, rude))
    assert get(f"{watch.url}/-/ready")[0] == 200


def test_an_address_in_use_is_said(start: Callable[..., Running], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = CONFIGURATION.replace("127.0.0.1:0", f"127.0.0.1:{port}")
        (tmp_path / "hostwatch.yaml").write_text(text, encoding="utf-8")
        watch = start()

        told = watch.wait_for("stopped")

    assert told["error"].startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert watch.process.wait(timeout=10) == 1


def test_the_control_socket_is_its_users_alone(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")
    path = watch.folder / "watch.db.sock"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    answer = control.ask(path, "status")
    assert answer["process"] == watch.process.pid
    assert answer["healthy"] is True
    watch.stop()
    assert not path.exists()


@pytest.mark.parametrize(
    "rude",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b'{"do": "explode"}\n',
        b'{"do": ["reload"]}\n',
        b"\xff\xfe\n",
        b"a" * 200_000,
        b"[" * 60_000,
    ],
    ids=["nothing", "empty", "list", "unknown", "unhashable", "no utf-8", "endless", "deep"],
)
def test_a_request_that_is_none_is_answered_and_does_no_harm(
    start: Callable[..., Running], rude: bytes
) -> None:
    watch = start()
    watch.wait_for("device-proven")
    path = watch.folder / "watch.db.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(15)
        sock.connect(str(path))
        try:
            sock.sendall(rude)
            sock.shutdown(socket.SHUT_WR)
            line = sock.makefile("rb").readline()
        except (BrokenPipeError, ConnectionResetError):
            line = b""  # it did not even want to hear the rest

    assert not line or json.loads(line)["ok"] is False
    assert control.ask(path, "status")["healthy"] is True


def test_without_a_watch_the_socket_says_so(tmp_path: Path) -> None:
    with pytest.raises(control.ControlError, match="no watch is running here: nothing listens at"):
        control.ask(tmp_path / "watch.db.sock", "status")


def test_status_with_and_without_a_watch(start: Callable[..., Running], tmp_path: Path) -> None:
    (tmp_path / "hostwatch.yaml").write_text(CONFIGURATION, encoding="utf-8")
    before = command("status", "--config", str(tmp_path / "hostwatch.yaml"))
    assert before.returncode == 2
    assert "there is no store" in before.stderr

    watch = start()
    watch.wait_for("device-proven")
    running = watch.command("status", "--json")
    assert running.returncode == 0, running.stdout + running.stderr
    told = json.loads(running.stdout)
    assert told["signals"] == {"up": 1}
    assert told["emergencies"] == []

    assert watch.stop() == 0
    stopped = watch.command("status")
    assert stopped.returncode == 2
    assert "no watch is running here" in stopped.stdout


def test_a_file_in_the_place_of_the_control_socket_is_left_alone(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine", encoding="utf-8")
    text = f"{CONFIGURATION}control: precious.txt\n"
    (tmp_path / "hostwatch.yaml").write_text(text, encoding="utf-8")

    told = start().wait_for("stopped")

    assert "a file that is no socket is there" in told["error"]
    assert precious.read_text(encoding="utf-8") == "mine"


def test_the_control_socket_of_another_watch_is_not_taken(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    first = start()
    first.wait_for("device-proven")
    (tmp_path / "hostwatch.yaml").write_text(
        CONFIGURATION.replace("watch.db", "other.db") + "control: watch.db.sock\n", encoding="utf-8"
    )

    told = start().wait_for("stopped")

    assert "another watch does" in told["error"]
    assert control.ask(tmp_path / "watch.db.sock", "status")["process"] == first.process.pid
