"""The tables on the page of power, and the page of sources, are those that the code makes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hostwatch import power
from hostwatch.configuration import load
from hostwatch.configuration.secret import Places
from hostwatch.core.power import Concern
from tests.power import page

SOURCES = page.SOURCES.read_text(encoding="utf-8")
POWER = page.POWER.read_text(encoding="utf-8")


def test_the_pages_are_what_the_code_says() -> None:
    assert page.power_page(POWER) == POWER, "run scripts/pages, and look at what it changed"
    assert page.sources_page() == SOURCES, "run scripts/pages, and look at what it changed"


@pytest.mark.parametrize("kind", power.kinds())
def test_every_setting_has_a_meaning(kind: str) -> None:
    told = SOURCES.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\|.*\|  \|$", told, re.MULTILINE) == []
    assert "```yaml" in told


@pytest.mark.parametrize("kind", power.kinds())
def test_every_example_can_be_read(kind: str) -> None:
    """Its secrets are not at hand."""
    module = power.room(kind)
    written = YAML(typ="safe").load(module.EXAMPLE)

    assert module.Settings.model_validate(written[kind], context=Places(read_secrets=False)).timeout


def test_every_concern_is_told_of() -> None:
    assert [concern for concern in Concern if f"| {concern} |" not in POWER] == []


def test_the_wiring_on_the_page_is_a_configuration(tmp_path: Path) -> None:
    """Behind the example that comes with hostwatch."""
    (example,) = re.findall(r"^```yaml\n(power:.*?)^```", POWER, re.MULTILINE | re.DOTALL)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pdu").write_text("a community\n", encoding="utf-8")
    (tmp_path / "secrets" / "pdu").chmod(0o600)
    written = tmp_path / "hostwatch.yaml"
    before = (page.DOCS.parent / "config" / "example.yaml").read_text(encoding="utf-8")
    written.write_text(f"{before}\n{example}", encoding="utf-8")

    assert load.load(written).warnings == ()
