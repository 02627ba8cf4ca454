"""OpenSSH's server, with host keys of every type, made on the fly."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.checks.servers import free_port, listens, running

KEYS = {
    "ed25519": (),
    "ecdsa": ("-b", "256"),
    "ecdsa384": ("-b", "384"),
    "ecdsa521": ("-b", "521"),
    "rsa": (),
}
"""Names of keys; what ssh-keygen is told beside the type."""


@dataclass(frozen=True, slots=True)
class Sshd:
    """One that runs."""

    port: int
    fingerprints: dict[str, str]
    """As ssh-keygen writes them, by the name of the key."""

    process: subprocess.Popen[bytes]


@contextmanager
def sshd(home: Path, keys: tuple[str, ...] = ("ed25519", "ecdsa", "rsa"), *settings: str) -> Iterator[Sshd]:
    """A server on 127.0.0.1 that has these keys."""
    fingerprints = {}
    for key in keys:
        kind = key.rstrip("0123456789") if key.startswith("ecdsa") else key
        made = ["ssh-keygen", "-q", "-t", kind, *KEYS[key], "-N", "", "-f", str(home / key)]
        subprocess.run(made, check=True, timeout=60)
        told = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(home / f"{key}.pub")], check=True, capture_output=True, text=True
        )
        fingerprints[key] = told.stdout.split()[1]
    port = free_port()
    lines = [
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        *(f"HostKey {home / key}" for key in keys),
        "PidFile none",
        "UsePAM no",
        "MaxStartups 1000",
        *settings,
    ]
    (home / "sshd_config").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # it insists on it
    log = home / "sshd.log"
    command = ["/usr/sbin/sshd", "-D", "-e", "-f", str(home / "sshd_config")]
    with running(command, listens(port), log) as process:
        yield Sshd(port, fingerprints, process)
