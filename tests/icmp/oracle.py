"""What a look must bring, foretold from the script and from what the reflector saw and sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hostwatch.core.reading import Outcome
from hostwatch.pinger import Look, Manner
from tests.lab.reflector import Seen, Sent
from tests.lab.script import Answer, Script, entry

UNSURE_NS = 150_000_000
"""So near to the end of a ping nobody but the pinger knows on which side of it an answer came."""

AT_ONCE_NS = 5_000_000
"""Answers that leave so close together may arrive in either order."""

WORDS = {
    (4, (3, 0)): "network unreachable",
    (4, (3, 1)): "host unreachable",
    (4, (3, 13)): "prohibited",
    (4, (11, 0)): "time exceeded",
    (6, (1, 0)): "network unreachable",
    (6, (1, 3)): "host unreachable",
    (6, (1, 1)): "prohibited",
    (6, (3, 0)): "time exceeded",
}


@dataclass(frozen=True)
class Foretold:
    """What may be made of a ping: mostly one thing, near an edge several."""

    outcomes: frozenset[Outcome]
    lost: frozenset[int]
    """Of an answer: how many packets went before the answered one in vain."""

    whys: frozenset[str]

    def fits(self, look: Look) -> bool:
        """Whether that is what was made of it."""
        if look.outcome not in self.outcomes:
            return False
        if look.outcome is Outcome.ANSWERED:
            return look.lost in self.lost and look.why == ""
        return look.why in self.whys


def foretell(target: str, script: Script, seen: Seen, manner: Manner) -> Foretold:
    """Judge as an onlooker: a right answer that left before the ping was over, and the words of errors."""
    over_ns = _over_ns(seen.asked_ns, manner)
    right = [sent for sent in seen.sent if _answer(script, sent).is_right]
    in_time = [sent for sent in right if sent.at_ns < over_ns]
    sure = any(sent.at_ns < over_ns - UNSURE_NS for sent in right)
    maybe = any(sent.at_ns < over_ns + UNSURE_NS for sent in right)
    outcomes = {Outcome.ANSWERED} if maybe else set()
    if not sure:
        outcomes.add(Outcome.MISSED)
    first_ns = min((sent.at_ns for sent in right), default=0)
    lost = {sent.request for sent in in_time or right if sent.at_ns <= first_ns + AT_ONCE_NS}
    return Foretold(frozenset(outcomes), frozenset(lost), frozenset(_whys(target, script, seen, over_ns)))


def _over_ns(asked_ns: Sequence[int], manner: Manner) -> int:
    """When the ping is over: the timeout after its last packet, or after that would have left."""
    left = manner.attempts - len(asked_ns)
    wait: timedelta = left * manner.spacing + manner.timeout
    return asked_ns[-1] + wait // timedelta(microseconds=1) * 1000


def _whys(target: str, script: Script, seen: Seen, over_ns: int) -> Iterator[str]:
    """What errors said; nothing is said only if none was surely heard."""
    heard = [sent for sent in seen.sent if _answer(script, sent).tells and sent.at_ns < over_ns + UNSURE_NS]
    for sent in heard:
        answer = _answer(script, sent)
        words = WORDS[6 if ":" in target else 4, answer.code]
        yield f"{words}, says {answer.source}" if answer.source not in ("", target) else words
    if not any(sent.at_ns < over_ns - UNSURE_NS for sent in heard):
        yield "no answer"


def _answer(script: Script, sent: Sent) -> Answer:
    return entry(script, sent.request)[sent.place]
