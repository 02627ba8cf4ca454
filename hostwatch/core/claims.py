"""Claims that a breach of the duty to tell is excused (`colocation C5`), as the record has them.

Two classes excuse: the customer's contact data were out of date or wrong through their neglect, and force
majeure. Neither is ever found by us. A person claims it with a reason and evidence, and another approves or
rejects it. Nothing is changed in the duty: it stays breached, and both figures are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from hostwatch.core.fact import Fact
from hostwatch.core.facts_of_duties import ClaimDecided, DutyClaimed

FACTS: Final = (DutyClaimed, ClaimDecided)
"""The facts of which this is an account."""


class Excuse(StrEnum):
    """What excuses."""

    STALE_CONTACT = "stale-contact"
    FORCE_MAJEURE = "force-majeure"


class Word(StrEnum):
    """How it stands with a claim, and what is decided of it."""

    CLAIMED = "claimed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim."""

    fact: DutyClaimed
    word: Word = Word.CLAIMED
    decided: ClaimDecided | None = None
    """The last decision."""

    @property
    def is_alive(self) -> bool:
        """Whether it excuses, or may yet."""
        return self.word in (Word.CLAIMED, Word.APPROVED)


class Claims:
    """All of them. It changes by facts alone."""

    def __init__(self, happened: Iterable[Fact] = ()) -> None:
        self._known: dict[str, Claim] = {}
        for fact in happened:
            self.take(fact)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Claims) and self._known == other._known

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __iter__(self) -> Iterator[Claim]:
        yield from self._known.values()

    def take(self, fact: Fact) -> None:
        """Something happened. What is not about claims changes nothing."""
        match fact:
            case DutyClaimed():
                self._known[fact.claim] = Claim(fact=fact)
            case ClaimDecided() if fact.claim in self._known:
                known = self._known[fact.claim]
                self._known[fact.claim] = replace(known, word=Word(fact.word), decided=fact)
            case _:
                pass

    def one(self, name: str) -> Claim | None:
        """One by its name."""
        return self._known.get(name)

    def of(self, duty: str) -> tuple[Claim, ...]:
        """Those about a duty, in the order in which they were made."""
        return tuple(one for one in self._known.values() if one.fact.duty == duty)

    def next_name(self) -> str:
        """What the next one is called."""
        return f"C-{len(self._known) + 1:06d}"


_WHO: Final = re.compile(r"\(uid (\d+), process \d+(?:, login (\d+) \S+)?\)$")


def is_another(actor: str, other: str) -> bool:
    """Whether two actors are certainly two persons, by the kernel's word.

    `sudo` makes one user of many: where it is known who logged in, that counts. Of one who logged in
    and one of whom nobody knows it, nobody can say.
    """
    first, second = _WHO.search(actor), _WHO.search(other)
    if first is None or second is None or (first[2] is None) != (second[2] is None):
        return False
    return (first[2] or first[1]) != (second[2] or second[1])


def may(claim: Claim, word: Word, actor: str) -> str:
    """Why somebody may not decide so of a claim; empty if they may."""
    name = claim.fact.claim
    if word is Word.WITHDRAWN:
        return "" if claim.is_alive else f"{name} is {claim.word} already"
    if claim.word is not Word.CLAIMED:
        return f"{name} is {claim.word} already"
    if not is_another(claim.fact.actor, actor):
        return (
            f"{name} was made by {claim.fact.actor}, and you are {actor}: that may be one person. Another"
            " one is to decide of it: with an account of their own, or logged in as themselves before sudo"
        )
    return ""


def decide(claim: Claim, word: Word, because: str, actor: str, now: datetime) -> ClaimDecided:
    """The fact that says so."""
    return ClaimDecided(at=now, claim=claim.fact.claim, word=word.value, because=because, actor=actor)
