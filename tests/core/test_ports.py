"""What a switch says of its ports comes back from its text as it was, and nothing else does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import ports
from hostwatch.core.ports import Octets, Port, PortsReading, State, of_text

TICKS = st.integers(0, ports.TICKS_END - 1)
WORDS = st.text(st.characters(categories=("L", "N", "P")), max_size=ports.SAID_CHARS_MAX)


@st.composite
def octets(draw: st.DrawFn) -> Octets:
    bits = draw(st.sampled_from((32, 64)))
    counter = st.integers(0, 2**bits - 1)
    return Octets(received=draw(counter), sent=draw(counter), bits=bits, since_ticks=draw(TICKS))


PORTS = st.builds(
    Port,
    name=WORDS.filter(bool),
    oper=st.sampled_from(State),
    admin=st.sampled_from(State),
    said=WORDS,
    changed_s=st.none() | TICKS,
    speed_mbps=st.none() | st.integers(0, ports.SPEED_MBPS_MAX),
    octets=st.none() | octets(),
)


@given(TICKS, st.lists(PORTS, max_size=4, unique_by=lambda port: port.name))
def test_a_reading_comes_back_as_it_was(up_ticks: int, listed: list[Port]) -> None:
    reading = PortsReading(up_ticks=up_ticks, ports=tuple(listed))
    assert of_text(reading.text) == reading


WELL = ["7", "uu", "up", 950, 1000, 1, 2, 64, 0]
BAD = [
    "",
    "[]",
    "{}",
    "x",
    '{"up":1}',
    '{"up":-1,"ports":[]}',
    '{"up":4294967296,"ports":[]}',
    '{"up":true,"ports":[]}',
    '{"up":1,"ports":"7uuu"}',
    "[" * 100_000,
    *(
        json.dumps({"up": 1, "ports": [[*WELL[:place], value, *WELL[place + 1 :]]]})
        for place, values in enumerate(
            (
                ("", "x" * 65, 7, "a\nb", None),
                ("u", "uuu", "xx", 12, "", None),
                ("x" * 61, "a\x00", None),
                (-1, 2**32, 1.5, "1"),
                (-1, 2_000_001, False),
                (-1, 2**64, None, "1"),
                (-1, 2**64, 0.5),
                (0, 33, 128, None, 32.0),
                (-1, 2**32, None),
            )
        )
        for value in values
    ),
    json.dumps({"up": 1, "ports": [["7", "uu", "up", None, None, 2**32, 0, 32, 0]]}),
    json.dumps({"up": 1, "ports": [WELL[:8]]}),
    json.dumps({"up": 1, "ports": [WELL[:4]]}),
    json.dumps({"up": 1, "ports": [[*WELL, 1]]}),
    json.dumps({"up": 1, "ports": [WELL, WELL]}),
    json.dumps({"up": 1, "ports": [[str(number), *WELL[1:]] for number in range(501)]}),
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"reading of ports|Expecting|recursion"):
        of_text(text)


def test_a_port_of_which_nothing_is_said_is_unknown() -> None:
    found = of_text(json.dumps({"up": 1, "ports": [WELL]})).port("8")
    assert (found.oper, found.admin, found.octets) == (State.UNKNOWN, State.UNKNOWN, None)
