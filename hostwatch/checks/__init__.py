"""The room of checks: a file is a way to find out whether an application runs, and its name is its kind.

There is no list of kinds: whoever needs one asks `kinds()`, whoever needs to know one asks `room(kind)`.
A kind knows its protocol, and nothing of schedules, people or the record; what it may use of the machine, it
gets by its `Visit` (`base`).
"""

from __future__ import annotations

from hostwatch.room import Room

_ROOM = Room(__name__, "check", "checks", ("EXAMPLE", "Settings", "probe"))

kinds = _ROOM.kinds
room = _ROOM.room
"""The module that knows everything about a kind: `Settings`, `EXAMPLE`, `probe(settings, visit)`."""
