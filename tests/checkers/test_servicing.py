"""The pinger of services and the process behind it: what comes of asks, also when the process dies.

```
 watch     asks ──────────────▶ orders ──────────────▶ looks
 checkers         runs ── killed ✗         runs again ──────▶
 looks                    UNKNOWN                     ANSWERED
```
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch import keeper
from hostwatch import servicing as module
from hostwatch.checkers import client
from hostwatch.checkers.protocol import Define, Forget, Found, Seen
from hostwatch.checkers.run import LATE
from hostwatch.checkers.services import Service
from hostwatch.clock import SystemClock
from hostwatch.core.reading import Outcome
from hostwatch.gauges import Count, Gauge, Histogram
from hostwatch.pinger import Ask, Batch, Look, Manner
from hostwatch.placed import Placed
from hostwatch.servicing import SILENT, Servicing
from tests.checkers.conftest import PATIENCE_S, greet, hang, service
from tests.checks.conftest import serving

HOUR = timedelta(hours=1)
SIGNAL = "acme-web-1/www@here"
Services = Mapping[str, tuple[str, Service]]


class Kept:
    """A recall that a test can look into."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int, Outcome]] = []

    def note(self, signal: str, place: int, seen: Seen, at_us: int) -> None:
        self.kept.append((signal, place, seen.outcome))


def configure(servicing: Servicing, found: Services, **around: Any) -> None:
    servicing.configure(found.get, folder=Path("/"), around=around, wanted=bool(found))


@asynccontextmanager
async def running(found: Services, recall: Kept | None = None) -> AsyncIterator[Servicing]:
    servicing = Servicing(SystemClock(), recall)
    configure(servicing, found)
    task = asyncio.create_task(servicing.run())
    try:
        yield servicing
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def ask(*signals: str, late_after: timedelta = timedelta(seconds=15)) -> Batch:
    now_us = SystemClock().now_us()
    asks = tuple(Ask(signal, "127.0.0.1", now_us, "service") for signal in signals)
    return Batch(asks=asks, manner=Manner(late_after=late_after))


async def looks(servicing: Servicing, batch: Batch) -> list[Look]:
    async with asyncio.timeout(PATIENCE_S):
        return [look async for group in servicing.probe(batch) for look in group]


async def process(servicing: Servicing, other_than: int = 0) -> int:
    """The number of the process, as soon as there is one."""
    await until(lambda: servicing._child is not None and servicing._child.pid != other_than)
    assert servicing._child is not None
    return servicing._child.pid


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - nobody tells it
            await asyncio.sleep(0.01)


async def test_asks_become_looks() -> None:
    kept = Kept()
    async with serving(greet) as port, serving(hang) as silent:
        found = {
            "a/www@here": ("k1", service(port, {"port": port, "expect": "hello"})),
            "b/irc@here": ("k2", service({"port": silent, "expect": "hello", "timeout": "200ms"})),
        }
        async with running(found, kept) as servicing:
            before_us = SystemClock().now_us()
            seen = {look.signal: look for look in await looks(servicing, ask(*found))}
            after_us = SystemClock().now_us()

    assert seen["a/www@here"][4:6] == (Outcome.ANSWERED, "")
    assert seen["b/irc@here"][4:6] == (Outcome.MISSED, "tcp: answer: no answer within 200ms")
    assert all(before_us <= look.at_us <= look.known_us <= after_us for look in seen.values())
    assert seen["b/irc@here"].known_us - seen["b/irc@here"].at_us >= 200_000
    assert sorted(kept.kept) == [
        ("a/www@here", 0, Outcome.ANSWERED),
        ("a/www@here", 1, Outcome.ANSWERED),
        ("b/irc@here", 0, Outcome.MISSED),
    ]


async def test_killed_in_the_middle_it_is_unknown_and_then_goes_on() -> None:
    came = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await hang(reader, writer)

    async with serving(wait) as slow, serving(greet) as port:
        found = {"a/irc@here": ("k", service({"port": slow, "expect": "x"})), SIGNAL: ("l", service(port))}
        async with running(found) as servicing:
            looking = asyncio.create_task(looks(servicing, ask("a/irc@here", late_after=HOUR)))
            await asyncio.wait_for(came.wait(), PATIENCE_S)
            first = await process(servicing)
            os.kill(first, signal.SIGKILL)
            (killed,) = await looking
            (after,) = await looks(servicing, ask(SIGNAL))
            second = await process(servicing)
            restarts = {figure.name: figure.value for figure in servicing.figures()}

    assert (killed.outcome, killed.why) == (Outcome.UNKNOWN, SILENT)
    assert after.outcome is Outcome.ANSWERED
    assert first != second
    assert restarts["hostwatch_checkers_restarts_total"] == 1


