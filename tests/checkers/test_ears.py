"""Sources in the process of the checkers: asked like services, and heard when they speak by themselves.

```
 watch      define, look ──────────▶ found (OL)      pushed (OB) ──▶ a look outside the schedule
 checkers   snmp_ups ──▶ snmpd          ◀── trap: asked at once
```
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hostwatch import power
from hostwatch.checkers import ears, services
from hostwatch.checkers.ears import BURST_MAX, Ears
from hostwatch.checkers.protocol import Define, Found, Look, Order, Pushed, Written
from hostwatch.checkers.run import Run, pushed
from hostwatch.checkers.services import Check, Service, restored
from hostwatch.checks.base import VALUE_CHARS_MAX, Finding
from hostwatch.clock import SystemClock
from hostwatch.core.hearing import SAID_NOTHING
from hostwatch.core.power import Point, PowerReading, Utility, of_text
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Ask, Batch, Manner
from hostwatch.pinger import Look as Seeing
from hostwatch.placed import SPEAKS_PER_S_MAX, Placed, Speakers
from hostwatch.servicing import Servicing
from tests.checkers.conftest import PATIENCE_S, checkers, hear, service
from tests.checks.servers import free_port
from tests.power.test_snmp_ups import SECONDS, SOURCE, WELL
from tests.power.test_traps import ON_BATTERY, SAYS, sent
from tests.snmp.agents import Snmpd, credentials, override, snmpd


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Snmpd]:
    with snmpd(tmp_path, override(WELL)) as agent:
        yield agent


def source(agent: Snmpd, traps: int = 0) -> Service:
    written = {"address": agent.address, "port": agent.port, **credentials(), "timeout": "5s"}
    settings = power.room("snmp_ups").Settings
    heard = {"traps": f"127.0.0.1:{traps}"} if traps else {}
    return Service("ups-a", (Check("power/snmp_ups", settings.model_validate({**written, **heard})),))


async def test_a_source_is_asked_and_a_trap_has_it_asked_at_once(agent: Snmpd) -> None:
    port = free_port()
    async with checkers() as process:
        process.send(services.defined("k1", source(agent, port)))
        process.send(Look(orders=(Order(1, "k1", "", 0, 5_000_000),)))
        found = await hear(process, Found)
        assert (found.outcome, found.checks[0].kind) == (Outcome.ANSWERED, "power/snmp_ups")
        assert of_text(found.said).points[0].utility is Utility.PRESENT
        assert found.said not in found.checks[0].finding

        agent.set(SOURCE, "i", "5", SECONDS, "i", "7")
        telling = asyncio.create_task(told_until_heard(port))
        try:
            spoken = await hear(process, Pushed)
        finally:
            telling.cancel()
        assert (spoken.key, spoken.outcome) == ("k1", Outcome.ANSWERED)
        assert of_text(spoken.said).points[0].utility is Utility.ABSENT


async def told_until_heard(port: int) -> None:
    """A trap is sent once, and may come before anybody listens."""
    while True:
        await sent("snmptrap", "", port, ON_BATTERY, *SAYS)
        await asyncio.sleep(0.2)


async def test_who_does_not_answer_says_why(agent: Snmpd) -> None:
    agent.process.kill()
    agent.process.wait()
    async with checkers() as process:
        process.send(services.defined("k1", source(agent)))
        process.send(Look(orders=(Order(1, "k1", "", 0, 5_000_000),)))
        found = await hear(process, Found)
    assert (found.outcome, found.said) == (Outcome.MISSED, "")
    assert found.why.startswith("power/snmp_ups: ")


def test_a_source_is_one_check() -> None:
    one = Written(kind="power/snmp_ups", settings={"address": "127.0.0.1"})
    with pytest.raises(ValueError, match="more than one way"):
        restored(Define(key="k", name="a", require="all", checks=(one, one)))


WORDS = PowerReading(points=(Point(utility=Utility.PRESENT),)).text
LOOKS = [
    (Outcome.ANSWERED, WORDS, Outcome.ANSWERED, WORDS, ""),
    (Outcome.ANSWERED, "", Outcome.UNKNOWN, "", SAID_NOTHING),
    (Outcome.MISSED, "", Outcome.UNKNOWN, "", "refused"),
    (Outcome.UNKNOWN, "", Outcome.UNKNOWN, "", "refused"),
]
"""What the checkers found, and the look that it is: a source never misses."""


@pytest.mark.parametrize(("outcome", "said", "expected", "heard", "why"), LOOKS)
def test_a_source_never_misses(outcome: Outcome, said: str, expected: Outcome, heard: str, why: str) -> None:
    mine = Service("a", (Check("power/snmp_ups", SimpleNamespace()),))
    placed = Placed(Ask("source:a/read@here", "", 1), "k", mine, asyncio.Queue(), 0, 9, 9)
    words = "" if outcome is Outcome.ANSWERED else "refused"
    look = placed.look(Found(number=1, outcome=outcome, why=words, at_us=1, took_us=1, said=said), 9)
    assert (look.outcome, look.said, look.why) == (expected, heard, why)
    other = Placed(Ask("a/www@here", "", 1), "k", service(9), asyncio.Queue(), 0, 9, 9)
    miss = Found(number=1, outcome=Outcome.MISSED, why="refused", at_us=1, took_us=1)
    assert other.look(miss, 9).outcome is Outcome.MISSED


def test_too_many_words_are_none() -> None:
    run = Run(1, Service("a", (Check("power/snmp_ups", SimpleNamespace(timeout=1)),)), "", 0, 0)
    for many, said in ((VALUE_CHARS_MAX, VALUE_CHARS_MAX), (VALUE_CHARS_MAX + 1, 0)):
        run.findings = {0: Finding(kind="power/snmp_ups", outcome=Outcome.ANSWERED, value="x" * many)}
        assert len(run.found(0).said) == said


def test_only_so_many_speak_in_a_second() -> None:
    speakers = Speakers()
    spoken = [speakers.may_speak(1_000_000) for _ in range(SPEAKS_PER_S_MAX + 2)]
    assert spoken == [True] * SPEAKS_PER_S_MAX + [False, False]
    assert speakers.may_speak(2_000_000)


class Kind:
    """A kind of source whose `listen` a test has in its hand."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[tuple[Mapping[str, Any], ears.Ear]] = asyncio.Queue()
        self.error: Exception | None = None
        self.listening = 0
        self.heard: Mapping[str, Any] = {}
        """Those who were listened to last."""

    async def listen(self, sources: Mapping[str, Any], ear: ears.Ear) -> None:
        self.begun.put_nowait((sources, ear))
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.listening, self.heard = self.listening + 1, sources
        try:
            await asyncio.Event().wait()
        finally:
            self.listening -= 1

    def source(self, name: str, settings: object = None) -> Service:
        check = SimpleNamespace(kind="power/x", settings=settings, module=self)
        return cast(
            "Service", SimpleNamespace(name=name, checks=(check,), listener=self.listen, is_source=True)
        )

    async def next(self) -> tuple[Mapping[str, Any], ears.Ear]:
        return await asyncio.wait_for(self.begun.get(), PATIENCE_S)


