"""What our own kernel drops on its way out without telling the socket: who is silent then is not to blame.

Over IPv6 it does so in two cases. A ping socket is told nothing of what became of its packets; the kernel's
count of discarded ones tells. And when the table of neighbours is full the kernel refuses packets to new
ones, but of the last that found room nobody is asked who it is: the question itself would need an entry.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from hostwatch.carrier import way_out
from hostwatch.echo import SendFault

DISCARDED: Final = "packets dropped on their way out here"
NO_NEIGHBOURS: Final = "neighbour table full here"

_COUNTS: Final = Path("/proc/thread-self/net/snmp6")
_DISCARDS: Final = "Ip6OutDiscards"


class Outward:
    """What was noticed of that, and when: monotonic microseconds."""

    def __init__(self) -> None:
        self._discards = discards()
        self._asked_us = 0
        self._discarded_us = -1
        """When the count was last seen to have moved."""

        self._full_us = -1
        """When the table of neighbours was last full."""

    def count(self, now_us: int) -> None:
        """See whether packets have been discarded since the last time."""
        if now_us != self._asked_us:
            self._asked_us = now_us
            if (count := discards(self._discards)) != self._discards:
                self._discards, self._discarded_us = count, now_us

    def forgive(self, many: int) -> None:
        """So many that the kernel counts are none: those calls only told of earlier packets."""
        self._discards += many

    def refused(self, error: SendFault, address: str, now_us: int) -> str:
        """Why a packet did not leave: what was said, or what is meant by it."""
        cause = error.__cause__
        if ":" not in address or not isinstance(cause, OSError) or cause.errno != errno.EINVAL:
            return str(error)
        try:
            way_out(address)
        except OSError:
            return str(error)  # a route that leads nowhere
        self._full_us = now_us
        return NO_NEIGHBOURS

    def fault(self, since_us: int, now_us: int, *, is_told: bool) -> str:
        """Why a packet that was sent since then may not have left; `is_told` if the socket would know."""
        if self._full_us >= since_us:
            return NO_NEIGHBOURS
        if not is_told:
            self.count(now_us)
            if self._discarded_us > since_us:
                return DISCARDED
        return ""


def discards(before: int = 0) -> int:
    """IPv6 packets that were to leave and that the kernel dropped; as before where that cannot be read."""
    try:
        lines = (line.split() for line in _COUNTS.read_text(encoding="ascii").splitlines())
        return next(int(count) for name, count in lines if name == _DISCARDS)
    except (OSError, StopIteration):  # a machine without IPv6, or no file descriptor left
        return before
