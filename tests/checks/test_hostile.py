"""Every kind of check against a server that means harm, at every place of the talk.

Whatever the server does, the check ends within its time as a miss that says why, in words that may be shown;
memory stays flat, and no descriptor, task or transport is left behind.

    kind × turn × act            turn 0: instead of the greeting; 1: instead of the first reply …
"""

from __future__ import annotations

import re

import pytest

from hostwatch import checks
from hostwatch.checks import base
from hostwatch.core.reading import Outcome
from tests.checks import hostile
from tests.checks.aiming import AT_ONCE, aimed
from tests.checks.certificates import Papers
from tests.checks.hostile import ACTS, Act, Manners
from tests.checks.hostile_tls import HANDSHAKE_ACTS, secured
from tests.checks.manners import MANNERS
from tests.checks.victim import SECRET, Account, Order, Victim

LONG, SHORT = "20s", "250ms"
"""The time of a check that a bound must end, and of one that only its time can end."""

LATE_S = 5.0
"""So much later than its time a check may end on a machine that does other things."""

GROWS_KIB_MAX = 24 * 1024
"""Four megabytes may be read, and be held more than once; a bomb is a gigabyte."""

OF_PYTHON = re.compile(r"[a-z](Error|Exception)\b|object at 0x|Errno|Traceback|<class")


ATTACKS = [
    pytest.param(kind, turn, act, id=f"{kind}-{turn}-{act}")
    for kind in checks.kinds()
    for turn in MANNERS.get(kind, Manners()).turns
    for act in ACTS
]
"""Every kind, at every turn, by every act."""


def fair(came: Account, *, seconds: float) -> base.Finding:
    """What holds whatever came: the finding, which is a miss."""
    found = came.found
    assert found.outcome is Outcome.MISSED, f"{found.outcome}: {found.why}"
    assert found.step is not None
    assert len(found.why.split()) >= 2
    assert not OF_PYTHON.search(found.why), found.why
    said = [found.why, found.expected, found.came, found.address, *found.notes]
    said += [line.text for line in found.transcript]
    assert [text for text in said if not text.isprintable() or len(text) > 300] == []
    assert not any(SECRET in text for text in said)
    assert came.took_s < seconds + LATE_S
    assert came.grew_kib < GROWS_KIB_MAX
    assert (came.left, came.complaints) == ([], [])
    return found


@pytest.mark.parametrize(("kind", "turn", "act"), ATTACKS)
async def test_whatever_a_server_does_is_a_miss_that_says_why(
    victim: Victim, kind: str, turn: int, act: Act
) -> None:
    manners = MANNERS.get(kind, Manners())
    async with hostile.hostile(act.play, manners=manners, turn=turn) as port:
        written = aimed(kind, port, timeout=SHORT if act.hangs else LONG, **manners.written)
        came = await victim.run(Order(kind=kind, written=written))

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert act.fits(found.why), found.why


@pytest.mark.parametrize("act", HANDSHAKE_ACTS, ids=str)
@pytest.mark.parametrize("kind", AT_ONCE)
async def test_whatever_a_server_does_while_tls_is_agreed_upon(
    victim: Victim, papers: Papers, kind: str, act: Act
) -> None:
    async with hostile.hostile(act.play, secure=secured(papers.valid)) as port:
        written = aimed(kind, port, timeout=SHORT if act.hangs else LONG, **AT_ONCE[kind])
        came = await victim.run(Order(kind=kind, written=written))

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert found.step is base.Step.TLS
    assert act.fits(found.why), found.why


@pytest.mark.parametrize("act", ACTS, ids=str)
@pytest.mark.parametrize("kind", [kind for kind in AT_ONCE if kind != "tls"])
async def test_whatever_a_server_does_over_tls(victim: Victim, papers: Papers, kind: str, act: Act) -> None:
    secure, manners = secured(papers.valid), MANNERS.get(kind)
    async with hostile.hostile(act.play, secure=secure, at_once=True, manners=manners) as port:
        written = aimed(kind, port, timeout=SHORT if act.hangs else LONG, **AT_ONCE[kind])
        came = await victim.run(Order(kind=kind, written=written))

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert act.fits(found.why), found.why


@pytest.mark.parametrize("kind", checks.kinds())
async def test_nobody_accepts(victim: Victim, kind: str) -> None:
    """The queue of the port is full: whoever comes is dropped."""
    async with hostile.full_backlog() as port:
        came = await victim.run(Order(kind=kind, written=aimed(kind, port, timeout=SHORT)))

    found = fair(came, seconds=0.25)
    assert (found.step, found.why) == (base.Step.CONNECT, f"no answer within {SHORT}")
