"""The room of power sources: a file is a way to read one, and its name is its kind.

There is no list of kinds: whoever needs one asks `kinds()`, whoever needs to know one asks `room(kind)`.
A kind knows its protocol, and says what it saw in the words of `core.power`. The core decides what follows.
"""

from __future__ import annotations

from hostwatch.room import Room

_ROOM = Room(__name__, "power source", "power sources", ("EXAMPLE", "Settings", "read"))

kinds = _ROOM.kinds
room = _ROOM.room
"""The module that knows everything about a kind: `Settings`, `EXAMPLE`, `read(settings, visit)`."""
