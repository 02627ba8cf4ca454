"""What can go wrong with a store, in words for an operator."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used."""


class WrongVersion(StoreError):
    """The store was written by another version of hostwatch."""

    def __init__(self, found: int, known: int, detail: str = "") -> None:
        newer = "newer" if found > known else "older"
        super().__init__(
            f"cannot use the store: its schema version is {found}, this hostwatch knows {known}"
            + (f" and {detail}" if detail else f" (the store is {newer})")
            + "; run the hostwatch that wrote it, or let `hostwatch run` of the newest one migrate it"
        )
        self.found = found
        self.known = known


class Held(StoreError):
    """Another watch has the store."""


class Fenced(StoreError):
    """Another watch has taken the store over: this one must stop at once."""


class Damaged(StoreError):
    """A write could not be made durable, or the file is not what was written: stop, never retry."""


class Absent(StoreError):
    """There is no store yet."""
