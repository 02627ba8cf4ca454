"""Where a path breaks, as a table: what came of each hop, and what is made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hostwatch.core import facts, path
from hostwatch.core.path import Ending, Hop, Path
from hostwatch.core.reading import Outcome

TARGET = "192.0.2.10"
START = datetime(2026, 10, 1, tzinfo=UTC)


def hops(picture: str) -> list[Hop]:
    """A word for each hop: a letter is a router that gave it up, `!x` is x that refused it, `!` our kernel.

    `.` is nobody, `?` our own failure, `=` the target, `!=` the target that refused.
    """
    return [_hop(number, word) for number, word in enumerate(picture.split(), 1)]


def _hop(number: int, word: str) -> Hop:
    match word:
        case ".":
            return Hop(number, Outcome.MISSED)
        case "?":
            return Hop(number, Outcome.UNKNOWN, "no permission")
        case "=":
            return Hop(number, Outcome.ANSWERED, rtt_us=100)
        case "!":
            return Hop(number, Outcome.MISSED, "host unreachable")
        case "!=":
            return Hop(number, Outcome.MISSED, "prohibited", TARGET)
        case refused if refused.startswith("!"):
            return Hop(number, Outcome.MISSED, "prohibited", refused[1:])
    return Hop(number, Outcome.MISSED, "time exceeded", word, 100)


TABLE = [
    ("=", Ending.REACHED, 1, TARGET, "The path is whole: 192.0.2.10 answers at hop 1."),
    ("a b = = =", Ending.REACHED, 3, TARGET, "The path is whole: 192.0.2.10 answers at hop 3."),
    ("a . =", Ending.REACHED, 3, TARGET, "The path is whole: 192.0.2.10 answers at hop 3."),
    ("a ? =", Ending.REACHED, 3, TARGET, "The path is whole: 192.0.2.10 answers at hop 3."),
    ("a !b =", Ending.REACHED, 3, TARGET, "The path is whole: 192.0.2.10 answers at hop 3."),
    ("a b . .", Ending.BROKEN, 2, "b", "The path breaks after hop 2, b: nobody answers beyond."),
    ("a . c . .", Ending.BROKEN, 3, "c", "The path breaks after hop 3, c: nobody answers beyond."),
    ("a ? c . .", Ending.BROKEN, 3, "c", "The path breaks after hop 3, c: nobody answers beyond."),
    ("a b !b !b", Ending.REFUSED, 3, "b", "The path breaks at hop 3, b, which says: prohibited."),
    ("a ? !b", Ending.REFUSED, 3, "b", "The path breaks at hop 3, b, which says: prohibited."),
    ("! ! !", Ending.REFUSED, 1, "", "Our own kernel says of 192.0.2.10: host unreachable."),
    (
        "a !=",
        Ending.REFUSED,
        2,
        TARGET,
        "The path is whole, but 192.0.2.10 itself says at hop 2: prohibited.",
    ),
    ("a b a b", Ending.LOOP, 4, "b", "The path goes round in a loop: hop 4, b, has been passed before."),
    ("a a a .", Ending.LOOP, 3, "a", "The path goes round in a loop: hop 3, a, has been passed before."),
    ("a b . b .", Ending.LOOP, 4, "b", "The path goes round in a loop: hop 4, b, has been passed before."),
    ("a b b . .", Ending.BROKEN, 3, "b", "The path breaks after hop 3, b: nobody answers beyond."),
    ("a b c", Ending.LONG, 3, "c", "The path goes on beyond hop 3, c, the last that was looked at."),
    (". . .", Ending.NOBODY, 0, "", "Nobody answers on the path, not even a first router."),
    ("? ? ?", Ending.UNKNOWN, 0, "", "We could not look: no permission."),
    (". ? .", Ending.UNKNOWN, 0, "", "We could not look: no permission."),
    ("a b ? .", Ending.UNKNOWN, 2, "", "We could not look: no permission."),
]


@pytest.mark.parametrize(("picture", "ending", "hop", "router", "sentence"), TABLE)
def test_where_a_path_breaks(picture: str, ending: Ending, hop: int, router: str, sentence: str) -> None:
    found = path.read(TARGET, hops(picture))

    assert (found.ending, found.hop, found.router, found.sentence) == (ending, hop, router, sentence)


def test_every_ending_is_in_the_table() -> None:
    assert {ending for _, ending, *_ in TABLE} == set(Ending)


@pytest.mark.parametrize(
    ("picture", "routers"),
    [
        ("a . c . .", ("a", "", "c")),
        ("a b = =", ("a", "b", TARGET)),
        (". .", ()),
        ("! !", ()),
        ("a ! !", ("a",)),
    ],
)
def test_who_answered_at_each_hop_is_kept_up_to_the_last(picture: str, routers: tuple[str, ...]) -> None:
    assert path.read(TARGET, hops(picture)).routers == routers


@pytest.mark.parametrize("picture", [row[0] for row in TABLE if row[1] is not Ending.UNKNOWN])
def test_the_record_says_the_same(picture: str) -> None:
    found = path.read(TARGET, hops(picture))
    (fact,) = path.seen(found, "web/ping@main", "192.0.2.0/24", START).facts

    assert isinstance(fact, facts.PathSeen)
    assert (fact.at, fact.signal, fact.network) == (START, "web/ping@main", "192.0.2.0/24")
    assert path.told(fact, TARGET) == found.sentence


def test_what_is_recorded_changes_nothing_but_the_record() -> None:
    decision = path.seen(Path(target=TARGET, hops=(), ending=Ending.NOBODY), "s", "n", START)

    assert replace(decision, facts=()) == type(decision)()
