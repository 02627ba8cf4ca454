"""What the checkers read out of committed decisions. d0 is due 30.6 s after each full minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hostwatch.core import instant
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.schedule import Schedule, Target
from hostwatch.core.world import Decision
from hostwatch.pinger import Ask, Look
from tests.simulation.evidence import STEPPED, Evidence
from tests.simulation.world import Seen

D0 = Target(signal="d0/ping@main", address="198.18.0.1", interval=timedelta(minutes=1))
A, U = Outcome.ANSWERED, Outcome.UNKNOWN


def at(second: float) -> datetime:
    return datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(seconds=second)


def evidence() -> Evidence:
    """With a schedule, and what the pinger answered: of the looks only that of 30.6 s is a scheduled one."""

    def complain(what: str) -> None:
        raise AssertionError(what)

    made = Evidence(complain)
    made.read(Decision(schedule=Schedule(1, [D0])))
    for second in (24.1, 25.0, 30.6, 36.6):
        made.saw(answered(second))
    return made


def answered(second: float) -> Seen:
    us = instant.micros(at(second))
    look = Look(signal=D0.signal, address=D0.address, at_us=us, known_us=us, outcome=A)
    ask = Ask(D0.signal, D0.address, us)
    when = at(second)
    return Seen(
        ask=ask, look=look, true_us=us, known_us=us, excused=False, dead=False, at=when, known_at=when
    )


def said(of: Evidence, second: float, outcome: Outcome, kind: Kind, why: str = "") -> list[tuple[float, str]]:
    """What a decision proves that commits this reading."""
    reading = Reading(
        signal=D0.signal, at=at(second), known_at=at(second), outcome=outcome, kind=kind, why=why
    )
    proofs = of.read(Decision(unscheduled=(reading,)))
    return [((proof.at - at(0)).total_seconds(), proof.outcome.value) for proof in proofs]


def test_an_answer_that_waits_for_its_slice_is_judged_before_a_later_look() -> None:
    made = evidence()

    assert said(made, 36.6, A, Kind.FOLLOW_UP) == [(30.6, "answered"), (36.6, "answered")]


def test_a_look_that_waits_for_no_slice_says_nothing_before_it_is_judged_itself() -> None:
    """The machine slept: the look at 24.1 s was answered, stayed with the pinger, and became unknown."""
    made = evidence()

    assert said(made, 25.0, A, Kind.CATCH_UP) == [(25.0, "answered")]
    assert said(made, 24.1, U, Kind.CATCH_UP, STEPPED) == [(24.1, "unknown")]
