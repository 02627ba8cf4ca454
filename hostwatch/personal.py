"""Personal data by commitment: facts hold a hash, an erasable table holds what it stands for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from hostwatch.store.ledger import Personal

SALT_BYTES = 16
KNOWN_MAX = 10_000
"""How many values are remembered, so that one address has one commitment during a run."""


class Vault:
    """Makes salted commitments and keeps what they stand for until the next commit takes it."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        """`known`: commitments of earlier runs, by value."""
        self._known: dict[str, str] = dict(known or {})
        self._new: list[Personal] = []

    def commit(self, value: str) -> str:
        """A commitment to a value: `SHA-256(salt ‖ value)`, in hexadecimal; empty for nothing."""
        if not value:
            return ""
        if value not in self._known:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            salt = os.urandom(SALT_BYTES)
            commitment = hashlib.sha256(salt + value.encode()).hexdigest()
            self._known[value] = commitment
            self._new.append(Personal(commitment=commitment, salt=salt, value=value))
        return self._known[value]

    def take(self) -> list[Personal]:
        """The values that no commit has kept yet."""
        taken, self._new = self._new, []
        return taken
