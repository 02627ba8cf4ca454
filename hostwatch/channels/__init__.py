"""The room of channels: a file here is a way to reach a person, and its name is its kind.

There is no list of kinds. Whoever needs one asks `kinds()`, whoever needs a channel asks `room(kind)`.
"""

from __future__ import annotations

from hostwatch.room import Room

_ROOM = Room(__name__, "channel", "channels", ("Settings", "Site", "build"))

kinds = _ROOM.kinds
room = _ROOM.room
"""The module that knows everything about a kind: `Settings`, `Site`, `build`."""
