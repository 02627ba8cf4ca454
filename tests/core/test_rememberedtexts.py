"""What is kept of texts that were read: within bounds, however much each source says."""

from __future__ import annotations

import gc
import weakref

import pytest

from hostwatch.core import hearing, ports, portsheard, power
from hostwatch.core.ports import Port, PortsReading
from hostwatch.core.power import Point, PowerReading
from hostwatch.core.rememberedtexts import CHARS_MAX, CLASSES, remembered


class Kept:
    """Something that was read, as long as anybody keeps it."""


@pytest.mark.parametrize("chars", [1, 500, 512, 513, 2_000, 8_000, 30_000, 100_000, 131_072, 131_073])
def test_no_more_is_kept_than_there_is_room_for(chars: int) -> None:
    """A source says as much, each time another thing."""
    alive: weakref.WeakSet[Kept] = weakref.WeakSet()

    def read(_text: str) -> Kept:
        one = Kept()
        alive.add(one)
        return one

    found = remembered(read)
    room = next((CHARS_MAX // most for most in CLASSES if chars <= most), 0)
    for number in range(room + 50):
        found(chr(number + 256) + "." * (chars - 1))
    gc.collect()

    assert len(alive) == room
    assert len(alive) * chars <= CHARS_MAX


def test_what_is_said_again_is_read_once() -> None:
    times: list[str] = []

    def read(text: str) -> int:
        times.append(text)
        return len(times)

    found = remembered(read)

    assert [found(text) for text in ("a", "b" * 600, "a", "b" * 600)] == [1, 2, 1, 2]


def test_what_cannot_be_read_is_no_answer_the_second_time_either() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="line 1"):
            hearing.words("nonsense")


def test_the_words_of_sources_and_of_switches_are_kept_so() -> None:
    said = PowerReading(points=(Point(name="outlet 7"),)).text
    ports_said = PortsReading(up_ticks=1, ports=(Port(name="7"),)).text

    assert (hearing.words(said), portsheard.words(ports_said)) == (
        power.of_text(said),
        ports.of_text(ports_said),
    )
    for words, text in ((hearing.words, said), (portsheard.words, ports_said)):
        assert words(text) is words(text)
        assert not hasattr(words, "cache_info"), "bounded by what it holds, not by how many there are"
