"""`hostwatch contacts` says who was, is and will be told, from what is on record.

2026-10-01   ann is the only contact
2026-11-01   she and bob take turns of a week, from Monday the 2nd at 09:00 in Shanghai (01:00 in UTC)
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hostwatch import cli
from hostwatch.configuration.load import load
from hostwatch.configuration.population import population_of
from hostwatch.core import enrolment
from hostwatch.store.connection import connect
from hostwatch.store.ledger import Ledger

SITE = """\
site: {name: Test, timezone: Asia/Shanghai}
store: sqlite:///store.db
mail: {from: watch@dc.example, smtp: "smtp://127.0.0.1:25"}
customers:
  - id: acme
    name: Acme
    contacts:
      - {id: ann, name: Ann Lee, channels: [email: ann@acme.example, webhook: "https://acme.example/x"]}
"""
TURNS = """\
      - {id: bob, name: Bob, channels: [{email: bob@acme.example, wait: 2m}, webhook: "https://acme.example/y"],
         quiet: {from: 22:00, until: 06:00, channels: [email]}}
      - {id: cyd, name: Cyd, channels: [email: cyd@acme.example], for: {kinds: [power]}}
    rotations: [{id: nights, people: [ann, bob], from: 2026-11-02, at: 09:00}]
    terms: {told: [nights], quiet_hours: allowed}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "hostwatch.yaml"
    ledger = Ledger(connect(path.parent / "store.db"), "a boot")
    ledger.open()
    world = ledger.load()
    for when, text in (("2026-10-01", SITE), ("2026-11-01", SITE + TURNS)):
        path.write_text(text, encoding="utf-8")
        accepted = enrolment.Accepted(
            population=population_of(load(path).configuration),
            digest=when,
            author="me",
            difference=(),
            content={},
        )
        now = datetime.fromisoformat(when).replace(tzinfo=UTC)
        decision = enrolment.apply(world, accepted, now)
        ledger.commit(decision, now)
        world.apply(decision)
    ledger.close()
    return path


def asked(site: Path, capsys: pytest.CaptureFixture[str], at: str, code: int = 0) -> dict[str, Any]:
    assert cli.main(["contacts", "--config", str(site), "--at", at, "--json"]) == code
    (found,) = json.loads(capsys.readouterr().out)
    told: dict[str, Any] = found
    return told


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-10-15", "ann"),  # what was on record then
        ("2026-11-02T08:59", "cyd"),
        ("2026-11-02T09:00", "ann cyd"),
        ("2026-11-09T09:00+08:00", "bob cyd"),
        ("2027-01-04T09:00", "bob cyd"),  # of the future
    ],
)
def test_who_is_told(site: Path, capsys: pytest.CaptureFixture[str], at: str, told: str) -> None:
    assert " ".join(one["contact"] for one in asked(site, capsys, at)["told"]) == told


def test_by_which_ways_of_what_and_who_is_next(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At midnight email of bob rests: it comes last."""
    found = asked(site, capsys, "2026-11-10")
    bob, cyd = found["told"]

    assert (bob["name"], bob["rotation"], bob["counts"], cyd["counts"]) == ("Bob", "nights", True, False)
    ways = [(one["channel"], one["wait_ms"]) for one in bob["ways"]]
    assert ways == [("webhook", 300_000), ("email", 120_000)]
    assert cyd["of"] == {"devices": [], "services": [], "kinds": ["power"]}
    assert found["not_told"] == [{"contact": "ann", "on_call": True, "deputy": None}]
    assert found["rotations"] == [
        {
            "rotation": "nights",
            "on_call": "bob",
            "since": "2026-11-09T01:00:00.000000Z",
            "until": "2026-11-16T01:00:00.000000Z",
            "next": "ann",
        }
    ]


def test_on_a_terminal(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["contacts", "acme", "--config", str(site), "--at", "2026-11-10T12:00"]) == 0

    said = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.splitlines() if "│" in line]
    assert [row[0] for row in rows if row[0]] == ["bob", "cyd", "ann"]
    assert "nights: bob on call until 2026-11-16 09:00+08:00, then ann" in said


def test_what_makes_no_sense_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["contacts", "globex", "--config", str(site)]) == 2
    assert capsys.readouterr().err == "there is no customer globex on record at that time\n"
    with pytest.raises(SystemExit):
        cli.main(["contacts", "--config", str(site), "--at", "tomorrow"])
    assert "is not a day or an instant" in capsys.readouterr().err


@pytest.mark.parametrize(("right", "held", "code"), [("told", "ann, bob, cyd", 0), ("claims", "nobody", 1)])
def test_who_holds_a_right(
    site: Path, capsys: pytest.CaptureFixture[str], right: str, held: str, code: int
) -> None:
    """Also who is not on call holds it."""
    asked = ["contacts", "acme", "--config", str(site), "--right", right, "--at"]
    assert cli.main([*asked, "2026-11-10T12:00"]) == code
    assert capsys.readouterr().out == f"acme: {right} is held by {held}\n"
    assert cli.main([*asked, "2026-10-15", "--json"]) == code
    (found,) = json.loads(capsys.readouterr().out)["customers"]
    assert found["held_by"] == (["ann"] if right == "told" else [])
