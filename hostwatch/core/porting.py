"""What switches say of the ports of a device, and whether they have said it since before an outage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Protocol

from hostwatch.core import expression, portsheard
from hostwatch.core.cause import Evidence, Slot
from hostwatch.core.population import Population
from hostwatch.core.ports import State
from hostwatch.core.scene import Port
from hostwatch.core.together import Known
from hostwatch.core.world import Heard

_parse = lru_cache(maxsize=4_096)(expression.parse)


class Beginning(Protocol):
    """When something fell silent: after its last answer, and before its first miss."""

    @property
    def last_answer(self) -> datetime: ...

    @property
    def first_miss(self) -> datetime: ...


def port_of(
    people: Population, known: Known, said: Callable[[str], Heard | None], wanted: str, began: Beginning
) -> tuple[Port, tuple[Evidence, ...]]:
    """The state of some ports together, one of which is enough; and what was said of each.

    Up only if one was so before the outage began, and still is; off if all were switched off, down if none
    is up. That a port is up says nothing if it was said before the first miss, or if its switch is not heard
    now; what was said against it since the last answer stays said.
    """
    found = [_one(people, known, said, name, began) for name in _parse(wanted).names]
    evidence = tuple(told for _, told in found if told is not None)
    states = {state for state, _ in found}
    for state in (Port.UP, Port.UNKNOWN):
        if state in states:
            return state, evidence
    return (Port.OFF if states == {Port.OFF} else Port.DOWN), evidence


def _one(
    people: Population, known: Known, said: Callable[[str], Heard | None], name: str, began: Beginning
) -> tuple[Port, Evidence | None]:
    switch, _, number = name.partition("/")
    mine = people.sources.get(portsheard.source_of(switch))
    heard = None if mine is None else said(mine.id)
    own = None if mine is None else known(mine.signal(people.vantage))
    if heard is None or own is None or own.last_answer is None or own.last_answer <= began.last_answer:
        return Port.UNKNOWN, None
    port = portsheard.words(heard.said).port(number)
    ago = port.changed_s
    changed = heard.since if ago is None else own.last_answer - timedelta(seconds=ago)
    if port.admin is State.DOWN:
        return Port.OFF, Evidence(Slot.PORT, name, "switched off", changed, words=port.said)
    if port.oper is State.DOWN:
        return Port.DOWN, Evidence(Slot.PORT, name, "down", changed, words=port.said)
    if port.oper is State.UNKNOWN:
        return Port.UNKNOWN, None
    if changed > began.last_answer:
        return Port.DOWN, Evidence(Slot.PORT, name, "was down", changed, words=port.said)
    if own.blind_since is not None or own.last_answer < began.first_miss:
        return Port.UNKNOWN, None
    return Port.UP, Evidence(Slot.PORT, name, "up", changed, words=port.said)
