"""What was on the cable: a capture of our own, and what follows from it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from struct import Struct
from typing import Self

from tests.bench import tools
from tests.bench.machine import core_for
from tests.bench.network import BEHIND_THE_CABLE, LINK, Network

RECORD = Struct("=q4sBxH")
REQUEST, REPLY = 8, 0


@dataclass(frozen=True, slots=True)
class Packet:
    """One echo request or reply."""

    at_ns: int
    """By the kernel's stamp, since 1970."""

    place: int
    """Of the target among the addresses that are measured on."""

    kind: int
    sequence: int


class Wire:
    """Listens on a link of the near end while it is open. The records are read after."""

    def __init__(self, network: Network, file: Path, link: str = LINK) -> None:
        words = ["taskset", "-c", core_for(1), tools.compiled("wire"), link, str(file)]
        self._process = subprocess.Popen(network.near.command(*words), stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.dropped = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        out = self._process.communicate(timeout=60)[0]
        self.dropped = int(json.loads(out)["dropped"])

    @staticmethod
    def read(file: Path, base: IPv4Address = BEHIND_THE_CABLE) -> Iterator[Packet]:
        """All that was taken, in the order of time."""
        for at_ns, target, kind, sequence in RECORD.iter_unpack(file.read_bytes()):
            place = int.from_bytes(target) - int(base)
            if place >= 0:
                yield Packet(at_ns, place, kind, sequence)
