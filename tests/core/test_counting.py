"""From counters to traffic: what passed between two readings, or no figure rather than a wrong one.

```
 12:00      12:05      12:10      12:15
   |----------|----------|----------|
   ^  ^  ^  ^  ^  ^  ^  ^  ^  ^  ^           a reading each minute, at any second of it
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core import counted, counting, facts, judge, traffic
from hostwatch.core.counted import Counted
from hostwatch.core.ports import Octets, Port, PortsReading, State
from hostwatch.core.portsheard import NOT_HEARD, port_state, source_of, states
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.source import Source
from hostwatch.core.traffic import NOTHING, STEP_S, Figure, Passed
from hostwatch.fixtures import figures
from tests.sla.teller import Teller

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
STEP = int(NOON.timestamp()) // STEP_S
"""The number of the five minutes that begin at noon."""

MINUTE = timedelta(minutes=1)
SW = source_of("sw-1")


@dataclass
class Line:
    """A switch with one port, which is asked again and again, and its figures so far."""

    octets: Octets = field(default_factory=lambda: Octets(received=0, sent=0))
    at: datetime = NOON
    up_s: float = 1_000
    speed_mbps: int | None = 1_000
    so_far: Counted | None = None
    figures: tuple[Figure, ...] = ()

    def read(self) -> None:
        port = Port(name="7", oper=State.UP, admin=State.UP, speed_mbps=self.speed_mbps, octets=self.octets)
        said = PortsReading(up_ticks=int(self.up_s * 100) % 2**32, ports=(port,))
        self.so_far, found = counting.counted_on(self.so_far, SW, self.at, said)
        self.so_far = counted.of_text(SW, self.at, self.so_far.text)  # as after a restart
        self.figures += tuple(found)

    def go(self, minutes: float, received: int = 0, sent: int = 0) -> None:
        """Some octets later it is asked again."""
        end = 2**self.octets.bits
        self.at += minutes * MINUTE
        self.up_s += minutes * 60
        self.octets = replace(
            self.octets,
            received=(self.octets.received + received) % end,
            sent=(self.octets.sent + sent) % end,
        )
        self.read()

    def start(self, minutes: float) -> None:
        """The switch starts, and is asked so long after the reading before."""
        self.at += minutes * MINUTE
        self.up_s = 20
        self.octets = replace(self.octets, received=0, sent=0)
        self.read()

    @property
    def told(self) -> list[tuple[int, int, int]]:
        """The figures: which five minutes after noon, and what passed."""
        return [(one.number - STEP, *one.passed) for one in self.figures]


def line(**given: Any) -> Line:
    made = replace(Line(), **given)
    made.read()
    return made


def test_a_steady_port() -> None:
    """One reading each minute, at half past it."""
    mine = line(at=NOON + MINUTE / 2)
    for _ in range(15):
        mine.go(1, received=6_000, sent=60)
    assert mine.told == [(0, 30_000, 300), (1, 30_000, 300), (2, 30_000, 300)]
    assert {one.port for one in mine.figures} == {"sw-1/7"}


def test_what_passes_over_the_end_of_five_minutes_is_cut_there() -> None:
    mine = line(at=NOON + 4 * MINUTE)
    mine.go(3, received=900)
    mine.go(3, received=0)
    assert mine.told == [(1, 600, 0)], "two minutes of three; of the first five minutes too little is known"


def test_half_of_five_minutes_must_be_known() -> None:
    for begin, told in ((2.5, [(0, 500, 0)]), (2.6, [])):
        mine = line(at=NOON + begin * MINUTE)
        mine.go(5 - begin, received=250)
        mine.go(1)
        assert [one for one in mine.told if one[0] == 0] == told


def test_a_counter_that_goes_round_is_counted_on() -> None:
    mine = line(octets=Octets(received=2**64 - 1_000, sent=2**64 - 1))
    for _ in range(6):
        mine.go(1, received=600, sent=1)
    assert mine.told == [(0, 3_000, 5)]


def test_one_of_32_bits_as_well_if_it_cannot_go_round_twice() -> None:
    octets = Octets(received=2**32 - 1_000, sent=0, bits=32)
    told = {}
    for speed in (10, 100, 400, 1_000, None):
        mine = line(octets=octets, speed_mbps=speed)
        for _ in range(6):
            mine.go(1, received=600)
        told[speed] = mine.told
    assert told == {10: [(0, 3_000, 0)], 100: [(0, 3_000, 0)], 400: [(0, 3_000, 0)], 1_000: [], None: []}


@pytest.mark.parametrize("announced", [True, False])
def test_a_switch_that_starts_has_no_figure_for_that_minute(announced: bool) -> None:
    """Its clock begins anew. If it did not say so, what would have passed could not have."""
    mine = line(octets=Octets(received=10**15, sent=10**15))
    mine.go(1, received=6_000)
    if announced:
        mine.start(1)
    else:
        mine.octets = Octets(received=0, sent=0)
        mine.go(1)
    for _ in range(4):
        mine.go(1, received=6_000)
    assert mine.told == [(0, 30_000, 0)], "the mean of the four minutes that are known"


def test_a_clock_that_goes_on_from_its_end_is_no_start() -> None:
    """After 497 days."""
    mine = line(up_s=2**32 / 100 - 90)
    for received in (600, 6_000, 600, 600, 600, 600):
        mine.go(1, received=received)
    assert mine.told == [(0, 8_400, 0)]


def test_a_switch_that_started_while_we_were_away_long_enough_to_be_older_than_it_was() -> None:
    """It had run for 30 s, and has for 200 s again: its clock went on, but not as ours did."""
    mine = line(up_s=30)
    mine.at += 5 * MINUTE
    mine.up_s = 200
    mine.octets = Octets(received=50, sent=50)
    mine.read()
    mine.go(6)
    assert mine.told == [(1, 0, 0)], "and none of the first five minutes"


def test_a_count_that_was_lost_is_announced() -> None:
    mine = line()
    mine.go(1, received=100)
    mine.octets = Octets(received=5, sent=0, since_ticks=106_000)
    mine.go(1, received=5_000_000)
    for _ in range(4):
        mine.go(1, received=100)
    assert mine.told == [(0, 500, 0)]


def test_counters_of_another_length_are_other_counters() -> None:
    mine = line(octets=Octets(received=100, sent=100, bits=32), speed_mbps=100)
    mine.go(1, received=60)
    mine.octets = Octets(received=200, sent=200)
    for _ in range(5):
        mine.go(1, received=60)
    assert mine.told == [(0, 300, 0)], "and not what lies between 160 and 260"


def test_nobody_knows_where_in_a_gap_it_passed() -> None:
    """Readings are missed for seven minutes; then for three, in which it cannot matter."""
    mine = line()
    mine.go(1, received=100)
    mine.go(7, received=700)
    mine.go(3, received=300)
    for _ in range(5):
        mine.go(1, received=100)
    assert mine.told == [(2, 500, 0)], "12:10 to 12:15; before that less than half is known"


def test_a_step_of_our_clock_makes_no_figure() -> None:
    mine = line()
    mine.go(1, received=100)
    mine.at += 2 * MINUTE
    mine.go(1, received=100)
    for _ in range(6):
        mine.go(1, received=100)
    assert mine.told == [(1, 500, 0)]


def test_a_clock_that_is_set_far_back_does_not_end_the_count() -> None:
    told = Teller()
    told.populate(NOON - MINUTE, sources=[Source(id=SW, kind="ports/snmp", interval=MINUTE)])
    figures: list[Figure] = []

    def read(at: datetime, up_s: int) -> None:
        octets = Octets(received=100 * up_s, sent=0)
        said = PortsReading(up_ticks=100 * up_s, ports=(Port(name="7", speed_mbps=1_000, octets=octets),))
        name = f"source:{SW}/read@main"
        reading = Reading(signal=name, at=at, known_at=at, outcome=Outcome.ANSWERED, said=said.text)
        told.decide(at, judge.readings(told.world, None, [reading], closes=False, now=at))
        deed = counting.count(told.world, [SW])
        try:
            while True:
                next(deed)
        except StopIteration as done:
            told.decide(at, done.value)
            figures.extend(done.value.traffic)

    wrong = NOON + 1_000 * 24 * 60 * MINUTE
    for minute in range(3):
        read(wrong + minute * MINUTE, 60 * minute)
    told.step(wrong + 2 * MINUTE, NOON)
    for minute in range(1, 8):
        read(NOON + minute * MINUTE, 60 * (2 + minute))
    assert [(figure.number - STEP, figure.passed) for figure in figures] == [(0, Passed(30_000, 0))]


def test_a_port_that_is_counted_no_more_keeps_what_it_had() -> None:
    mine = line()
    for _ in range(4):
        mine.go(1, received=100)
    assert mine.so_far is not None
    for minutes in (5, 6):
        said = PortsReading(up_ticks=0, ports=(Port(name="7"),))
        mine.so_far, found = counting.counted_on(mine.so_far, SW, NOON + minutes * MINUTE, said)
        mine.figures += tuple(found)
    assert mine.told == [(0, 500, 0)]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["go", "go", "go", "start", "loses", "clears", "gap", "mute", "step", "faster", "old"]
        ),
        st.floats(0.1, 9),
        st.integers(0, 125_000_000),
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(
    EVENTS,
    st.sampled_from([10, 100, 1_000, None]),
    st.sampled_from([0, 2**32 - 9, 2**63, 2**64 - 9]),
    st.floats(0, 5),
)
def test_no_story_makes_a_figure_that_cannot_be(
    events: list[tuple[str, float, int]], speed: int | None, first: int, offset: float
) -> None:
    """Whatever happens: no figure is negative, or more than the port, or any port, could have carried."""
    mine = line(
        octets=Octets(received=first, sent=0), speed_mbps=speed, at=NOON + offset * MINUTE, up_s=40_000
    )
    for event, minutes, rate in events:
        passed = int(min(rate, (speed or 1_000) * 125_000) * minutes * 60)
        happen(mine, event, minutes, passed)
    fastest = counting.FASTEST_MBPS if speed is None else max(speed, 1_000)
    for figure in mine.figures:
        assert all(0 <= octets <= most(fastest, events) for octets in figure.passed)
    numbers = [figure.number for figure in mine.figures]
    assert len(numbers) == len({*numbers}), "five minutes are told once"


def most(mbps: int, events: list[tuple[str, float, int]]) -> float:
    """What a port carries in five minutes, with what two clocks may part at each reading."""
    shortest = min([0.1, *(minutes for _, minutes, _ in events)]) * 60
    return mbps * 125_000 * STEP_S * (1 + counting.CLOCKS_US / 1e6 / min(shortest, 1.0))


def happen(mine: Line, event: str, minutes: float, passed: int) -> None:
    match event:
        case "start":
            mine.start(minutes)
        case "loses":
            mine.octets = replace(mine.octets, received=5, since_ticks=mine.octets.since_ticks + 1)
            mine.go(minutes, passed, passed)
        case "clears":  # and does not say so
            mine.octets = replace(mine.octets, received=0, sent=0)
            mine.go(minutes, passed, passed)
        case "gap":
            mine.go(minutes * 3, passed * 3, passed)
        case "mute":
            mine.at += minutes * MINUTE
        case "step":
            mine.at += (minutes - 4) * MINUTE
            if mine.so_far is not None and mine.at <= mine.so_far.at:
                mine.at = mine.so_far.at + MINUTE / 60
        case "faster":
            mine.speed_mbps = 1_000 if mine.speed_mbps else None
            mine.go(minutes, passed)
        case "old":
            octets = mine.octets
            bits = 96 - octets.bits
            mine.octets = replace(
                octets, bits=bits, received=octets.received % 2**32, sent=octets.sent % 2**32
            )
            mine.go(minutes, passed)
        case _:
            mine.go(minutes, passed, passed // 2)


@given(st.integers(0, 2**50), st.integers(0, 2**50), st.integers(0, 10**10), st.integers(1, 10**9))
def test_what_is_spread_is_all_that_passed(received: int, sent: int, since: int, length: int) -> None:
    parts = list(counting.spread(Passed(received, sent), since, since + length))
    assert sum(part.received for part in parts) == received
    assert sum(part.sent for part in parts) == sent
    assert sum(part.known_us for part in parts) == length
    assert all(part.received >= 0 and part.sent >= 0 and part.known_us > 0 for part in parts)


@given(st.integers(0, 2**60), st.integers(0, 2**60))
def test_a_figure_comes_back_from_six_bytes(received: int, sent: int) -> None:
    code = Figure("sw-1/7", 1, Passed(received, sent)).code
    assert len(code) == 6
    (back,) = traffic.figures(code)
    assert back is not None
    for was, is_ in zip((received, sent), back, strict=True):
        assert abs(was - is_) * 500_000 <= was
        assert was >= 2**18 or was == is_


def test_where_there_is_no_figure_there_is_no_zero() -> None:
    zero = Figure("sw-1/7", 1, Passed(0, 0)).code
    assert list(traffic.figures(NOTHING + zero + NOTHING)) == [None, Passed(0, 0), None]


WATCHED = Source(id=SW, kind="ports/snmp", interval=MINUTE)


def said(*ports: Port, up_s: int = 1_000) -> str:
    return PortsReading(up_ticks=up_s * 100, ports=ports).text


def port(name: str, letters: str = "uu", **given: Any) -> Port:
    of = {"u": State.UP, "d": State.DOWN, "?": State.UNKNOWN}
    return Port(name=name, oper=of[letters[0]], admin=of[letters[1]], said=letters, **given)


def heard(*rounds: tuple[Port, ...] | None) -> Teller:
    """A switch that says this, a minute apart; None: it does not answer."""
    told = Teller()
    told.populate(NOON - MINUTE, sources=[WATCHED])
    for number, ports in enumerate(rounds):
        at = NOON + number * MINUTE
        outcome = Outcome.MISSED if ports is None else Outcome.ANSWERED
        text = "" if ports is None else said(*ports)
        reading = Reading(
            signal=WATCHED.signal("main"), at=at, known_at=at, outcome=outcome, said=text, why="silent"
        )
        told.decide(at, judge.readings(told.world, None, [reading], closes=False, now=at))
    return told


def seen(told: Teller) -> Iterator[tuple[float, str, str]]:
    """The facts: which minute, which port, in which state."""
    for fact in told.record:
        if isinstance(fact, facts.PortSeen):
            yield (fact.at - NOON) / MINUTE, fact.port, fact.said


def test_a_fact_is_made_of_a_port_in_another_state_and_never_of_octets() -> None:
    counts = Octets(received=1, sent=1), Octets(received=9, sent=9)
    told = heard(
        (port("7", octets=counts[0]), port("8")),
        (port("7", octets=counts[1]), port("8")),
        (port("7"), port("8", "du")),
        None,
        (port("7"), port("8", "dd")),
        (port("7", "?u"), port("8", "dd"), port("9")),
    )
    assert list(seen(told)) == [
        (0, "7", "uu"), (0, "8", "uu"), (2, "8", "du"), (4, "8", "dd"), (5, "7", "?u"), (5, "9", "uu"),
    ]  # fmt: skip
    last = [fact for fact in told.record if isinstance(fact, facts.PortSeen)]
    assert [fact.heard_before for fact in last[2:4]] == [NOON + MINUTE, NOON + 2 * MINUTE]
    assert last[-1].heard_before is None
    assert told.world.heard[SW].since == NOON + 5 * MINUTE


def test_a_port_that_was_down_between_two_readings_is_seen_by_its_switch_s_words() -> None:
    """It is up again, and says that it came up 20 s ago; nobody heard of it for a minute."""
    told = heard((port("7", changed_s=500),), (port("7", changed_s=20),), (port("7", changed_s=80),))
    assert list(seen(told)) == [(0, "7", "uu"), (1, "7", "uu")]
    last = [fact for fact in told.record if isinstance(fact, facts.PortSeen)][-1]
    assert last.changed_at == NOON + MINUTE - timedelta(seconds=20)
    assert told.world.heard[SW].since == NOON + MINUTE, "and not when it was heard last"


def test_a_switch_s_clock_need_not_be_ours_to_the_second() -> None:
    """It changed when it was read first; by its own words a little later."""
    told = heard((port("7", changed_s=0),), (port("7", changed_s=55),))
    assert list(seen(told)) == [(0, "7", "uu")]


def test_the_state_of_a_port_at_a_time() -> None:
    told = heard((port("7", changed_s=500), port("8")), (port("7", "du", changed_s=20), port("8")))
    asked = [
        port_state(told.world, name, NOON + minutes * MINUTE)
        for name, minutes in (("sw-1/7", 1), ("sw-1/7", 0.5), ("sw-1/7", 1.5), ("sw-1/7", 3), ("sw-1/8", 1))
    ]
    assert [one and one.oper.value for one in asked] == ["down", "unknown", "down", "unknown", "up"]
    assert asked[0] is not None
    assert asked[0].since == NOON + timedelta(seconds=40)
    assert asked[3] is not None
    assert asked[3].said == NOT_HEARD
    assert port_state(told.world, "sw-1/9", NOON) is None
    assert port_state(told.world, "sw-2/7", NOON) is None
    now = NOON + 1.5 * MINUTE
    assert {name: one.said for name, one in states(told.world, now)} == {"sw-1/7": "du", "sw-1/8": "uu"}
    (gauge,) = (one for one in figures(told.world, now) if one.name == "hostwatch_port_up")
    assert gauge.value == {"sw-1/7": 0.0, "sw-1/8": 1.0}
    assert list(states(told.world, NOON + 3 * MINUTE)) == []


def test_a_switch_that_does_not_answer_says_nothing_of_its_ports() -> None:
    told = heard((port("7", "du"),), None)
    state = port_state(told.world, "sw-1/7", NOON + 1.1 * MINUTE)
    assert state is not None
    assert (state.oper, state.said, state.heard_at) == (State.UNKNOWN, NOT_HEARD, NOON)


def test_words_that_are_no_reading_of_ports_are_as_good_as_none() -> None:
    told = Teller()
    told.populate(NOON - MINUTE, sources=[WATCHED])
    reading = Reading(
        signal=WATCHED.signal("main"), at=NOON, known_at=NOON, outcome=Outcome.ANSWERED, said="{}"
    )
    told.decide(NOON, judge.readings(told.world, None, [reading], closes=False, now=NOON))
    assert told.world.heard == {}
