"""ICMP sockets, shared by all targets, opened through icmplib.

icmplib opens the sockets; its packets and its receiving are not used, since it sums up in a loop of Python
and judges by the time at which the loop gets round to a packet. Here the kernel stamps each packet as it
arrives, counts those that it had to drop, and lets only replies and errors that are ours through (`sieve`).
A ping socket hears of errors through its error queue.
"""

from __future__ import annotations

import errno
import secrets
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from icmplib import ICMPv4Socket, ICMPv6Socket
from icmplib.exceptions import SocketPermissionError

from hostwatch import sieve
from hostwatch.carrier import OWN_FAULTS, TTL_AND_CLASS
from hostwatch.dispatch import Dispatch
from hostwatch.intake import Intake
from hostwatch.packets import Trouble, key_of, packed, words_of

SO_TIMESTAMPNS: Final = 35
SO_MEMINFO: Final = 55
_STAMP: Final = struct.Struct("@qq")
MEMINFO_WORDS: Final = 9
MEMINFO_DROPS: Final = 8
RECVERR: Final = {4: (socket.IPPROTO_IP, 11), 6: (socket.IPPROTO_IPV6, 25)}
CHECKSUM_6: Final = (255, 7)  # SOL_RAW: the level of IPv6 refuses it for ICMP
HOPS: Final = {4: (socket.IPPROTO_IP, socket.IP_TTL), 6: (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)}
WHOLE: Final = (socket.IPPROTO_IP, 10, 2)
"""Never cut a packet up (IP_MTU_DISCOVER, IP_PMTUDISC_DO): ours are shorter than the least limit of a path
that the kernel believes (552 bytes). So it draws no number for putting pieces together: that takes 0.4 µs."""

FROM_ICMP: Final = (2, 3)
"""Origins of a noted error: ICMP of IPv4 and of IPv6."""

RECEIVE_BUFFER_BYTES: Final = 4 * 1024 * 1024
REPLY_CHARGE_BYTES: Final = 832
"""What the kernel charges to the buffer for one of our replies."""

TOGETHER: Final = 32
"""Packets sent by one call of the kernel where very many wait: they leave within some 100 µs."""

DROPS_REMEMBERED: Final = 1_000
"""Times in which packets were dropped; beyond that the oldest are taken together."""

ADVICE: Final = (
    "cannot open an ICMP socket: give the process CAP_NET_RAW (run it as root, by systemd, or with sudo), or "
    "allow ping sockets with: sysctl -w net.ipv4.ping_group_range='0 2147483647'"
)

Destination = tuple[str, int] | tuple[str, int, int, int]


class NoPermission(Exception):
    """We may not ping at all."""

    def __init__(self) -> None:
        super().__init__(ADVICE)


class SendFault(Exception):
    """A packet did not leave, and it is our own failure."""


class Unreachable(Exception):
    """A packet did not leave, because the neighbour it goes to is dead."""


class Outlet(NamedTuple):
    """What packets that leave by one socket have in common."""

    family: int
    source: str = ""
    interface: str = ""
    ttl: int = 64
    dscp: int = 0
    twin: int = 0
    """Which of several sockets that are the same otherwise."""


