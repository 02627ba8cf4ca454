"""The room of methods: a file here is a way to find out whether a device is there, and its name is its kind.

How a device is looked at is written on one line: the kind, then its settings, then the witness by which
the device is known, such as `icmp`, `tcp port=443` or `icmp mac=52:54:00:12:34:56`. There is no list of
kinds: whoever needs one asks `kinds()`, whoever needs to know about one asks `room(kind)`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pydantic import BaseModel

from hostwatch.core.device import MAC
from hostwatch.room import Room

ANOTHER = "another machine answers"
"""Begins the why of a miss where somebody answered whom the witness does not know."""

METHODS_CACHED = 1_024
"""Methods that are remembered as they were read: more than a site has, not counting witnesses."""

_ROOM = Room(__name__, "method", "methods", ("EXAMPLE", "Settings", "build"))

kinds = _ROOM.kinds
room = _ROOM.room
"""The module that knows everything about a kind: `Settings`, `EXAMPLE`, `build(clock)`."""


class Method(NamedTuple):
    """How a device is looked at."""

    kind: str
    settings: BaseModel
    mac: str = ""
    """The hardware address by which the device is known, in lower case; empty if by none."""

    @property
    def line(self) -> str:
        """The same on one line. Settings that are as they are by themselves are left out."""
        told = self.settings.model_dump(mode="json", exclude_defaults=True)
        words = [f"{name}={value}" for name, value in told.items()]
        return " ".join([self.kind, *words, *([f"{MAC}={self.mac}"] if self.mac else [])])


def split(line: str) -> tuple[str, dict[str, str]]:
    """The kind on a line, and what is set on it, unchecked. Raises `ValueError` if it is no such line."""
    kind, *words = line.split()
    pairs = [word.split("=", 1) for word in words]
    given = {pair[0]: pair[-1] for pair in pairs}
    if len(given) != len(pairs) or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{line!r} is not a method and its settings")
    return kind, given


def read(line: str) -> Method:
    """The method that stands on a line that `Method.line` wrote."""
    bare, _, mac = line.partition(f" {MAC}=")
    kind, settings = _read(bare)
    return Method(kind, settings, mac)


@lru_cache(METHODS_CACHED)
def _read(line: str) -> tuple[str, BaseModel]:
    kind, given = split(line)
    return kind, room(kind).Settings.model_validate(given)


def known_by(line: str, mac: str) -> str:
    """A line without a witness, with one."""
    return f"{line} {MAC}={mac}" if mac else line


_MAC = re.compile(r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}")


def mac_of(text: str) -> str | None:
    """A hardware address in its usual spelling, `52:54:00:12:34:56`; None if it is not one of a machine."""
    spelt = text.strip().lower()
    if _MAC.fullmatch(spelt) is None or int(spelt[:2], 16) & 1 or not int(spelt.replace(spelt[2], ""), 16):
        return None
    return spelt.replace("-", ":")
