"""What tests of power sources share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.certificates import Papers
from tests.power.upsd import Upsd
from tests.power.upsd import upsd as started


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Certificates of all manners, good and bad."""
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture(scope="module")
def upsd() -> Iterator[Upsd]:
    """A real upsd with a UPS, a strip and a transfer switch. Each test says first what they say."""
    with started("ups1", "strip1", "ats1") as server:
        yield server
