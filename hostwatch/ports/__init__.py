"""The room of port witnesses: a file is a way to ask a switch about its ports, and its name is its kind.

There is no list of kinds: whoever needs one asks `kinds()`, whoever needs to know one asks `room(kind)`.
A kind knows its protocol, and says what it saw in the words of `core.ports`. The core decides what follows.
"""

from __future__ import annotations

from hostwatch.room import Room

_ROOM = Room(__name__, "port witness", "port witnesses", ("EXAMPLE", "Settings", "read"))

kinds = _ROOM.kinds
room = _ROOM.room
"""The module that knows everything about a kind: `Settings`, `EXAMPLE`, `read(settings, visit)`."""
