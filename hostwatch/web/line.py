"""The line to the watch: what is asked there, one after another, and what comes back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

REQUEST_MAX_BYTES: Final = 16 * 1024
"""Of one question: the watch hangs up on a longer one, and nobody would be served until it rings again."""

ANSWER_MAX_BYTES: Final = 256 * 1024
WITHIN_S: Final = 10.0
WAITING_MAX: Final = 200
"""Requests that wait for the line; further ones are turned away."""


class Away(Exception):
    """The watch does not answer now."""


class TooLong(Exception):
    """What was to be asked is longer than any question; the watch never hears of it."""


class Line:
    """One line, that is opened anew if it has a name and was lost."""

    def __init__(
        self,
        reader: asyncio.StreamReader | None = None,
        writer: asyncio.StreamWriter | None = None,
        path: Path | None = None,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._path = path
        self._turn = asyncio.Lock()
        self._waiting = 0
        self.lost = asyncio.Event()
        """Set when a line without a name is lost: there is no other."""

    async def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """What the watch answers. Raises `Away`, `TooLong`."""
        request = json.dumps({"do": do, **more}).encode() + b"\n"
        if len(request) > REQUEST_MAX_BYTES:
            raise TooLong
        if self._waiting >= WAITING_MAX or self.lost.is_set():
            raise Away
        self._waiting += 1
        try:
            async with asyncio.timeout(WITHIN_S), self._turn:
                return await self._asked(request)
        except TimeoutError:
            raise Away from None
        finally:
            self._waiting -= 1

    async def _asked(self, request: bytes) -> dict[str, Any]:
        is_done = False
        try:
            reader, writer = await self._open()
            writer.write(request)
            await writer.drain()
            answer = json.loads(await reader.readline())
            is_done = isinstance(answer, dict)
            return dict(answer)
        except (OSError, ValueError, TypeError):
            raise Away from None
        finally:
            if not is_done:  # what comes later would be taken for the answer to something else
                self._drop()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            if self._path is None:
                raise OSError("there is no line")
            self._reader, self._writer = await asyncio.open_unix_connection(
                self._path, limit=ANSWER_MAX_BYTES
            )
        return self._reader, self._writer

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
        if self._path is None:
            self.lost.set()
