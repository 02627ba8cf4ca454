"""The ladder as stories: when each channel is tried, told by what the channels answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hostwatch.core.emergency import Attempt, AttemptOutcome, Notice, NoticeState
from hostwatch.core.ladder import JITTER, GiveUp, Pace, Send, Wait, jitter_of, next_step, refused_by_all

BEGAN = datetime(2026, 1, 5, tzinfo=UTC)
PACE = Pace()
EMPTY = Notice(
    id="n",
    kind="emergency",
    customer="acme",
    contact="duty",
    emergencies=("E-000001",),
    stories=(),
    created_at=BEGAN,
)
FAILED, REFUSED = AttemptOutcome.FAILED, AttemptOutcome.REFUSED
ACCEPTED, INTERRUPTED = AttemptOutcome.ACCEPTED, AttemptOutcome.INTERRUPTED
WAYS = ("mail", "hook", "voice")
Answer = tuple[AttemptOutcome, int | None]
Channels = Callable[[int, int], Answer]
"""What the channel on a rung answers to the n-th try: the outcome, and Retry-After in seconds."""


def told(channels: Channels, rungs: int, until: int, pace: Pace = PACE) -> list[tuple[int, int]]:
    """`(second, rung)` of every try until a second, as an outbox that wakes exactly when it must."""
    notice, now = EMPTY, BEGAN
    tries: list[tuple[int, int]] = []
    while notice.state is NoticeState.PENDING and now <= BEGAN + timedelta(seconds=until):
        match next_step(notice, WAYS[:rungs], pace, now):
            case Send(rung):
                tries.append((round((now - BEGAN).total_seconds()), rung))
                answer = channels(rung, sum(1 for _, r in tries if r == rung))
                notice = tried(notice, WAYS[rung], now, answer)
            case Wait(at):
                assert at > now, "waiting for the past is a busy loop"
                now = at
            case GiveUp():
                notice = replace(notice, state=NoticeState.GIVEN_UP, settled_at=now)
                tries.append((round((now - BEGAN).total_seconds()), -1))
    return tries


def tried(notice: Notice, way: str, now: datetime, answer: Answer) -> Notice:
    outcome, after = answer
    attempt = Attempt(
        number=len(notice.attempts) + 1,
        rung=0,
        channel="email",
        way=way,
        began_at=now,
        ended_at=now,
        outcome=outcome,
        retry_after=None if after is None else timedelta(seconds=after),
    )
    state = NoticeState.ACCEPTED if outcome is ACCEPTED else NoticeState.PENDING
    return replace(notice.with_attempt(attempt), state=state)


def told_in_vain(answers: Channels, rungs: int, until: int) -> list[tuple[int, int]]:
    """The same where the agreement asks for more than *accepted*, and nobody ever proves more."""
    notice, now = EMPTY, BEGAN
    tries: list[tuple[int, int]] = []
    while (now - BEGAN).total_seconds() <= until:
        match next_step(notice, WAYS[:rungs], PACE, now):
            case Send(rung):
                tries.append((round((now - BEGAN).total_seconds()), rung))
                answer = answers(rung, sum(1 for _, r in tries if r == rung))
                notice = replace(tried(notice, WAYS[rung], now, answer), state=NoticeState.PENDING)
            case Wait(at):
                assert at > now, "waiting for the past is a busy loop"
                now = at
    return tries


def always(outcome: AttemptOutcome, after: int | None = None) -> Channels:
    return lambda rung, number: (outcome, after)


def by_rung(*answers: Answer) -> Channels:
    return lambda rung, number: answers[rung]


def on_try(wanted: int, rung_wanted: int = 0) -> Channels:
    return lambda rung, number: (ACCEPTED if (rung, number) == (rung_wanted, wanted) else FAILED, None)


STORIES: dict[str, tuple[Channels, int, int, list[tuple[int, int]]]] = {
    "accepted at once": (always(ACCEPTED), 2, 900, [(0, 0)]),
    "accepted at the third try": (on_try(3), 2, 900, [(0, 0), (15, 0), (45, 0)]),
    "each wait doubles, and after five minutes it is the next channel's turn": (
        on_try(2, 1),
        2,
        900,
        [(0, 0), (15, 0), (45, 0), (105, 0), (225, 0), (300, 1), (315, 1)],
    ),
    "one channel goes on alone, with a longest wait of four minutes": (
        always(FAILED),
        1,
        1200,
        [(0, 0), (15, 0), (45, 0), (105, 0), (225, 0), (465, 0), (705, 0), (945, 0), (1185, 0)],
    ),
    "three channels, then the first again": (
        always(FAILED),
        3,
        1155,
        [(start + wait, rung) for rung, start in enumerate((0, 300, 600)) for wait in (0, 15, 45, 105, 225)]
        + [(1065, 0), (1080, 0), (1110, 0)],
    ),
    "a refusal goes to the next channel at once": (
        by_rung((REFUSED, None), (ACCEPTED, None)),
        2,
        900,
        [(0, 0), (0, 1)],
    ),
    "a refusal after failures goes to the next channel at once": (
        lambda rung, n: (ACCEPTED if rung else REFUSED if n == 2 else FAILED, None),
        2,
        900,
        [(0, 0), (15, 0), (15, 1)],
    ),
    "all channels refuse: all are tried at once in their order, and then ever less often": (
        always(REFUSED),
        3,
        2000,
        [(60 * minute, rung) for minute in (0, 4, 12, 28) for rung in range(3)],
    ),
    "one channel that refuses is tried hourly in the end": (
        always(REFUSED),
        1,
        11000,
        [(60 * minute, 0) for minute in (0, 4, 12, 28, 60, 120, 180)],
    ),
    "a refusal after something else is a first one": (
        lambda rung, n: (FAILED if n == 3 else REFUSED, None),
        1,
        1500,
        [(second, 0) for second in (0, 240, 720, 735, 975, 1455)],
    ),
    "beside one that refuses, another keeps its pace": (
        by_rung((REFUSED, None), (FAILED, None)),
        2,
        235,
        [(0, 0), *((second, 1) for second in (0, 15, 45, 105, 225))],
    ),
    "one that refused has its turn again when it has rested": (
        by_rung((REFUSED, None), (FAILED, None)),
        2,
        1000,
        [
            *((0, 0), (0, 1), (15, 1), (45, 1), (105, 1), (225, 1)),
            *((300, 0), (300, 1), (315, 1), (345, 1), (405, 1), (525, 1), (765, 1)),
        ],
    ),
    "a later channel's patience ends soon after the others': it is still its turn": (
        lambda rung, n: (
            ((REFUSED, None), (FAILED, 305))[rung] if n == 1 else (ACCEPTED if rung else REFUSED, None)
        ),
        2,
        900,
        [(0, 0), (0, 1), (240, 0), (305, 1)],
    ),
    "the other side says when to come back": (
        lambda rung, n: (ACCEPTED, None) if n == 2 else (FAILED, 100),
        2,
        900,
        [(0, 0), (100, 0)],
    ),
    "a short Retry-After makes nothing faster": (always(FAILED, 1), 2, 60, [(0, 0), (15, 0), (45, 0)]),
    "a Retry-After beyond the channel's time: the next channel at once": (
        by_rung((FAILED, 3600), (ACCEPTED, None)),
        2,
        900,
        [(0, 0), (0, 1)],
    ),
    "a Retry-After that ends just with the channel's time: the next channel then": (
        by_rung((FAILED, 300), (ACCEPTED, None)),
        2,
        900,
        [(0, 0), (300, 1)],
    ),
    "one channel with a long Retry-After is left alone until then": (
        always(FAILED, 3600),
        1,
        7300,
        [(0, 0), (3600, 0), (7200, 0)],
    ),
    "a Retry-After is honoured in the next round too, and holds no other channel up": (
        by_rung((FAILED, 1000), (FAILED, None)),
        2,
        1190,
        [
            *((0, 0), (0, 1), (15, 1), (45, 1), (105, 1), (225, 1), (465, 1), (705, 1), (945, 1)),
            *((1185, 0), (1185, 1)),
        ],
    ),
    "a later channel that asked for patience is passed over until then": (
        by_rung((FAILED, None), (FAILED, 5000)),
        2,
        1310,
        [
            *((0, 0), (15, 0), (45, 0), (105, 0), (225, 0), (300, 1)),
            *((540, 0), (555, 0), (585, 0), (645, 0), (765, 0), (1005, 0), (1245, 0)),
        ],
    ),
    "an interrupted attempt is followed like a failed one": (
        lambda rung, n: (INTERRUPTED if n == 1 else ACCEPTED, None),
        2,
        900,
        [(0, 0), (15, 0)],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    channels, rungs, until, expected = STORIES[name]
    assert told(channels, rungs, until) == expected


def test_it_is_given_up_after_a_day() -> None:
    tries = told(always(FAILED), 2, 2 * 86400)
    assert tries[-1] == (86400, -1)
    assert max(later - one for (one, _), (later, _) in pairwise(tries)) <= 300


def test_a_long_retry_after_does_not_put_off_giving_up() -> None:
    assert told(always(FAILED, 3 * 86400), 1, 4 * 86400) == [(0, 0), (86400, -1)]


def test_the_pace_scales_for_a_lab() -> None:
    pace = Pace(
        first_retry=timedelta(milliseconds=15),
        next_channel_after=timedelta(milliseconds=300),
        give_up_after=timedelta(seconds=2),
    )
    notice = tried(EMPTY, "mail", BEGAN, (FAILED, None))
    assert next_step(notice, WAYS, pace, BEGAN) == Wait(BEGAN + timedelta(milliseconds=15))
    assert next_step(notice, WAYS, pace, BEGAN + timedelta(milliseconds=300)) == Send(1)
    assert isinstance(next_step(notice, WAYS, pace, BEGAN + timedelta(seconds=2)), GiveUp)


def test_not_all_whom_a_relay_turned_away_together_come_again_together() -> None:
    """A thousand people: each has waits of their own, always the same, and no channel loses time by them."""
    drawn = [jitter_of("acme", f"p{number}") for number in range(1000)]
    assert drawn == [jitter_of("acme", f"p{number}") for number in range(1000)]
    assert all(0 <= one <= JITTER for one in drawn)
    assert len({int(one / JITTER * 10) for one in drawn}) == 10

    last = {told(always(FAILED), 2, 300, Pace(jitter=one))[4] for one in drawn}
    assert min(last) >= (225, 0)
    assert max(last) <= (248, 0)
    assert len(last) > 20
    assert told(always(FAILED), 2, 300, Pace(jitter=JITTER))[5] == (300, 1)


def test_nothing_overtakes_an_open_attempt() -> None:
    notice = EMPTY.with_attempt(Attempt(number=1, rung=0, channel="email", began_at=BEGAN))
    assert isinstance(next_step(notice, WAYS, PACE, BEGAN + timedelta(hours=1)), Wait)


def test_a_late_waker_skips_nothing() -> None:
    """An outbox that wakes an hour late goes to the next channel, not to the one after it."""
    notice = tried(EMPTY, "mail", BEGAN, (FAILED, None))
    assert next_step(notice, WAYS, PACE, BEGAN + timedelta(hours=1)) == Send(1)


def test_a_notice_that_all_refuse_is_tried_some_27_times_and_given_up_after_a_day() -> None:
    tries = told(always(REFUSED), 1, 2 * 86400)
    assert tries == [
        (0, 0),
        (240, 0),
        (720, 0),
        (1680, 0),
        *((h * 3600, 0) for h in range(1, 24)),
        (86400, -1),
    ]


AFTER = BEGAN + timedelta(seconds=10)
CHANGED: dict[str, tuple[list[tuple[str, Answer]], tuple[str, ...], object]] = {
    "a channel that refused goes to the end: the new first one is tried at once": (
        [("mail", (REFUSED, None))],
        ("hook", "mail"),
        Send(0),
    ),
    "a channel that replaces one that refused is not taken for it": (
        [("mail", (REFUSED, None)), ("hook", (FAILED, None))],
        ("new mail", "hook"),
        Send(0),
    ),
    "one that replaces one that asked for patience is not bound by it": (
        [("mail", (FAILED, 3600))],
        ("new mail",),
        Send(0),
    ),
    "one that replaces the last is tried at once too": (
        [("mail", (REFUSED, None)), ("hook", (FAILED, None))],
        ("mail", "new hook"),
        Send(1),
    ),
    "turned round, each keeps what it said: the one that refused is left alone": (
        [("mail", (REFUSED, None)), ("hook", (FAILED, None))],
        ("hook", "mail"),
        Wait(BEGAN + timedelta(seconds=15)),
    ),
    "turned round, patience that was asked for goes along": (
        [("mail", (FAILED, 200))],
        ("hook", "mail"),
        Send(0),
    ),
    "one that is added behind waits for its turn": (
        [("mail", (FAILED, None))],
        ("mail", "hook"),
        Wait(BEGAN + timedelta(seconds=15)),
    ),
    "the present one is taken away: what is left is tried in order": (
        [("mail", (REFUSED, None)), ("hook", (FAILED, None))],
        ("mail", "voice"),
        Send(1),
    ),
    "only one that refused is left: it is left alone": (
        [("mail", (REFUSED, None)), ("hook", (FAILED, None))],
        ("mail",),
        Wait(BEGAN + timedelta(minutes=4)),
    ),
    "no channel is left": ([("mail", (FAILED, None))], (), GiveUp("the contact has no channel")),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_channel_is_known_by_what_it_is_and_not_by_its_place(name: str) -> None:
    tries, rungs, expected = CHANGED[name]
    notice = EMPTY
    for way, answer in tries:
        notice = tried(notice, way, BEGAN, answer)

    assert next_step(notice, rungs, PACE, AFTER) == expected


def test_an_attempt_that_was_not_sent_says_nothing_of_a_channel() -> None:
    notice = tried(EMPTY, "mail", BEGAN, (AttemptOutcome.UNSENT, None))

    assert next_step(notice, WAYS, PACE, BEGAN) == Send(0)
    assert next_step(tried(notice, "mail", BEGAN, (FAILED, None)), WAYS, PACE, BEGAN) == Wait(
        BEGAN + timedelta(seconds=15)
    )


def test_nobody_can_be_told_when_every_channel_of_the_ladder_refused() -> None:
    once = tried(EMPTY, "mail", BEGAN, (REFUSED, None))
    both = tried(once, "hook", BEGAN, (REFUSED, None))

    assert not refused_by_all(once, ("mail", "hook"))
    assert refused_by_all(both, ("mail", "hook"))
    assert refused_by_all(both, ("hook", "mail"))
    assert not refused_by_all(both, ("mail", "new hook"))
    assert not refused_by_all(tried(both, "mail", BEGAN, (FAILED, None)), ("mail", "hook"))


IN_VAIN: dict[str, tuple[Channels, int, int, list[tuple[int, int]]]] = {
    "one that accepted has five minutes to prove more, then the next is tried": (
        always(ACCEPTED),
        2,
        600,
        [(0, 0), (300, 1), (600, 0)],
    ),
    "one alone tells the same ever less often": (
        always(ACCEPTED),
        1,
        6000,
        [(0, 0), (300, 0), (780, 0), (1740, 0), (3660, 0)],
    ),
    "what came back is followed by the next channel at once": (
        by_rung((AttemptOutcome.RETURNED, None), (ACCEPTED, None)),
        2,
        300,
        [(0, 0), (0, 1), (300, 0), (300, 1)],
    ),
    "a failure before it is tried again as ever": (
        lambda rung, n: (FAILED if n == 1 else ACCEPTED, None),
        2,
        320,
        [(0, 0), (15, 0), (300, 1), (315, 1)],
    ),
}


@pytest.mark.parametrize("name", IN_VAIN)
def test_where_accepted_is_not_enough(name: str) -> None:
    channels, rungs, until, tries = IN_VAIN[name]

    assert told_in_vain(channels, rungs, until) == tries
