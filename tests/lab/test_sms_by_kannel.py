"""SMS through a real gateway, Kannel, whose fake centre of messages brings real reports of delivery.

In a network of its own, since the fake centre listens everywhere.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon.running import Running
from tests.lab.namespace import Namespace
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

KANNEL = """\
group = core
admin-port = 13000
admin-password = bar
admin-interface = "127.0.0.1"
smsbox-port = 13001
smsbox-interface = "127.0.0.1"
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = fake
port = 10000
connect-allow-ip = "127.0.0.1"

group = smsbox
bearerbox-host = "127.0.0.1"
sendsms-port = 13013
sendsms-interface = "127.0.0.1"
global-sender = "10690001"

group = sendsms-user
username = dc
password = a-secret-of-kannel
concatenation = true
max-messages = 3

group = sms-service
keyword = default
text = "none"
max-messages = 0
"""

WATCH = """\
site: {name: Chengdu 1, timezone: Asia/Shanghai}
store: sqlite:///watch.db
schedule: {interval: 500ms, misses: 2}
notices: {within: 10s, met_by: delivered}
listen: "off"
log: {format: json}
channels:
  sms:
    gateways:
      main:
        country: CN
        url: http://127.0.0.1:13013/cgi-bin/sendsms
        method: GET
        body: query
        fields: {number: to, text: text, callback: dlr-url}
        constant: {username: dc, coding: "2", charset: UTF-8, dlr-mask: "31"}
        secret: {password: {file: kannel}}
        callbacks:
          - listen: 127.0.0.1:8477
            path: /sms/main
            secret: {file: callback}
            address: http://127.0.0.1:8477/sms/main
            query: said=%d
            key_as: key
            id: key
            word: said
            means: {delivered: ["1"], returned: ["2", "16"]}
customers:
  - id: acme
    name: Acme Trading
    language: zh-CN
    contacts:
      - {id: duty, name: Duty officer, channels: [{sms: "+86 138 0000 0000"}]}
    devices:
      - {id: web-1, address: 127.0.0.2}
"""


@contextlib.contextmanager
def kannel(net: Namespace, folder: Path) -> Iterator[Path]:
    """A gateway with its fake centre; what the centre says."""
    (folder / "kannel.conf").write_text(KANNEL)
    said = folder / "fakesmsc.txt"
    fake = ["/usr/lib/kannel/test/fakesmsc", "-H", "127.0.0.1", "-r", "10000", "-i", "3600", "-m", "2"]
    with contextlib.ExitStack() as ends:

        def begin(port: int, *words: str) -> None:
            output = ends.enter_context(said.open("ab"))
            process = subprocess.Popen(net.command(*words), stdout=output, stderr=output, cwd=folder)
            ends.callback(process.wait)
            ends.callback(process.send_signal, signal.SIGKILL)
            until(
                f"port {port}",
                lambda: f"127.0.0.1:{port} " in net.run("ss", "-ltn").replace("0.0.0.0", "127.0.0.1"),
            )

        begin(10000, "/usr/sbin/bearerbox", "-v", "4", "kannel.conf")
        begin(13001, *fake, "100 200 text nop")
        begin(13013, "/usr/sbin/smsbox", "-v", "4", "kannel.conf")
        until("the centre", lambda: "sent message 1" in said.read_text(errors="replace"))
        yield said


def test_a_report_of_the_telephone_network_proves_that_a_person_was_told(tmp_path: Path) -> None:
    """a device dies ── SMS in Chinese ── the network: on the telephone ── the duty is met, and only then"""
    for name, secret in (("kannel", "a-secret-of-kannel"), ("callback", "0123456789abcdef0123")):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    (tmp_path / "hostwatch.yaml").write_text(WATCH, encoding="utf-8")
    net = Namespace()
    with kannel(net, tmp_path) as said:
        watch = Running(tmp_path, inside=net.command())
        try:
            watch.wait_for("device-proven")
            watch.wait_for("checkers-started")
            net.run("nft", "add table ip t; add chain ip t i { type filter hook input priority 0; }")
            net.run("nft", "add rule ip t i ip daddr 127.0.0.2 icmp type echo-request drop")
            accepted = watch.wait_for("attempt")
            proven = watch.wait_for("callback", lambda seen: bool(seen["news"]))
            watch.wait_for("duty-met")
        finally:
            watch.stop()

    assert (accepted["channel"], accepted["outcome"], accepted["status"]) == ("sms", "accepted", 202)
    assert (proven["notice"], proven["word"]) == ("E-000001.emergency.acme.duty", "delivered")
    arrived = [line for line in said.read_text(errors="replace").splitlines() if "+8613800000000" in line]
    assert len(arrived) == 1, "once"
    assert "ucs-2" in arrived[0]
    everything = str(watch.events)
    assert "a-secret-of-kannel" not in everything
    assert "0123456789abcdef0123" not in everything
