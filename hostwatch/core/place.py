"""Where a device stands, and what it hangs on: its rack, its power feeds and its ports.

The words are those of the field's inventories: a power feed comes from a power panel to a rack; a device with
several power supplies hangs on several feeds, and one of them is enough: `any(r1-a, r1-b)`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """All that is known of it; empty where nobody said."""

    rack: str = ""
    feeds: str = ""
    """An expression over power feeds (`core.expression`)."""

    supply: str = ""
    """The supply that was promised: what the feeds come to at the agreement's measuring point."""

    ports: str = ""
    """An expression over ports, each as `switch/port`."""
