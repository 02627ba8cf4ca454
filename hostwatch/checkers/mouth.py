"""How the process that checks speaks to the watch: what one turn of its loop brings leaves together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from hostwatch.checkers.protocol import FromCheckers, encoded

UNSENT_BYTES_MAX: Final = 4 * 1024 * 1024
"""While more answers than this wait for the watch to read them, no check begins."""

UNSENT_BYTES_END: Final = 64 * 1024 * 1024
"""A watch that lets so much wait reads no more: this ends."""


class Mouth:
    """Says messages. The watch may read them late, or never."""

    def __init__(self, writer: asyncio.StreamWriter, on_heard: Callable[[], None]) -> None:
        """`on_heard` is called when the watch listens again, after it did not."""
        self._writer = writer
        self._on_heard = on_heard
        self._draining: asyncio.Task[None] | None = None
        self._unsaid: list[bytes] = []

    def is_heard(self) -> bool:
        """Whether the watch reads what it is told."""
        if self._writer.transport.get_write_buffer_size() <= UNSENT_BYTES_MAX:
            return True
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return False

    async def _drain(self) -> None:
        await self._writer.drain()
        self._on_heard()

    def say(self, message: FromCheckers) -> None:
        """Say it, with all else of this turn of the loop. A watch that reads no more is left: this ends."""
        if self._writer.transport.get_write_buffer_size() > UNSENT_BYTES_END:
            self._writer.transport.abort()
        if not self._unsaid:
            asyncio.get_running_loop().call_soon(self._speak)
        self._unsaid.append(encoded(message))

    def _speak(self) -> None:
        said, self._unsaid = b"".join(self._unsaid), []
        if said:
            self._writer.write(said)

    def close(self) -> None:
        """Say what is left, and nothing more."""
        self._speak()
        self._writer.transport.abort()
