"""Replies and errors that were changed at random: nothing breaks, and nobody lives who is dead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from hostwatch.core.reading import Outcome
from hostwatch.pinger import Manner
from tests.icmp.conftest import Cable, ask
from tests.lab.reflector import Reflector
from tests.lab.script import RIGHT, Answer

pytestmark = pytest.mark.lab

MANNER = Manner(attempts=3, spacing=timedelta(milliseconds=400), timeout=timedelta(seconds=2))
DEAD = [f"10.98.6.{number}" for number in range(1, 26)] + [f"fd98::6:{n:x}" for n in range(1, 26)]
ALIVE = [f"10.98.7.{number}" for number in range(1, 26)] + [f"fd98::7:{n:x}" for n in range(1, 26)]
COPIES = 40


@pytest.fixture
def reflector(cable: Cable) -> Iterator[Reflector]:
    """Whatever is beyond the other machine, by a script."""
    with Reflector(cable.there) as started:
        yield started


@pytest.mark.parametrize("mode", ["raw", "ping socket"])
def test_noise_proves_nothing_and_hides_nothing(cable: Cable, reflector: Reflector, mode: str) -> None:
    """Of 6,000 changed packets none counts; the right answers among them all do."""
    noise = Answer(kind="noise", copies=COPIES, seed=9)
    few = Answer(kind="noise", copies=5, seed=9)
    reflector.play({**dict.fromkeys(DEAD, ((noise,),)), **dict.fromkeys(ALIVE, ((few, RIGHT[0][0], few),))})
    looks = cable.pinging(lambda pinger, clock: ask(pinger, clock, MANNER, *ALIVE, *DEAD), mode=mode)

    brought = {look.address: (look.outcome, look.why) for look in looks}
    assert {one: brought[one] for one in DEAD if brought[one][0] is not Outcome.MISSED} == {}
    assert {one: brought[one] for one in ALIVE if brought[one][0] is not Outcome.ANSWERED} == {}
    sent = sum(len(seen.sent) for seen in reflector.seen().values())
    assert sent >= len(DEAD) * COPIES * MANNER.attempts
