"""The room of heartbeats: a file is a way to tell somebody outside that the watch is well.

There is no list of kinds: whoever needs one asks `kinds()`, whoever needs to know one asks `room(kind)`.
Whoever hears nothing for a while raises an alarm by means of their own: so somebody watches the watcher.
"""

from __future__ import annotations

from hostwatch.room import Room

_ROOM = Room(__name__, "heartbeat", "heartbeats", ("EVERY", "Settings", "build"))

kinds = _ROOM.kinds
room = _ROOM.room
"""The module that knows everything about a kind: `Settings`, `EVERY`, `build(settings, surroundings)`."""
