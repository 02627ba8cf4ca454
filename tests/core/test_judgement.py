"""The tables of `docs/judgement.md`, run as they stand there, each case through judge and ledger."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from hostwatch.core.instant import second
from hostwatch.core.timeline import Span
from hostwatch.sla import account as books
from hostwatch.sla import history
from tests.core.pictures import BEGINNING, PAGE, Account, Case, Stage, account, cases, instant

CASES = cases(PAGE.read_text(encoding="utf-8"))


def test_the_page_has_tables_for_every_rule_that_makes_seconds() -> None:
    headings = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("## J")]
    rules = [heading[3:].partition(":")[0] for heading in headings]
    assert rules == ["J1", "J2", "J3", "J4", "J5", "J7", "J7", "J8", "J10", "J10"]
    assert len(CASES) > 50
    assert len({case.picture for case in CASES}) == len(CASES), "a picture stands twice"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.picture}: {case.name}")
def test_picture(case: Case, tmp_path: Path) -> None:
    stage = Stage(tmp_path / "hostwatch.db")
    stage.play(case.picture)
    found = account(stage.facts, stage.end)
    expected = Account(**{field.name: getattr(case, field.name) for field in fields(Account)})
    assert found == expected
    assert int(found.up) + int(found.down.split(" / ")[1]) + int(found.unknown) == stage.end


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.picture}: {case.name}")
def test_the_report_accounts_for_the_same_seconds(case: Case, tmp_path: Path) -> None:
    """What is reported to customers comes from the same facts by another way, and must agree."""
    stage = Stage(tmp_path / "hostwatch.db")
    stage.play(case.picture)
    told = history.fold(stage.recorded, stage.world.signals, stage.world.blind, instant(stage.end))
    period = Span(second(BEGINNING), second(instant(stage.end)))
    (device,) = told.devices
    found = books.account(period, device)
    inner, point, outer = map(int, case.down.split(" / "))
    unknown = int(case.unknown)
    assert found == books.Account(
        period_s=stage.end,
        up_s=int(case.up),
        down_s=point,
        unknown_s=unknown,
        down_s_least=inner,
        down_s_most=outer + unknown,
    )
