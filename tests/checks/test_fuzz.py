"""Thousands of changed answers for each kind: every one ends as a finding that may be shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hostwatch import checks
from hostwatch.checkers import protocol
from hostwatch.checks import base
from hostwatch.checks.base import Finding, Phase, Said, Step
from hostwatch.core.reading import Outcome
from tests.checks.fuzz import fuzz

INPUTS = 1_000

FINDING = Finding(
    kind="http",
    outcome=Outcome.MISSED,
    step=Step.ANSWER,
    why="the server answered 503",
    expected="200-299",
    came="503",
    address="192.0.2.7:80",
    took_us=1_200,
    phases=(Phase(Step.CONNECT, 200), Phase(Step.ANSWER, 1_000)),
    transcript=(Said(0, ">", "GET / HTTP/1.1"), Said(900, "<", "HTTP/1.1 503")),
    notes=("the certificate was not verified",),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=6,
)


@pytest.mark.parametrize("kind", checks.kinds())
def test_no_answer_breaks_a_check(kind: str) -> None:
    found = fuzz(kind, INPUTS, 1)

    print(dict(found))
    assert sum(found.values()) == INPUTS


@given(st.sampled_from(sorted(FINDING.as_data())), JSON)
@example("took_us", float("inf"))
@example("phases", [["connect", float("inf")]])
@example("transcript", [[0, "<", "\x1b[2J"]])
def test_whatever_the_checkers_send_as_a_finding_is_one_or_is_refused(field: str, value: Any) -> None:
    """They talk to strangers all day: the watch does not trust them either."""
    data = json.loads(json.dumps({**FINDING.as_data(), field: value}))
    try:
        found = base.of_data(data)
    except (ValueError, KeyError, TypeError):
        return
    texts = [found.why, found.expected, found.came, *found.notes, *(said.text for said in found.transcript)]
    assert all(text.isprintable() and len(text) <= 300 for text in texts)
    assert isinstance(found.took_us, int)


@given(st.data())
def test_a_message_that_was_changed_is_one_or_is_refused(data: st.DataObject) -> None:
    messages: list[Any] = [
        protocol.Look(orders=(protocol.Order(1, "www", "192.0.2.7", 0, 1_000),)),
        protocol.Withdraw(numbers=(1, 2)),
        protocol.Found(
            number=1,
            outcome=Outcome.MISSED,
            why="http: answer: the server answered 503",
            at_us=1,
            took_us=2,
            checks=(protocol.Seen("http", Outcome.MISSED, 2, json.dumps(FINDING.as_data())),),
        ),
    ]
    body = bytearray(protocol.encoded(data.draw(st.sampled_from(messages)))[4:])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        body = body or bytearray(b"0")
    for read in (protocol.to_checkers, protocol.from_checkers):
        try:
            message = read(bytes(body))
        except protocol.BadMessage:
            continue
        assert read(protocol.encoded(message)[4:]) == message
