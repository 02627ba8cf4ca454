"""Columns say the same as each reply by itself, whatever the clocks and the stamps are like."""

from __future__ import annotations

import random
import struct
from typing import cast

import pytest

from hostwatch.echo import EchoSocket
from hostwatch.intake import Intake
from hostwatch.lanes import Lane, Round
from hostwatch.pinger import Ask, Manner
from hostwatch.replies import Replies, came_us
from hostwatch.volley import Salvo

SECOND_US = 1_000_000
LEFT_US = 50 * SECOND_US
NOW_US = LEFT_US + 400_000
APART_US = 1_000 * SECOND_US
ADDRESS = b"\x7f\0\0\1"
SLOT_BYTES = 256


def _replies(left: list[int], stamps_us: list[int]) -> Replies:
    lane = Lane(Round(Manner(attempts=1), 7, 1), 4, cast(EchoSocket, "no socket"))
    asks = [Ask(str(place), "127.0.0.1", 0) for place in range(len(left))]
    keys = [bytes([place]) * 20 for place in range(len(left))]
    salvo = Salvo(lane, asks, [ADDRESS] * len(left), keys, left, APART_US)
    expected = [(salvo, ask, ADDRESS, left_us) for ask, left_us in zip(asks, left, strict=True)]
    return Replies(expected, keys, [ADDRESS] * len(left), stamps_us)


@pytest.mark.parametrize(
    ("stamp_after_us", "stepped_us", "rtt_us"),
    [
        (300, 0, 300),  # as nearly always
        (-40, 0, 0),  # a moment before it left: that was shared out among packets sent together
        (-260_000, 0, 400_000),  # long before it left: the stamp cannot be true, it is here now
        (400_001, 0, 400_000),  # after now
        (300, 900_000, 400_000),  # the wall clock stepped since: stamps say nothing
        (300, -900_000, 400_000),
        (300_000, 260_000, 400_000),  # though one that could be true
        (900_300, 900_000, 400_000),  # neither when it was taken in after the step
    ],
)
def test_when_an_answer_came(stamp_after_us: int, stepped_us: int, rtt_us: int) -> None:
    """Beside one of which there is no doubt."""
    now = (NOW_US, NOW_US + APART_US + stepped_us)
    stamps_us = [LEFT_US + APART_US + after_us for after_us in (stamp_after_us, 200 + max(stepped_us, 0))]

    looks, wrong = _replies([LEFT_US, LEFT_US], stamps_us).looks(now)

    assert [look.rtt_us for look in looks] == [rtt_us, 400_000 if stepped_us else 200]
    assert not wrong
    assert all(look.at_us == min(LEFT_US + APART_US, now[1]) for look in looks)
    assert all(look.known_us == now[1] for look in looks)


@pytest.mark.parametrize("seed", range(50))
def test_a_column_of_round_trips_is_that_of_each_by_itself(seed: int) -> None:
    draw = random.Random(seed)
    apart_us = APART_US + draw.choice((0, 0, 100, -100_000, 240_000, 260_000, -SECOND_US))
    now = (NOW_US, NOW_US + apart_us)
    left = [LEFT_US + draw.randrange(1_000) for _ in range(draw.randint(1, 9))]
    spread_us = draw.choice((100, 1_000, 300_000, SECOND_US))
    stamps_us = [left_us + APART_US + draw.randint(-spread_us, spread_us) for left_us in left]

    looks, _ = _replies(left, stamps_us).looks(now)

    pairs = zip(left, stamps_us, strict=True)
    assert [look.rtt_us for look in looks] == [came_us(one, at, now, APART_US) - one for one, at in pairs]


def test_stamps_on_both_sides_of_a_full_second() -> None:
    intake, stamps = Intake(4, raw=False), [(7, 999_999_999), (8, 1_999), (9, 0)]
    for place, stamp in enumerate(stamps):
        struct.pack_into("=qq", intake._slots, place * SLOT_BYTES + 16, *stamp)

    assert intake.stamps_us(2) == [7_999_999, 8_000_001]
    assert intake.stamps_us(3) == [7_999_999, 8_000_001, 9_000_000]
    assert intake.stamps_us(1) == [7_999_999]
