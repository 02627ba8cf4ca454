"""The examples of kinds can be read, and the pages about them name what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from hostwatch import power
from hostwatch.checkers import services
from hostwatch.checkers.services import Check, Service
from hostwatch.configuration.secret import Places
from hostwatch.power import _modbus

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("kind", power.kinds())
def test_the_example_is_a_configuration(kind: str) -> None:
    module = power.room(kind)
    written = YAML(typ="safe").load(module.EXAMPLE)
    assert [*written] == [kind]
    module.Settings.model_validate(written[kind], context=Places(read_secrets=False))


@pytest.mark.parametrize("kind", power.kinds())
def test_the_checkers_get_what_was_written(kind: str) -> None:
    module = power.room(kind)
    written = YAML(typ="safe").load(module.EXAMPLE)[kind]
    settings = module.Settings.model_validate(written, context=Places(read_secrets=False))
    told = services.defined("a", Service("a", (Check(f"power/{kind}", settings),)))

    assert services.restored(told).checks[0].settings == settings


def test_what_a_device_refuses_is_on_the_page() -> None:
    page = (DOCS / "modbus.md").read_text(encoding="utf-8")
    for number in (1, 2, 11):
        assert _modbus.EXCEPTIONS[number] in page
