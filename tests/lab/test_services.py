"""A device that answers while its web server is stopped, and one that is cut off with all that runs on it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.daemon import rows
from tests.lab.topology import Device, address
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

DEVICE: Device = "device-1"
WWW = f"{DEVICE}/www@main"
PING = signal_of(DEVICE)
SERVICES = ', services: {www: {checks: [{http: {url: "/", contains: "everything runs", timeout: 400ms}}]}}'
NGINX = """\
user root;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 80; location / {{ return 200 "everything runs\\n"; }} }}
}}
"""


class Web:
    """The web server of the device."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
        words = (
            "nginx",
            "-c",
            str(folder / "nginx.conf"),
            "-e",
            str(folder / "error.log"),
            "-p",
            str(folder),
        )
        self._command = lab.net.devices["device-1"].command("setpriv", "--pdeathsig", "TERM", *words)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """It runs from now on."""
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)

    def stop(self) -> None:
        """It is gone when this returns."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait()


@pytest.fixture
def web(lab: Lab, tmp_path: Path) -> Iterator[Web]:
    """It runs, and the watch has seen the device and its www."""
    found = Web(lab, tmp_path)
    found.start()
    try:
        lab.watch({DEVICE: address(DEVICE)}, "interval: 500ms", {DEVICE: SERVICES})
        lab.daemon.said("device-proven", signal=WWW)
        yield found
    finally:
        found.stop()


def opened(lab: Lab) -> list[tuple[str, str]]:
    """The emergencies so far: their references and signals."""
    return [(fact.reference, fact.signal) for fact in lab.daemon.facts(facts.EmergencyOpened)]


def test_a_stopped_web_server_is_an_emergency_of_www_and_the_notice_names_it(lab: Lab, web: Web) -> None:
    """
    0 s    the device answers pings, and its www runs
    then   nginx is stopped: the device answers still
    +1 s   second miss of www: one emergency, of www alone; both contacts are told what does not run, and why
    then   nginx is started: one recovery
    """
    web.stop()
    lab.daemon.said("went-down", signal=WWW)
    until("the mail of the emergency", lambda: lab.post.mails)
    until("the webhook of the emergency", lambda: lab.post.hooked)
    lab.daemon.looked("answered", 4)
    web.start()
    lab.daemon.said("came-up", signal=WWW)
    until("the mail of the recovery", lambda: lab.post.mails[1:])
    until("the webhook of the recovery", lambda: lab.post.hooked[1:])

    ((reference, name),) = opened(lab)
    assert name == WWW
    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)} == {WWW}
    first, last = lab.post.mails
    assert reference in first["Subject"]
    assert "www" in first["Subject"]
    assert "connection refused" in first.get_content()
    assert "www" in last["Subject"]
    assert lab.post.hooked[0]["emergencies"][0]["service"] == "www"
    assert lab.daemon.end() == 0
    (device,) = rows(lab.daemon.report(), [DEVICE])
    (service,) = device["services"]
    assert (service["name"], [one["reference"] for one in service["emergencies"]]) == ("www", [reference])
    assert service["down_s"] > 0
    assert (device["down_s"], device["emergencies"]) == (0, [])


def test_a_device_that_is_cut_off_is_one_emergency_with_one_notice_each(lab: Lab, web: Web) -> None:
    """
    0 s    the device answers pings, and its www runs
    then   its cable is pulled: ping and www fall silent
    +1 s   one emergency, of the device; each contact gets one notice
    then   six more rounds of misses: no second emergency
    then   the cable is plugged in: one recovery each; both signals have an outage of their own in the record
    """
    lab.net.cut(DEVICE)
    lab.daemon.said("went-down", signal=PING)
    until("the mail of the emergency", lambda: lab.post.mails)
    until("the webhook of the emergency", lambda: lab.post.hooked)
    lab.daemon.said("went-down", signal=WWW)
    lab.daemon.looked("missed", 12)
    lab.net.restore(DEVICE)
    lab.daemon.said("came-up", signal=PING)
    lab.daemon.said("came-up", signal=WWW)
    until("the mail of the recovery", lambda: lab.post.mails[1:])
    lab.daemon.looked("answered", 6)

    ((reference, name),) = opened(lab)
    assert name == PING
    assert len(lab.post.mails) == len(lab.post.hooked) == 2
    assert {fact.signal for fact in lab.daemon.facts(facts.SilenceEnded)} >= {PING, WWW}
    assert lab.daemon.end() == 0
    (device,) = rows(lab.daemon.report(), [DEVICE])
    (service,) = device["services"]
    for account in (device, service):
        assert account["down_s"] > 0
        assert [one["reference"] for one in account["emergencies"]] == [reference]
