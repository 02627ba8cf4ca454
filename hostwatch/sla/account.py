"""One device's account of a period: every second in exactly one class.

The precedence is excluded > unknown > down > up. Seconds are integers from the first to the last
step, so accounts of adjoining periods add up exactly; a percentage is made from them at the very
end, only to be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from hostwatch.core.timeline import Span, Timeline
from hostwatch.sla.records import (
    DeviceHistory,
    ServiceHistory,
    SilenceRecord,
    SupplyHistory,
    UplinkHistory,
)

Judged = DeviceHistory | ServiceHistory | UplinkHistory | SupplyHistory
"""What has an account: seconds of service, seconds that nothing speaks for, and silences."""

PLACES = 4
"""Decimals of a percentage."""


def percent(part: int, whole: int) -> Decimal:
    """`part` of `whole` in percent, rounded DOWN to four decimals: the one rounding of a percentage."""
    return Decimal(part * 100 * 10**PLACES // whole).scaleb(-PLACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Downtime:
    """Which silences count as downtime (J4): a term of the agreement. By default every one does."""

    confirmed_only: bool = False
    """Only silences that led to a verdict."""

    longer_than_s: int = 0
    """Only silences longer than this, and then whole. Each bound is held against it by itself."""

    def counts(self, silence: SilenceRecord, span: Span) -> bool:
        """Whether a silence counts, as long as `span` says that it was."""
        return (silence.confirmed or not self.confirmed_only) and span.seconds > self.longer_than_s

    @property
    def words(self) -> str:
        """The rule for people."""
        which = "every confirmed silence" if self.confirmed_only else "every silence"
        return f"{which} longer than {self.longer_than_s} s, whole" if self.longer_than_s else which


EVERY_SILENCE = Downtime()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Seconds of one device in one period, by class, and the bounds of what was down."""

    period_s: int = 0
    up_s: int = 0
    down_s: int = 0
    unknown_s: int = 0
    excluded_s: int = 0
    down_s_least: int = 0
    """Certainly down: from first to last miss."""

    down_s_most: int = 0
    """Possibly down: from last to first answer, and all that is unknown."""

    def __post_init__(self) -> None:
        classes = (self.up_s, self.down_s, self.unknown_s, self.excluded_s)
        assert min(classes) >= 0, self
        assert sum(classes) == self.period_s, self
        assert 0 <= self.down_s_least <= self.down_s <= self.down_s_most <= self.period_s, self

    def __add__(self, other: Account) -> Account:
        return Account(**{name: getattr(self, name) + getattr(other, name) for name in SECONDS})

    @property
    def covered(self) -> bool:
        """Whether we could look at all. If not, there is no figure."""
        return self.unknown_s < self.period_s

    @property
    def availability(self) -> Decimal | None:
        """(period - down) / period, in percent; excluded and unknown seconds stay in the period."""
        return self._without(self.down_s)

    @property
    def availability_lower(self) -> Decimal | None:
        """The same with all that was possibly down."""
        return self._without(self.down_s_most)

    @property
    def availability_upper(self) -> Decimal | None:
        """The same with only what was certainly down."""
        return self._without(self.down_s_least)

    @property
    def coverage(self) -> Decimal | None:
        """The share of the period in which we could look, in percent."""
        return percent(self.period_s - self.unknown_s, self.period_s) if self.period_s else None

    def _without(self, down_s: int) -> Decimal | None:
        return percent(self.period_s - down_s, self.period_s) if self.covered else None


SECONDS = ("period_s", "up_s", "down_s", "unknown_s", "excluded_s", "down_s_least", "down_s_most")
"""The fields of an account, in the order in which they are shown."""


def silent(
    silences: Iterable[SilenceRecord], bound: Callable[[SilenceRecord], Span], rule: Downtime
) -> Timeline:
    """The seconds of the silences that count, as long as a bound says that each was."""
    spans = ((silence, bound(silence)) for silence in silences)
    return Timeline.of(length for silence, length in spans if rule.counts(silence, length))


def account(period: Span, device: Judged, rule: Downtime = EVERY_SILENCE) -> Account:
    """Account for the seconds of a period in which the device was in service."""
    return Books.of(period, device, rule).account()


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The timelines behind an account, so that every figure can be explained."""

    period: Timeline
    """The device's own: the period asked for, without the time in which it was not in service."""

    excluded: Timeline
    unknown: Timeline
    down: Timeline
    least: Timeline
    most: Timeline

    @classmethod
    def of(cls, period: Span, device: Judged, rule: Downtime = EVERY_SILENCE) -> Books:
        """Open the books of a device, or of what it hangs on, for a period."""
        mine = device.service & Timeline.of([period])
        excluded = Timeline()
        unknown = (device.unknown & mine) - excluded
        known = mine - excluded - unknown

        return cls(
            period=mine,
            excluded=excluded,
            unknown=unknown,
            down=silent(device.silences, lambda silence: silence.point, rule) & known,
            least=silent(device.silences, lambda silence: silence.inner, rule) & known,
            most=(silent(device.silences, lambda silence: silence.outer, rule) & known) | unknown,
        )

    @property
    def known(self) -> Timeline:
        """The seconds that are up or down."""
        return self.period - self.excluded - self.unknown

    def account(self) -> Account:
        """The sums."""
        return Account(
            period_s=self.period.total,
            up_s=(self.known - self.down).total,
            down_s=self.down.total,
            unknown_s=self.unknown.total,
            excluded_s=self.excluded.total,
            down_s_least=self.least.total,
            down_s_most=self.most.total,
        )
