"""How it stood with power when it was heard last: which unknown time is *possibly interrupted*.

```
 grid-1 [meter] ── ups-a [card-a, push-a] ── panel-a ── r1-a ── pdu-a [strip-a]
 grid-2 ────────── ups-b [card-b]
```
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core import lastseen, upswords
from hostwatch.core.element import Element, Kind
from hostwatch.core.lastseen import Last, LastSeen, Told
from hostwatch.core.power import Output, Point, PowerReading, Utility
from hostwatch.core.wiring import Wiring
from hostwatch.core.witnesses import parsed
from tests.core.wires import wiring

START = datetime(2026, 10, 1, tzinfo=UTC)
ROOM = """\
utility grid-1 [meter]
utility grid-2
ups ups-a < grid-1 [card-a, push-a]
ups ups-b < grid-2 [card-b]
panel panel-a < ups-a
feed r1-a < panel-a
pdu pdu-a < r1-a [strip-a]
"""
LINES = {
    "on": PowerReading(points=(Point(output=Output.POWERED),)),
    "dark": PowerReading(points=(Point(output=Output.UNPOWERED),)),
    "there": PowerReading(points=(Point(utility=Utility.PRESENT),)),
    "gone": PowerReading(points=(Point(utility=Utility.ABSENT),)),
}


def seen(supply: str, **said: str) -> LastSeen:
    """Each source's last words, in NUT's or of a line; `OB 90` was heard for the last time 90 s earlier."""

    def told(source: str) -> Told | None:
        words = said.get(source.replace("-", "_"))
        if words is None:
            return None
        words, _, ago = words.partition(" -")
        reading = LINES.get(words) or upswords.reading({"ups.status": words, "battery.runtime": "720"})
        return Told(START, START - timedelta(seconds=int(ago or 0)), reading)

    return lastseen.of_supply(parsed(supply), wiring(ROOM), told)


STATES = """
OL             with power          no   whatever else the UPS says
OL CHRG        with power          no
OL BYPASS      with power          no   on bypass it hangs on the utility, which is there
OL RB          with power          no   a battery to be replaced is no battery in use
OB CAL         with power          no   a test
OB DISCHRG     on battery          yes
OB LB          with a low battery  yes
OL LB          with a low battery  yes  the utility is back, and nothing stands behind it
OL OFF         with its output off yes  in distribution so far, and only the utility holds it there
OFF            with its output off yes
OB OFF         without power       yes  it was interrupted already
OB BYPASS      without power       yes
WAIT           not known           no   it says nothing
"""


@pytest.mark.parametrize("line", STATES.strip().splitlines(), ids=lambda line: line[:15].strip())
def test_what_is_possibly_interrupted(line: str) -> None:
    found = seen("ups-a", card_a=line[:15].strip())

    assert (found.last.words, found.is_possible) == (line[15:35].strip(), line[35:39].strip() == "yes")


def test_who_was_never_heard_says_nothing() -> None:
    assert seen("ups-a") == LastSeen()
    assert seen("ups-a").words == "how it was seen last is not known"


def test_the_words_for_people() -> None:
    assert seen("ups-a", card_a="OB").words == "last seen on battery with 12 min left: possibly interrupted"
    assert seen("ups-a", card_a="OL").words == "last seen with power"
    assert (seen("ups-a", card_a="OB").source, seen("ups-a", card_a="OB").since) == ("card-a", START)


@pytest.mark.parametrize(
    ("a", "b", "any_of_both", "each_of_both"),
    [
        ("OB", "OB", Last.BATTERY, Last.BATTERY),
        ("OB", "OL", Last.POWERED, Last.BATTERY),
        ("OB", "WAIT", Last.NOTHING, Last.BATTERY),
        ("OB OFF", "OB", Last.BATTERY, Last.INTERRUPTED),
    ],
)
def test_of_two_feeds_both_must_have_been_in_trouble(
    a: str, b: str, any_of_both: Last, each_of_both: Last
) -> None:
    assert seen("any(ups-a,ups-b)", card_a=a, card_b=b).last is any_of_both
    assert seen("all(ups-a,ups-b)", card_a=a, card_b=b).last is each_of_both


def test_of_two_witnesses_the_worse_is_taken_unless_the_other_was_heard_for_longer() -> None:
    assert seen("ups-a", card_a="OL", push_a="OB").last is Last.BATTERY
    assert seen("ups-a", card_a="OL", push_a="OB -59").last is Last.BATTERY
    assert seen("ups-a", card_a="OL", push_a="OB -61").last is Last.POWERED, "it was seen to be back"


def test_a_ups_speaks_for_itself_and_a_line_for_no_more_than_itself() -> None:
    assert seen("ups-a", card_a="OL", meter="gone").last is Last.POWERED
    assert seen("ups-a", meter="gone").last is Last.BATTERY, "where nobody spoke of the UPS"
    assert seen("grid-1", meter="gone").last is Last.INTERRUPTED, "where no UPS stands in the way"
    assert seen("pdu-a", strip_a="on", card_a="OB").last is Last.BATTERY
    assert seen("pdu-a", strip_a="on").last is Last.POWERED
    assert seen("pdu-a", strip_a="dark", card_a="OL").last is Last.OFF
    assert seen("pdu-a", card_a="OB").last is Last.BATTERY
    assert seen("grid-1", meter="there").last is Last.POWERED


def test_a_reading_that_says_nothing_at_all() -> None:
    assert not lastseen.says_anything(upswords.reading({"ups.status": "WAIT", "battery.charge": "90"}))
    assert lastseen.says_anything(upswords.reading({"ups.status": "ALARM"}))
    assert all(map(lastseen.says_anything, LINES.values()))


def test_many_ways_to_one_source_are_each_gone_once() -> None:
    """By two ways on each of 30 levels there are a thousand million of them."""
    elements = [Element(id=f"u0{side}", kind=Kind.UPS, witness=f"ups-{side}") for side in "ab"]
    for level in range(1, 30):
        above = f"any(u{level - 1}a,u{level - 1}b)"
        elements += [Element(id=f"u{level}{side}", kind=Kind.PANEL, input=above) for side in "ab"]

    found = lastseen.of_supply(parsed("any(u29a,u29b)"), Wiring(elements), lambda _: None)

    assert found == LastSeen()