class EchoSocket:
    """One family's socket, raw with CAP_NET_RAW, a ping socket otherwise."""

    def __init__(self, outlet: Outlet, mark: bytes) -> None:
        """`mark` begins all our nonces. Raises `NoPermission` when neither kind may be opened.

        Raises `SendFault` when packets cannot leave as the outlet says.
        """
        family = outlet.family
        self.family = family
        self.outlet = outlet
        self.mark = mark
        self.raw = True
        kind = ICMPv4Socket if family == 4 else ICMPv6Socket
        try:
            self._icmp = kind(privileged=True)
        except SocketPermissionError:
            self.raw = False
            try:
                self._icmp = kind(privileged=False)
            except SocketPermissionError:
                raise NoPermission from None
        self.sock: socket.socket = self._icmp.sock
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.identifier: int | None = None
        """A ping socket's, which the kernel sets and which others' replies never bear."""

        self.told_late = 0
        """Calls to send that only told of an error about an earlier packet, and count as discards."""

        self._out = self.sock
        if self.raw:
            sieve.install(self.sock, family, mark)
            self._out = _sender(family)
            if family == 6:
                self.sock.setsockopt(*CHECKSUM_6, -1)
        try:
            self._arrange()
        except OSError as error:
            self.close()
            words = "no such interface here" if error.errno == errno.ENODEV else _fault(error)
            raise SendFault(str(words)) from error
        self.intake = Intake(family, raw=self.raw)
        self._dispatch = Dispatch(family)
        self._drops = self._drops_so_far()
        self._asked_us = 0
        self._gaps: deque[tuple[int, int]] = deque()

    def _arrange(self) -> None:
        """Have packets leave as the outlet says, and errors come in."""
        family, source, interface, ttl, dscp, _ = self.outlet
        if interface:
            self._out.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        for option, value in zip(TTL_AND_CLASS[family], (ttl, dscp << 2), strict=True):
            self._out.setsockopt(*option, value)
        if family == 4:
            self._out.setsockopt(*WHOLE)
        if source:
            self._out.bind((source, 0))
        if not self.raw:
            self.sock.setsockopt(*RECVERR[family], 1)
            if not source:
                self.sock.bind(("0.0.0.0" if family == 4 else "::", 0))
            self.identifier = int(self.sock.getsockname()[1])

    @property
    def has_ip_header(self) -> bool:
        """Whether packets come in with the IPv4 header before them."""
        return self.raw and self.family == 4

    @property
    def holds(self) -> int:
        """How many replies the receive buffer takes: the kernel grants at most what the machine allows."""
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // REPLY_CHARGE_BYTES

    @property
    def is_short(self) -> bool:
        """Whether less was granted than asked for. The kernel doubles what it grants, for its own needs."""
        return self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < 2 * RECEIVE_BUFFER_BYTES

    def _drops_so_far(self) -> int:
        """How many packets the kernel has dropped, mostly because our buffer was full.

        Asked for: what rides on later packets would not be seen when none comes after.
        """
        info = self.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO_WORDS * 4)
        count: int = struct.unpack_from("=I", info, MEMINFO_DROPS * 4)[0]
        return count

    def count_drops(self, now_us: int) -> None:
        """Note whether something was dropped since the last time, `now_us` by the monotonic clock."""
        drops = self._drops_so_far()
        if drops != self._drops:
            self._drops = drops
            since_us = self._asked_us
            if self._gaps and self._gaps[-1][1] >= since_us:
                since_us = self._gaps.pop()[0]
            self._gaps.append((since_us, now_us))
            if len(self._gaps) > DROPS_REMEMBERED:
                oldest, _ = self._gaps.popleft()
                self._gaps[0] = (oldest, self._gaps[0][1])
        self._asked_us = now_us

    def dropped_between(self, since_us: int, until_us: int) -> bool:
        """Whether something may have been dropped in that time."""
        return bool(self._gaps) and any(since_us < until and since <= until_us for since, until in self._gaps)

    def send_apart(self, packets: bytes, addresses: Sequence[str], clock_us: Callable[[], int]) -> list[int]:
        """Send packets of one length one after the other; when each left.

        Why the next one did not, `send` says.
        """
        left, sendto, size = [], self._out.sendto, len(packets) // len(addresses)
        for first, address in zip(range(0, len(packets), size), addresses, strict=True):
            packet, at_us = packets[first : first + size], clock_us()
            try:
                sendto(packet, (address, 0))
            except OSError as error:
                if error.errno not in _SAID_OF_OTHERS or not self._leaves(packet, address):
                    break
            left.append(at_us)
        return left

    def _leaves(self, packet: bytes, address: str) -> bool:
        """Whether a packet leaves now. The call before may have only told of an earlier one."""
        try:
            self.send(packet, (address, 0))
        except (SendFault, Unreachable):
            return False
        self.told_late += 1
        return True

    def send_together(
        self, packets: bytes, addresses: Sequence[bytes], clock_us: Callable[[], int]
    ) -> list[int]:
        """The same with fewer calls of the kernel. When each left lies between two looks at the clock."""
        left: list[int] = []
        self._dispatch.load(packets, addresses)
        while len(left) < len(addresses):
            wanted, began_us = min(TOGETHER, len(addresses) - len(left)), clock_us()
            count = self._dispatch.send(self._out, len(left), wanted)
            took_us = clock_us() - began_us
            left += [began_us + took_us * place // count for place in range(count)]
            if count < wanted:
                break
        return left

    def send(self, packet: bytes, to: Destination, hops: int = 0) -> None:
        """Send one echo request, to be given up after some `hops` if not 0.

        Raises `SendFault` or `Unreachable`.
        """
        try:
            if hops:
                self._send_so_far(packet, to, hops)
            else:
                self._out.sendto(packet, to)
        except OSError as error:
            if error.errno not in _SAID_OF_OTHERS:
                raise _fault(error) from error
            self._send_again(packet, to, hops)
            self.told_late += 1

    def _send_so_far(self, packet: bytes, to: Destination, hops: int) -> None:
        self._out.sendmsg([packet], [(*HOPS[self.family], struct.pack("=i", hops))], 0, to)

    def _send_again(self, packet: bytes, to: Destination, hops: int) -> None:
        """A socket tells of errors about earlier packets at the next call, whichever that is."""
        for left in reversed(range(SENT_AGAIN_MAX)):
            try:
                if hops:
                    self._send_so_far(packet, to, hops)
                else:
                    self._out.sendto(packet, to)
                return
            except OSError as error:
                if not left or error.errno not in _SAID_OF_OTHERS:
                    raise _fault(error) from error

    def errors(self) -> list[Trouble]:
        """What a ping socket's error queue holds; at most a piece."""
        found: list[Trouble] = []
        for _ in range(ERRORS_MAX):
            try:
                quote, ancillary, _, to = self.sock.recvmsg(256, 256, socket.MSG_ERRQUEUE)
            except OSError:
                break
            stamp_us = _stamp_in(ancillary)
            for level, kind, data in ancillary:
                if (level, kind) == RECVERR[self.family] and data[4] in FROM_ICMP:
                    source = data[20:24] if self.family == 4 else data[24:40]
                    words = words_of(self.family, data[5], data[6])
                    found.append(Trouble(key_of(quote), packed(str(to[0])), source, words, stamp_us))
        return found

    def close(self) -> None:
        """Close the socket."""
        self._icmp.close()
        self._out.close()


ERRORS_MAX: Final = 64
"""Errors taken from a ping socket's queue at a time."""

_UNREACHABLE: Final = (errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ECONNREFUSED)
_SAID_OF_OTHERS: Final = (
    *_UNREACHABLE, errno.ENETUNREACH, errno.EPROTO, errno.EACCES, errno.EMSGSIZE, errno.ENOPROTOOPT,
    errno.EOPNOTSUPP, errno.ENONET, errno.EREMOTEIO,
)  # fmt: skip
"""What a router's word becomes on a socket that is told of errors."""

SENT_AGAIN_MAX: Final = 8
"""How often a packet is tried again that did not leave because of what was said of others."""


def _sender(family: int) -> socket.socket:
    """A raw socket that sends and hears nothing.

    Over IPv4 the kernel tells that its own queue dropped a packet only where errors are asked for. They
    would fill the buffer for replies; here there is room for none. Over IPv6 the kernel sums up what
    leaves, but must not judge what comes in: it counts a wrong sum as a packet that it dropped for us.
    """
    if family == 4:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    else:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    sock.setblocking(False)
    sieve.close(sock, family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
    sock.setsockopt(*RECVERR[family], 1)
    return sock


def _stamp_in(ancillary: Iterable[tuple[int, int, bytes]]) -> int:
    """When the kernel took a message in, in microseconds since 1970; 0 if it does not say."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) >= _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            return int(seconds) * 1_000_000 + int(nanoseconds) // 1_000
    return 0


def scoped(address: str) -> Destination:
    """Where to send to, when the address names the link that it is on."""
    bare, _, link = address.partition("%")
    return (bare, 0, 0, int(link) if link.isdigit() else socket.if_nametoindex(link))


def new_identifier(mark: bytes) -> int:
    """A fresh ICMP identifier that ends with the tag of a mark: constant ones pin sessions in firewalls."""
    return (1 + secrets.randbelow(255)) << 8 | mark[0]


def _fault(error: OSError) -> SendFault | Unreachable:
    if error.errno in _UNREACHABLE:
        return Unreachable("host unreachable")
    return SendFault(OWN_FAULTS.get(error.errno or 0, f"cannot send: {error}"))
