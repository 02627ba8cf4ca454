"""A redundancy group: several uplinks by any of which, or by all of which, the carrier is reached (J7).

It is an uplink without reference points of its own, named by an expression over others: `any(backup,main)`.
What it reads follows from the signals of these, as theirs do from their reference points: after each of their
rounds it is looked at once, and says what the expression makes of them. Whatever is unknown of a member is
unknown here too, unless the others decide already: a blind member never makes an outage.

What is silent is not yet down: there is a verdict on a group when, by the verdicts on its members, nothing is
left of it. So each member was found down by misses of its own (`colocation C5`), and nobody waits for more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from hostwatch.core import instant, signal
from hostwatch.core.expression import Expression
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.signal import Signal
from hostwatch.core.uplink import Known, Uplink, parsed, signal_of

OUTCOMES: Final = {True: Outcome.ANSWERED, False: Outcome.MISSED, None: Outcome.UNKNOWN}
"""By whether the carrier is reached."""

SIGNS: Final = {"any": " / ", "all": " + "}
"""Between the names of members: one is enough, or each is needed."""


class _Value(NamedTuple):
    """Whether the carrier is reached, and until when that is known."""

    holds: bool | None
    until: datetime


class _Members:
    """The members of a group, as their signals are."""

    def __init__(self, group: Uplink, vantage: str, known: Known) -> None:
        self._whole = parsed(group.id)
        self._signals = {name: known(signal_of(name, vantage)) for name in self._whole.names}

    def value(self, at: datetime) -> _Value:
        """What they come to at an instant."""
        return self._value(self._whole, at)

    def _value(self, part: Expression, at: datetime) -> _Value:
        if not part.parts:
            one = self._signals[part.needs]
            if one is None or not one.proven or not one.speaks(at):
                return _Value(None, at)
            return _Value(one.silence is None, one.speaks_until)
        values = [self._value(inner, at) for inner in part.parts]
        deciding = part.needs == "any"
        decided = [one.until for one in values if one.holds is deciding]
        if decided:
            return _Value(deciding, max(decided))
        if any(one.holds is None for one in values):
            return _Value(None, at)
        return _Value(not deciding, min(one.until for one in values))

    def shown(self) -> datetime | None:
        """The last instant at which answers show that the carrier was reached; None: it never was."""
        return self._shown(self._whole)

    def _shown(self, part: Expression) -> datetime | None:
        if not part.parts:
            one = self._signals[part.needs]
            return None if one is None else one.last_answer
        found = [self._shown(inner) for inner in part.parts]
        dates = [one for one in found if one is not None]
        if part.needs == "any":
            return max(dates, default=None)
        return min(dates) if len(dates) == len(found) else None

    def is_fallen(self, at: datetime) -> bool:
        """Whether nothing is left by the verdicts on them alone."""

        def stands(name: str) -> bool | None:
            one = self._signals[name]
            if one is None or not one.proven or not one.speaks(at):
                return None
            return True if one.silence is None else None if one.verdict is None else False

        return self._whole.value(stands) is False

    def why(self, outcome: Outcome) -> str:
        """The commonest reason of those that do not answer."""
        if outcome is Outcome.ANSWERED:
            return ""
        mine = [one for one in self._signals.values() if one is not None]
        reasons = [one.silence.why for one in mine if one.silence is not None]
        if outcome is Outcome.UNKNOWN:
            reasons = [one.blind_why for one in mine if one.blind_since is not None]
        return Counter(reasons).most_common(1)[0][0] if reasons else signal.NO_READING


def of(whole: Expression, uplinks: Mapping[str, Uplink]) -> Uplink:
    """The group that an expression over uplinks is.

    It is called by the names of its members: `A / B` for any of them, `A + B` for all. It is as often looked
    at as the member that is looked at most often.
    """
    members = [uplinks[name] for name in whole.names]
    shortest = min(members, key=lambda one: one.terms.interval)
    return Uplink(id=str(whole), name=_called(whole, uplinks), terms=shortest.terms)


def _called(part: Expression, uplinks: Mapping[str, Uplink]) -> str:
    if not part.parts:
        return uplinks[part.needs].name
    inner = (f"({_called(one, uplinks)})" if one.parts else _called(one, uplinks) for one in part.parts)
    return SIGNS[part.needs].join(inner)


def joining(uplinks: Iterable[Uplink], member: str) -> Iterable[Uplink]:
    """The groups that name an uplink."""
    return (one for one in uplinks if member in one.members)


def begin(group: Uplink, vantage: str, known: Known, now: datetime) -> signal.Observed:
    """The signal of a group that is new: proven if its members are, and as they are now."""
    members = _Members(group, vantage, known)
    shown = members.shown()
    own = signal.begin(group.signal(vantage), now)
    if shown is None:
        return own, ()
    own = replace(own, last_answer=shown, blind_why=signal.NO_READING)
    return _observed(group, members, own, now, Kind.CATCH_UP, known_at=now)


def follow(
    group: Uplink, vantage: str, known: Known, member: Signal, reading: Reading
) -> signal.Observed | None:
    """What a round of a member, which is observed already, makes of the group.

    `reading` is the look that decided the round. Rounds are dated by their first look and may be decided in
    another order: what a later one had shown already stays.
    """
    own = known(group.signal(vantage))
    if own is None or member.last_reading is None:
        return None
    at = member.last_reading
    if own.last_reading is not None:
        at = max(at, own.last_reading + instant.MICROSECOND)
    heard = member.last_answer if member.silence is None else None
    members = _Members(group, vantage, known)
    return _observed(group, members, own, at, reading.kind, known_at=reading.known_at, heard=heard)


def _observed(
    group: Uplink,
    members: _Members,
    own: Signal,
    at: datetime,
    kind: Kind,
    *,
    known_at: datetime,
    heard: datetime | None = None,
) -> signal.Observed:
    """One reading of a group. It counts, and then decides, when its members have fallen by their verdicts."""
    now = members.value(at)
    outcome = OUTCOMES[now.holds]
    if outcome is Outcome.MISSED and kind is Kind.SCHEDULED and not members.is_fallen(at):
        kind = Kind.CATCH_UP  # it speaks, and does not count
    said = Reading(
        signal=own.name,
        at=at,
        known_at=max(known_at, at),
        outcome=outcome,
        kind=kind,
        why=members.why(outcome),
        answered_at=heard if heard is not None and heard > at else None,
    )
    after, happened = signal.observe(own, said, replace(group.terms, misses=1))
    if after.blind_since is None and kind is not Kind.FOLLOW_UP:
        after = replace(after, speaks_until=now.until)
    if outcome is Outcome.ANSWERED and own.silence is None:
        dates = [one for one in (own.last_answer, members.shown()) if one is not None]
        after = replace(after, last_answer=max(dates))
    return after, happened
