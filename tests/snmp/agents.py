"""net-snmp's agent with variables of our own, which `snmpset` changes: a UPS, a power strip, a switch."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hostwatch.configuration.secret import Secret
from hostwatch.snmp.access import Access
from tests.checks.servers import free_port, running

COMMUNITY = "not-for-everybody"
AUTH = "signed-by-us"
PRIVACY = "read-by-us-alone"

USERS = {
    "ups": ("SHA-256", "AES", "sha-256", "aes-128"),
    "old": ("MD5", "DES", "md5", "des"),
    "sha1": ("SHA", "AES", "sha-1", "aes-128"),
    "sha224": ("SHA-224", "AES", "sha-224", "aes-128"),
    "sha384": ("SHA-384", "AES-192", "sha-384", "aes-192"),
    "sha512": ("SHA-512", "AES-256", "sha-512", "aes-256"),
    "long": ("SHA", "AES-256", "sha-1", "aes-256"),
    "cisco": ("SHA", "AES-256-C", "sha-1", "aes-256-c"),
    "md5long": ("MD5", "AES-192", "md5", "aes-192"),
    "open": ("SHA-256", "", "sha-256", "none"),
}
"""Users of the agent: as net-snmp calls how they are protected, and as we do."""


@dataclass(frozen=True, slots=True)
class Snmpd:
    """One that runs."""

    port: int
    address: str
    process: subprocess.Popen[bytes]

    @property
    def place(self) -> str:
        """As the tools of net-snmp call it."""
        return f"udp6:[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def set(self, *triples: str) -> None:
        """Change variables: name, type and value, as `snmpset` takes them."""
        called("snmpset", "-v2c", "-c", COMMUNITY, self.place, *triples)

    def access(self, as_user: str = "", /, **written: object) -> Access:
        """How we ask it: by v2c, or as one of its users."""
        asked = {"address": self.address, "port": self.port, "timeout": "6s", **credentials(as_user)}
        return Access.model_validate({**asked, **written})


def credentials(user: str = "") -> dict[str, object]:
    """What lets us ask: as it is written, with the secrets read."""
    if not user:
        return {"community": Secret(COMMUNITY)}
    _, _, auth, privacy = USERS[user]
    told: dict[str, object] = {"user": user, "auth": auth, "auth_password": Secret(AUTH), "privacy": privacy}
    return told if privacy == "none" else {**told, "privacy_password": Secret(PRIVACY)}


def called(program: str, *words: str) -> str:
    """What one of net-snmp's tools prints; it must do what it was told."""
    done = subprocess.run(
        [program, *words], env={**os.environ, "MIBS": ""}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{program} {words}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def snmpd(home: Path, lines: Sequence[str] = (), address: str = "127.0.0.1") -> Iterator[Snmpd]:
    """An agent on loopback that says what the lines say: `override -rw OID type value`."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port(address)
    place = f"udp6:[{address}]:{port}" if ":" in address else f"udp:{address}:{port}"
    access = "rwcommunity6" if ":" in address else "rwcommunity"
    users = [
        f'createUser {name} {auth} "{AUTH}"' + (f' {privacy} "{PRIVACY}"' if privacy else "")
        for name, (auth, privacy, _, _) in USERS.items()
    ]
    allowed = [f"rwuser {name} {'priv' if USERS[name][1] else 'auth'}" for name in USERS]
    named = [f"agentAddress {place}", f"{access} {COMMUNITY}", *users, *allowed, *lines]
    (home / "snmpd.conf").write_text("\n".join(named) + "\n")
    command = ["env", "MIBS=", f"SNMP_PERSISTENT_DIR={home}", "/usr/sbin/snmpd", "-f", "-C", "-r"]
    command += ["-c", str(home / "snmpd.conf"), "-Lf", str(home / "agent.log")]

    def answers() -> bool:
        asked = ["snmpget", "-v2c", "-c", COMMUNITY, "-r0", "-t1", place, "1.3.6.1.2.1.1.3.0"]
        return subprocess.run(asked, capture_output=True, env={**os.environ, "MIBS": ""}).returncode == 0

    with running(command, answers, home / "snmpd.log") as process:
        yield Snmpd(port, address, process)


def override(values: dict[str, tuple[str, object]]) -> list[str]:
    """The lines that give variables a value that `snmpset` can change: `{OID: (type, value)}`."""
    return [f'override -rw {name} {kind} "{value}"' for name, (kind, value) in values.items()]
