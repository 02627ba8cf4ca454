"""What switches said of their ports: a fact when a port is in another state, and the state of one at a time.

A port that is down is a witness of the cause, and no verdict. That a switch does not answer says nothing of
its ports, whatever it said before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hostwatch.core import facts, ports, source
from hostwatch.core.ports import Port, State
from hostwatch.core.reading import Reading
from hostwatch.core.rememberedtexts import remembered
from hostwatch.core.signal import Signal
from hostwatch.core.source import Source
from hostwatch.core.world import Heard, World

ROOM: Final = "ports"
"""The room of sources that speak of ports, in a source's kind."""

PREFIX: Final = "ports:"
"""Begins the names of sources that are a switch's ports; nothing else can be named so."""

SLACK: Final = timedelta(seconds=15)
"""By less than this a switch's words about when a port changed do not make it another time."""

NOT_HEARD: Final = "the switch did not answer"
ANOTHER_BEFORE: Final = "it was in another state then"

words = remembered(ports.of_text)
"""The reading that a text is: it is asked for three times."""


def source_of(switch: str) -> str:
    """The source that a switch's ports are."""
    return PREFIX + switch


def hear(
    mine: Source, before: Heard | None, known: Signal, reading: Reading
) -> tuple[Heard, tuple[facts.PortSeen, ...]]:
    """What a switch says from now on, and a fact of each port that is in another state, or was meanwhile.

    `known`: its signal before this reading.
    """
    last = {} if before is None else {port.name: port for port in words(before.said).ports}
    found: list[facts.PortSeen] = []
    for port in words(reading.said).ports:
        was = last.get(port.name)
        same = was is not None and (was.oper, was.admin) == (port.oper, port.admin)
        if same and not _came_back(port, known.last_answer, reading.at):
            continue
        found.append(
            facts.PortSeen(
                at=reading.at,
                source=mine.id,
                port=port.name,
                heard_before=None if was is None else known.last_answer,
                oper=port.oper.value,
                admin=port.admin.value,
                said=port.said,
                changed_at=_changed_at(port, reading.at),
            )
        )
    since = reading.at if before is None or found else before.since
    return Heard(source=mine.id, since=since, said=reading.said), tuple(found)


def _changed_at(port: Port, at: datetime) -> datetime | None:
    return None if port.changed_s is None else at - timedelta(seconds=port.changed_s)


def _came_back(port: Port, heard_before: datetime | None, at: datetime) -> bool:
    """Whether a port is as it was, and was otherwise meanwhile: the switch says that it changed since."""
    changed_at = _changed_at(port, at)
    return changed_at is not None and heard_before is not None and changed_at > heard_before + SLACK


@dataclass(frozen=True, slots=True, kw_only=True)
class PortState:
    """What is known of a port at some time."""

    oper: State = State.UNKNOWN
    admin: State = State.UNKNOWN
    said: str = ""
    """The switch's own word; or why nothing is known."""

    since: datetime | None = None
    """When it came to be so, as far as anybody knows."""

    heard_at: datetime | None = None
    """When the switch said so."""


def port_state(world: World, name: str, at: datetime) -> PortState | None:
    """The state of a port, as `sw-1/7`, at a time not long ago; None if nobody is asked about it.

    It is unknown where the switch was not heard, and before the port came to its present state: what it
    was then, the facts tell.
    """
    switch, _, own = name.partition("/")
    heard = world.heard.get(source_of(switch))
    signal = world.signals.get(source.signal_of(source_of(switch), world.population.vantage))
    if heard is None or signal is None or signal.last_answer is None:
        return None
    port = next((one for one in words(heard.said).ports if one.name == own), None)
    if port is None:
        return None
    if at >= (signal.blind_since or signal.speaks_until):
        return PortState(said=NOT_HEARD, heard_at=signal.last_answer)
    changed_at = _changed_at(port, signal.last_answer)
    since = changed_at or heard.since
    if at < since:
        return PortState(said=ANOTHER_BEFORE, heard_at=signal.last_answer)
    return PortState(
        oper=port.oper, admin=port.admin, said=port.said, since=since, heard_at=signal.last_answer
    )


def states(world: World, now: datetime) -> Iterator[tuple[str, Port]]:
    """All ports of switches that are heard now, as `switch/port`, and what was said of them last."""
    for name, heard in world.heard.items():
        if not name.startswith(PREFIX):
            continue
        signal = world.signals.get(source.signal_of(name, world.population.vantage))
        if signal is not None and now < (signal.blind_since or signal.speaks_until):
            for port in words(heard.said).ports:
                yield f"{name.removeprefix(PREFIX)}/{port.name}", port
