"""A few threads for a library that blocks, and the ways to get them back from a peer that never ends.

A thread cannot be killed, so a stuck one is asked to stop by an exception raised inside it, and the
number of threads alive for one service is bounded whatever they do. An answer is read up to
`ANSWER_MAX_BYTES`, and what came over the line is kept for who judges it (`Line`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import requests
import requests.adapters
import urllib3

THREADS_MAX = 16
"""For one service: who hangs there holds up nobody who is reached by another."""

ANSWER_MAX_BYTES = 64 * 1024
LOOK_AGAIN_SECONDS = 0.02
"""How often a waiting send looks for a free thread."""


T = TypeVar("T")


class NoneFree(Exception):
    """All threads were busy for the whole time: nothing was begun."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that came."""

    code: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Line:
    """What went over the line for one message."""

    came: list[Answered | Exception] = field(default_factory=list)
    """Of each request its answer, or what broke."""

    sign: Callable[[requests.PreparedRequest], None] | None = None
    """Puts into each request what the library leaves out."""


class _Stop(BaseException):
    """Raised inside a thread whose time is over; no library catches it by accident."""


class _Threads:
    """The threads that are alive. A slot is free when its thread is really gone, not when it was left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: defaultdict[str, list[threading.Thread]] = defaultdict(list)

    def start(self, service: str, work: Callable[[], None]) -> threading.Thread | None:
        """A thread that does the work, or None when all slots of that service are taken."""
        with self._lock:
            alive = self._alive[service] = [one for one in self._alive[service] if one.is_alive()]
            if len(alive) >= THREADS_MAX:
                return None
            thread = threading.Thread(target=work, name=f"hostwatch-{service}", daemon=True)
            alive.append(thread)
            thread.start()
            return thread

    def alive(self) -> list[threading.Thread]:
        """All that were alive when last looked at."""
        with self._lock:
            return [thread for alive in self._alive.values() for thread in alive]


_THREADS = _Threads()
"""One bound of each service for the whole process: threads are a resource of the process."""

_OWN = threading.local()


async def run(service: str, job: Callable[[], T], timeout_s: float, line: Line) -> T:
    """What the job returns. Raises `NoneFree` if it was never begun, `TimeoutError` if it did not end."""
    outcome: Future[T] = Future()
    deadline = asyncio.get_running_loop().time() + timeout_s
    while (thread := _THREADS.start(service, lambda: _work(job, outcome, line))) is None:
        if asyncio.get_running_loop().time() >= deadline:
            raise NoneFree
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    try:
        async with asyncio.timeout_at(deadline):
            return await asyncio.wrap_future(outcome)
    except BaseException:
        _stop(thread)
        raise


def _work(job: Callable[[], T], outcome: Future[T], line: Line) -> None:
    _OWN.line = line
    with contextlib.suppress(_Stop):
        try:
            result = job()
        except Exception as error:
            _settle(outcome, error=error)
        else:
            _settle(outcome, result=result)


def _settle(outcome: Future[Any], *, result: Any = None, error: Exception | None = None) -> None:
    """Tell the waiting task, unless it has left."""
    if outcome.set_running_or_notify_cancel():
        if error is None:
            outcome.set_result(result)
        else:
            outcome.set_exception(error)


def _stop(thread: threading.Thread) -> None:
    """Ask a thread to stop: it does at its next step in Python, at the latest when its socket times out."""
    if thread.is_alive() and thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(_Stop))


class _Bounded(requests.adapters.HTTPAdapter):
    """requests reads an answer however long it is, and apprise gives no way to hand in a session."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        line: Line = getattr(_OWN, "line", None) or Line()
        if line.sign is not None:
            line.sign(request)
        try:
            response = self._sent(request, *args, **options)
        except requests.RequestException as error:
            line.came.append(error)
            raise
        line.came.append(Answered(response.status_code, response.headers, response.content))
        return response

    def _sent(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        response = super().send(request, *args, **options)
        body = b""
        try:
            while len(body) < ANSWER_MAX_BYTES and (
                piece := response.raw.read1(ANSWER_MAX_BYTES - len(body), decode_content=True)
            ):
                body += piece
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error) from error
        finally:
            response.raw.close()
        response._content = body
        response._content_consumed = True
        return response


requests.sessions.HTTPAdapter = _Bounded  # type: ignore[attr-defined]

_LOGGER = logging.getLogger("apprise")
_LOGGER.propagate = False  # Its lines name URLs and tokens: they are judged as evidence, never logged.
_LOGGER.setLevel(logging.DEBUG)
