"""The sockets that packets leave by: two from the start, others when a configuration asks for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from icmplib.exceptions import ICMPSocketError

from hostwatch import log, sieve
from hostwatch.echo import RECEIVE_BUFFER_BYTES, EchoSocket, NoPermission, Outlet, SendFault
from hostwatch.pinger import Packet, family, is_loopback

OUTLETS_MAX: Final = 16
"""Ways to leave at one time; those that nothing is on its way by make room."""

TWINS: Final = 4
"""Sockets for each way where the machine grants small buffers: each of them has a buffer of its own."""


class Outlets:
    """All sockets."""

    def __init__(self, mark: bytes, is_in_use: Callable[[EchoSocket], bool]) -> None:
        """Opens the sockets that may be opened. Raises `NoPermission` when there is none."""
        self._mark = mark
        self._is_in_use = is_in_use
        self.sockets: dict[Outlet, EchoSocket] = {}
        refused: NoPermission | None = None
        for version in (4, 6):
            try:
                self.sockets[Outlet(version)] = EchoSocket(Outlet(version), mark)
            except NoPermission as error:
                refused = error
            except ICMPSocketError as error:
                log.warning("no-socket", family=version, error=str(error))
        if not self.sockets:
            raise refused or NoPermission
        self.is_short = any(sock.is_short for sock in self.sockets.values())
        """Whether the machine grants smaller receive buffers than are asked for."""

        self.twins = TWINS if self.is_short else 1
        """How many sockets there are for each way to leave."""

        self.holds = self.twins * min(sock.holds for sock in self.sockets.values())
        """How many replies the receive buffers take that packets of one way are spread over."""

        self.is_raw = all(sock.raw for sock in self.sockets.values())

    def in_use(self) -> list[EchoSocket]:
        """Those that something of use may come in by."""
        return [sock for sock in self.sockets.values() if self._is_in_use(sock)]

    def get(self, outlet: Outlet) -> EchoSocket | str:
        """The socket of an outlet, opened when it is first asked for; or why there is none."""
        if outlet in self.sockets:
            return self.sockets[outlet]
        if Outlet(outlet.family) not in self.sockets:
            return f"no IPv{outlet.family} socket here"
        if len(self.sockets) >= OUTLETS_MAX * self.twins:
            self._close_idle()
        if len(self.sockets) >= OUTLETS_MAX * self.twins:
            return "too many ways to send here"
        # Another mark, so that the sockets do not fill each other's buffers; its tag is the same.
        mark = self._mark[:1] + os.urandom(sieve.MARK_BYTES - 1)
        try:
            self.sockets[outlet] = EchoSocket(outlet, mark)
        except (ICMPSocketError, NoPermission, SendFault) as error:
            return str(error)
        return self.sockets[outlet]

    def _close_idle(self) -> None:
        for outlet, sock in list(self.sockets.items()):
            if outlet != Outlet(outlet.family) and not self._is_in_use(sock):
                self.sockets.pop(outlet).close()

    def warn_of_small_buffers(self) -> None:
        """Say what the machine grants, if that is less than was asked for."""
        if self.is_short:
            log.warning(
                "small-receive-buffer",
                holds_replies=self.holds,
                advice=f"sysctl -w net.core.rmem_max={RECEIVE_BUFFER_BYTES}",
                why="beyond that the kernel drops replies, and looks are unknown",
            )

    def close(self) -> None:
        """Close all."""
        for sock in self.sockets.values():
            sock.close()
        self.sockets.clear()


def outlets_of(packet: Packet, addresses: Sequence[str]) -> list[Outlet]:
    """By what packets to each address leave. Those to loopback never leave by a source or link of ours."""
    sources = {family(source): source for source in packet.sources}
    ways = {
        version: Outlet(version, sources.get(version, ""), packet.interface, packet.ttl, packet.dscp)
        for version in (4, 6)
    }
    inside = {version: way._replace(source="", interface="") for version, way in ways.items()}
    if ways != inside:
        return [(inside if is_loopback(one) else ways)[family(one)] for one in addresses]
    if ":" not in "".join(addresses):
        return [ways[4]] * len(addresses)
    return [ways[family(one)] for one in addresses]
