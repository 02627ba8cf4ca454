"""`hostwatch duties` tells the clock of each duty from what is on record.

```
 00:15 verdict ── 00:15, 00:16 email fails ── 00:30 breach ── 00:40 sms is taken: told late      acme
 00:15 verdict ── 00:17 email is taken: told in time ── 00:20 it lies in the mailbox             beta
 00:15 verdict ── nothing is tried                                                               cyan
```
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hostwatch import cli, duties
from hostwatch.core import delivery, facts, instant, judge
from hostwatch.core.device import Device
from hostwatch.core.emergency import AttemptOutcome
from hostwatch.core.population import Customer, Population
from hostwatch.core.proof import Proof
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.world import Decision
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger, Personal
from tests.core.test_delivery import Story, at

SITE = """\
site: {name: Test, timezone: Asia/Shanghai}
store: sqlite:///store.db
"""
CUSTOMERS = ("acme", "beta", "cyan")


class Kept(Story):
    """Three customers of whose devices nothing is heard, on record in a file."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(connect(folder / "store.db"), "a boot")
        self.ledger.open()
        super().__init__()
        self.world = self.ledger.load()
        self.population = Population(
            customers={name: Customer(id=name, contacts=("duty",)) for name in CUSTOMERS},
            devices={
                f"{name}-1": Device(id=f"{name}-1", customer=name, address="192.0.2.1") for name in CUSTOMERS
            },
        )
        self.enrol("00:01")
        for when, outcome in (
            ("00:05", Outcome.ANSWERED),
            ("00:10", Outcome.MISSED),
            ("00:15", Outcome.MISSED),
        ):
            looks = [
                Reading(
                    signal=f"{name}-1/ping@main",
                    at=at(when),
                    known_at=at(when),
                    outcome=outcome,
                    why="no answer",
                )
                for name in CUSTOMERS
            ]
            self.do(judge.readings(self.world, None, looks, closes=True, now=at(when)))

    def do(self, decision: Decision) -> list[facts.Fact]:
        now = max((fact.at for fact in decision.facts), default=instant.EPOCH)
        said = Personal(commitment="s", salt=b"salt", value="451 4.7.1 come back later")
        self.ledger.commit(decision, now, [said])
        return super().do(decision)

    def tries(self, when: str, customer: str, channel: str, outcome: AttemptOutcome) -> str:
        """The name of the notice."""
        name = next(one for one in self.world.notices if one.endswith(f".{customer}.duty"))
        began = delivery.begin(
            self.world.notices[name], rung=0, channel=channel, address="c", way=channel, now=at(when)
        )
        self.do(began)
        self.do(delivery.end(self.world, self.world.notices[name], outcome, said="s", now=at(when)))
        return name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site")
    (path / "hostwatch.yaml").write_text(SITE, encoding="utf-8")
    story = Kept(path)
    story.tries("00:15", "acme", "email", AttemptOutcome.FAILED)
    story.tries("00:16", "acme", "email", AttemptOutcome.FAILED)
    told = story.tries("00:17", "beta", "email", AttemptOutcome.ACCEPTED)
    story.do(
        delivery.proved(story.world, story.world.notices[told], 1, Proof.DELIVERED, said="s", now=at("00:20"))
    )
    story.do(delivery.breaches(story.world, at("00:30")))
    story.tries("00:40", "acme", "sms", AttemptOutcome.ACCEPTED)
    story.ledger.close()
    return path


def asked(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    code = cli.main(["duties", "--config", str(folder / "hostwatch.yaml"), *more])
    return code, capsys.readouterr().out


def told(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked(folder, capsys, *more, "--json")[1])
    return found


def customers(found: dict[str, Any]) -> list[str]:
    return sorted(f"{one['customer']} {one['standing']}" for one in found["duties"])


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], ["acme late", "beta met", "cyan breached"]),
        (["beta"], ["beta met"]),
        (["--open"], ["cyan breached"]),
        (["--breached"], ["acme late", "cyan breached"]),
        (["--month", "2026-10"], ["acme late", "beta met", "cyan breached"]),
        (["--month", "2026-11"], []),
        (["acme", "--month", "2026-10", "--open"], []),
    ],
)
def test_which_are_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], shown: list[str]
) -> None:
    assert customers(told(folder, capsys, *words)) == shown


