"""What the collector of garbage need not walk again: the population and its schedule, which live for ever.

Each look makes values that live for seconds. Left alone, the collector walks all devices again and again
because of them, finds nothing, and keeps the loop from looking: half a second and more with 100,000 devices.
"""

from __future__ import annotations

import gc

YOUNG_MIN = 50_000
"""New values before the young are looked through."""

YOUNG_PER_SIGNAL = 0.25
"""The same for each signal that is watched: what is on its way, and ends by itself, is to stay below it."""

OLDER = (20, 100)
"""How often the young are looked through before the older are, and those before the oldest."""


def begin() -> None:
    """Collect nothing while everything is made."""
    gc.disable()


def settle(signals: int) -> None:
    """What is there now stays: from here on only what comes after it is looked through.

    So many signals are watched.

    It is not looked through before: that takes a third of a second for 100,000 devices, and the little that
    is of no use any more (a thousand values) is not worth it.
    """
    gc.freeze()
    gc.set_threshold(max(YOUNG_MIN, int(YOUNG_PER_SIGNAL * signals)), *OLDER)
    gc.enable()
