"""Two misses make a verdict only if they are well apart, whatever happens to the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core import facts, signal
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.signal import Signal
from hostwatch.core.terms import AgreementTerms

START = datetime(2026, 10, 1, tzinfo=UTC)
TERMS = AgreementTerms()


def look(known: Signal, seconds: float, outcome: Outcome, kind: Kind = Kind.SCHEDULED) -> signal.Observed:
    at = START + timedelta(seconds=seconds)
    reading = Reading(signal=known.name, at=at, known_at=at, outcome=outcome, kind=kind, why="no answer")
    return signal.observe(known, reading, TERMS)


def missed_once() -> Signal:
    """Answered at 0:00, missed at 5:00."""
    known, _ = look(signal.begin("web-1/ping@main", START - timedelta(minutes=1)), 0, Outcome.ANSWERED)
    return look(known, 300, Outcome.MISSED)[0]


@pytest.mark.parametrize(("again", "verdict"), [(305, False), (449, False), (450, True), (600, True)])
def test_a_miss_that_comes_too_soon_does_not_count(again: float, verdict: bool) -> None:
    known, happened = look(missed_once(), again, Outcome.MISSED)

    assert any(isinstance(fact, facts.WentDown) for fact in happened) is verdict
    assert known.silence is not None
    assert known.silence.last_miss == START + timedelta(seconds=again)


def test_nor_does_the_same_instant_when_a_clock_that_was_set_back_comes_to_it_again() -> None:
    """Missed at 5:00; at 5:04 the clock is set back to 4:59; a second later it is 5:00 again."""
    stepped, _ = signal.step(missed_once(), START + timedelta(seconds=304), START + timedelta(seconds=299))

    again, happened = look(stepped, 300, Outcome.MISSED)
    assert again.verdict is None
    assert not any(isinstance(fact, facts.WentDown) for fact in happened)

    assert look(again, 600, Outcome.MISSED)[0].verdict is not None


def test_an_answer_lets_the_next_miss_count_at_once() -> None:
    answered, _ = look(missed_once(), 600, Outcome.ANSWERED)
    first, _ = look(answered, 610, Outcome.MISSED)

    assert first.misses == 1
