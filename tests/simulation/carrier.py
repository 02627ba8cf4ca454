"""J7: what the looks at an uplink's reference points say of the uplink, by an automaton of its own.

A round is all looks at one scheduled instant. It is held against nothing but the committed readings.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hostwatch.core import instant
from hostwatch.core.population import Population
from hostwatch.core.reading import Outcome
from hostwatch.core.uplink import Uplink
from tests.simulation.evidence import Proof


@dataclass(slots=True, kw_only=True)
class Rounds:
    """One uplink: the latest look at each of its reference points."""

    signal: str
    phase_us: int
    interval_us: int
    quorum: int
    references: dict[str, Proof | None]
    proven: set[str] = field(default_factory=set)
    spoke: datetime | None = None
    """The instant of the last reading."""

    def take(self, proof: Proof) -> Proof | None:
        """What the uplink's round says now; None while it is open, or when it has spoken."""
        self.references[proof.signal] = proof
        if proof.outcome is Outcome.ANSWERED:
            self.proven.add(proof.signal)
        at = instant.micros(proof.at)
        begin = instant.from_micros(at - (at - self.phase_us) % self.interval_us)
        if self.spoke is not None and self.spoke >= begin:
            return None
        mine = {name: p for name, p in self.references.items() if p is not None and p.at >= begin}
        answered = sum(p.outcome is Outcome.ANSWERED for p in mine.values())
        missed = sum(p.outcome is Outcome.MISSED and name in self.proven for name, p in mine.items())
        if answered >= self.quorum:
            said = Outcome.ANSWERED
        elif len(self.references) - missed < self.quorum:
            said = Outcome.MISSED
        elif len(mine) == len(self.references):
            said = Outcome.UNKNOWN
        else:
            return None
        self.spoke = min(p.at for p in mine.values())
        return replace(proof, signal=self.signal, at=self.spoke, outcome=said)

    def follow(self, moved: timedelta) -> None:
        """The wall clock was set."""
        self.spoke = None if self.spoke is None else self.spoke + moved
        for name, proof in self.references.items():
            if proof is not None:
                self.references[name] = replace(proof, at=proof.at + moved)

    def renewed(self, other: Rounds) -> Rounds:
        """The same uplink after a reload: what was seen of the reference points that stay is kept."""
        kept = {name: other.references.get(name) for name in self.references}
        return replace(self, references=kept, proven=other.proven & kept.keys(), spoke=other.spoke)


def rounds(population: Population) -> dict[str, Rounds]:
    """The rounds of all uplinks, by the uplink's signal."""
    return {
        uplink.signal(population.vantage): _rounds(uplink, population.vantage)
        for uplink in population.uplinks.values()
        if uplink.references
    }


def _rounds(uplink: Uplink, vantage: str) -> Rounds:
    target = next(uplink.targets(vantage))
    return Rounds(
        signal=uplink.signal(vantage),
        phase_us=target.phase_us,
        interval_us=target.interval_us,
        quorum=uplink.quorum,
        references=dict.fromkeys(uplink.reference(address, vantage) for address in uplink.references),
    )
