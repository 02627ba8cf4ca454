"""Only the right answer, in time, counts; whatever else comes in, and whoever else pings, changes nothing."""

from __future__ import annotations

import time

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab, signal_of
from tests.lab.reflector import Reflector
from tests.lab.script import RIGHT, TOO_LATE, Answer, Script
from tests.lab.topology import Family, address

pytestmark = pytest.mark.lab

GOOD = {"right", "fifty times"}
SCHEDULE = "interval: 1s, spacing: 100ms, timeout: 300ms"
ELSEWHERE = 19


def ways(family: Family) -> dict[str, Script]:
    """How device-1 answers at its addresses."""
    return {
        "right": RIGHT,
        "fifty times": ((Answer(copies=50),),),
        "wrong source": ((Answer(source=address("device-1", family, ELSEWHERE)),),),
        "wrong id": ((Answer(identifier=1),),),
        "wrong sequence": ((Answer(sequence=7),),),
        "wrong nonce": ((Answer(flip=127),),),
        "nonce cut short": ((Answer(cut=15),),),
        "too late": TOO_LATE,
    }


@pytest.mark.parametrize("family", [4, 6])
def test_only_the_right_answer_in_time_counts(lab: Lab, family: Family) -> None:
    """
    0 s    device-1 answers at eight addresses, by a script
    then   six of them begin to answer wrongly, each in one way; one answers rightly, one rightly fifty times
    +2 s   the six are down; of the fifty answers one counted
    then   others on hostwatch's machine ping: one floods device-2, one pings the six and is answered rightly
    then   the six are still down, the two were never silent, and no answer was crowded out
    then   all answer rightly again: six recoveries
    """
    scripts = ways(family)
    where = {way: address("device-1", family, 10 + number) for number, way in enumerate(scripts)}
    name = {way: way.replace(" ", "-") for way in scripts}
    wrong = scripts.keys() - GOOD
    with Reflector(lab.net.devices["device-1"]) as reflector:
        lab.watch({name[way]: where[way] for way in scripts}, SCHEDULE)

        reflector.play({where[way]: script for way, script in scripts.items()})
        lab.daemon.said("went-down", count=len(wrong))
        assert all(reflector.seen()[where[way]].sent for way in wrong)
        _check_that_one_look_counts_once(lab)

        flood = lab.net.watch.command("ping", "-f", "-q", "-w", "3", address("device-2", family))
        for command in (flood, *(_polite(lab, where[way]) for way in wrong)):
            lab.beside(command)
        lab.daemon.looked("missed", 3 * len(wrong))
        assert lab.daemon.facts(facts.CameUp) == []
        # A busy machine may make us look too late, but nothing was crowded out of our buffer.
        assert "receive buffer overflowed here" not in {fact.why for fact in lab.daemon.facts(facts.Unspoken)}
        silent = {fact.signal for fact in lab.daemon.facts(facts.SilenceBegan)}
        assert silent == {signal_of(name[way]) for way in wrong}

        reflector.play({})
        lab.daemon.said("came-up", count=len(wrong))
    assert len(lab.daemon.facts(facts.WentDown)) == len(wrong)


def _polite(lab: Lab, where: str) -> list[str]:
    """Somebody else's pings, a hundred a second, of a size of their own."""
    return lab.net.watch.command("ping", "-q", "-i", "0.01", "-s", "120", "-w", "3", where)


def _check_that_one_look_counts_once(lab: Lab) -> None:
    before, since = lab.daemon.readings("answered"), time.monotonic()
    lab.daemon.looked("answered", 2 * len(GOOD))
    came, passed_s = lab.daemon.readings("answered") - before, time.monotonic() - since
    assert came <= len(GOOD) * (passed_s + 1)
