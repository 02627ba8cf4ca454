"""One event in two promises: a device that is silent while its power is interrupted is down in both.

Whether such seconds count in both is a term (`colocation C2` does not forbid it; the rent is waived once).
Where the agreement counts them in power alone they are excluded from the contractual account of the network;
the raw one stays as it is. Only what the account of power counts is ever taken out, by recorded interruptions
of the device's own supplies: no cause that somebody found, and no second of which power is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla import backbone, power
from hostwatch.sla.account import EVERY_SILENCE, Account, Books, Downtime
from hostwatch.sla.gathered import POWER
from hostwatch.sla.lines import emergencies
from hostwatch.sla.records import DeviceHistory, SilenceRecord

BOTH, CHANGED = "both", "changed"
"""One event counts in both accounts; or that was agreed otherwise meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The seconds of a silence in which the device's power was interrupted."""

    silence: SilenceRecord
    supply: str
    seconds: Timeline
    once_s: int
    """Of them those that are not counted in the network's contractual account."""

    references: tuple[str, ...]
    """The emergencies that told of the supply then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """What the term makes of one device's month."""

    term: str
    """`both`, `power`, or `changed` where it was not the same all of its period."""

    both_down_s: int
    """Seconds that are down by pings of the device and interrupted in power."""

    account: Account
    """The contractual account of the network, by pings of the device."""

    backbone: Account
    """The same of the way to the carrier."""

    together: tuple[Together, ...]


def once(period: Span, device: DeviceHistory, rule: Downtime = EVERY_SILENCE) -> Once:
    """Both figures of a device's network follow from this and its raw accounts."""
    raw, supplied = Books.of(period, device, rule), power.books(period, device, rule)
    term = device.power_alone & raw.period
    return Once(
        term=BOTH if not term else POWER if term == raw.period else CHANGED,
        both_down_s=(raw.down & supplied.down).total,
        account=without(raw, supplied, term).account(),
        backbone=without(backbone.books(period, device, rule), supplied, term).account(),
        together=tuple(_together(raw, supplied, device, term, rule)),
    )


def without(raw: Books, supplied: Books, term: Timeline) -> Books:
    """The books of the network without what counts in those of power, in the seconds of the term.

    At least what cannot have been the power's was down; at most what is not certainly the power's.
    """
    possibly = (supplied.most - supplied.unknown) & term
    return replace(
        raw,
        excluded=raw.excluded | (raw.down & supplied.down & term),
        down=raw.down - (supplied.down & term),
        least=raw.least - possibly,
        most=(raw.most - (supplied.least & term)) | raw.unknown,
    )


def _together(
    raw: Books, supplied: Books, device: DeviceHistory, term: Timeline, rule: Downtime
) -> Iterator[Together]:
    for silence in device.silences:
        if not rule.counts(silence, silence.point):
            continue
        mine = Timeline.of([silence.point]) & raw.down
        for each in device.hanging if mine else ():
            seconds = mine & supplied.down & each.span
            if seconds:
                yield Together(
                    silence=silence,
                    supply=each.supply.supply,
                    seconds=seconds,
                    once_s=(seconds & term).total,
                    references=tuple(
                        one.reference for one in emergencies(replace(raw, period=seconds), each.supply)
                    ),
                )
