"""An element of the power model: what power comes by on its way from the utility to a device.

The words are those of the field's inventories: a power feed comes from a power panel to a rack, and is its
primary or its redundant one. What an element hangs on is an expression (`core.expression`) over other
elements; a name in one may be a point of a PDU too: `pdu-r1a/outlet 7`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """What an element is."""

    UTILITY = "utility"
    UPS = "ups"
    TRANSFER_SWITCH = "transfer switch"
    PANEL = "panel"
    FEED = "feed"
    PDU = "pdu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One of them. No two have one name, whatever their kinds."""

    id: str
    kind: Kind
    input: str = ""
    """What it hangs on, as an expression; empty: nobody said, or it is a utility."""

    witness: str = ""
    """Who sees it: a source, or a point of one, as `source/point`; several with commas between. Empty: nobody
    does."""

    rack: str = ""
    """The rack that a feed goes to."""

    is_redundant: bool = False
    """Whether a feed is the redundant one of its rack, and not the primary."""

    @property
    def witnesses(self) -> tuple[tuple[str, str], ...]:
        """The source of each who sees it, and the name of its point."""
        return all_witnessed(self.witness)

    def signals(self, vantage: str) -> tuple[str, ...]:
        """None: what is known of it is what its witness says, and what its inputs come to."""
        return ()


@lru_cache(maxsize=8_192)
def all_witnessed(witnesses: str) -> tuple[tuple[str, str], ...]:
    """The source of each witness of several with commas between, and the name of its point."""
    return tuple(witnessed(one.strip()) for one in witnesses.split(",") if one.strip())


def witnessed(witness: str) -> tuple[str, str]:
    """The source in a witness, and the name of its point; empty for the source itself."""
    source, _, point = witness.partition("/")
    return source, point
