"""A real upsd, with UPSes that a test has say what it wants: `dummy-ups` reads their words from a file.

with upsd("ups1") as server:
    server["ups1"].say("OB DISCHRG", **{"battery.charge": "40"})
"""

from __future__ import annotations

import getpass
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.checks.certificates import Pair
from tests.checks.servers import free_port, listens, running

PLACE: Final = Path("/lib/nut")
STALE_AFTER_S: Final = 2
"""After so long without a word from the driver, upsd knows nothing (`MAXAGE`)."""

WITHIN_S: Final = 30.0
USER, PASSWORD, READER = "watch", 'correct "horse" \\ battery', "reader"
"""One who is upsmon there, his password, and one who has the same and is none."""

WELL: Final[Mapping[str, str]] = {
    "device.type": "ups",
    "ups.load": "21",
    "battery.charge": "100",
    "battery.runtime": "1800",
    "input.voltage": "231.0",
    "output.voltage": "230.1",
}


class Upsd:
    """The server, and the drivers of its UPSes."""

    def __init__(self, home: Path, port: int, ups: tuple[str, ...]) -> None:
        self.home = home
        self.port = port
        self.ups = {name: DummyUps(self, name) for name in ups}

    def __getitem__(self, name: str) -> DummyUps:
        return self.ups[name]

    @property
    def places(self) -> list[str]:
        """What has all programs of NUT work in our folder, as `env` takes it."""
        names = ("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH", "NUT_PIDPATH")
        return [f"{name}={self.home}" for name in names]

    def ask(self, *commands: str) -> list[str]:
        """What it answers to each command, a line each."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WITHIN_S) as connection:
            connection.sendall("".join(f"{command}\n" for command in commands).encode())
            with connection.makefile("r", encoding="utf-8") as lines:
                return [lines.readline().rstrip("\n") for _ in commands]


class DummyUps:
    """One UPS."""

    def __init__(self, server: Upsd, name: str) -> None:
        self._server = server
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self._figures = dict(WELL)

    def say(self, words: str, **figures: str) -> None:
        """Have it say this from now on, and wait until upsd has heard it."""
        self._write(words, figures)
        self.wait(f'VAR {self.name} ups.status "{words}"')
        for name, figure in figures.items():
            self.wait(f'VAR {self.name} {name} "{figure}"', name)

    def play(self, script: str) -> None:
        """Have it go through a script of NUT's (`TIMER 2` waits), from its next start on."""
        (self._server.home / f"{self.name}.dev").write_text(script, encoding="utf-8")

    def _write(self, words: str, figures: Mapping[str, str]) -> None:
        self._figures |= figures
        lines = {"ups.status": words, **self._figures}
        text = "".join(f"{name}: {value}\n" for name, value in lines.items())
        fresh = self._server.home / f"{self.name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._server.home / f"{self.name}.dev")

    def start(self) -> None:
        """Start its driver, and wait until upsd hears it."""
        if not (self._server.home / f"{self.name}.dev").exists():
            self._write("OL", {})
        with (self._server.home / f"{self.name}.log").open("ab") as log:
            driver = [str(PLACE / "dummy-ups"), "-a", self.name, "-u", getpass.getuser(), "-D"]
            self.process = subprocess.Popen(["env", *self._server.places, *driver], stdout=log, stderr=log)

    def wait(self, answer: str, variable: str = "ups.status") -> None:
        """Until upsd answers so."""
        last = ""

        def answered() -> bool:
            nonlocal last
            last = self._server.ask(f"GET VAR {self.name} {variable}")[0]
            return last.startswith(answer)

        until(answered, lambda: f"upsd does not say {answer}, but {last}")

    def freeze(self) -> None:
        """Stop its driver where it stands, until upsd takes its words for stale."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        self.wait("ERR DATA-STALE")

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.wait("VAR")

    def kill(self) -> None:
        """End its driver at once, until upsd has noticed it."""
        self.end()
        self.wait("ERR DRIVER-NOT-CONNECTED")

    def end(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None
            (self._server.home / f"dummy-ups-{self.name}.pid").unlink(missing_ok=True)
            (self._server.home / f"dummy-ups-{self.name}").unlink(missing_ok=True)


def until(holds: Callable[[], bool], told: Callable[[], str]) -> None:
    """Wait for a thing that another process does."""
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, told()
        time.sleep(0.05)


@contextmanager
def upsd(*ups: str, tls: tuple[Pair, Path] | None = None) -> Iterator[Upsd]:
    """A server on 127.0.0.1 with these UPSes; `tls`: its certificate, and the authority's."""
    home = Path(tempfile.mkdtemp(prefix="upsd-"))  # its sockets must have short names
    server = Upsd(home, free_port(), ups)
    try:
        _configure(server, tls)
        for one in server.ups.values():
            one.start()
        command = ["env", *server.places, str(PLACE / "upsd"), "-u", getpass.getuser(), "-F"]
        with running(command, listens(server.port), home / "upsd.log"):
            for one in server.ups.values():
                one.wait("VAR")
            yield server
    finally:
        for one in server.ups.values():
            one.end()
        with suppress(FileNotFoundError):
            shutil.rmtree(home)


def _configure(server: Upsd, tls: tuple[Pair, Path] | None) -> None:
    home = server.home
    drivers = [
        f"[{name}]\ndriver = dummy-ups\nport = {home / f'{name}.dev'}\nmode = dummy-loop\n"
        for name in server.ups
    ]
    password = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    users = f'[{USER}]\npassword = "{password}"\nupsmon secondary\n[{READER}]\npassword = "{password}"\n'
    own = [f"LISTEN 127.0.0.1 {server.port}", f"MAXAGE {STALE_AFTER_S}"]
    if tls is not None:
        own += [f"CERTPATH {_keys(home, *tls)}", 'CERTIDENT "upsd" "of-no-matter"']
    for name, text in {
        "nut.conf": "MODE=standalone\n",
        "ups.conf": "pollinterval = 1\n" + "".join(drivers),
        "upsd.conf": "\n".join(own) + "\n",
        "upsd.users": users,
    }.items():
        (home / name).write_text(text, encoding="utf-8")
        (home / name).chmod(0o600)


def _keys(home: Path, pair: Pair, ca: Path) -> Path:
    """A database of NSS with a certificate and its key: Debian's upsd reads no other."""
    folder = home / "keys"
    folder.mkdir()
    secret, packed = folder / "password", folder / "packed"
    secret.write_text("of-no-matter\n", encoding="ascii")
    for command in (
        f"certutil -N -d {folder} -f {secret}",
        f"openssl pkcs12 -export -in {pair.chain} -inkey {pair.key} -certfile {ca} -name upsd"
        f" -passout pass:x -out {packed}",
        f"pk12util -i {packed} -d {folder} -k {secret} -W x",
    ):
        subprocess.run(command.split(), check=True, capture_output=True, timeout=60)
    return folder
