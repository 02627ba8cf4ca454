"""What is said of a supply of which nobody can say now whether it is interrupted.

```
 rounds   0   1   2   3   4          a: card of ups-a       b: card of ups-b
 a        L   B   x   x   x          L on line, B on battery, D dead, O off, x does not answer, - says nothing
```
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from hostwatch import fixtures
from hostwatch.core import doubt
from hostwatch.core.doubt import Doubt
from hostwatch.core.lastseen import Last
from tests.core.test_hearing import BOTH, HOUSE, START, at, reading
from tests.sla.teller import Teller

MILLISECOND = timedelta(milliseconds=1)


def heard(a: str, b: str) -> Teller:
    """What the cards of both UPSes say, round by round."""
    told = Teller()
    told.populate(START, **HOUSE)
    for number, letters in enumerate(zip(a, b, strict=True)):
        for place, (source, letter) in enumerate(zip("ab", letters, strict=True)):
            said = reading(letter, runtime_s=720) if letter != "-" else reading(letter)
            told.say(source, at(number) + place * MILLISECOND, said)
    return told


def doubted(told: Teller, number: float) -> Doubt | None:
    return doubt.of_supply(told.world, told.world.population.supplies[BOTH], at(number))


PICTURES = """
a     b     last
LLLL  LLLL  (known)
LBBB  LBBB  (known)              on battery is known too
LBBx  LBBx  on battery           lost on battery: possibly
LBBx  LLLx  with power           one of two ways was well
LLLx  LLLx  with power           lost on the utility: unknown, and no more
LBBx  LLLL  (known)              the other is heard
LDDx  LDDx  without power        it was interrupted already
LOOx  LOOx  with its output off
LBB-  LBB-  on battery           a driver that waits for its UPS has not seen it return
LLL-  LLL-  not known            nothing was wrong, and nothing is said now
LBL-  LBL-  not known            it was seen to be back
"""


@pytest.mark.parametrize("line", PICTURES.strip().splitlines()[1:])
def test_a_doubt(line: str) -> None:
    found = doubted(heard(line[:4], line[6:10]), 3.1)
    last = line[12:32].strip()

    assert ("(known)" if found is None else found.seen.last.words) == last
    assert found is None or found.seen.is_possible == (last not in ("with power", "not known"))


def test_all_that_is_told_of_it() -> None:
    told = heard("LBBx", "LBBx")
    found = doubted(told, 3.1)
    assert found is not None
    assert (found.since, found.silent) == (at(3) + MILLISECOND, ("a", "b"))
    assert (found.seen.last, found.seen.since, found.heard) == (Last.BATTERY, at(1), at(2))
    assert found.seen.runtime_s == 720

    status = fixtures.describe(told.world, at(3.1))
    (one,) = [one for one in status["supplies"] if one["supply"] == BOTH]
    assert one["not_known"]["possibly_interrupted"] is True
    words = fixtures.doubt_told(one, lambda when: f"{when:%M:%S}")
    assert words == (
        f"not known since {at(3):%M:%S} (a, b not heard); "
        "last seen on battery with 12 min left: possibly interrupted; "
        f"so said a from {at(1):%M:%S} to {at(2):%M:%S}; nothing is certain of the time since"
    )


def test_what_is_known_and_what_never_was_leave_no_doubt_to_tell_of() -> None:
    status = fixtures.describe(heard("L", "L").world, at(0.1))
    told = {one["supply"]: fixtures.doubt_told(one, str) for one in status["supplies"]}
    assert told == {BOTH: "", "strip/outlet 7": "", "nobody": ""}
