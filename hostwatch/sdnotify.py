"""What we tell systemd: ready, alive, reloading, stopping. Without systemd it says nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import timedelta

from hostwatch import log


class Notifier:
    """Speaks the `sd_notify` protocol to the socket named in the environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog = timedelta(microseconds=int(usec)) if usec.isdigit() and for_us else None
        """How long systemd waits for a sign of life; None when it does not."""

    def ready(self, status: str) -> None:
        """We keep watch."""
        self._send(f"READY=1\nSTATUS={status}")

    def alive(self, status: str) -> None:
        """We make progress."""
        self._send(f"WATCHDOG=1\nSTATUS={status}")

    def reloading(self, monotonic: timedelta) -> None:
        """A new configuration is being read; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={monotonic // timedelta(microseconds=1)}")

    def stopping(self) -> None:
        """We lay down our work."""
        self._send("STOPPING=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        with socket.socket(socket.AF_UNIX, kind) as sock:
            try:
                sock.sendto(text.encode(), address)
            except OSError as error:  # who does not listen must not hold the watch up
                log.debug("not-notified", error=str(error))
