"""What is wrong with a website, as its customers read it by mail: real nginx, real watch, two languages.

```
 nginx 1  killed                  ─▶ www     connection refused        ┐  one mail each to a
 nginx 2  another page            ─▶ page    the text is not there     ├─ customer who reads
          an expired certificate  ─▶ shop    it expired on that day    │  Chinese, and to one
          an answer 502           ─▶ proxy   502 instead of 200–299    ┘  who reads English
```
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.channels.servers import Relay, relay
from tests.checks import nginx
from tests.checks.certificates import Papers
from tests.daemon.running import WITHIN_S, Running

SERVERS = """
server { listen 127.0.0.1:$page; listen [::1]:$page; root $folder/pages; }
server { listen 127.0.0.1:$proxy; listen [::1]:$proxy; root $folder/pages; include $folder/proxy.conf; }
server {
    listen 127.0.0.1:$shop ssl; listen [::1]:$shop ssl; root $folder/pages;
    ssl_certificate $folder/shop.pem; ssl_certificate_key $folder/shop.key;
}
"""
SERVICES = {
    "www": "http: {{url: 'http://127.0.0.1:{www}/', timeout: 1500ms}}",
    "page": "http: {{url: 'http://127.0.0.1:{page}/', contains: all is well, timeout: 1500ms}}",
    "shop": "http: {{url: 'https://www.example.test:{shop}/', address: 127.0.0.1, tls: {{ca: '{ca}'}},"
    " timeout: 1500ms}}",
    "proxy": "http: {{url: 'http://127.0.0.1:{proxy}/', timeout: 1500ms}}",
}
SAW = re.compile("What we saw|观测情况")
CUSTOMERS = {"acme": "zh-CN", "globex": "en"}
CUSTOMER = """\
  - id: {id}
    name: {id}
    language: {language}
    contacts:
      - {{id: {id}-duty, name: Duty officer, channels: [{{email: ops@{id}.example}}]}}
    devices:
"""
DEVICE = (
    "      - {{id: {customer}-{name}, address: {address}, services: {{{name}: {{checks: [{check}]}}}}}}\n"
)


@contextmanager
def post() -> Iterator[Relay]:
    """A mail relay in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    opened = relay()
    try:
        yield asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result(WITHIN_S)
        asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result(WITHIN_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def saying(key: str, value: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event[key] == value


def configuration(relay_port: int, ports: dict[str, int], ca: Path) -> str:
    text = (
        "site: {name: Test site, timezone: Asia/Shanghai}\nstore: sqlite:///watch.db\n"
        f'mail: {{smtp: "smtp://127.0.0.1:{relay_port}", from: noc@dc.example}}\n'
        "schedule: {interval: 2s, misses: 2}\nnotices: {within: 20s}\nlisten: 127.0.0.1:0\ncustomers:\n"
    )
    address = 1
    for customer, language in CUSTOMERS.items():
        text += CUSTOMER.format(id=customer, language=language)
        for name, check in SERVICES.items():
            address += 1
            written = check.format(**ports, ca=ca)
            text += DEVICE.format(customer=customer, name=name, address=f"127.0.0.{address}", check=written)
    return text


def begin(folder: Path, papers: Papers) -> None:
    """All is well."""
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "index.html").write_text("all is well")
    (folder / "proxy.conf").write_text("")
    shutil.copy(papers.valid.chain, folder / "shop.pem")
    shutil.copy(papers.valid.key, folder / "shop.key")


def spoil(folder: Path, papers: Papers, server: nginx.Nginx) -> None:
    """All is wrong, as soon as nginx has read it."""
    (folder / "pages" / "index.html").write_text("It works! </title>\r\nBcc: x@y.example https://pay.example")
    (folder / "proxy.conf").write_text("return 502;")
    shutil.copy(papers.expired.chain, folder / "shop.pem")
    shutil.copy(papers.expired.key, folder / "shop.key")
    os.kill(server.process.pid, signal.SIGHUP)


def mails(sink: Relay, watch: Running) -> dict[tuple[str, str], str]:
    """What each customer read of each service, when all have been told."""
    wanted = {(customer, name) for customer in CUSTOMERS for name in SERVICES}
    found: dict[tuple[str, str], str] = {}
    for _ in range(int(WITHIN_S * 20)):
        read = [sink.mail(number) for number in range(len(sink.received))]
        assert not any("pay.example" in mail.get_content() for mail in read)
        found = {about: part for mail in reversed(read) for about, part in parts(mail)}
        if wanted <= found.keys():
            return found
        threading.Event().wait(0.05)
    raise AssertionError(f"not told: {wanted - found.keys()}: {watch.events}")


def parts(mail: EmailMessage) -> Iterator[tuple[tuple[str, str], str]]:
    """What a mail tells of which service of its customer: it may tell of several."""
    customer = str(mail["To"]).partition("@")[2].partition(".")[0]
    for part in re.split(r"(?:\r?\n){2}", mail.get_content()):
        for name in SERVICES:
            if f"{customer}-{name}" in part and SAW.search(part):
                yield (customer, name), part


def seen(mail: str) -> str:
    """The line that tells what our looks brought."""
    (line,) = (line for line in mail.splitlines() if SAW.match(line))
    return line


def test_each_customer_reads_what_is_wrong_in_his_own_language(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    papers = Papers(tmp_path)
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    begin(two, papers)
    www = "server { listen 127.0.0.1:$www; listen [::1]:$www; return 200; }"
    with (
        post() as sink,
        nginx.running(one, ("www",), www) as stopped,
        nginx.running(two, ("page", "proxy", "shop"), SERVERS) as spoiled,
    ):
        ports = {**stopped.ports, **spoiled.ports}
        path = tmp_path / "hostwatch.yaml"
        path.write_text(configuration(sink.port, ports, papers.ca), encoding="utf-8")
        watch = start()
        for customer in CUSTOMERS:
            for name in SERVICES:
                watch.wait_for("device-proven", saying("signal", f"{customer}-{name}/{name}@main"))
        stopped.kill()
        spoil(two, papers, spoiled)
        told = mails(sink, watch)
        assert watch.stop() == 0

    ended = f"{papers.expired.certificate.not_valid_after_utc:%Y-%m-%d}"
    expected = {
        "www": ("HTTP, connecting: connection refused", "HTTP，建立连接：连接被拒绝"),
        "page": (
            "HTTP, content: the expected text “all is well” is not in the answer",
            "HTTP，内容：应答中没有应有的文本 “all is well”",
        ),
        "shop": (
            f"HTTP, TLS handshake: the certificate expired on {ended}",
            f"HTTP，TLS 握手：证书已于 {ended} 过期",
        ),
        "proxy": (
            "HTTP, answer: the server answered 502 instead of 200–299",
            "HTTP，应答：网站返回 502，应为 200–299",
        ),
    }
    for name, (english, chinese) in expected.items():
        assert seen(told["globex", name]).startswith(f"What we saw: 2 looks in a row missed ({english});")
        assert seen(told["acme", name]).startswith(f"观测情况：连续 2 次检查未通过（{chinese}）；")
    watch.wait_for("went-down", saying("why", f"http: TLS: the certificate expired on {ended}"))
