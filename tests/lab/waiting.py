"""Waiting for a signal, never for luck: a condition is looked at until it holds, and the wait has an end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE_S = 25.0
LOOK_EVERY_S = 0.05

T = TypeVar("T")


def until(what: str, look: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """What the look brings, as soon as that is something."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain for: {what}"
        time.sleep(LOOK_EVERY_S)
    return found
