"""Feeds the reader of packets with replies and errors that were changed at random.

    scripts/fuzz [--inputs N] [--seed S]

The bytes come in by real sockets, through the same room and the same slots as in the pinger, in all four
forms that packets have. Nothing may raise; a ping may be answered only if its whole key came in, and must be
if its right reply did.
"""

from __future__ import annotations

import argparse
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import cast

from hostwatch import sieve
from hostwatch.clock import SystemClock
from hostwatch.echo import SO_TIMESTAMPNS, EchoSocket
from hostwatch.intake import Intake
from hostwatch.lanes import Lane, Round
from hostwatch.packets import KEY_BYTES, Echo, Requests, Trouble, parse, without_ip_header
from hostwatch.pinger import Ask, Manner
from hostwatch.tries import Tries, Try, said
from hostwatch.volley import Salvo

LOOPBACK = {4: "127.0.0.1", 6: "::1"}
FORMS = [(4, True), (4, False), (6, True), (6, False)]
OUTSTANDING = 16
AT_ONCE = 64
"""Packets that are sent before they are taken in by one call: the buffer holds them."""

MANNER = Manner(attempts=3, timeout=timedelta(hours=1))
INTERESTING = (b"\0\0", b"\xff\xff", b"\x45\0", b"\x40\0", b"\x4f\0", b"\x60\0", b"\0\0\0\0\0\0\0\0")
KINDS = (0, 1, 2, 3, 4, 8, 11, 12, 128, 129, 255)


class Ears:
    """Stands where the pinger has its socket: hears whatever is sent to it."""

    def __init__(self, family: int, *, raw: bool) -> None:
        self.family = family
        self.raw = raw
        self.has_ip_header = raw and family == 4
        self.identifier = None
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.sock = socket.socket(kind, socket.SOCK_DGRAM)
        self.sock.bind((LOOPBACK[family], 0))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.mouth = socket.socket(kind, socket.SOCK_DGRAM)
        self.mouth.connect(self.sock.getsockname())
        self.intake = Intake(family, raw=raw)

    def close(self) -> None:
        """Close both ends."""
        self.sock.close()
        self.mouth.close()


