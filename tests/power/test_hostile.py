"""Whoever says that it is a source and means harm: each reading ends in time, as a miss that says why.

turn 0                      turn 1                                 turn 2
modbus: at once             instead of the second answer
nut: at once, or instead    instead of the answers to variables
of the first answers
redfish: at once            instead of the page of the chassis     in the middle of a body
"""

from __future__ import annotations

import pytest

from tests.checks.hostile import ACTS, Act, full_backlog, hostile
from tests.checks.test_hostile import LONG, SHORT, fair
from tests.checks.victim import Victim
from tests.power.manners import MANNERS, order

TURNS = {"modbus": 2, "nut": 2, "redfish": 3}

ATTACKS = [
    pytest.param(kind, turn, act, id=f"{kind}-{turn}-{act}")
    for kind, turns in TURNS.items()
    for turn in range(turns)
    for act in ACTS
]
"""Every kind, at every turn, by every act."""


@pytest.mark.parametrize(("kind", "turn", "act"), ATTACKS)
async def test_whatever_it_does_is_a_miss_that_says_why(
    victim: Victim, kind: str, turn: int, act: Act
) -> None:
    async with hostile(act.play, manners=MANNERS[kind], turn=turn) as port:
        came = await victim.run(order(kind, port, SHORT if act.hangs else LONG))

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert act.fits(found.why), found.why
    assert found.value == ""


@pytest.mark.parametrize("kind", TURNS)
async def test_nobody_accepts(victim: Victim, kind: str) -> None:
    async with full_backlog() as port:
        found = fair(await victim.run(order(kind, port, SHORT)), seconds=0.25)

    assert found.why == f"no answer within {SHORT}"
