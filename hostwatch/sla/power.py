"""Whether a device had the power that was promised: the account of its supplies (`colocation C2`).

It stands beside the accounts of the network, and is never added into them: one event may be down in both,
and whether it may count in both guarantees is a term of the agreement. Where nobody measured a device's power
nothing is said, not even *up*, however well the device answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hostwatch.core.instant import second
from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.account import EVERY_SILENCE, Books, Downtime, silent
from hostwatch.sla.records import DeviceHistory, Hanging, SilenceRecord


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
    known = down = least = most = inherited = Timeline()
    for each in device.hanging:
        spoken = (each.span & mine) - each.supply.unknown
        silences = [_whole(device, each, one) for one in each.supply.silences]
        known |= spoken
        down |= silent(silences, lambda silence: silence.point, rule) & spoken
        least |= silent(silences, lambda silence: silence.inner, rule) & spoken
        most |= silent(silences, lambda silence: silence.outer, rule) & spoken
        inherited |= silent(_inherited(each, silences), lambda silence: silence.outer, rule)
    unknown, most = mine - known, most | (inherited & known)
    return Books(
        period=mine, excluded=Timeline(), unknown=unknown, down=down, least=least, most=most | unknown
    )


def _inherited(mine: Hanging, silences: Iterable[SilenceRecord]) -> list[SilenceRecord]:
    """Those since an answer that is not the supply's own, but of the one whose place it took.

    Only for who hung on it from its beginning: who came later was somewhere else before.
    """
    begun = mine.supply.service.spans[0].start if mine.supply.service else 0
    if not mine.span or mine.span.spans[0].start != begun:
        return []
    return [one for one in silences if second(one.last_answer) < begun]


def _whole(device: DeviceHistory, mine: Hanging, silence: SilenceRecord) -> SilenceRecord:
    """An interruption from its beginning to its end, also where it went on with another supply.

    The supply that took the place of another keeps the first miss: for the device it is one interruption, of
    which each supply has the seconds in which the device hung on it.
    """
    for each in device.hanging:
        for one in each.supply.silences if each is not mine else ():
            if one.first_miss == silence.first_miss and _goes_on((mine, silence), (each, one)):
                silence = replace(
                    max(silence, one, key=lambda other: other.until),
                    last_answer=min(silence.last_answer, one.last_answer),
                    last_miss=max(silence.last_miss, one.last_miss),
                    confirmed=silence.confirmed or one.confirmed,
                )
    return silence


def _goes_on(*both: tuple[Hanging, SilenceRecord]) -> bool:
    """Whether the first of two lasted until the device came to the supply of the second."""
    if not all(hanging.span for hanging, _ in both):
        return False
    (_, first), (after, _) = sorted(both, key=lambda one: one[0].span.spans[0].start)
    return second(first.until) >= after.span.spans[0].start
