"""Facts about running notices, where an agreement accepts one. Part of `core.facts`."""

from __future__ import annotations

from dataclasses import dataclass

from hostwatch.core.fact import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningNoticeBegan(Fact):
    """A signal went down so often that a running notice tells of it from now on, as the agreement accepts."""

    reference: str
    """Of the emergency that it begins with, and that told the people so."""

    customer: str
    device: str
    signal: str
    emergencies: tuple[str, ...]
    """Those that were counted, the one that it begins with last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningNoticeEnded(Fact):
    """It is over: each further emergency of the signal is told by itself again."""

    reference: str
    customer: str
    signal: str
    why: str
    """`calm`, `down` (it stays down, and that is told as an emergency), or `withdrawn`."""

    times: int
    """How often it went down, those included that were counted."""

    down_s: int
    """For how long in all: seconds."""