class Told:
    """What ears tell."""

    def __init__(self) -> None:
        self.pushed: list[tuple[str, Finding]] = []
        self.complaints: list[str] = []
        self.answer = asyncio.Event()
        self.looks = 0
        self.now_us = 0
        self.ears = Ears(
            lambda key, finding: self.pushed.append((key, finding)),
            self.look,
            self.complaints.append,
            lambda: self.now_us,
        )

    async def look(self, check: Check) -> Finding:
        self.looks += 1
        await self.answer.wait()
        return Finding(kind=check.kind, outcome=Outcome.ANSWERED, value=f"look {self.looks}")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ears, "SETTLED_S", 0.0)
    monkeypatch.setattr(ears, "AGAIN_S", 0.0)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.usefixtures("quick")
async def test_a_kind_listens_anew_when_its_sources_change() -> None:
    told, kind = Told(), Kind()
    told.ears.define("k1", kind.source("a", 1))
    assert (await kind.next())[0] == {"a": 1}
    told.ears.define("k1", kind.source("a", 1))
    told.ears.define("k2", kind.source("a", 2))
    assert (await kind.next())[0] == {"a": 2}
    told.ears.define("k3", kind.source("b", 3))
    assert (await kind.next())[0] == {"a": 2, "b": 3}
    told.ears.forget("k2")
    assert (await kind.next())[0] == {"b": 3}
    assert kind.begun.empty()
    await told.ears.close()


