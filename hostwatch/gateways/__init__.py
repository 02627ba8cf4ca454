"""The room of gateways that say more of a message later: a file is a way in which they do, its name its kind.

A kind takes what comes in, hostile until it is authenticated, and says in fixed words what that means.
"""

from __future__ import annotations

from hostwatch.room import Room

_ROOM = Room(__name__, "way of gateways", "ways of gateways", ("Settings", "listen", "read"))

kinds = _ROOM.kinds
room = _ROOM.room
"""The module that knows everything about a kind: `Settings` and `listen(sources, ear)`."""
