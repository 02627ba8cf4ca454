"""The call sheet: a call is taken, comes back, and what came of it moves the ladder on.

The verdict falls at 00:15, the duty is due at 00:30; the call is put on the sheet at 00:16.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hostwatch.core import calling, calls, delivery, facts, ladder
from hostwatch.core.calls import Outcome
from hostwatch.core.emergency import AttemptOutcome
from hostwatch.core.proof import Proof
from tests.core.test_acknowledgement import REFERENCE, Two
from tests.core.test_delivery import at, kinds

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "notices.md"
WAYS = ("phone", "mail")


class Desk(Two):
    """One call that waits for a human."""

    def __init__(self, met_by: Proof = Proof.ACCEPTED) -> None:
        super().__init__(met_by=met_by)
        self.put("00:16")

    def put(self, when: str) -> None:
        """The ladder puts a call on the sheet."""
        notice = self.of("duty")
        self.do(delivery.begin(notice, rung=0, channel="person", address="c", way="phone", now=at(when)))
        self.do(
            delivery.end(
                self.world,
                self.of("duty"),
                AttemptOutcome.ATTEMPTED,
                said="s",
                now=at(when),
                proof=Proof.ATTEMPTED,
                receipt=f"{calls.PREFIX}key",
            )
        )

    @property
    def sheet(self) -> list[str]:
        """The calls, and who has them."""
        found = []
        for _, attempt, call in calling.sheet(self.world):
            state = "nobody" if call is None else call.by if call.is_taken else f"came back {call.times}"
            found.append(f"{attempt.number}: {state}")
        return found

    def take(self, when: str, by: str) -> list[facts.Fact]:
        return self.do(calling.take(self.world, self.of("duty").id, 1, by, "me", at(when)))

    def come_back(self, when: str) -> list[facts.Fact]:
        return self.do(calling.come_back(self.world, at(when)))

    def end(self, when: str, outcome: Outcome, *, has_it: bool = False) -> list[facts.Fact]:
        said = facts.CallEnded(
            at=at(when),
            notice=self.of("duty").id,
            number=1,
            outcome=outcome.value,
            to="chen" if outcome is Outcome.SPOKE else "",
            acknowledged=has_it,
            by="li",
            evidence=calls.STATED,
            reference="",
            actor="me",
        )
        return self.do(calling.end(self.world, self.of("duty"), said))

    def step(self, when: str) -> str:
        """What the ladder does next."""
        match ladder.next_step(self.of("duty"), WAYS, ladder.Pace(), at(when)):
            case ladder.Send(rung):
                return WAYS[rung]
            case ladder.Wait(until):
                return f"waits until {until:%H:%M}"
            case _:
                return "gives up"


def table() -> Iterator[tuple[str, ...]]:
    """The rows of the table of outcomes under "The call sheet" in docs/notices.md."""
    text = DOCUMENT.read_text(encoding="utf-8").split("## The call sheet")[1].split("\n## ")[0]
    for line in text.splitlines():
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if line.startswith("| `"):
            yield cells


ROWS = [*table()]


def test_every_outcome_is_in_the_table() -> None:
    assert {row[0].strip("`").partition(",")[0] for row in ROWS} == {outcome.value for outcome in Outcome}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_table_in_the_documents_holds(row: tuple[str, ...]) -> None:
    """What came of it, at 00:18 · what the attempt is then · what it proves · the next step of the ladder"""
    what, attempt, proof, follows = (cell.strip("`") for cell in row[:4])
    name, _, more = what.partition(", ")
    desk = Desk(met_by=Proof.ACKNOWLEDGED)
    desk.end("00:18", Outcome(name), has_it=more == "who has it")

    made = desk.of("duty").attempts[0]
    assert (made.outcome.value, made.proof or "nothing") == (attempt, proof)
    assert (desk.of("duty").state == "acknowledged") is (follows == "nothing more")
    if follows != "nothing more":
        assert desk.step("00:18") == follows


def test_a_call_waits_for_its_outcome_and_its_channel_has_its_time() -> None:
    """00:16 on the sheet · 00:21 the next channel · and the call stays where it is"""
    desk = Desk()
    assert desk.sheet == ["1: nobody"]
    assert desk.stands("duty") == "pending, owed, goes on"
    assert desk.step("00:17") == "waits until 00:21"
    assert desk.step("00:21") == "mail"
    assert not desk.of("duty").perhaps_told, "nobody rang yet, so the mail is no repeat"
    assert desk.sheet == ["1: nobody"]


def test_who_takes_it_has_two_minutes() -> None:
    """00:17 Li takes it · 00:19 it comes back · 00:20 Wu takes it, and speaks to somebody"""
    desk = Desk()
    assert kinds(desk.take("00:17", "li")) == ["CallTaken"]
    assert desk.sheet == ["1: li"]
    assert calling.first_return(desk.world) == at("00:19")
    assert kinds(desk.come_back("00:18:59")) == []
    assert kinds(desk.come_back("00:19")) == ["CallReturned"]
    assert desk.sheet == ["1: came back 1"]
    assert calling.first_return(desk.world) is None
    desk.take("00:20", "wu")
    assert desk.sheet == ["1: wu"]
    happened = kinds(desk.end("00:21", Outcome.SPOKE))
    assert happened == ["CallEnded", "AttemptProved", "NoticeSettled", "DutyMet", "CustomerDutyMet"]
    assert (desk.sheet, desk.world.calls) == ([], {})


def test_who_says_that_they_have_it_has_it() -> None:
    desk = Desk()
    happened = kinds(desk.end("00:18", Outcome.SPOKE, has_it=True))
    assert "Acknowledged" in happened
    (known,) = desk.world.acknowledged[REFERENCE]
    assert (known.contact, known.who, known.how) == ("duty", "chen", "on behalf")


def test_what_came_of_it_counts_also_when_another_channel_was_quicker() -> None:
    """00:16 on the sheet · 00:17 a mail is accepted · 00:18 they answer the call: the better word is taken"""
    desk = Desk()
    desk.try_("00:17", "duty", "accepted")
    assert desk.sheet == [], "nobody need ring any more"
    assert [entry.attempt.number for entry in calling.open_ones(desk.world)] == [1]
    desk.end("00:18", Outcome.SPOKE)
    assert desk.of("duty").state == "answered"
    assert [*calling.open_ones(desk.world)] == []


def test_nobody_rings_who_only_waits_for_a_person_while_another_has_it() -> None:
    desk = Desk(met_by=Proof.ANSWERED)
    for contact in ("duty", "boss"):
        desk.try_("00:17", contact, "accepted")
    assert desk.sheet == ["1: nobody"]
    desk.ack("00:18", "boss")
    assert desk.sheet == []


def test_a_call_is_not_put_there_twice() -> None:
    """Alone on the ladder it stays an hour; then it is put there anew, and the old entry is gone."""
    desk = Desk()
    assert ladder.next_step(desk.of("duty"), ("phone",), ladder.Pace(), at("00:40")) == ladder.Wait(
        at("01:16")
    )
    desk.put("01:16")
    assert desk.sheet == ["2: nobody"]


def test_a_notice_without_a_call_has_none() -> None:
    desk = Two()
    desk.try_("00:16", "duty", "accepted")
    assert [*calls.waiting(desk.of("duty"))] == []
    assert [*calls.waiting(replace(desk.of("duty"), attempts=()))] == []