@pytest.mark.usefixtures("quick")
async def test_of_one_kind_never_more_than_one_listens_however_fast_its_sources_change() -> None:
    told, kind = Told(), Kind()
    for name in "abcd":
        told.ears.define(f"k-{name}", kind.source(name))
        await asyncio.sleep(0)
    await settle()
    assert kind.listening == 1
    for name in "efg":
        told.ears.define(f"k-{name}", kind.source(name))
    told.ears.forget("k-a")
    await settle()
    assert (kind.listening, sorted(kind.heard)) == (1, [*"bcdefg"])
    await asyncio.wait_for(told.ears.close(), PATIENCE_S)
    assert kind.listening == 0


@pytest.mark.usefixtures("quick")
async def test_who_cannot_listen_says_so_and_tries_again() -> None:
    told, kind = Told(), Kind()
    kind.error = OSError("the port is taken")
    told.ears.define("k1", kind.source("a"))
    await kind.next()
    await kind.next()
    kind.error = RuntimeError("secret")
    told.ears.define("k2", kind.source("b"))
    await kind.next()
    await kind.next()
    assert told.complaints == [
        "cannot listen for power/x: the port is taken",
        "cannot listen for power/x: RuntimeError",
    ]
    await told.ears.close()


@pytest.mark.usefixtures("quick")
async def test_a_source_is_asked_once_at_a_time_and_once_more_for_all_that_came_meanwhile() -> None:
    told, kind = Told(), Kind()
    told.ears.define("k1", kind.source("a"))
    _, ear = await kind.next()
    for _ in range(5):
        ear.ask("a")
        await settle()
    assert (told.looks, told.pushed) == (1, [])
    told.answer.set()
    await settle()
    assert [(key, finding.value) for key, finding in told.pushed] == [("k1", "look 1"), ("k1", "look 2")]
    ear.ask("nobody")
    await settle()
    assert told.looks == 2
    await told.ears.close()


@pytest.mark.usefixtures("quick")
async def test_who_speaks_too_often_is_not_heard() -> None:
    told, kind = Told(), Kind()
    told.ears.define("k1", kind.source("a"))
    _, ear = await kind.next()
    for _ in range(BURST_MAX + 5):
        ear.said("a", PowerReading(points=()))
    assert len(told.pushed) == BURST_MAX
    told.now_us += 2_000_000
    for _ in range(5):
        ear.said("a", PowerReading(points=()))
    assert len(told.pushed) == BURST_MAX + 2
    await told.ears.close()


async def test_the_watch_hears_a_source_that_speaks_as_long_as_it_is_defined_so(agent: Snmpd) -> None:
    port, name = free_port(), "source:ups-a/read@here"
    defined = {name: ("k1", source(agent, port))}
    servicing = Servicing(SystemClock())
    servicing.configure(lambda signal: defined.get(signal), folder=Path("/"), around={}, wanted=True)
    spoken: asyncio.Queue[Seeing] = asyncio.Queue()
    servicing.on_spoken = spoken.put_nowait
    running = asyncio.create_task(servicing.run())
    try:
        batch = Batch(asks=(Ask(name, "", SystemClock().now_us(), "source"),), manner=Manner())
        (look,) = [look async for group in servicing.probe(batch) for look in group]
        assert (look.outcome, of_text(look.said).points[0].utility) == (Outcome.ANSWERED, Utility.PRESENT)
        telling = asyncio.create_task(told_until_heard(port))
        heard = await asyncio.wait_for(spoken.get(), PATIENCE_S)
        assert (heard.signal, heard.outcome, heard.said) == (name, Outcome.ANSWERED, look.said)
        assert heard.at_us <= heard.known_us <= SystemClock().now_us()
        telling.cancel()
        finding = Finding(kind="power/snmp_ups", outcome=Outcome.ANSWERED, value=WORDS)
        late = pushed("k1", finding, 1)
        while not spoken.empty():
            spoken.get_nowait()
        servicing._speak(late)
        assert spoken.get_nowait().said == WORDS
        defined[name] = ("k2", source(agent, port))
        servicing._speak(late)
        servicing._speak(pushed("k9", finding, 1))
        assert spoken.empty()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