def test_of_one_emergency(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (acme,) = told(folder, capsys, "acme")["duties"]

    assert customers(told(folder, capsys, acme["emergency"])) == ["acme late"]


def test_the_clock_of_a_duty(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(folder, capsys, "beta")
    (beta,) = found["duties"]

    assert (beta["verdict"], beta["met_at"]) == tuple(
        instant.rfc3339(at(when)) for when in ("00:15", "00:17")
    )
    assert beta["left_s"] == 13 * 60
    (duty,) = beta["people"]
    (attempt,) = duty["attempts"]
    assert (attempt["channel"], attempt["outcome"], attempt["proof"]) == ("email", "accepted", "delivered")
    assert [one["what"] for one in attempt["later"]] == ["delivered"]
    assert found["counts"]["breaches"] == 0


def test_the_page_tells_each_attempt_in_words_and_why_it_was_too_late(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    code, page = asked(folder, capsys, "acme")

    lines = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in page.splitlines() if line[:1] == "│"
    ]
    assert code == 1
    assert "to acme (any): late, 10 min over" in page
    assert [line[0][11:19] + " " + " | ".join(line[1:]) for line in lines] == [
        "08:15:00 acme | verdict: the time to tell begins | ",
        "08:15:00 duty | email 1: failed | 451 4.7.1 come back later",
        "08:16:00 duty | email 2: failed | 451 4.7.1 come back later",
        "08:30:00 acme | breach: the time to tell is out | ",
        "08:30:00 duty | breach: the time to tell is out | ",
        "08:40:00 acme | told late | ",
        "08:40:00 duty | told late | ",
        "08:40:00 duty | sms 3: accepted | 451 4.7.1 come back later",
    ]
    assert "because: 2 × email to duty not accepted" in page
    assert "1 duties to customers: 1 late" in page


def test_reasons_in_chinese(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "15 分钟内未曾尝试通知 duty" in asked(folder, capsys, "cyan", "--language", "zh")[1]


def test_all_is_well_where_all_were_told_in_time(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(folder, capsys, "beta")[0] == 0


@pytest.mark.parametrize("which", ["E-999999", "nobody"])
def test_what_the_record_does_not_know(folder: Path, capsys: pytest.CaptureFixture[str], which: str) -> None:
    assert cli.main(["duties", "--config", str(folder / "hostwatch.yaml"), which]) == 2
    assert which in capsys.readouterr().err


@pytest.mark.parametrize(
    ("met", "breached", "now", "stands"),
    [
        ("", "", "00:29", "open"),
        ("", "", "00:31", "breached"),  # the watch does not run, and nobody has recorded it
        ("", "00:30", "00:31", "breached"),
        ("00:30", "", "00:31", "met"),
        ("00:31", "", "00:31", "late"),
        ("00:31", "00:30", "00:31", "late"),
    ],
)
def test_how_it_stands_follows_from_the_dates(met: str, breached: str, now: str, stands: str) -> None:
    def when(text: str) -> datetime | None:
        return at(text) if text else None

    duty = replace(_duty(), met_at=when(met), breached_at=when(breached))

    assert duties.standing(duty, at(now)) == stands


def _duty() -> Any:
    story = Story()
    story.down()
    return story.world.customer_duties["E-000001.customer.acme"]


def test_who_was_released_in_time_was_not_breached_and_later_was() -> None:
    left = replace(_duty(), released_at=at("00:20"))
    late = replace(_duty(), breached_at=at("00:30"), released_at=at("00:40"))

    assert duties.standing(left, at("00:50")) == "released"
    assert duties.standing(late, at("00:50")) == "breached"
