"""What all tests share: their order, in which what takes longest is begun first; and a process to be hurt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.checks.victim import Victim

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
"""How long an example takes is a matter of the machine, and no test is of that."""


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    """A process of its own that does what hostile servers are to hurt."""
    one = Victim()
    yield one
    one.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No worker is to be alone with minutes of work when the others have done theirs."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
