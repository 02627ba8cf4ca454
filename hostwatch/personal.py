"""Personal data by commitment: facts hold a hash, an erasable table holds what it stands for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from hostwatch.store.ledger import REMEMBERED_MAX, Personal

SALT_BYTES = 16
KNOWN_MAX = REMEMBERED_MAX
"""How many values are remembered, so that one address has one commitment; beyond it the oldest is not."""


class Vault:
    """Makes salted commitments and keeps what they stand for until the next commit takes it."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        """`known`: commitments of earlier runs, by value, the newest last."""
        self._known: dict[str, str] = dict(known or {})
        self._new: list[Personal] = []

    def commit(self, value: str) -> str:
        """The commitment to a name or an address, always the same: `SHA-256(salt ‖ value)`, in hexadecimal.

        Empty for nothing.
        """
        if value and value not in self._known:
            while len(self._known) >= KNOWN_MAX:
                del self._known[next(iter(self._known))]
            self._known[value] = self._made(value, again=True)
        return self._known[value] if value else ""

    def commit_once(self, value: str) -> str:
        """A commitment to words that are hardly ever said again: it is kept, and not remembered."""
        return self._made(value, again=False) if value else ""

    def value_of(self, commitment: str) -> str | None:
        """What a commitment of a name or an address stands for; None if it is not remembered."""
        return next((value for value, made in reversed(self._known.items()) if made == commitment), None)

    def take(self) -> list[Personal]:
        """The values that no commit has kept yet."""
        taken, self._new = self._new, []
        return taken

    def _made(self, value: str, *, again: bool) -> str:
        salt = os.urandom(SALT_BYTES)
        commitment = hashlib.sha256(salt + value.encode()).hexdigest()
        self._new.append(Personal(commitment=commitment, salt=salt, value=value, again=again))
        return commitment