async def test_one_that_hangs_is_unknown_and_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", timedelta(milliseconds=50))
    async with serving(greet) as port:
        found = {SIGNAL: ("k", service(port))}
        async with running(found) as servicing:
            first = await process(servicing)
            os.kill(first, signal.SIGSTOP)
            (stopped,) = await looks(servicing, ask(SIGNAL, late_after=HOUR))
            second = await process(servicing, other_than=first)
            (after,) = await looks(servicing, ask(SIGNAL))

    assert (stopped.outcome, stopped.why) == (Outcome.UNKNOWN, SILENT)
    assert after.outcome is Outcome.ANSWERED
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)  # it has ended with the watch


async def test_an_answer_that_does_not_come_in_time_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if nobody finds out that the process hangs."""
    monkeypatch.setattr(module, "BEAT", timedelta(milliseconds=50))
    monkeypatch.setattr(module, "BEATS_MAX", 1_000_000)
    monkeypatch.setattr(module, "GRACE", timedelta(milliseconds=100))
    found = {SIGNAL: ("k", service({"port": 9, "timeout": "100ms"}))}
    async with running(found) as servicing:
        first = await process(servicing)
        os.kill(first, signal.SIGSTOP)
        try:
            (look,) = await looks(servicing, ask(SIGNAL, late_after=timedelta(milliseconds=100)))
        finally:
            os.kill(first, signal.SIGCONT)
    assert (look.outcome, look.why) == (Outcome.UNKNOWN, SILENT)


async def test_while_none_can_be_started_looks_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", timedelta(milliseconds=50))
    monkeypatch.setattr(keeper, "TROUBLE_AFTER", timedelta(0))
    monkeypatch.setattr(client, "_popen", _cannot)
    async with running({SIGNAL: ("k", service(9))}) as servicing:
        (look,) = await looks(servicing, ask(SIGNAL, late_after=timedelta(milliseconds=200)))
        troubles = [*servicing.troubles()]
        up = next(figure for figure in servicing.figures() if figure.name == "hostwatch_checkers_up")
    assert (look.outcome, look.why) == (Outcome.UNKNOWN, SILENT)
    assert troubles == ["the checkers have not run for 0 s: services are unknown"]
    assert up.value == 0


def _cannot(_: socket.socket) -> subprocess.Popen[bytes]:
    raise OSError(12, "no memory")


LIAR = """
import json, socket, sys, time
there = socket.socket(fileno=int(sys.argv[1]))
def say(body):
    there.sendall(len(body).to_bytes(4, "big") + body)
say(b'{"say":"ready","kinds":["tcp"]}')
while b'"orders"' not in there.recv(1 << 20):
    pass
while True:
    try:
        %s
    except OSError:
        break
    there.recv(1 << 20) or sys.exit()
