"""How far it is proven that a person was told. The word is never stronger than the proof.

A message that a relay took was *accepted*, and no more is known. A phone network that says that the message
lies on the telephone has *delivered* it. Somebody who picked up *answered*. A person who says "I have it"
*acknowledged*. Which of these meets the duty to tell is a term of the agreement (`met_by`, `colocation C5`).
"""

from __future__ import annotations

from enum import StrEnum


class Proof(StrEnum):
    """From the weakest to the strongest. Each includes those before it."""

    ATTEMPTED = "attempted"
    """We handed it over, and do not know whether anybody took it."""

    ACCEPTED = "accepted"
    """A relay, a receiver or a provider took it."""

    DELIVERED = "delivered"
    """It lies on the person's telephone, or in their mailbox."""

    ANSWERED = "answered"
    """Somebody picked up, or opened it."""

    ACKNOWLEDGED = "acknowledged"
    """A person said that they have it."""

    def covers(self, wanted: Proof) -> bool:
        """Whether it proves at least as much."""
        return RANKS[self] >= RANKS[wanted]


RANKS = {proof: rank for rank, proof in enumerate(Proof)}
"""How strong each is."""


def stronger(one: Proof | None, other: Proof | None) -> Proof | None:
    """The stronger of two; None is no proof at all."""
    if one is None or other is None:
        return one or other
    return one if one.covers(other) else other
