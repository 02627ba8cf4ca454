"""blackbox_exporter and Prometheus, as many use them to ping: a scrape for each probe. On loopback only."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import tools, usage
from tests.bench.network import Network

EXPORTER, SERVER = "127.0.0.1:9115", "127.0.0.1:9090"
STARTS_WITHIN_S = 30
MODULES = """\
modules:
  icmp: {prober: icmp, timeout: 1s, icmp: {preferred_ip_protocol: ip4}}
"""
SCRAPES = """\
global: {{scrape_interval: {every}s, scrape_timeout: 5s}}
scrape_configs:
  - job_name: ping
    metrics_path: /probe
    params: {{module: [icmp]}}
    static_configs: [{{targets: {targets}}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "{exporter}"}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What the two used for their probes."""

    probes: int
    failed: int
    exporter_us: float
    prometheus_us: float
    rss_mib: float

    @property
    def cpu_us(self) -> float:
        """Both together."""
        return self.exporter_us + self.prometheus_us


def probe(network: Network, scratch: Path, targets: Sequence[str], every_s: int, span_s: int) -> Pair:
    """Let them run in, then measure for a span. Raises `NotThere`."""
    (scratch / "blackbox.yml").write_text(MODULES, encoding="ascii")
    listed = json.dumps(list(targets))
    text = SCRAPES.format(every=every_s, targets=listed, exporter=EXPORTER)
    (scratch / "prometheus.yml").write_text(text, encoding="ascii")
    commands = [
        [
            tools.program("prometheus-blackbox-exporter"),
            f"--config.file={scratch}/blackbox.yml",
            f"--web.listen-address={EXPORTER}",
            "--log.level=error",
        ],
        [
            tools.program("prometheus"),
            f"--config.file={scratch}/prometheus.yml",
            f"--storage.tsdb.path={scratch}/tsdb",
            f"--web.listen-address={SERVER}",
            "--log.level=error",
        ],
    ]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for words in commands:
            running.append(subprocess.Popen(network.near.command(*words), stdin=subprocess.DEVNULL))
            _wait_for(network, EXPORTER if len(running) == 1 else SERVER)
        time.sleep(2 * every_s)  # until each target has been scraped at a steady phase
        before = [usage.cpu_of(one.pid) for one in running]
        began = time.monotonic()
        time.sleep(span_s)
        used = [usage.cpu_of(one.pid) - old for one, old in zip(running, before, strict=True)]
        probes = round((time.monotonic() - began) * len(targets) / every_s)
        rss = sum(usage.memory_of(one.pid)[0] for one in running)
        failed = _ask(network, "count(probe_success == 0)")
        scraped = _ask(network, "count(probe_success)")
    finally:
        for one in running:
            one.send_signal(signal.SIGKILL)
            one.wait()
    return Pair(
        probes=probes,
        failed=failed + len(targets) - scraped,
        exporter_us=used[0] / probes * 1e6,
        prometheus_us=used[1] / probes * 1e6,
        rss_mib=rss,
    )


def _wait_for(network: Network, address: str) -> None:
    host, _, port = address.partition(":")
    over = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            network.near.inside(lambda: socket.create_connection((host, int(port)), timeout=1)).close()
        except OSError:
            if time.monotonic() > over:
                raise tools.NotThere(f"what should listen on {address} did not start") from None
            time.sleep(0.1)
        else:
            return


def _ask(network: Network, query: str) -> int:
    host, _, port = SERVER.partition(":")
    page = http.client.HTTPConnection(host, int(port))
    page.sock = network.near.inside(lambda: socket.create_connection((host, int(port)), timeout=5))
    page.request("GET", f"/api/v1/query?query={urllib.parse.quote(query)}")
    result = json.load(page.getresponse())["data"]["result"]
    page.close()
    return int(result[0]["value"][1]) if result else 0
