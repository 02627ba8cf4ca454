"""A hostile reflector: whatever answers at the other end of a link is, from then on, a script's doing.

The machine's kernel answers no more pings; a process of our own does (`mirror`), for every address that
is asked over the link, also for those that the machine does not have.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.lab.namespace import Namespace
from tests.lab.script import Script, to_json

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 20.0
OUR_PAYLOAD_BYTES = 56


class Sent(NamedTuple):
    """An answer that left."""

    at_ns: int
    request: int
    """To which request to that address, from 0."""

    place: int
    """Which of the answers to it that the script has."""


class Seen(NamedTuple):
    """What happened at one address since the script began. Times are the wall clock's."""

    asked_ns: tuple[int, ...]
    sent: tuple[Sent, ...]


class Reflector:
    """Answers over one link of a machine; as long as no script says otherwise, rightly."""

    def __init__(
        self, namespace: Namespace, link: str = "port", scripted_bytes: int = OUR_PAYLOAD_BYTES
    ) -> None:
        """`scripted_bytes`: requests with a payload of another size are always answered rightly."""
        self._namespace = namespace
        self._words = [sys.executable, "-m", "tests.lab.mirror", link, str(scripted_bytes)]

    def __enter__(self) -> Self:
        self._namespace.sysctl(ipv4__icmp_echo_ignore_all=1, ipv6__icmp__echo_ignore_all=1)
        self._process = subprocess.Popen(
            self._namespace.command("setpriv", "--pdeathsig", "KILL", *self._words),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._heard() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            process.kill()

    def play(self, scripts: Mapping[str, Script], ranges: Mapping[str, Script] | None = None) -> None:
        """From now on this, by address or by range, is how requests are answered; the rest rightly."""
        self._told(
            do="play",
            exact={address: to_json(script) for address, script in scripts.items()},
            ranges={network: to_json(script) for network, script in (ranges or {}).items()},
        )

    def seen(self) -> dict[str, Seen]:
        """What happened since then, by the address that was asked."""
        return {
            address: Seen(tuple(one["asked"]), tuple(Sent(*sent) for sent in one["sent"]))
            for address, one in self._told(do="record").items()
        }

    def _told(self, **order: object) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._heard()

    def _heard(self) -> Any:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        assert ready, f"the reflector said nothing for {PATIENCE_S:g} s"
        return json.loads(self._process.stdout.readline())
