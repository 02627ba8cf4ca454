"""Why we may be blind, each by its one name: in facts, in the store, in metrics, for people.

`docs/judgement.md` tells of each; a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """What keeps us from looking, or from believing what we see."""

    STOPPED = "stopped"
    STARVED = "starved"
    SUSPENDED = "suspended"
    SIGHT = "sight"
    LOOPBACK = "loopback"
    FORGED = "forged"
