"""Whether a port could reach the carrier: the account of a device and its uplink together (`colocation C1`).

A ping from inside the room proves neither that the carrier can be reached nor that it cannot. So this
account stands beside the one of the pings, and says nothing, not even *down*, of seconds in which
nobody looked at reference points.
"""

from __future__ import annotations

from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.account import EVERY_SILENCE, Books, Downtime, silent
from hostwatch.sla.records import DeviceHistory


def measured(period: Span, device: DeviceHistory) -> Timeline:
    """The seconds of service in which the device's port was on an uplink with reference points."""
    mine = device.service & Timeline.of([period])
    return Timeline.of(span for reach in device.reaches for span in reach.span) & mine


def books(period: Span, device: DeviceHistory, rule: Downtime = EVERY_SILENCE) -> Books:
    """Open the books of a port's way to the carrier for a period.

    A second is down when the device or its uplink was silent: each second once, whatever is known of the
    other. It is up when both are known and neither was silent; else it is unknown.
    """
    inside = Books.of(period, device, rule)
    looked = measured(period, device)
    down, least, most = inside.down & looked, inside.least & looked, (inside.most - inside.unknown) & looked
    both = Timeline()
    for reach in device.reaches:
        known = (reach.span & inside.period) - reach.uplink.unknown
        silences = reach.uplink.silences
        down |= silent(silences, lambda silence: silence.point, rule) & known
        least |= silent(silences, lambda silence: silence.inner, rule) & known
        most |= silent(silences, lambda silence: silence.outer, rule) & known
        both |= known & inside.known
    unknown = inside.period - down - both
    return Books(
        period=inside.period,
        excluded=Timeline(),
        unknown=unknown,
        down=down,
        least=least,
        most=most | unknown,
    )
