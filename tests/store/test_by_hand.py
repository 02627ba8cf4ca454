"""Random days in which operators report, end and correct emergencies; what follows is reckoned beside it.

After each deed the store gives the same world back: a crash between a word and its notices loses nothing.
"""

from __future__ import annotations

import random

import pytest

from hostwatch.core import correcting, delivery, facts
from hostwatch.core.emergency import AttemptOutcome, NoticeState
from hostwatch.core.reading import Outcome
from hostwatch.core.world import Decision
from hostwatch.store import ledger
from hostwatch.store.connection import connect
from tests.core.test_delivery import at
from tests.core.test_reporting import Reported
from tests.simulation import record

ARRIVES = {AttemptOutcome.ACCEPTED: True, AttemptOutcome.FAILED: False, AttemptOutcome.REFUSED: False}
DEVICES = ("web-1", "web-2", "web-3")


class Day(Reported):
    """A day that is kept in a store; and who has which message by what this test did itself."""

    def __init__(self) -> None:
        self.db = connect(None)
        self.ledger = ledger.Ledger(self.db, "boot")
        self.ledger.open()
        self.reached: set[tuple[str, str]] = set()
        """Emergency and customer."""

        self.corrected: set[str] = set()
        self.owed: list[str] = []
        self.minute = 6
        super().__init__()

    def do(self, decision: Decision) -> list[facts.Fact]:
        self.ledger.commit(decision, at("23:59"))
        happened = super().do(decision)
        self.owed += [fact.notice for fact in happened if isinstance(fact, facts.NoticeOwed)]
        record.check_world(self.db, self.world, pytest.fail)
        covered = [name for one in self.world.emergencies.values() for name in one.joined]
        assert len(covered) == len({*covered}), "no signal is told of under two emergencies"
        return happened

    @property
    def now(self) -> str:
        return f"{self.minute // 60:02}:{self.minute % 60:02}"

    def send(self, dice: random.Random) -> None:
        """One of the pending notices is tried."""
        pending = [*self.world.notices.pending.values()]
        if pending:
            notice, outcome = dice.choice(pending), dice.choice([*ARRIVES])
            self.attempt(self.now, outcome, notice.id)
            if ARRIVES[outcome]:
                self.reached |= {(reference, notice.customer) for reference in notice.emergencies}

    def correct(self, reference: str) -> None:
        kept = self.ledger.told_of(reference)
        known = self.world.emergencies.get(reference, kept.emergency)
        assert not correcting.is_stale(self.world, kept.notices)
        said = facts.EmergencyCorrected(
            at=at(self.now), reference=reference, because="c", evidence=(), actor="root"
        )
        happened = self.do(correcting.correct(self.world, known, kept.notices, said, "it was ours"))
        owed = [fact for fact in happened if isinstance(fact, facts.NoticeOwed)]
        assert {(reference, fact.customer) for fact in owed} == {
            one for one in self.reached if one[0] == reference
        }
        assert all(fact.kind == "correction" for fact in owed)
        self.corrected.add(reference)
        left = [one for one in self.world.notices.of(reference) if one.kind != "correction"]
        assert all(one.state is not NoticeState.PENDING for one in left)

    def step(self, dice: random.Random) -> None:
        self.minute += dice.randint(1, 3)
        match dice.choice(["look", "look", "look", "send", "send", "report", "end", "correct"]):
            case "look":
                outcome = dice.choice([Outcome.ANSWERED, Outcome.MISSED, Outcome.MISSED])
                self.look(self.now, dice.choice(DEVICES), outcome)
            case "send":
                self.send(dice)
            case "report":
                self.report(self.now, *dice.sample(DEVICES, dice.randint(1, 3)))
            case "end" if "E-000001" in self.world.emergencies and self.emergency.story.reported:
                if not any(name for name in self.emergency.joined if self.world.signals[name].verdict):
                    self.over(self.now)
            case "correct" if self.world.references:
                number = dice.randint(1, self.world.references)
                if f"E-{number:06d}" not in self.corrected:
                    self.correct(f"E-{number:06d}")
            case _:
                pass


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_random_days(first: int) -> None:
    for seed in range(first, first + 10):
        day, dice = Day(), random.Random(seed)
        for _ in range(60):
            day.step(dice)
        names = day.owed
        assert len(names) == len({*names}), "each is owed once"
        assert len(day.corrected) <= day.world.references
        day.do(delivery.breaches(day.world, at("23:58")))
