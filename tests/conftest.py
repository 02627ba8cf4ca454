"""The order of all tests: what takes longest is begun first."""

from __future__ import annotations

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No worker is to be alone with minutes of work when the others have done theirs."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
