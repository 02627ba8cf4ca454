"""A laboratory for each test: the network, the servers that notices go to, and the daemon."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.lab.daemon import Daemon
from tests.lab.post import HOOK_PORT, SMTP_PORT, Post
from tests.lab.topology import DEVICES, GATEWAY, Topology, address

CONFIGURATION = """\
site: {{name: Laboratory, timezone: Asia/Shanghai}}
store: sqlite:///hostwatch.db
mail: {{smtp: "smtp://127.0.0.1:{smtp}", from: noc@dc.example}}
log: {{format: json}}
schedule: {{{schedule}}}
sight: ["{gateway_4}", "{gateway_6}"]
customers:
  - id: acme
    name: Acme Trading
    contacts:
      - {{id: duty, name: Duty officer, channels: [email: ops@acme.example]}}
      - {{id: desk, name: Service desk, channels: [webhook: "http://127.0.0.1:{hook}/hook"]}}
    devices:
{devices}
"""


@dataclass
class Lab:
    """Everything that a story needs."""

    net: Topology
    post: Post
    daemon: Daemon
    folder: Path
    _devices: tuple[str, ...] = ()
    _beside: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def configure(
        self,
        devices: Mapping[str, str],
        schedule: str = "interval: 500ms",
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write the configuration: devices by name, with their addresses, and what else is set for some."""
        lines = [
            f'      - {{id: {name}, address: "{where}"{settings.get(name, "")}}}'
            for name, where in devices.items()
        ]
        text = CONFIGURATION.format(
            smtp=SMTP_PORT, hook=HOOK_PORT, schedule=schedule, devices="\n".join(lines),
            gateway_4=GATEWAY[4], gateway_6=GATEWAY[6],
        )  # fmt: skip
        (self.folder / "hostwatch.yaml").write_text(text)
        self._devices = tuple(devices)

    def watch(
        self,
        devices: Mapping[str, str],
        schedule: str = "interval: 500ms",
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Start hostwatch on these devices, and wait until each has shown that it can answer."""
        self.configure(devices, schedule, settings)
        self.daemon.start()
        self.proven()

    def watch_all(self, family: int = 4, schedule: str = "interval: 500ms") -> None:
        """Start hostwatch on the three devices behind the router."""
        self.watch({name: address(name, family) for name in DEVICES}, schedule)

    def beside(self, command: Sequence[str]) -> None:
        """Start a program that runs beside, until it ends by itself or the test does."""
        silent = subprocess.DEVNULL
        self._beside.append(subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent))

    def close(self) -> None:
        """End everything that was started."""
        for process in self._beside:
            process.kill()
            process.wait()
        self.daemon.close()

    def proven(self) -> None:
        """Wait until each device has answered once."""
        for name in self._devices:
            self.daemon.said("device-proven", signal=signal_of(name))


def signal_of(device: str) -> str:
    """The signal of a device's ping."""
    return f"{device}/ping@main"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A laboratory that is gone after the test, however that ends. Everybody may enter its folder."""
    assert os.geteuid() == 0, "the lab makes network namespaces: run it as root"
    temporary = tempfile.TemporaryDirectory(prefix="hostwatch-lab-")
    with temporary as name, Topology() as net, Post(net.watch) as post:
        folder = Path(name)
        folder.chmod(0o755)
        started = Lab(net, post, Daemon(net.watch, folder / "hostwatch.yaml"), folder)
        try:
            yield started
        finally:
            started.close()
