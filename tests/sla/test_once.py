"""One event in two promises: the network's raw and contractual figures, from words and pings to the month.

Rounds of ten seconds; of the device `A` an answer, `M` a miss, `?` unknown; of its UPS `P` power, `D` dead.
"""

from __future__ import annotations

import csv
import json
import random
from datetime import timedelta

import pytest

from hostwatch import reports
from hostwatch.core.terms import AgreementTerms
from hostwatch.sla.account import Account
from hostwatch.sla.once import Once
from tests.sla.teller import LETTERS as LOOKS
from tests.sla.teller import Teller, device
from tests.sla.test_power import HOUSE, LETTERS, at, report, row

POWER = AgreementTerms(interval=timedelta(seconds=10), one_event="power")
BOTH = AgreementTerms(interval=timedelta(seconds=10))


def say(told: Teller, pings: str, power: str, first: int = 0) -> None:
    for number, (ping, word) in enumerate(zip(pings, power, strict=True), first):
        told.say("a", at(number), LETTERS[word])
        told.say("b", at(number) + timedelta(milliseconds=1), LETTERS["P"])
        told.read("web", at(number) + timedelta(milliseconds=2), LOOKS[ping])


def story(pings: str, power: str, terms: AgreementTerms = POWER) -> Teller:
    told = Teller(terms=terms)
    told.populate(at(0), device("web", supply="ups-a"), **HOUSE)
    say(told, pings, power)
    return told


def figures(account: Account) -> tuple[int, ...]:
    """Up, down, unknown and excluded, and down at least and at most, in seconds."""
    sums = account
    return sums.up_s, sums.down_s, sums.unknown_s, sums.excluded_s, sums.down_s_least, sums.down_s_most


PICTURES = """
AAMMMA PPDDDP   30  0  0 30  0 20   silent for want of power: none of it counts; by the bounds a little may
AMMMMA PPDDPP   20 20  0 20  0 40   power came back sooner: what the device took to start counts
AMMMMA PPPPPP   20 40  0  0 30 50   it had power
AMMMMA P????P   20 40  0  0 30 50   nobody knows of its power: all of it counts
AMMMMA PD??PP   20 30  0 10 20 50   lost, and not heard again: only what is known is taken out
A??MMA PDDDDP   20  0 20 20  0 40   unknown stays unknown
AAAAAA PDDDDP   60  0  0  0  0  0   it answered on a battery of its own: nothing to take out
"""


@pytest.mark.parametrize("line", PICTURES.strip().splitlines(), ids=lambda line: line[35:])
def test_picture(line: str) -> None:
    pings, power, *numbers = line[:35].split()

    mine = row(story(pings, power), len(pings))

    assert figures(mine.once.account) == tuple(int(number) for number in numbers), mine.once
    assert mine.once.term == "power"
    assert mine.account.excluded_s == 0, "the raw figure stays"
    assert mine.account.down_s == mine.once.account.down_s + mine.once.account.excluded_s
    assert mine.once.both_down_s == sum(one.seconds.total for one in mine.once.together)


@pytest.mark.parametrize("line", PICTURES.strip().splitlines(), ids=lambda line: line[35:])
def test_without_the_term_both_promises_count_it_and_say_so(line: str) -> None:
    pings, power, *_ = line[:35].split()

    mine = row(story(pings, power, BOTH), len(pings))

    assert (mine.once.term, mine.once.account, mine.once.backbone) == ("both", mine.account, mine.backbone)
    assert mine.once.both_down_s == row(story(pings, power), len(pings)).once.both_down_s
    assert {one.once_s for one in mine.once.together} <= {0}


def test_each_silence_says_which_seconds_which_supply_and_which_emergency() -> None:
    mine = row(story("AMMMMAAMAA", "PPDDPPPPPP"), 10)

    (only,) = mine.once.together
    assert only.silence == mine.silences[0].silence
    assert (only.supply, only.seconds.total, only.once_s) == ("ups-a", 20, 20)
    assert only.references == tuple(one.reference for one in mine.power.emergencies) != ()


@pytest.mark.parametrize(
    ("before", "after", "excluded_s"), [(BOTH, POWER, 31), (POWER, BOTH, 39), (POWER, POWER, 70)]
)
def test_an_agreement_that_is_changed_in_the_middle(
    before: AgreementTerms, after: AgreementTerms, excluded_s: int
) -> None:
    """Half a second before the sixth round: the account has whole seconds."""
    told = story("AMMMM", "PDDDD", before)
    told.terms = after
    told.populate(at(5) - timedelta(milliseconds=500), device("web", supply="ups-a"), **HOUSE)
    say(told, "MMMA", "DDDP", first=5)

    mine = row(told, 9)

    assert mine.once.term == ("power" if before == after else "changed")
    assert (mine.account.down_s, mine.once.account.down_s) == (70, 70 - excluded_s)
    assert mine.once.account.excluded_s == excluded_s


def test_what_is_taken_out_counts_in_the_account_of_power() -> None:
    """Over many random pictures; and a witness of the power who is not heard never takes out more."""
    rng = random.Random(36)
    for _ in range(60):
        pings = "A" + "".join(rng.choices("AM?", (2, 4, 1), k=7))
        power = "P" + "".join(rng.choices("PD?", (2, 4, 1), k=7))
        place = rng.randrange(1, 8)
        mine, less = (
            row(story(pings, words), 8) for words in (power, f"{power[:place]}?{power[place + 1 :]}")
        )
        told = f"{pings} {power} {place}"
        assert mine.once.account.excluded_s <= mine.power.account.down_s, told
        assert mine.once.both_down_s == mine.once.account.excluded_s, told
        assert mine.once.account.up_s == mine.account.up_s, told
        assert mine.once.account.unknown_s == mine.account.unknown_s, told
        assert mine.once.backbone.excluded_s <= mine.backbone.down_s, told
        if power[place] != "P":  # else the interruption may seem longer: no reading ends it
            assert less.once.account.excluded_s <= mine.once.account.excluded_s, told


def rendered(name: str, told: Teller) -> str:
    return reports.render(name, report(told, 6)).decode()


def test_all_formats_show_both_figures() -> None:
    told = story("AMMMMA", "PPDDPP")
    once: Once = row(told, 6).once

    (line,) = csv.DictReader(rendered("csv", told).splitlines())
    shown = (line["one_event"], line["down_s"], line["contractual_down_s"], line["contractual_excluded_s"])
    assert shown == ("power", "40", "20", "20")
    assert (line["availability_percent"], line["contractual_availability_percent"]) == ("33.3333", "66.6666")
    (device,) = json.loads(rendered("json", told))["devices"]
    mine = device["one_event"]
    assert (mine["term"], mine["both_down_s"], mine["contractual"]["down_s"]) == ("power", 20, 20)
    (one,) = mine["together"]
    assert (one["supply"], one["seconds"], one["not_counted_s"]) == ("ups-a", 20, 20)
    assert one["emergency_references"] == [*once.together[0].references]
    assert [{*span} for span in one["spans"]] == [{"from", "until"}]
    text = rendered("text", told)
    assert "Network without what counts in power alone, as the agreement says" in text
    assert "power of ups-a interrupted, " in text
    assert "20 s, E-000001; not counted: 20 s" in text
    plain = rendered("text", story("AMMMMA", "PPDDPP", BOTH))
    assert "power of ups-a interrupted, " in plain
    assert "not counted" not in plain
    assert "Network without" not in plain
