"""A real nginx on loopback, with several servers. Its sockets are opened here: no port is taken twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

MAIN = Template("""
user root;
daemon off;
worker_processes 1;
pid $folder/pid;
error_log $folder/error.log info;
events { worker_connections 64; }
http {
    access_log off;
    ssl_protocols TLSv1.2 TLSv1.3;
    client_body_temp_path $folder/body; proxy_temp_path $folder/proxy; fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;
    default_type text/plain;
$servers
}
""")


@dataclass(frozen=True, slots=True)
class Nginx:
    """One that runs."""

    ports: Mapping[str, int]
    """By the name that the servers' text uses: the same on 127.0.0.1 and ::1."""

    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """All its processes at once, with no word to anybody."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(folder: Path, names: tuple[str, ...], servers: str) -> Iterator[Nginx]:
    """Keep nginx running. In the text of the servers `$name` is the port of that name.

    A server listens to one by `listen 127.0.0.1:$name; listen [::1]:$name;`, and must do so for all.
    """
    sockets, ports = [], {}
    for name in names:
        four, six = _pair()
        sockets += [four, six]
        ports[name] = four.getsockname()[1]
    text = Template(servers).substitute(ports, folder=folder)
    (folder / "nginx.conf").write_text(MAIN.substitute(folder=folder, servers=text))
    numbers = [sock.fileno() for sock in sockets]
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-p", str(folder)]
    with (folder / "stderr.log").open("wb") as said:
        process = subprocess.Popen(
            command,
            env={**os.environ, "NGINX": "".join(f"{number};" for number in numbers)},
            pass_fds=numbers,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    for sock in sockets:
        sock.close()
    found = Nginx(ports, process)
    try:
        yield found
        if process.poll() not in (None, -signal.SIGKILL):
            raise RuntimeError(f"nginx gave up: {(folder / 'stderr.log').read_text()}")
    finally:
        if process.poll() is None:
            found.kill()


def _pair() -> tuple[socket.socket, socket.socket]:
    """One port on both addresses of loopback, which listens already."""
    while True:
        four = socket.create_server(("127.0.0.1", 0), backlog=64)
        try:
            return four, socket.create_server(
                ("::1", four.getsockname()[1]), family=socket.AF_INET6, backlog=64
            )
        except OSError:
            four.close()
