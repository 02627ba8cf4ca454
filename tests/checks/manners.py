"""How a server of each kind begins well, before it turns bad."""

from __future__ import annotations

from tests.checks.hostile import Manners

MANNERS: dict[str, Manners] = {}
"""Of the kinds that are more than a connection. A kind that is not here is attacked from its first byte."""
