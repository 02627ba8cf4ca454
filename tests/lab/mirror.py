"""The reflector's own process: answers what comes over one link, by scripts that come on standard input.

    python -m tests.lab.mirror LINK SCRIPTED_BYTES

It sees whole frames, so that it may answer for any address, as anybody, with anything. Requests whose
payload has another size than the scripted ones are somebody else's and get a right answer, but after all that
are scripted: who waits for a script waits for nobody else. A line of JSON goes in, a line of JSON comes back.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import random
import select
import socket
import struct
import sys
import time
from heapq import heappop, heappush
from ipaddress import ip_address, ip_network
from typing import Any

from tests.lab.frames import ETHERNET_BYTES, ETHERTYPE, Request, answer_frame, noise_frame, packed, request_in
from tests.lab.script import RIGHT, Answer, Script, entry, from_json

SIOCGIFHWADDR = 0x8927
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
RECEIVE_BUFFER_BYTES = 64 * 1024 * 1024
HEADERS_BYTES = {4: 20 + 8, 6: 40 + 8}
"""Of IP without options, and of ICMP."""

AT_ONCE = 64
"""Frames that are read between two looks at what is to be sent later."""


class Mirror:
    """What is to be answered, what was asked, and what was sent."""

    def __init__(self, link: str, scripted_bytes: int) -> None:
        self._scripted_bytes = scripted_bytes
        self._sockets = [
            _opened(link, family, scripted_bytes, scripted=scripted)
            for scripted in (True, False)
            for family in ETHERTYPE
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
            answer = fcntl.ioctl(plain, SIOCGIFHWADDR, struct.pack("16s24x", link.encode()))
        self._own = answer[18:24]
        self._exact: dict[bytes, Script] = {}
        self._ranges: list[tuple[int, int, int, Script]] = []
        self._old: dict[bytes, Request] = {}
        self._first: dict[bytes, Request] = {}
        self._last: dict[bytes, Request] = {}
        self._asked: dict[bytes, list[int]] = {}
        self._sent: dict[bytes, list[tuple[int, int, int]]] = {}
        self._later: list[tuple[float, int, bytes, tuple[bytes, int, int]]] = []
        self._count = 0

    def play(self, exact: dict[str, Any], ranges: dict[str, Any]) -> None:
        """New scripts: each address begins at its first request. What is on its way already still comes."""
        self._exact = {packed(address): from_json(plain) for address, plain in exact.items()}
        networks = [(ip_network(text), from_json(plain)) for text, plain in ranges.items()]
        self._ranges = [
            (one.version, int(one.network_address), int(one.netmask), script) for one, script in networks
        ]
        self._old, self._first = self._old | self._first, {}
        self._asked, self._sent = {}, {}
        self._later = [(due, place, frame, (b"", 0, 0)) for due, place, frame, _ in self._later]

    def record(self) -> dict[str, Any]:
        """When each address was asked, and which answers left when, by the wall clock."""
        return {
            str(ip_address(target)): {"asked": asked, "sent": self._sent.get(target, [])}
            for target, asked in self._asked.items()
        }

    def run(self) -> None:
        """Answer until standard input ends."""
        links = {sock.fileno(): sock for sock in self._sockets}
        waiting = select.poll()
        for number in (*links, sys.stdin.fileno()):
            waiting.register(number, select.POLLIN)
        _tell("ready")
        while True:
            ready = {number for number, _ in waiting.poll(self._pause_ms())}
            for number, sock in links.items():  # who is scripted comes first
                if number in ready:
                    self._read(sock)
            if sys.stdin.fileno() in ready:
                if not (line := sys.stdin.readline()):
                    return
                self._obey(json.loads(line))
            self._send_what_is_due()

    def _obey(self, order: dict[str, Any]) -> None:
        if order["do"] == "play":
            self.play(order["exact"], order["ranges"])
            _tell("playing")
        else:
            _tell(self.record())

    def _pause_ms(self) -> float | None:
        return max(0.0, (self._later[0][0] - time.monotonic()) * 1000) if self._later else None

    def _read(self, sock: socket.socket) -> None:
        for _ in range(AT_ONCE):
            try:
                frame, ancillary, _, _ = sock.recvmsg(4096, 64)
            except BlockingIOError:
                return
            if (asked := request_in(frame)) is not None:
                seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2][:16])
                self._answer(asked, seconds * 1_000_000_000 + nanoseconds)

    def _answer(self, asked: Request, came_ns: int) -> None:
        if len(asked.payload) != self._scripted_bytes:
            self._send(answer_frame(asked, RIGHT[0][0], self._own))
            return
        times = self._asked.setdefault(asked.target, [])
        times.append(came_ns)
        self._first.setdefault(asked.target, asked)
        self._last[asked.target] = asked
        for place, answer in enumerate(entry(self._script(asked.target), len(times) - 1)):
            about = self._about(asked, answer)
            if about is not None:
                self._plan(about, answer, (asked.target, len(times) - 1, place))

    def _about(self, asked: Request, answer: Answer) -> Request | None:
        """The request that an answer is to, if not the one that came."""
        if answer.old:
            return self._old.get(asked.target)
        if answer.stranger and answer.kind != "error":
            other = self._last.get(packed(answer.stranger))
            return None if other is None else other._replace(target=asked.target)
        return asked

    def _script(self, target: bytes) -> Script:
        if (script := self._exact.get(target)) is not None:
            return script
        number, version = int.from_bytes(target), 4 if len(target) == 4 else 6
        fitting = (
            script for of, first, mask, script in self._ranges if of == version and number & mask == first
        )
        return next(fitting, RIGHT)

    def _plan(self, about: Request, answer: Answer, what: tuple[bytes, int, int]) -> None:
        draw = random.Random(f"{answer.seed} {what}")
        frame = answer_frame(about, answer, self._own) if answer.kind != "noise" else b""
        for _ in range(answer.copies):
            one = frame or noise_frame(about, self._own, draw)
            if not answer.delay_s:
                self._send(one, *what)
                continue
            self._count += 1
            heappush(self._later, (time.monotonic() + answer.delay_s, self._count, one, what))

    def _send_what_is_due(self) -> None:
        while self._later and self._later[0][0] <= time.monotonic():
            _, _, frame, what = heappop(self._later)
            self._send(frame, *what)

    def _send(self, frame: bytes, target: bytes = b"", number: int = 0, place: int = 0) -> None:
        self._sockets[0].send(frame)
        if target:
            self._sent.setdefault(target, []).append((time.time_ns(), number, place))


def _opened(link: str, family: int, scripted_bytes: int, *, scripted: bool) -> socket.socket:
    """Frames of one kind that come in over a link, of the scripted size or of all others.

    Of others the kernel holds few: who floods us loses some.
    """
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    if scripted:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    size = ETHERNET_BYTES + HEADERS_BYTES[family] + scripted_bytes
    steps = (
        (0x80, 0, 0, 0),  # the frame's length
        (0x15, 0, 1, size),
        (0x06, 0, 0, 0xFFFF * scripted),
        (0x06, 0, 0, 0xFFFF * (not scripted)),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    sock.bind((link, ETHERTYPE[family]))
    return sock


def _tell(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Mirror(sys.argv[1], int(sys.argv[2])).run()
