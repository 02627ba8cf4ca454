"""Redundancy: which single element, if it failed, would take the power away; by design, and as it stands now.

    any(r1-a, r1-b)    by design: none, if the two come from two UPSes; ups-a, if both hang on that one
                       now, with ups-b dead: r1-a, panel-a, ups-a

An element that fails by itself takes away all that hangs on it alone. A UPS stands in for its utility, unless
it is dead or bypassed: then the utility is such an element too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from hostwatch.core.electricity import Electricity
from hostwatch.core.element import Kind
from hostwatch.core.expression import Expression
from hostwatch.core.power import Ups
from hostwatch.core.powertable import GIVES_NOTHING
from hostwatch.core.wiring import Wiring


@dataclass(frozen=True, slots=True, kw_only=True)
class Redundancy:
    """How much may fail of what some feeds hang on."""

    by_design: tuple[str, ...]
    """The elements each of which takes the power away alone, with all others well; none: it is redundant."""

    now: tuple[str, ...]
    """The same as it stands, with what nobody knows of taken for well."""

    is_left: bool | None
    """Whether any one more may fail now; None if that depends on what nobody knows."""

    @property
    def is_lost(self) -> bool:
        """Whether there is some by design, and none now."""
        return not self.by_design and self.is_left is False


class Redundancies:
    """Those of many at one moment. What several of them hang on is looked at once."""

    def __init__(self, now: Electricity) -> None:
        def is_able(ups: str) -> bool:
            return _is_able(ups, now)

        self._hopeful = _Ways(now.wiring, lambda name: now.of(name).supplied is not False, is_able)
        self._certain = _Ways(now.wiring, lambda name: now.of(name).supplied is True, is_able)
        self._designed = _designed(now.wiring)

    def of(self, feeds: Expression) -> Redundancy:
        """That of the feeds of a device, or of any other expression."""
        best, worst = self._hopeful.single(feeds), self._certain.single(feeds)
        by_design = tuple(sorted(self._designed.single(feeds) or ()))
        return Redundancy(by_design=by_design, now=tuple(sorted(best or ())), is_left=_is_left(best, worst))


def of(feeds: Expression, now: Electricity) -> Redundancy:
    """That of one."""
    return Redundancies(now).of(feeds)


def _is_left(best: frozenset[str] | None, worst: frozenset[str] | None) -> bool | None:
    """Whether nobody takes the power away alone: with what nobody knows of taken for well, and for dead."""
    if best is None or best:
        return False
    return None if worst is None or worst else True


def shared(feeds: Expression, wiring: Wiring) -> tuple[str, ...]:
    """The elements that take the power away alone though all others are well: two feeds on one UPS, say."""
    return tuple(sorted(_designed(wiring).single(feeds) or ()))


@lru_cache(maxsize=2)
def _designed(wiring: Wiring) -> _Ways:
    """The ways of power with all well. A wiring never changes."""
    return _Ways(wiring, lambda _: True, lambda _: True)


def _is_able(ups: str, now: Electricity) -> bool:
    """Whether a UPS stands in for its utility, as far as its witnesses say."""
    said = {one.point.ups for one in now.of(ups).testimonies if one.point is not None} - {Ups.UNKNOWN}
    return not said & set(GIVES_NOTHING)


class _Ways:
    """The ways by which power comes, with some elements alive and the others not."""

    def __init__(
        self, wiring: Wiring, is_alive: Callable[[str], bool], is_able: Callable[[str], bool]
    ) -> None:
        self._wiring = wiring
        self._is_alive = is_alive
        self._is_able = is_able
        self._known: dict[str, frozenset[str] | None] = {}

    def single(self, wanted: Expression) -> frozenset[str] | None:
        """Who takes it away alone; None if there is no power as it is."""
        if not wanted.parts:
            return self._of(wanted.needs)
        parts = [self.single(part) for part in wanted.parts]
        alive = [part for part in parts if part is not None]
        if wanted.needs == "any":
            return frozenset.intersection(*alive) if alive else None
        return frozenset.union(*alive) if len(alive) == len(parts) else None

    def _of(self, name: str) -> frozenset[str] | None:
        if name not in self._known:
            self._known[name] = self._reckoned(name) if self._is_alive(name) else None
        return self._known[name]

    def _reckoned(self, name: str) -> frozenset[str]:
        element, inputs = self._wiring.element(name), self._wiring.input(name)
        stands_in = element is not None and element.kind is Kind.UPS and self._is_able(name)
        above = None if inputs is None or stands_in else self.single(inputs)
        return frozenset({name}) | (above or frozenset())
