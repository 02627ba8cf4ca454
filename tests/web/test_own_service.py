"""The desk as a service of its own, with a certificate of its own, and what its unit may do."""

from __future__ import annotations

import http.client
import os
import re
import signal
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.daemon.running import WITHIN_S, Running
from tests.web.desk import REFERENCE, Desk, free_port, open_desk

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "systemd" / "hostwatch-web.service"
SCORE_MAX_TENTHS = 15


def certificate(folder: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", folder / "desk.key", "-out", folder / "desk.pem"),
        ],
        check=True,
        capture_output=True,
    )


def test_it_speaks_to_the_watch_by_a_socket_and_to_people_by_tls(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    certificate(tmp_path)
    port = free_port()
    url = f"https://localhost:{port}"
    web = (
        f"web: {{url: '{url}', listen: '127.0.0.1:{port}', socket: web.sock,"
        " tls: {certificate: desk.pem, key: desk.key}}\nlisten:"
    )
    with open_desk(start, tmp_path, web=web, url=url, port=port) as desk:
        assert stat.S_IMODE((tmp_path / "web.sock").stat().st_mode) == 0o660
        service = alone(desk)
        try:
            told = look(desk, tmp_path, "boss")
            assert (told.status, f"{REFERENCE}: do you take care of it?" in told.read().decode()) == (
                200,
                True,
            )
            desk.watch.stop(signal.SIGKILL)
            assert look(desk, tmp_path, "boss").status == 503, "the watch is away"
            desk.watch = start()
            desk.watch.wait_for("web-awaited")
            assert look(desk, tmp_path, "duty").status == 200, "and the line is found again"
        finally:
            service.send_signal(signal.SIGTERM)
            assert service.wait(WITHIN_S) == 0
            assert service.stderr is not None
            service.stderr.close()


def alone(desk: Desk) -> subprocess.Popen[str]:
    """`hostwatch web`, once it listens."""
    service = subprocess.Popen(
        [sys.executable, "-m", "hostwatch", "web", "--config", str(desk.watch.path)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert service.stderr is not None
    for line in service.stderr:
        if "web-listening" in line:
            return service
    raise AssertionError("it ended")


def look(desk: Desk, folder: Path, contact: str) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(folder / "desk.pem"))
    line = http.client.HTTPSConnection("localhost", desk.port, context=context, timeout=WITHIN_S)
    line.request("GET", desk.path(contact))
    return line.getresponse()


def test_without_a_socket_there_is_nothing_left_for_it(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text(
        "site: {name: Here, timezone: UTC}\nstore: sqlite:///h.db\nweb: {url: 'http://127.0.0.1:8470'}\n"
    )
    words = [sys.executable, "-m", "hostwatch", "web", "--config", str(tmp_path / "h.yaml")]
    told = subprocess.run(words, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert (told.returncode, "without web.socket:" in told.stderr) == (2, True)


def test_its_unit_may_do_next_to_nothing(tmp_path: Path) -> None:
    command = ["systemd-analyze", "--no-pager", "security", "--offline=true", str(UNIT)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    found = re.search(r"Overall exposure level for hostwatch-web\.service: (\d+)\.(\d)", judged.stdout)
    assert found, judged.stdout + judged.stderr
    assert int(found[1]) * 10 + int(found[2]) <= SCORE_MAX_TENTHS
    copy = tmp_path / UNIT.name
    text = UNIT.read_text().replace("/opt/hostwatch/bin/hostwatch", sys.executable)
    copy.write_text(text.replace("Requires=hostwatch.service\n", ""))
    verify = ["systemd-analyze", "--no-pager", "verify", "--recursive-errors=one", str(copy)]
    verified = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert (verified.returncode, verified.stderr) == (0, "")
