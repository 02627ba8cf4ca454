"""The counter: all that the desk for customers and programs can have the watch do, over a line of its own.

A request is one line of JSON, `{"do": "look", "token": …}`, and so is the answer; one after another, and only
so many in a second. The desk speaks with strangers. If one of them takes it over, this is what they can do:
show tokens that they do not have.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter as Counts
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from hostwatch import log
from hostwatch.asked import Refused
from hostwatch.clock import Clock
from hostwatch.gauges import Count, Figure
from hostwatch.web.line import ANSWER_MAX_BYTES, REQUEST_MAX_BYTES

PER_SECOND: Final = 100
"""Requests that are answered, of all lines together."""

Do = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Does what was asked; its answer is JSON types, and says under `state` what came of it."""


class Counter:
    """Answers, until lines are closed."""

    def __init__(self, deeds: Mapping[str, Do], clock: Clock) -> None:
        self._deeds = deeds
        self._clock = clock
        self._turn = asyncio.Lock()
        self._answered: Counts[str] = Counts()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes by a line, until it ends or what comes is no request."""
        while line := await reader.readline():
            if len(line) > REQUEST_MAX_BYTES:
                return
            async with self._turn:
                answer = await self._answer(line)
                text = json.dumps(answer, ensure_ascii=False).encode() + b"\n"
                if len(text) > ANSWER_MAX_BYTES:  # it would be taken for the end of the line
                    answer = {"state": "wrong", "error": "the answer is too long: ask for one customer alone"}
                    text = json.dumps(answer).encode() + b"\n"
                self._answered[str(answer.get("state"))] += 1
                writer.write(text)
                await writer.drain()
                await self._clock.sleep(timedelta(seconds=1) / PER_SECOND)

    async def _answer(self, line: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(line)
            deed = self._deeds[request["do"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"state": "wrong", "error": "no request"}
        try:
            return await deed(request)
        except Refused as refused:
            return {"state": "wrong", "error": str(refused)}
        except Exception as error:  # a fault in a deed must not take the watch down
            log.error("counter-broke", request=str(request["do"]), error=type(error).__name__)
            return {"state": "broken"}

    def figures(self) -> Iterator[Figure]:
        """What the metrics say of it."""
        yield Count(
            "hostwatch_web_answers_total",
            "What the watch answered the desk for customers and programs, by what came of it.",
            dict(self._answered),
            "state",
        )
