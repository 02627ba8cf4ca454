"""J1 of a supply: what the words of all sources come to, round by round, by an automaton of its own.

It knows the simulated house and nothing of the power model, and is held against committed readings alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hostwatch.core import instant, source
from hostwatch.core.population import Population
from hostwatch.core.reading import Outcome
from tests.simulation.evidence import Proof
from tests.simulation.house import EMPTY, HERE, NONSENSE, ON_BATTERY, POWERED, SIDES

OUTCOMES = {True: Outcome.MISSED, False: Outcome.ANSWERED, None: Outcome.UNKNOWN}


@dataclass(kw_only=True)
class Circuits:
    """Both lines of power: the latest word of each source."""

    last: dict[str, Proof] = field(default_factory=dict)
    """By source. One that was asked and not heard, or not understood, stands there without words."""

    supplies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By signal, the sides of which one is enough."""

    spoke: dict[str, datetime] = field(default_factory=dict)
    sources: frozenset[str] = frozenset()
    said: list[Proof] = field(default_factory=list)
    """What the readings of the last decision made of the supplies."""

    phase_us: int = 0
    interval_us: int = 1

    def change(self, population: Population, heirs: Mapping[str, Iterable[str]]) -> None:
        """Another population is in force. `heirs`: by new supply, those whose place it took."""
        for name, olds in heirs.items():
            spoke = [self.spoke[old] for old in olds if old in self.spoke]
            self.spoke.update({name: max(spoke)} if spoke else {})
        vantage = population.vantage
        self.sources = frozenset(population.sources)
        self.last = {name: one for name, one in self.last.items() if name in self.sources}
        self.supplies = {
            one.signal(vantage): tuple(side for side in SIDES if f"ups-{side}" in one.id)
            for one in population.supplies.values()
        }
        self.spoke = {name: at for name, at in self.spoke.items() if name in self.supplies}
        for one in population.sources.values():
            self.phase_us, self.interval_us = one.target(vantage).phase_us, one.target(vantage).interval_us

    def follow(self, moved: timedelta) -> None:
        """The wall clock was set."""
        self.last = {name: replace(one, at=one.at + moved) for name, one in self.last.items()}
        self.spoke = {name: at + moved for name, at in self.spoke.items()}

    def take(self, proofs: Iterable[Proof]) -> list[Proof]:
        """What the readings of one decision make of the supplies."""
        spoken: dict[str, Proof] = {}
        for proof in proofs:
            name = source.named(proof.signal)
            if name is None or name not in self.sources:
                continue
            known = self.last.get(name)
            if known is not None and proof.at <= known.at:
                spoken[name] = proof
                continue
            heard = proof.outcome is Outcome.ANSWERED and proof.said not in ("", NONSENSE)
            self.last[name] = proof if heard else replace(proof, said="")
            spoken.pop(name, None)
            spoken[name] = proof
        found = self.said = list[Proof]()
        done: set[str] = set()
        for name, proof in spoken.items():
            for sides, supplies in self._parts():
                if name[-1] in sides and done.isdisjoint(supplies):
                    said = [*self._read(sides, supplies, proof)]
                    done.update(one.signal for one in said)
                    found += said
        return found

    def _parts(self) -> list[tuple[tuple[str, ...], list[str]]]:
        """What hangs together: both lines, if a supply hangs on both."""
        if any(len(sides) == 2 for sides in self.supplies.values()):
            return [(SIDES, [*self.supplies])]
        return [((side,), [name for name, mine in self.supplies.items() if side in mine]) for side in SIDES]

    def _read(self, sides: Sequence[str], supplies: Iterable[str], proof: Proof) -> Iterable[Proof]:
        at_us = instant.micros(proof.at)
        begun = at_us - (at_us - self.phase_us) % self.interval_us
        mine = [self.last.get(f"{what}-{side}") for what in ("card", "strip") for side in sides]
        asked = [one for one in mine if one is not None and instant.micros(one.at) >= begun]
        if len(asked) < len(mine):
            return
        at = max(proof.at, *(one.at for one in asked))
        for name in supplies:
            mine_at = max(at, self.spoke[name] + instant.MICROSECOND) if name in self.spoke else at
            self.spoke[name] = mine_at
            outcome = OUTCOMES[self._interrupted(self.supplies[name])]
            yield Proof(name, mine_at, outcome, proof.kind, max(proof.known_at, mine_at))

    def _interrupted(self, sides: Iterable[str]) -> bool | None:
        """Whether all of them are; nobody knows if one may not be."""
        every = [self._of(side) for side in sides]
        return False if False in every else None if None in every else True

    def _of(self, side: str) -> bool | None:
        """One line, by what its card and its strip say."""
        card, strip = self.last[f"card-{side}"].said, self.last[f"strip-{side}"].said
        if card in (HERE, ON_BATTERY):
            return False
        if card == EMPTY:
            return None if strip == POWERED else True
        return False if strip == POWERED else None