"""


@pytest.mark.parametrize(
    "speech",
    [
        "there.sendall(b'\\xff' * 10_000_000)",
        "say(b'[' * 100_000)",
        'say(b\'{"say":"found","number":1,"outcome":"maybe","why":"","at_us":0,"took_us":0}\')',
        'say(b\'{"say":"ready","kinds":[]}\')',
        'for _ in range(100_000): say(b\'{"say":"complaint","why":"you"}\')',
    ],
    ids=["too long", "deep", "no outcome", "out of place", "a flood of complaints"],
)
async def test_whatever_a_broken_process_says_the_watch_goes_on(
    speech: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = client._popen
    started = []

    def popen(theirs: socket.socket) -> subprocess.Popen[bytes]:
        """A liar first, then a real one."""
        started.append(theirs)
        if len(started) > 1:
            return real(theirs)
        words = [sys.executable, "-c", LIAR % speech, str(theirs.fileno())]
        return subprocess.Popen(words, pass_fds=(theirs.fileno(),), stderr=subprocess.PIPE)

    monkeypatch.setattr(client, "_popen", popen)
    monkeypatch.setattr(module, "BEATS_MAX", 1_000_000)
    async with serving(greet) as port, running({SIGNAL: ("k", service(port))}) as servicing:
        await process(servicing)
        (first,) = await looks(servicing, ask(SIGNAL, late_after=HOUR))
        (second,) = await looks(servicing, ask(SIGNAL))
    assert (first.outcome, first.why) == (Outcome.UNKNOWN, SILENT)
    assert second.outcome is Outcome.ANSWERED


async def test_answers_that_nobody_asked_for_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    found = '{"say":"found","number":%d,"outcome":"answered","why":"","at_us":9,"took_us":0}'
    words = LIAR.replace("%s", f"for n in range(9): say(b'{found}' % n)")

    def popen(theirs: socket.socket) -> subprocess.Popen[bytes]:
        call = [sys.executable, "-c", words, str(theirs.fileno())]
        return subprocess.Popen(call, pass_fds=(theirs.fileno(),), stderr=subprocess.PIPE)

    monkeypatch.setattr(client, "_popen", popen)
    async with running({SIGNAL: ("k", service(9))}) as servicing:
        await process(servicing)
        seen = await looks(servicing, ask(SIGNAL))
    assert [look.outcome for look in seen] == [Outcome.ANSWERED]


async def test_a_date_to_come_is_not_believed() -> None:
    batch = ask(SIGNAL)
    placed = Placed(batch.asks[0], "k", service(9), asyncio.Queue(), 0, 15_000_000, 20_000_000)
    found = Found(number=1, outcome=Outcome.ANSWERED, why="", at_us=1 << 60, took_us=1 << 60)
    look = placed.look(found, SystemClock().now_us())
    assert look.at_us <= look.known_us <= SystemClock().now_us()


async def test_a_miss_that_began_too_late_says_nothing() -> None:
    now_us = SystemClock().now_us()
    old = Ask(SIGNAL, "127.0.0.1", now_us - 60_000_000, "service")
    placed = Placed(old, "k", service(9), asyncio.Queue(), 0, 15_000_000, 20_000_000)
    found = Found(number=1, outcome=Outcome.MISSED, why="refused", at_us=now_us, took_us=5)
    assert placed.look(found, SystemClock().now_us())[4:6] == (Outcome.UNKNOWN, "looked too late")


async def test_what_is_not_configured_or_not_running_any_more_is_unknown() -> None:
    async with running({SIGNAL: ("k", service(9))}) as over:
        await process(over)
    (look,) = await looks(over, ask(SIGNAL))
    assert (look.outcome, look.why) == (Outcome.UNKNOWN, SILENT)
    async with running({}) as servicing:
        (look,) = await looks(servicing, ask(SIGNAL))
        assert servicing._child is None, "no service, no process"
        assert [*servicing.figures()] == []
    assert (look.outcome, look.why) == (Outcome.UNKNOWN, "no such service is configured")


async def test_a_reload_tells_only_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    send = client.Checkers.send

    def spy(self: client.Checkers, message: Any) -> None:
        if isinstance(message, Define):
            told.append(f"define {message.key}")
        if isinstance(message, Forget):
            told.append(f"forget {' '.join(message.keys)}")
        send(self, message)

    monkeypatch.setattr(client.Checkers, "send", spy)
    async with serving(greet) as port:
        before: Services = {"a": ("k1", service(port)), "b": ("k2", service(port))}
        async with running(before) as servicing:
            first = await looks(servicing, ask("a", "b", "a"))
            configure(servicing, {"a": ("k1", service(port)), "b": ("k3", service(port))})
            second = await looks(servicing, ask("a", "b"))
            servicing._forget()
            third = await looks(servicing, ask("a", "b"))
    assert {look.outcome for look in (*first, *second, *third)} == {Outcome.ANSWERED}
    assert told == ["define k1", "define k2", "define k3", "forget k2"]


async def test_without_services_the_process_ends_and_with_them_it_comes_again() -> None:
    async with serving(greet) as port, running({SIGNAL: ("k", service(port))}) as servicing:
        first = await process(servicing)
        configure(servicing, {})
        await until(lambda: servicing._child is None and not Path(f"/proc/{first}").exists())
        configure(servicing, {SIGNAL: ("k", service(port))})
        (look,) = await looks(servicing, ask(SIGNAL))
    assert look.outcome is Outcome.ANSWERED


async def test_who_stops_waiting_leaves_nothing_behind() -> None:
    async with serving(hang) as port:
        found = {SIGNAL: ("k", service({"port": port, "expect": "x"}))}
        async with running(found) as servicing:
            await process(servicing)
            looking = asyncio.create_task(looks(servicing, ask(SIGNAL, SIGNAL)))
            await until(lambda: len(servicing._placed) == 2)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            assert servicing._placed == {}


async def test_the_figures_tell_of_kinds_and_outcomes() -> None:
    async with serving(greet) as port:
        found = {
            "a": ("k", service(port)),
            "b": ("l", service({"port": port, "expect": "x", "timeout": "100ms"})),
        }
        async with running(found) as servicing:
            await looks(servicing, ask("a", "b"))
            figures = {figure.name: figure for figure in servicing.figures()}
    counted = figures["hostwatch_checks_total"]
    assert isinstance(counted, Count)
    assert counted.value == {("tcp", "answered"): 1, ("tcp", "missed"): 1}
    assert counted.label == ("kind", "outcome")
    times = figures["hostwatch_check_duration_seconds"]
    assert isinstance(times, Histogram)
    assert sum(times.value["tcp"][0]) == 2
    up = figures["hostwatch_checkers_up"]
    assert isinstance(up, Gauge)
    assert (up.value, figures["hostwatch_checkers_orders"].value) == (1, 0)


async def test_an_ask_that_a_step_of_the_clock_has_left_weeks_behind_is_unknown() -> None:
    weeks_ago_us = SystemClock().now_us() - timedelta(weeks=3) // timedelta(microseconds=1)
    batch = Batch(asks=(Ask(SIGNAL, "127.0.0.1", weeks_ago_us, "service"),), manner=Manner())
    async with running({SIGNAL: ("key", service({"port": 9}))}) as servicing:
        await process(servicing)
        (found,) = await looks(servicing, batch)
    assert (found.outcome, found.why) == (Outcome.UNKNOWN, f"tcp: {LATE}")
