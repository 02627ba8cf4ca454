"""A few threads for a library that blocks, and the ways to get them back from a peer that never ends.

A thread cannot be killed, so a stuck one is asked to stop by an exception raised inside it, and the
number of threads alive is bounded whatever they do. An answer is read up to `ANSWER_MAX_BYTES`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import requests
import requests.adapters
import urllib3

THREADS_MAX = 16
ANSWER_MAX_BYTES = 64 * 1024
LOOK_AGAIN_SECONDS = 0.02
"""How often a waiting send looks for a free thread."""


T = TypeVar("T")


class NoneFree(Exception):
    """All threads were busy for the whole time: nothing was begun."""


class _Stop(BaseException):
    """Raised inside a thread whose time is over; no library catches it by accident."""


class _Threads:
    """The threads that are alive. A slot is free when its thread is really gone, not when it was left."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> threading.Thread | None:
        """A thread that does the work, or None when all slots are taken."""
        with self._lock:
            self._alive = [thread for thread in self._alive if thread.is_alive()]
            if len(self._alive) >= THREADS_MAX:
                return None
            thread = threading.Thread(target=work, name="hostwatch-apprise", daemon=True)
            self._alive.append(thread)
            thread.start()
            return thread


_THREADS = _Threads()
"""One bound for the whole process: threads are a resource of the process, not of a channel."""


async def run(job: Callable[[], T], timeout_s: float) -> T:
    """What the job returns. Raises `NoneFree` if it was never begun, `TimeoutError` if it did not end."""
    outcome: Future[T] = Future()
    deadline = asyncio.get_running_loop().time() + timeout_s
    while (thread := _THREADS.start(lambda: _work(job, outcome))) is None:
        if asyncio.get_running_loop().time() >= deadline:
            raise NoneFree
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    try:
        async with asyncio.timeout_at(deadline):
            return await asyncio.wrap_future(outcome)
    except BaseException:
        _stop(thread)
        raise


def _work(job: Callable[[], T], outcome: Future[T]) -> None:
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

    def send(self, *args: Any, **options: Any) -> requests.Response:
        response = super().send(*args, **options)
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
