"""The lease on a store: one watch at a time, held by a file lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from hostwatch.store.errors import Held


class Lease:
    """Holds `<store>.lock` until closed, or until the process ends however it ends."""

    def __init__(self, store: Path) -> None:
        """Take the lease. Raises `Held` at once when another watch has it."""
        self.path = store.with_name(store.name + ".lock")
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise Held(f"cannot take the store {store}: another watch (process {holder}) has it") from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Give the lease back."""
        os.close(self._fd)
