"""One thing that answers or misses: readings fold into silences, silences into flips.

The rules are J2 to J6 of `docs/judgement.md`, where the same table stands that the tests run.
Readings are observed in the order in which they were dated; one that is not later than the last
is not observed at all. UNKNOWN is our own failure: it neither counts nor resets, and its seconds
are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from hostwatch.core import facts
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.terms import AgreementTerms

NOT_PROVEN = "not proven"
NO_READING = "no reading"
NO_LONGER = "no longer watched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """From a first miss until the next answer."""

    last_answer: datetime
    first_miss: datetime
    last_miss: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """The state of one signal. All that a restart must know is in it."""

    name: str
    """`device/check@vantage`: today one vantage point decides alone (J6)."""

    speaks_until: datetime
    """The last reading speaks for the seconds before this instant (J2)."""

    last_reading: datetime | None = None
    last_answer: datetime | None = None
    """None: the signal has never answered and is not proven."""

    blind_since: datetime | None = None
    """Since when no reading speaks although the last one would still: an UNKNOWN came."""

    blind_why: str = NO_READING
    misses: int = 0
    """Scheduled misses in a row."""

    counted_at: datetime | None = None
    """The last of them."""

    silence: Silence | None = None
    verdict: datetime | None = None
    """When the signal was found to be down; None while it is up."""

    @property
    def proven(self) -> bool:
        """Whether the signal has ever answered."""
        return self.last_answer is not None

    def unspoken_since(self, now: datetime) -> datetime | None:
        """Since when no reading speaks, or None if one speaks now."""
        if self.blind_since is not None:
            return self.blind_since
        return self.speaks_until if self.speaks_until < now else None

    def speaks(self, now: datetime) -> bool:
        """Whether a reading speaks now."""
        return self.unspoken_since(now) is None


Observed = tuple[Signal, tuple[facts.Fact, ...]]


def begin(name: str, at: datetime) -> Signal:
    """A signal that is watched from `at` on and has not yet shown that it can answer."""
    return Signal(name=name, speaks_until=at, blind_since=at, blind_why=NOT_PROVEN)


def observe(signal: Signal, reading: Reading, terms: AgreementTerms) -> Observed:
    """What a reading makes of a signal: its new state and the facts that follow."""
    if signal.last_reading is not None and reading.at <= signal.last_reading:
        return signal, ()
    match reading.outcome:
        case Outcome.UNKNOWN:
            return _unknown(signal, reading), ()
        case Outcome.MISSED:
            return _missed(signal, reading, terms)
        case Outcome.ANSWERED:
            return _answered(signal, reading, terms)


def _unknown(signal: Signal, reading: Reading) -> Signal:
    if signal.blind_since is not None or reading.kind is Kind.FOLLOW_UP:
        return replace(signal, last_reading=reading.at)
    if signal.speaks_until < reading.at:
        since, why = signal.speaks_until, NO_READING
    else:
        since, why = reading.at, reading.why
    return replace(signal, last_reading=reading.at, speaks_until=since, blind_since=since, blind_why=why)


def _missed(signal: Signal, reading: Reading, terms: AgreementTerms) -> Observed:
    if signal.last_answer is None:
        return replace(signal, last_reading=reading.at), ()
    spoken, gap = _speak(signal, reading, terms)
    found: list[facts.Fact] = [*gap]
    if spoken.silence is None:
        silence = Silence(
            last_answer=signal.last_answer, first_miss=reading.at, last_miss=reading.at, why=reading.why
        )
        found.append(
            facts.SilenceBegan(
                at=reading.at, signal=signal.name, last_answer=signal.last_answer, why=reading.why
            )
        )
    else:
        silence = replace(spoken.silence, last_miss=reading.at, why=reading.why or spoken.silence.why)
    missed = replace(spoken, silence=silence)
    if _counts(signal, reading, terms):
        missed = replace(missed, misses=spoken.misses + 1, counted_at=reading.at)
    if missed.verdict is not None or missed.misses < terms.misses:
        return missed, tuple(found)
    found.append(_went_down(missed, silence, reading))
    return replace(missed, verdict=reading.known_at), tuple(found)


def _counts(signal: Signal, reading: Reading, terms: AgreementTerms) -> bool:
    """Whether a miss counts towards a verdict: made at its own instant, and well apart from the last.

    Instants come soon after one another when the clock was set back, or the interval was changed. Two
    misses that are less than half an interval apart are one.
    """
    if reading.kind is not Kind.SCHEDULED:
        return False
    last = signal.counted_at
    return last is None or reading.at - last >= terms.interval / 2


def _went_down(signal: Signal, silence: Silence, reading: Reading) -> facts.WentDown:
    return facts.WentDown(
        at=reading.known_at,
        signal=signal.name,
        last_answer=silence.last_answer,
        first_miss=silence.first_miss,
        last_miss=silence.last_miss,
        misses=signal.misses,
        why=silence.why,
    )


def verdict_on(signal: Signal, at: datetime) -> facts.WentDown:
    """The verdict on a signal that is down, dated anew: not to be recorded."""
    assert signal.silence is not None
    return facts.WentDown(
        at=at,
        signal=signal.name,
        last_answer=signal.silence.last_answer,
        first_miss=signal.silence.first_miss,
        last_miss=signal.silence.last_miss,
        misses=signal.misses,
        why=signal.silence.why,
    )


def _answered(signal: Signal, reading: Reading, terms: AgreementTerms) -> Observed:
    found: list[facts.Fact] = []
    if signal.last_answer is None:
        found.append(facts.DeviceProven(at=reading.at, signal=signal.name))
    spoken, gap = _speak(signal, reading, terms)
    found.extend(gap)
    if spoken.silence is not None:
        found.append(
            facts.SilenceEnded(
                at=reading.heard_at,
                signal=signal.name,
                last_answer=spoken.silence.last_answer,
                first_miss=spoken.silence.first_miss,
                last_miss=spoken.silence.last_miss,
                confirmed=spoken.verdict is not None,
            )
        )
        if spoken.verdict is not None:
            found.append(
                facts.CameUp(
                    at=reading.known_at,
                    signal=signal.name,
                    last_miss=spoken.silence.last_miss,
                    first_answer=reading.heard_at,
                    kind=reading.kind,
                )
            )
    keeps_count = reading.kind is Kind.FOLLOW_UP and spoken.verdict is None
    return replace(
        spoken,
        last_answer=reading.heard_at,
        silence=None,
        verdict=None,
        misses=spoken.misses if keeps_count else 0,
        counted_at=spoken.counted_at if keeps_count else None,
    ), tuple(found)


def _speak(signal: Signal, reading: Reading, terms: AgreementTerms) -> Observed:
    """Let a reading that is not UNKNOWN speak; what no reading spoke for becomes a fact."""
    if reading.kind is Kind.FOLLOW_UP:
        return replace(signal, last_reading=reading.at), ()
    since = signal.unspoken_since(reading.at)
    gap = () if since is None else tuple(_unspoken(signal, since, reading.at))
    spoken = replace(
        signal,
        last_reading=reading.at,
        speaks_until=reading.at + terms.speaking,
        blind_since=None,
        blind_why=NO_READING,
    )
    return spoken, gap


def _unspoken(signal: Signal, since: datetime, until: datetime) -> Iterator[facts.Fact]:
    if since < until:
        yield facts.Unspoken(at=until, signal=signal.name, since=since, why=signal.blind_why)


def step(signal: Signal, before: datetime, after: datetime) -> Observed:
    """Carry a signal over a step of the wall clock from `before` to `after`.

    What was owed stays owed: counts, verdicts and the speaking time that is left are kept, and a
    silence goes on. Its account is cut at `before` and goes on at `after`. Seconds that the clock passed
    over, and seconds that it showed twice, are unknown for every signal (`sla.gathered`). The last answer
    keeps its date, so that the outer bound of a later silence reaches back over the step, but is
    never later than `after`.
    """
    moved = after - before
    found: list[facts.Fact] = []
    since = signal.unspoken_since(before)
    if since is not None:
        found.extend(_unspoken(signal, since, before))
    carried = replace(
        signal,
        last_reading=None if signal.last_reading is None else signal.last_reading + moved,
        last_answer=None if signal.last_answer is None else min(signal.last_answer, after),
        counted_at=None if signal.counted_at is None else signal.counted_at + moved,
        speaks_until=signal.speaks_until + moved if since is None else after,
        blind_since=None if since is None else after,
    )
    if signal.silence is not None:
        found.append(_cut(signal, signal.silence, before, "clock stepped"))
        fresh = replace(signal.silence, last_answer=after, first_miss=after, last_miss=after)
        carried = replace(carried, silence=fresh)
    return carried, tuple(found)


def withdraw(signal: Signal, at: datetime, why: str = NO_LONGER) -> tuple[facts.Fact, ...]:
    """The facts with which a signal's account is closed when it is no longer watched."""
    since = signal.unspoken_since(at)
    found: list[facts.Fact] = [] if since is None else [*_unspoken(signal, since, at)]
    if signal.silence is not None:
        found.append(_cut(signal, signal.silence, at, why))
    return tuple(found)


def _cut(signal: Signal, silence: Silence, at: datetime, why: str) -> facts.SilenceCut:
    return facts.SilenceCut(
        at=at,
        signal=signal.name,
        last_answer=silence.last_answer,
        first_miss=silence.first_miss,
        last_miss=silence.last_miss,
        confirmed=signal.verdict is not None,
        why=why,
    )
