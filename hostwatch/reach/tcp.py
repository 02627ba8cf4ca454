"""TCP connect: for devices, or firewalls before them, that drop pings.

Whoever accepts a connection at the port is there, and so is whoever refuses it with a reset: both come
from the address itself. That a router or a firewall calls the port unreachable is no answer of the
device, though the kernel tells programs the same ("connection refused"); how many segments came in tells
the two apart. No connection stays half open: one that was made is closed at once in the ordinary way (FIN),
without a byte being written or read, and one that was not is given up, which sends nothing more.

Our own firewall drops what it drops in silence: the kernel does not tell that a SYN never left, unlike an
echo request. Own sight does not show it either, so that no rule of our own may stand in the way.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
import struct
from typing import Annotated, Final

from pydantic import Field

from hostwatch.carrier import TTL_AND_CLASS, Carrier, leave_by, place
from hostwatch.clock import Clock
from hostwatch.core import instant
from hostwatch.pinger import Ask, Manner, Packet, family
from hostwatch.reach import base, read

EXAMPLE = "method: {tcp: 443}"

SYN_REPEATS: Final = 1
"""How often the kernel repeats an attempt by itself, a second after. 0 would mean as often as it likes."""

INFO_BYTES: Final = 152
INFO_RTT: Final = 68
INFO_REPEATS: Final = 100
INFO_SEGMENTS_IN: Final = 140
"""Where these stand in the kernel's `struct tcp_info`."""


class Settings(base.Settings):
    """Which port is tried."""

    shorthand = "port"

    port: Annotated[int, Field(ge=1, le=65_535)]
    """The TCP port; it need not be open, as long as the device itself refuses."""


def build(clock: Clock) -> TcpPinger:
    """The pinger."""
    return TcpPinger(clock)


class TcpPinger(base.OneByOne):
    """Connects and hangs up."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._carrier = Carrier(clock)

    def talk(self, ask: Ask, manner: Manner) -> base.Talk:
        settings = read(ask.method).settings
        assert isinstance(settings, Settings)
        return _Call(ask.address, settings.port, manner.packet, self._clock, self._carrier)


class _Call(base.Talk):
    """Attempts at one port. An earlier one may still be answered while a later one is on its way."""

    def __init__(self, address: str, port: int, packet: Packet, clock: Clock, carrier: Carrier) -> None:
        super().__init__()
        self._address = address
        self._port = port
        self._packet = packet
        self._clock = clock
        self._carrier = carrier
        self._lines: dict[int, socket.socket] = {}
        """Connections on their way, by the attempt that they belong to."""

    def send(self) -> None:
        number = len(self.sent) - 1
        try:
            there, line = place(self._address, self._port), _line(self._address, self._packet)
        except OSError as error:
            raise base.Fault(str(base.refusal(error.errno))) from None
        refused = line.connect_ex(there)
        self._lines[number] = line
        if refused in (0, errno.EINPROGRESS, errno.ECONNREFUSED):
            asyncio.get_running_loop().add_writer(line, self._settled, number)
            return
        self._hang_up(number)
        found = base.refusal(refused)
        if isinstance(found, base.Fault):
            raise found
        self.said = found

    def _settled(self, number: int) -> None:
        """Something became of an attempt."""
        line = self._lines[number]
        info = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO_BYTES)
        failed = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._hang_up(number)
        (segments,) = struct.unpack_from("=I", info, INFO_SEGMENTS_IN)
        if failed == 0:
            self.heard(base.Answer(number, self._rtt_us(number, info)))
        elif failed in (errno.ECONNREFUSED, errno.ECONNRESET) and segments:
            self.heard(base.Answer(number, self._passed_us(number)))
        else:
            self.said = base.UNREACHABLE.get(failed, errno.errorcode.get(failed, str(failed)))

    def _rtt_us(self, number: int, info: bytes) -> int | None:
        """The kernel's own measure, unless it repeated the attempt."""
        (measured,), (repeats,) = (struct.unpack_from("=I", info, at) for at in (INFO_RTT, INFO_REPEATS))
        return None if repeats else int(measured) or self._passed_us(number)

    def _passed_us(self, number: int) -> int:
        return (self._clock.monotonic() - self.sent[number].mono) // instant.MICROSECOND

    def read(self) -> None:
        numbers = {line.fileno(): number for number, line in self._lines.items()}
        waiting = select.poll()
        for descriptor in numbers:
            waiting.register(descriptor, select.POLLOUT)
        for descriptor, _ in waiting.poll(0):
            self._settled(numbers[descriptor])

    def fault(self) -> str:
        _, link = self._packet.way(self._address)
        return self._carrier.link_fault(link) if link else self._carrier.fault(self._address)

    def _hang_up(self, number: int) -> None:
        line = self._lines.pop(number)
        asyncio.get_running_loop().remove_writer(line)
        line.close()

    def close(self) -> None:
        for number in [*self._lines]:
            self._hang_up(number)


def _line(address: str, packet: Packet) -> socket.socket:
    """A socket that nothing has left yet. Raises `OSError`."""
    version = family(address)
    line = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, SYN_REPEATS)
        for option, value in zip(TTL_AND_CLASS[version], (packet.ttl, packet.dscp << 2), strict=True):
            line.setsockopt(*option, value)
        leave_by(line, *packet.way(address))
    except OSError:
        line.close()
        raise
    return line
