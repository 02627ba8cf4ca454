"""Claims that a breach is excused: one person claims, another decides, and the duty stays breached.

```
 00:00 verdict ── 15:00 breach ── chen claims, with evidence ── chen may not approve ── li approves
```
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hostwatch import excuses
from hostwatch.asked import Refused
from hostwatch.channels.base import Failed, Message, Receipt
from hostwatch.core import claims, facts
from hostwatch.core.claims import Claims, Word
from hostwatch.core.customerduty import CustomerDuty
from hostwatch.core.world import Decision
from hostwatch.store.ledger import facts_of
from tests.outbox.office import WITHIN, Office, Scripted, simulate, site

CHEN, LI = "root (uid 0, process 7, login 1000 chen)", "root (uid 0, process 9, login 1001 li)"
FILE = {"sha256": hashlib.sha256(b"typhoon").hexdigest(), "bytes": 7, "name": "typhoon.pdf"}
MAJEURE = {
    "duty": "E-000001",
    "class": "force-majeure",
    "because": "the typhoon cut all telephones",
    "evidence": json.dumps([FILE]),
    "since": "2026-10-05T07:00+00:00",
    "until": "2026-10-05T12:00+00:00",
}
STALE = {
    "duty": "E-000001/acme",
    "class": "stale-contact",
    "because": "they left a year ago",
    "evidence": json.dumps([FILE]),
    "contacts": "duty",
}


async def dead(to: str, message: Message) -> Receipt:
    raise Failed("451 later")


def played(
    tmp_path: Path, story: Callable[[Office], Awaitable[None]], *, minutes: int = 16, **terms: Any
) -> None:
    """A story that begins so many minutes after a verdict of which nobody could be told."""

    async def play(office: Office, side: Scripted) -> None:
        if terms.pop("warned", False):
            await _warn(office)
        (name,) = await office.owe("acme", "duty")
        duty = CustomerDuty(
            emergency="E-000001", customer="acme", due=office.clock.now() + WITHIN, people=(name,)
        )
        await office.engine.do(lambda world, now: Decision(customer_duties=(duty,)))
        await asyncio.sleep(minutes * 60)
        await story(office)
        assert office.ledger.load().claims == office.engine.world.claims

    started = site({"acme": [{"simulated": "old"}]})
    more = {name: value for name, value in terms.items() if name != "warned"}
    started["customers"][0]["terms"] = more
    simulate(tmp_path, started, dead, play)


async def _warn(office: Office) -> None:
    """The customer was told that the way to duty fails."""

    def deed(world: Any, now: Any) -> Decision:
        way = {"way": "w1", "channel": "sms", "address": "a", "kept": "", "reads": True}
        who: dict[str, Any] = {"at": now, "customer": "acme", "contact": "duty"}
        known = facts.ContactWays(**who, ways=(way,))
        failed = facts.WayFailed(**who, way="w1", notice="n", why="returned")
        warned = facts.ContactWarned(**who, way="w1", notice="n2", told="boss")
        return Decision(facts=(known, failed, warned))

    await office.engine.do(deed)


async def refusal(asked: Awaitable[Any]) -> str:
    with pytest.raises(Refused) as why:
        await asked
    return str(why.value)


async def decide(office: Office, who: str, word: str, because: str = "") -> Any:
    request = {"claim": "C-000001", "word": word, "because": because}
    return await excuses.decide(office.engine, who, request)


def test_one_claims_and_another_approves_and_the_duty_stays_breached(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        before = office.engine.world.customer_duties["E-000001.customer.acme"]
        made = await excuses.claim(office.engine, CHEN, MAJEURE)
        assert made == {"claim": "C-000001", "duty": "E-000001.customer.acme", "class": "force-majeure"}
        again = await refusal(excuses.claim(office.engine, LI, MAJEURE))
        assert "C-000001 says so of E-000001.customer.acme, and is claimed" in again

        assert "that may be one person" in await refusal(decide(office, CHEN, "approved"))
        assert (await decide(office, LI, "approved"))["word"] == "approved"
        assert await refusal(decide(office, LI, "rejected", "no")) == "C-000001 is approved already"

        assert office.engine.world.customer_duties["E-000001.customer.acme"] == before
        (claimed,) = [one for one in facts_of(office.db) if isinstance(one, facts.DutyClaimed)]
        assert [(one["sha256"], one["bytes"]) for one in claimed.evidence] == [(FILE["sha256"], 7)]
        assert "typhoon" not in str(claimed), "reasons and names are commitments"

    played(tmp_path, story)


def test_what_was_rejected_can_be_claimed_anew_and_what_was_approved_withdrawn(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        await excuses.claim(office.engine, CHEN, MAJEURE)
        assert "say why" in await refusal(decide(office, LI, "rejected"))
        await decide(office, LI, "rejected", "the mobile network worked")
        made = await excuses.claim(office.engine, LI, MAJEURE)
        assert made["claim"] == "C-000002"
        request = {"claim": "C-000002", "word": "approved"}
        await excuses.decide(office.engine, CHEN, request)
        await excuses.decide(office.engine, LI, {**request, "word": "withdrawn", "because": "an error"})

        known = office.engine.world.claims.of("E-000001.customer.acme")
        assert [one.word for one in known] == [Word.REJECTED, Word.WITHDRAWN]

    played(tmp_path, story)


def test_only_a_customer_who_was_warned_before_the_verdict_has_stale_data(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        said = await refusal(excuses.claim(office.engine, CHEN, STALE))
        assert "nobody had warned the customer that a way to duty fails" in said
        await _warn(office)
        assert "nobody had warned" in await refusal(excuses.claim(office.engine, CHEN, STALE)), "too late"

    played(tmp_path, story)


def test_the_claim_names_the_warning(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        await excuses.claim(office.engine, CHEN, STALE)
        (claim,) = office.engine.world.claims
        (warned,) = claim.fact.warned
        assert (warned["contact"], warned["channel"], warned["notice"]) == ("duty", "sms", "n2")

    played(tmp_path, story, warned=True)


def test_an_agreement_may_do_without_the_warning(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        await excuses.claim(office.engine, CHEN, STALE)

    played(tmp_path, story, stale_needs_warning=False)


def test_what_was_not_breached_needs_no_excuse(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        assert "it was not breached" in await refusal(excuses.claim(office.engine, CHEN, MAJEURE))

    played(tmp_path, story, minutes=14)


WRONG = {
    "a class of ours": ({"class": "bad-luck"}, "excuses nothing; --class is one of: stale-contact"),
    "without a reason": ({"because": ""}, "say why with --because"),
    "without evidence": ({"evidence": "[]"}, "at least one file"),
    "a span that ends before it begins": ({"until": "2026-10-05T06:00+00:00"}, "ends before it begins"),
    "a span that is to come": ({"since": "2027-01-01T00:00+00:00", "until": ""}, "begins after now"),
    "contacts of force majeure": ({"contacts": "duty"}, "--contact belongs to --class stale-contact"),
    "nobody's data": ({**STALE, "contacts": ""}, "say whose data are stale"),
    "the data of somebody else": ({**STALE, "contacts": "boss"}, "boss is none of those by whom"),
    "another customer": ({"duty": "E-000001/zenith"}, "nothing was owed to that customer"),
    "another emergency": ({"duty": "E-000009"}, "there is no emergency E-000009"),
}


def test_what_makes_no_sense_is_refused_in_words(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        for name, (more, why) in WRONG.items():
            said = await refusal(excuses.claim(office.engine, CHEN, {**MAJEURE, **more}))
            assert why in said, name
        all_at_once = await refusal(
            excuses.claim(office.engine, CHEN, {**MAJEURE, "because": "", "evidence": "[]"})
        )
        assert ("--because" in all_at_once, "--evidence" in all_at_once) == (True, True)
        asked = {"claim": "C-000007", "word": "approved"}
        assert "there is no claim C-000007" in await refusal(excuses.decide(office.engine, LI, asked))
        assert not [*office.engine.world.claims]

    played(tmp_path, story)


@pytest.mark.parametrize(
    ("one", "other", "are_two"),
    [
        ("root (uid 0, process 7)", "root (uid 0, process 9)", False),
        ("root (uid 0, process 7)", "chen (uid 1000, process 9)", True),
        (CHEN, LI, True),
        (CHEN, CHEN.replace("process 7", "process 8"), False),
        (CHEN, "watch (uid 998, process 9, login 1000 chen)", False),
        (CHEN, "root (uid 0, process 9)", False),
        (CHEN, "somebody", False),
        ("a (uid 1, process 2) (uid 0, process 7)", "root (uid 0, process 9)", False),
    ],
)
def test_who_is_certainly_another_person(one: str, other: str, *, are_two: bool) -> None:
    """`sudo` makes one user of many: where the kernel knows who logged in, that counts."""
    assert claims.is_another(one, other) is are_two is claims.is_another(other, one)


def test_an_account_of_nothing_has_no_claims() -> None:
    assert (Claims().next_name(), Claims().of("E-000001.customer.acme")) == ("C-000001", ())
