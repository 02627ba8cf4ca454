"""BIND, with a zone that has all that the tests ask for, and one that it looks up for others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.checks.servers import free_port, running

ZONE = """\
$TTL 300
@           SOA    ns.example.test. hostmaster.example.test. 2026112201 3600 600 86400 20
@           NS     ns
@           MX     10 mail
@           TXT    "v=spf1 -all"
ns          A      127.0.0.1
mail        A      127.0.0.3
www         A      127.0.0.2
www         AAAA   ::1
both        A      127.0.0.9
both        A      127.0.0.10
alias       CNAME  www
nowhere     CNAME  gone
only6       AAAA   ::1
brief    1  A      127.0.0.2
$GENERATE 1-100 many A 127.1.0.$
"""

CONFIGURATION = """\
options {
    directory "%(home)s"; pid-file "%(home)s/named.pid"; session-keyfile none;
    managed-keys-directory "%(home)s";
    listen-on port %(port)d { 127.0.0.1; }; listen-on-v6 port %(port)d { ::1; };
    recursion no; dnssec-validation no; minimal-responses yes; empty-zones-enable no;
};
controls { };
zone "example.test" { type primary; file "zone"; };
"""


@contextmanager
def named(home: Path) -> Iterator[int]:
    """A name server on 127.0.0.1 and ::1; its port."""
    port = free_port()
    (home / "zone").write_text(ZONE)
    (home / "named.conf").write_text(CONFIGURATION % {"home": home, "port": port})
    home.chmod(0o755)
    log = home / "named.log"
    user = ["-u", "root"] if os.geteuid() == 0 else []
    command = ["named", "-g", "-c", str(home / "named.conf"), *user, "-n", "1"]
    with running(command, lambda: log.read_bytes().endswith(b" running\n"), log):
        yield port