class Fuzzer:
    """One form of packets, and pings that wait for them."""

    def __init__(self, family: int, draw: random.Random, *, raw: bool) -> None:
        self.ears = Ears(family, raw=raw)
        self.found: Counter[str] = Counter()
        self._draw = draw
        self._clock = SystemClock()
        self._tries = Tries(self._clock)
        self._round = Round(MANNER, draw.randrange(2**16), 1)
        self._lane = Lane(self._round, family, cast(EchoSocket, self.ears))
        self._tries.open(self._lane)
        self._waiting: dict[bytes, bytes] = {}
        """What was asked, by what it is known again by."""

        self._source = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, LOOPBACK[family])

    def turn(self) -> None:
        """As many packets as one call takes in."""
        self._fill_up()
        sent = [self._packet() for _ in range(AT_ONCE)]
        for packet in sent:
            self.ears.mouth.send(packet)
        assert self.ears.intake.fill(self.ears.sock) == len(sent)
        self._tries.take(cast(EchoSocket, self.ears), len(sent))
        self._check(sent)

    def _fill_up(self) -> None:
        """Half of the pings are in a salvo, half are on their way by themselves."""
        while len(self._waiting) < OUTSTANDING:
            ask = Ask("fuzz", LOOPBACK[self.ears.family], 0)
            requests = Requests(self.ears.family, self._lane.identifier)
            keys, packets = requests.first_ones(self._draw.randbytes(4), self._draw.randbytes(24))
            now_us = self._clock.monotonic_us()
            apart_us = self._clock.now_us() - now_us
            self._round.left += 2
            salvo = Salvo(self._lane, [ask], [self._source], keys[:1], [now_us], apart_us)
            self._tries.expect_all(salvo)
            one = Try(ask, self._lane, keys[1][4:], 0)
            self._round.tries.append(one)
            self._tries.expect(one, keys[1], now_us, apart_us)
            half = len(packets) // 2
            self._waiting.update(zip(keys, (packets[:half], packets[half:]), strict=True))

    def _packet(self) -> bytes:
        """A right packet, mostly changed."""
        request = self._draw.choice([*self._waiting.values()])
        family, draw = self.ears.family, self._draw
        if draw.random() < 0.5:
            icmp = bytes([sieve.ECHO_REPLY[family]]) + request[1:]
        else:
            icmp = bytes([draw.choice((3, 11, 12) if family == 4 else (1, 3, 4)), draw.randrange(16)])
            icmp += bytes(6) + self._header(family, len(request)) + request[: draw.choice((None, 8, 12, 28))]
        if draw.random() < 0.02:
            return self._headed(icmp)
        changed = bytearray(self._headed(icmp))
        for _ in range(draw.randint(1, 4)):
            _disturb(changed, draw)
        return bytes(changed)

    def _headed(self, icmp: bytes) -> bytes:
        return self._header(4, len(icmp)) + icmp if self.ears.has_ip_header else icmp

    def _header(self, family: int, length: int) -> bytes:
        if family == 4:
            fixed = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 1, 0)
            return fixed + socket.inet_aton(LOOPBACK[4]) * 2
        return struct.pack("!IHBB", 6 << 28, length, 58, 64) + self._source * 2

    def _check(self, sent: list[bytes]) -> None:
        for packet in sent:
            self._check_parse(packet)
        for key in [*self._waiting]:
            right = [packet for packet in sent if self._is_right(packet, key)]
            if key not in self._tries._by_key and key not in self._tries._in_salvos:
                assert any(key in packet for packet in sent), "answered without its key"
                self.found["answered"] += 1
                del self._waiting[key]
            else:
                assert not right, f"not answered by {right[0].hex()}"
        for one in self._tries._by_key.values():
            if one.trouble is not None:
                said(one.trouble)
                self.found["told"] += 1
                one.trouble = None

    def _is_right(self, packet: bytes, key: bytes) -> bool:
        icmp = packet
        if self.ears.has_ip_header:
            if len(packet) < 20 or packet[0] != 0x45 or packet[12:16] != self._source:
                return False
            icmp = packet[20:]
        return icmp[:1] == bytes([sieve.ECHO_REPLY[self.ears.family]]) and icmp[4 : 4 + KEY_BYTES] == key

    def _check_parse(self, packet: bytes) -> None:
        icmp = without_ip_header(packet) if self.ears.has_ip_header else packet
        found = parse(self.ears.family, icmp, self._source)
        self.found[type(found).__name__] += 1
        if isinstance(found, Echo):
            assert found.key == icmp[4:24]
            assert len(found.key) == KEY_BYTES
        elif isinstance(found, Trouble):
            assert 4 <= len(found.key) <= KEY_BYTES
            assert found.key in icmp
            assert found.destination in icmp


def _disturb(packet: bytearray, draw: random.Random) -> None:
    place = draw.randrange(len(packet) + 1)
    match draw.randrange(7):
        case 0:
            del packet[place:]
        case 1:
            packet[place:place] = draw.randbytes(draw.choice((1, 4, 8, 200, 900)))
        case 2:
            what = draw.choice(INTERESTING)
            packet[place : place + len(what)] = what
        case 3 if packet:
            packet[draw.choice((0, 20)) % len(packet)] = draw.choice(KINDS)
        case _ if place < len(packet):
            packet[place] ^= 1 << draw.randrange(8)


def fuzz(inputs: int, seed: int) -> Counter[str]:
    """Feed at least so many packets; what was made of them. Raises at the first thing that must not be."""
    draw = random.Random(seed)
    found: Counter[str] = Counter()
    for family, raw in FORMS:
        fuzzer = Fuzzer(family, draw, raw=raw)
        with closing(fuzzer.ears):
            for _ in range(inputs // len(FORMS) // AT_ONCE + 1):
                fuzzer.turn()
        found += fuzzer.found
    return found


def _arguments() -> Iterator[int]:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=20_000_000, help="how many packets")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="which packets")
    given = parser.parse_args()
    yield given.inputs
    yield given.seed


def main() -> None:
    """Fuzz for long, and say of what seed."""
    inputs, seed = _arguments()
    print(f"{inputs:,} packets, seed {seed}", flush=True)
    began_s = time.monotonic()
    found = fuzz(inputs, seed)
    print(f"nothing broke in {time.monotonic() - began_s:.0f} s: {dict(found)}")


if __name__ == "__main__":
    main()
