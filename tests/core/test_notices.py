"""Notices are found and forgotten at once; the same are held as when all are gone through each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core.emergency import Attempt, AttemptOutcome, Emergency, Notice, NoticeState
from hostwatch.core.notice import Story
from hostwatch.core.world import Decision, World

BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
STORY = Story(
    reference="",
    customer="acme",
    device="web-1",
    address="192.0.2.1",
    interval=timedelta(minutes=5),
    misses=2,
    last_answer=BEGAN,
    first_miss=BEGAN,
    verdict=BEGAN,
    why="no answer",
)


class Plain:
    """The emergencies and notices of a world, all gone through after each decision."""

    def __init__(self) -> None:
        self.emergencies: dict[str, Emergency] = {}
        self.notices: dict[str, Notice] = {}

    def apply(self, decision: Decision) -> None:
        self.emergencies.update((one.reference, one) for one in decision.emergencies)
        self.emergencies = {name: one for name, one in self.emergencies.items() if one.ended_at is None}
        self.notices.update((one.id, one) for one in decision.notices)
        kept = {
            name: one
            for name, one in self.notices.items()
            if one.state is NoticeState.PENDING
            or one.has_open_attempt
            or any(e in self.emergencies for e in one.emergencies)
            or self._is_pending(one.after)
        }
        waited_for = {one.after for one in kept.values()}
        self.notices = {name: one for name, one in self.notices.items() if name in waited_for or name in kept}

    def _is_pending(self, name: str | None) -> bool:
        before = None if name is None else self.notices.get(name)
        return before is not None and before.state is NoticeState.PENDING


def emergency(number: int, *, ended: bool) -> Emergency:
    return Emergency(
        reference=f"E-{number}",
        signal=f"d{number}",
        opened_at=BEGAN,
        story=STORY,
        ended_at=BEGAN if ended else None,
    )


def attempt(*, is_open: bool) -> Attempt:
    found = Attempt(number=1, rung=0, channel="email", began_at=BEGAN)
    return found if is_open else replace(found, ended_at=BEGAN, outcome=AttemptOutcome.FAILED)


NUMBERS = st.integers(0, 4)


@st.composite
def notices(draw: st.DrawFn) -> Notice:
    """Of the beginning or the end of an emergency, or of two at once; in any state."""
    number, ends = draw(NUMBERS), draw(st.booleans())
    return Notice(
        id=f"{number}.{'end' if ends else 'begin'}",
        kind="recovery" if ends else "emergency",
        customer="acme",
        contact="duty",
        emergencies=("E-4", "E-0") if number == 4 else (f"E-{number}",),
        stories=(STORY,),
        created_at=BEGAN,
        after=f"{number}.begin" if ends else None,
        state=draw(st.sampled_from(NoticeState)),
        attempts=draw(st.sampled_from([(), (attempt(is_open=True),), (attempt(is_open=False),)])),
    )


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """What may be committed at once."""
    numbers = draw(st.lists(NUMBERS, max_size=3, unique=True))
    return Decision(
        emergencies=tuple(emergency(number, ended=draw(st.booleans())) for number in numbers),
        notices=tuple(draw(st.lists(notices(), max_size=4, unique_by=lambda one: one.id))),
    )


@given(st.lists(decisions(), max_size=12))
@settings(deadline=None)
def test_the_same_notices_are_held_as_if_all_were_gone_through(history: list[Decision]) -> None:
    world, plain = World(), Plain()
    for decision in history:
        world.apply(decision)
        plain.apply(decision)
        held = plain.notices
        assert world.emergencies == plain.emergencies
        assert world.notices == held
        pending = [one for one in held.values() if one.state is NoticeState.PENDING]
        assert {one.id for one in world.pending()} == {one.id for one in pending}
        assert world.notices.tried == {one.id for one in held.values() if one.has_open_attempt}
        for name in [f"E-{number}" for number in range(5)]:
            told = [one for one in held.values() if name in one.emergencies]
            assert {one.id for one in world.notices.of(name)} == {one.id for one in told}
        for one in pending:
            if one.after is not None:
                assert one in world.notices.behind(one.after)


def test_pending_ones_stand_in_the_order_in_which_they_came() -> None:
    world = World()
    owed = [
        Notice(
            id=name,
            kind="emergency",
            customer="acme",
            contact="duty",
            emergencies=("E-1",),
            stories=(),
            created_at=BEGAN,
        )
        for name in ("z", "b", "a")
    ]
    world.apply(Decision(notices=tuple(owed)))
    world.apply(Decision(notices=(owed[0].with_attempt(attempt(is_open=True)),)))
    assert [one.id for one in world.pending()] == ["z", "b", "a"]
    world.apply(Decision(notices=(replace(owed[1], state=NoticeState.ACCEPTED),)))
    assert [one.id for one in world.pending()] == ["z", "a"]
