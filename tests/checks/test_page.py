"""The page of the checks is the one that the code makes, and each example on it is a check."""

from __future__ import annotations

import re

import pytest

from hostwatch import checks
from hostwatch.checks.base import Step
from hostwatch.configuration.secret import Places
from tests.checks import page
from tests.checks.aiming import aimed

PAGE = page.PLACE.read_text(encoding="utf-8")


def test_the_page_is_what_the_code_says() -> None:
    assert page.page() == PAGE, "run scripts/pages, and look at what it changed"


@pytest.mark.parametrize("kind", checks.kinds())
def test_every_setting_has_a_meaning(kind: str) -> None:
    told = PAGE.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\|.*\|  \|$", told, re.MULTILINE) == []
    assert "```yaml" in told


def test_every_step_is_told_of() -> None:
    assert list(page.STEPS) == list(Step)


@pytest.mark.parametrize("kind", checks.kinds())
def test_every_example_is_a_check(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its secrets are not at hand."""
    settings = checks.room(kind).Settings.model_validate(
        aimed(kind, 4_242), context=Places(read_secrets=False)
    )
    assert settings.timeout
