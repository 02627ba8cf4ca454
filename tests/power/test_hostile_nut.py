"""Whoever says that it is upsd and means harm: each reading ends within its time, as a miss that says why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import upswords
from hostwatch.core.reading import Outcome
from hostwatch.power import nut
from hostwatch.power.base import Missed
from tests.checks.hostile import ACTS, Act, Peer, hostile
from tests.checks.test_hostile import LONG, SHORT, fair
from tests.checks.victim import Victim
from tests.power.manners import ANSWERS_OF_UPSD, MANNERS, order


@pytest.mark.parametrize("act", ACTS, ids=str)
async def test_whatever_it_does_when_asked_for_outlets(victim: Victim, act: Act) -> None:
    """It has answered well so far."""

    async def well_at_first(peer: Peer) -> None:
        await peer.say(ANSWERS_OF_UPSD)
        await act.play(peer)

    async with hostile(well_at_first, manners=MANNERS["nut"], turn=1) as port:
        came = await victim.run(order("nut", port, SHORT if act.hangs else LONG))

    found = fair(came, seconds=0.25 if act.hangs else 20)
    assert act.fits(found.why), found.why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b'VAR ups2 ups.status "OL"', "upsd answers another question"),
        (b'VAR ups1 ups.load "OL"', "upsd answers another question"),
        (b"VAR ups1 ups.status OL", "this is no answer of upsd"),
        (b'VAR ups1 ups.status "OL', "this is no answer of upsd"),
        (b'VAR ups1 ups.status "a"b"', "this is no answer of upsd"),
        (b"OK", "this is no answer of upsd"),
        (b"ERR", "upsd refuses"),
        (b"ERR SOMETHING-NEW", "upsd refuses"),
        (b"ERR DATA-STALE", "upsd has not heard from the UPS for too long"),
        (b"ERR DRIVER-NOT-CONNECTED", "the driver of the UPS does not run"),
        (b"ERR VAR-NOT-SUPPORTED and more", "upsd refuses"),
    ],
)
async def test_answers_that_are_none(victim: Victim, answer: bytes, why: str) -> None:
    async def says(peer: Peer) -> None:
        await peer.say(answer + b"\n")

    async with hostile(says, manners=MANNERS["nut"], turn=1) as port:
        found = fair(await victim.run(order("nut", port, LONG)), seconds=20)

    assert (found.outcome, found.why) == (Outcome.MISSED, why)


async def test_a_password_that_is_said_back_is_not_shown(victim: Victim) -> None:
    async def echoes(peer: Peer) -> None:
        await peer.hear(b"\n")
        await peer.say(b"OK\n")
        await peer.say(b"ERR " + await peer.reader.readline())

    written = {"user": "watch", "password": {"env": "HOSTWATCH_TEST_SECRET"}, "unprotected_login": True}
    async with hostile(echoes) as port:
        found = fair(await victim.run(order("nut", port, LONG, **written)), seconds=20)

    assert (found.step, found.why, found.came) == ("login", "upsd refuses", 'ERR PASSWORD "***"')


async def test_an_unknown_state_in_the_middle_spoils_all(victim: Victim) -> None:
    """The driver died between two answers: what came before is not believed either."""

    async def says(peer: Peer) -> None:
        await peer.say(b'VAR ups1 ups.status "OB OFF"\nERR DATA-STALE\n')

    async with hostile(says, manners=MANNERS["nut"], turn=1) as port:
        found = fair(await victim.run(order("nut", port, LONG)), seconds=20)

    assert (found.outcome, found.value) == (Outcome.MISSED, "")


async def test_values_are_taken_as_they_were_meant(victim: Victim) -> None:
    r"""A quotation mark and a backslash come with a backslash before them."""

    async def says(peer: Peer) -> None:
        lines = [f'VAR ups1 {nut.VARIABLES[0]} "OL"', r'VAR ups1 ups.alarm "the \"fan\" \\o/"']
        await peer.say(
            "\n".join(lines + ["ERR VAR-NOT-SUPPORTED"] * (len(nut.VARIABLES) - 2) + [""]).encode()
        )

    async with hostile(says, manners=MANNERS["nut"], turn=1) as port:
        came = await victim.run(order("nut", port, LONG))

    assert came.found.outcome is Outcome.ANSWERED, came.found.why
    assert r"OL: the \"fan\" \\o/" in came.found.value


def test_no_piece_is_longer_than_upsd_takes_at_once() -> None:
    commands = [b"x" * length + b"\n" for length in (1, 399, 1, 398, 10, 500, 3)]
    pieces = [*nut._pieces(commands)]

    assert b"".join(pieces) == b"".join(commands)
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert [len(piece) for piece in pieces] == [2, 400, 2, 399, 11, 501, 4]


QUOTED = st.binary(max_size=60).map(lambda said: b'VAR ups1 ups.status "' + said + b'"')


@given(st.one_of(st.binary(max_size=100), QUOTED, st.binary(max_size=20).map(lambda said: b"ERR " + said)))
def test_any_line_is_a_value_or_none_or_a_miss(line: bytes) -> None:
    try:
        value = nut._value(line, "ups1", "ups.status")
    except Missed:
        return
    assert value is None or upswords.reading({"ups.status": value, "ups.alarm": value}).text
