"""A real Redfish server, `sushy-emulator`, with TLS and a login. It has systems, and no power supplies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bcrypt

from tests.checks.certificates import Pair
from tests.checks.servers import free_port, listens, running

PASSWORD: Final = "correct-horse"
SYSTEMS: Final = {"On": "c7a5fdbd-cdaf-9455-926a-d65c16db1809", "Off": "c7a5fdbd-cdaf-9455-926a-d65c16db180a"}


@dataclass(frozen=True, slots=True)
class Sushy:
    port: int
    process: subprocess.Popen[bytes]


@contextmanager
def sushy(pair: Pair, folder: Path) -> Iterator[Sushy]:
    """Started with a certificate, and with a system that runs and one that is off."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    (folder / "users").write_text(f"reader:{hashed}\n")
    systems: list[dict[str, Any]] = [
        {"uuid": uuid, "name": word, "power_state": word, "external_notifier": False, "nics": []}
        for word, uuid in SYSTEMS.items()
    ]
    config = folder / "sushy.conf"
    config.write_text(
        f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}\n"
        f"SUSHY_EMULATOR_STATE_DIR = {str(folder)!r}\nSUSHY_EMULATOR_AUTH_FILE = {str(folder / 'users')!r}\n"
    )
    port = free_port()
    program = "import sys; from sushy_tools.emulator.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "--config", str(config), "-i", "127.0.0.1", "-p", str(port)]
    command += ["--ssl-certificate", str(pair.chain), "--ssl-key", str(pair.key)]
    with running(command, listens(port), folder / "log") as process:
        yield Sushy(port, process)
