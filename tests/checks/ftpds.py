"""Two FTP servers of different manners: vsftpd, and Pure-FTPd, which greets in many lines."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.checks.certificates import Pair
from tests.checks.servers import free_port, listens, running

UNPACKED = Path("/opt/hostwatch-test-servers/pure-ftpd")
"""As a package it would push out vsftpd: `scripts/test` unpacks it there."""

KNOWN = b"all is well\n" + bytes(range(256)) * 20
"""What is in the file `pub/known.txt` of each server."""

USER, PASSWORD = "probe", "geheim-71"


@dataclass(frozen=True, slots=True)
class Ftpd:
    """One that runs."""

    port: int
    process: subprocess.Popen[bytes]


def stocked(home: Path) -> Path:
    """A directory that is given out."""
    root = home / "root"
    (root / "pub").mkdir(parents=True)
    (root / "pub" / "known.txt").write_bytes(KNOWN)
    (root / "pub" / "with a space").write_bytes(b"")
    (root / "empty").mkdir()
    for place in (*root.parents, root, *root.rglob("*")):
        if place.stat().st_uid == os.geteuid():
            place.chmod(place.stat().st_mode | (0o055 if place.is_dir() else 0o044))
    return root


@contextmanager
def vsftpd(home: Path, pair: Pair, *settings: str, address: str = "127.0.0.1") -> Iterator[Ftpd]:
    """One that lets everybody in."""
    root, port = stocked(home), free_port(address)
    six = ":" in address
    lines = [
        "listen_ipv6=YES" if six else "listen=YES",
        f"listen_address{'6' if six else ''}={address}",
        f"listen_port={port}",
        "background=NO",
        "seccomp_sandbox=NO",
        "anonymous_enable=YES",
        f"anon_root={root}",
        "xferlog_enable=NO",
        "ssl_enable=YES",
        "allow_anon_ssl=YES",
        "ssl_ciphers=HIGH",
        f"rsa_cert_file={pair.chain}",
        f"rsa_private_key_file={pair.key}",
        *settings,
    ]
    if not any(line.startswith("require_ssl_reuse") for line in settings):
        lines.append("require_ssl_reuse=NO")
    (home / "vsftpd.conf").write_text("\n".join(lines) + "\n")
    Path("/var/run/vsftpd/empty").mkdir(parents=True, exist_ok=True)  # it insists on it
    with running(["vsftpd", str(home / "vsftpd.conf")], listens(port, address), home / "log") as process:
        yield Ftpd(port, process)


@contextmanager
def pure_ftpd(home: Path, pair: Pair, *options: str) -> Iterator[Ftpd]:
    """One that lets `USER` in."""
    folder = UNPACKED if UNPACKED.exists() else Path("/usr")
    program = shutil.which("pure-ftpd", path=f"{folder}/usr/sbin:/usr/sbin")
    assert program is not None, "there is no pure-ftpd: scripts/test unpacks it"
    root, port = stocked(home), free_port()
    both = home / "both.pem"
    both.touch(mode=0o600)
    both.write_bytes(pair.key.read_bytes() + pair.chain.read_bytes())
    _make_user(program, home, root)
    command = [program, "-S", f"127.0.0.1,{port}", "-l", f"puredb:{home / 'users.pdb'}", "-2", str(both)]
    command += ["-Y", "1", "-H", "-u", "1", "-g", str(home / "pid"), *options]
    with running(command, listens(port), home / "log") as process:
        yield Ftpd(port, process)


def _make_user(program: str, home: Path, root: Path) -> None:
    tool = shutil.which("pure-pw", path=f"{Path(program).parents[1]}/bin:/usr/bin")
    assert tool is not None
    words: Sequence[str] = [tool, "useradd", USER, "-u", "65534", "-g", "65534", "-d", str(root)]
    words = [*words, "-f", str(home / "users"), "-m", "-F", str(home / "users.pdb")]
    told = f"{PASSWORD}\n{PASSWORD}\n".encode()
    subprocess.run(words, input=told, check=True, capture_output=True, timeout=30)


def closed_port() -> int:
    """Where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
