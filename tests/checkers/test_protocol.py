"""The words between the watch and the checkers: what is sent comes back, and nonsense is only refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hostwatch.checkers import protocol
from hostwatch.checkers.protocol import (
    CHECKS_MAX,
    FINDING_CHARS_MAX,
    MESSAGE_BYTES_MAX,
    VERSION,
    Alive,
    Ask,
    BadMessage,
    Begin,
    Complaint,
    Define,
    Forget,
    Found,
    Look,
    Order,
    Ready,
    Seen,
    Told,
    Withdraw,
    Written,
    encoded,
    from_checkers,
    receive,
    to_checkers,
)
from hostwatch.core.reading import Outcome

TO: list[Any] = [
    Begin(folder="/etc/hostwatch", around={"names": ["192.0.2.53"]}),
    Define(key="k", name="www", require="all", checks=(Written(kind="tcp", settings={"port": 80}),)),
    Forget(keys=("k", "l")),
    Look(
        orders=(Order(7, "k", "192.0.2.7", -20, 15_000_000), Order(8, "k", "2001:db8::7", 0, 5)), aloud=True
    ),
    Withdraw(numbers=(7, 8)),
    Ask(),
]
FROM: list[Any] = [
    Ready(kinds=("tcp",)),
    Found(
        number=7,
        outcome=Outcome.MISSED,
        why="tcp: connect: connection refused",
        at_us=1_792_000_000_000_000,
        took_us=250,
        checks=(Seen("tcp", Outcome.MISSED, 250, '{"kind":"tcp"}'),),
    ),
    Told(number=7, check=0, at_us=10, who="<", text="220 hello"),
    Alive(lag_us=0, running=3, waiting=5),
    Complaint(why="a message makes no sense"),
]


def stream(*sent: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(sent))
    reader.feed_eof()
    return reader


@pytest.mark.parametrize("message", TO, ids=lambda message: message.say)
async def test_what_the_watch_says_is_understood(message: Any) -> None:
    assert to_checkers(await receive(stream(encoded(message)))) == message


@pytest.mark.parametrize("message", FROM, ids=lambda message: message.say)
async def test_what_the_checkers_say_is_understood(message: Any) -> None:
    assert from_checkers(await receive(stream(encoded(message)))) == message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b"{",
        b"[" * 100_000,
        b'{"say":"open the doors"}',
        b'{"say":"ask","and":"more"}',
        b'{"say":"look","orders":[[1,"k","192.0.2.7",0]]}',
        b'{"say":"look","orders":[["1","k","192.0.2.7",0,0]]}',
        b'{"say":"look","orders":[[1,"k","192.0.2.7",0,9999999999999999999999]]}',
        b'{"say":"define","key":"","name":"www","require":"all","checks":[{"kind":"tcp","settings":{}}]}',
        b'{"say":"define","key":"k","name":"www","require":"most","checks":[{"kind":"tcp","settings":{}}]}',
        b'{"say":"define","key":"k","name":"www","require":"all","checks":[]}',
    ],
)
def test_nonsense_is_refused(body: bytes) -> None:
    with pytest.raises(BadMessage):
        to_checkers(body)


@given(some.binary(max_size=200))
def test_whatever_comes_is_a_message_or_refused(body: bytes) -> None:
    for read in (to_checkers, from_checkers):
        with pytest.raises(BadMessage):
            read(body)


def test_a_refusal_repeats_nothing_of_what_came() -> None:
    check = '{"kind":"tcp","settings":"hunter2"}'
    told = f'{{"say":"define","key":"k","name":"www","require":"all","checks":[{check}]}}'
    with pytest.raises(BadMessage) as refused:
        to_checkers(told.encode())
    assert "hunter2" not in str(refused.value)
    assert "checks.0.settings" in str(refused.value)


def test_a_definition_that_is_printed_shows_no_settings() -> None:
    define = Define(
        key="k", name="www", require="all", checks=(Written(kind="tcp", settings={"send": "hunter2"}),)
    )
    assert "hunter2" not in f"{define!r} {define}"


async def test_a_long_message_is_passed_over_and_the_next_one_is_read() -> None:
    length = MESSAGE_BYTES_MAX + 1
    reader = stream(length.to_bytes(4, "big"), b"x" * length, encoded(Ask()))
    with pytest.raises(BadMessage, match="4,194,305 bytes"):
        await receive(reader, pass_over=True)
    assert to_checkers(await receive(reader)) == Ask()


async def test_the_end_in_the_middle_of_a_message_is_the_end() -> None:
    for cut in (0, 2, 4, 9):
        with pytest.raises(EOFError):
            await receive(stream(encoded(Ask())[:cut]))
    with pytest.raises(EOFError):
        await receive(stream(b"\xff\xff\xff\xff", b"x" * 100), pass_over=True)


async def test_whoever_cannot_wait_does_not_read_a_long_message() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"\xff\xff\xff\xff")
    with pytest.raises(BadMessage, match="4,294,967,295 bytes"):
        await receive(reader)


@pytest.mark.parametrize("letter", ["x", '"', "\\", "网", "\U0001f600"])
def test_the_longest_findings_of_the_largest_service_fit_into_a_message(letter: str) -> None:
    """Written as JSON twice, a letter has up to four bytes."""
    seen = Seen("http", Outcome.MISSED, 1, letter * FINDING_CHARS_MAX)
    found = Found(number=1, outcome=Outcome.MISSED, why="", at_us=1, took_us=1, checks=(seen,) * CHECKS_MAX)
    assert len(encoded(found)) <= MESSAGE_BYTES_MAX


def test_the_version_is_told_first_by_both() -> None:
    assert (Begin().version, Ready(kinds=()).version, protocol.VERSION) == (VERSION, VERSION, 1)
