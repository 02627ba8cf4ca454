"""One reading of a source, as the checkers make it."""

from __future__ import annotations

from typing import Any

from hostwatch import power
from hostwatch.checks.base import Finding, Visit
from hostwatch.core.power import PowerReading, of_text
from hostwatch.core.reading import Outcome
from hostwatch.power import base
from tests.checks.conftest import surroundings


async def look(kind: str, written: dict[str, Any]) -> Finding:
    """What one look at a source found, as it stands in a configuration."""
    module = power.room(kind)
    visit = Visit(kind=f"power/{kind}", address="127.0.0.1", surroundings=surroundings())
    return await base.run(module, module.Settings.model_validate(written), visit)


async def reading(kind: str, written: dict[str, Any]) -> PowerReading:
    """What a source said. It must answer."""
    finding = await look(kind, written)
    assert finding.outcome is Outcome.ANSWERED, finding.sentence
    return of_text(finding.value)
