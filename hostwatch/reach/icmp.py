"""ICMP echo: the ping. What every device gets that says nothing else.

An echo reply from the address means that the device is there. The engine is `hostwatch.icmp`.
"""

from __future__ import annotations

from hostwatch import icmp
from hostwatch.clock import Clock
from hostwatch.reach import base

EXAMPLE = "method: icmp"


class Settings(base.Settings):
    """Nothing to be set: how pings are made, `schedule:` says for all."""


def build(clock: Clock) -> icmp.IcmpPinger:
    """The engine. Raises `echo.NoPermission` when we may not ping at all."""
    return icmp.IcmpPinger(clock)
