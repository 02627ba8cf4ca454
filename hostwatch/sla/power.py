"""Whether a device had the power that was promised: the account of its supplies (`colocation C2`).

It stands beside the accounts of the network, and is never added into them: one event may be down in both,
and whether it may count in both guarantees is a term of the agreement. Where nobody measured a device's power
nothing is said, not even *up*, however well the device answers.
"""

from __future__ import annotations

from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.account import EVERY_SILENCE, Books, Downtime, silent
from hostwatch.sla.records import DeviceHistory


def measured(period: Span, device: DeviceHistory) -> Timeline:
    """The seconds of service in which the device hung on a supply of the power model."""
    mine = device.service & Timeline.of([period])
    return Timeline.of(span for each in device.hanging for span in each.span) & mine


def books(period: Span, device: DeviceHistory, rule: Downtime = EVERY_SILENCE) -> Books:
    """Open the books of a device's power for a period.

    A second is down when its supply was interrupted by the agreement's rule, up when it was known not to be;
    else it is unknown. Whether anybody watched the device itself says nothing about its power.
    """
    mine = device.service & Timeline.of([period])
    known = down = least = most = Timeline()
    for each in device.hanging:
        spoken = (each.span & mine) - each.supply.unknown
        silences = each.supply.silences
        known |= spoken
        down |= silent(silences, lambda silence: silence.point, rule) & spoken
        least |= silent(silences, lambda silence: silence.inner, rule) & spoken
        most |= silent(silences, lambda silence: silence.outer, rule) & spoken
    unknown = mine - known
    return Books(
        period=mine, excluded=Timeline(), unknown=unknown, down=down, least=least, most=most | unknown
    )
