"""A visit to an agent, as the kinds make it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from hostwatch.checks import base
from hostwatch.snmp import agent
from hostwatch.snmp.access import Access
from hostwatch.snmp.agent import Agent
from tests.checks.conftest import surroundings


async def visited(
    access: Access,
    talk: Callable[[Agent], Awaitable[object]],
    around: base.Surroundings | None = None,
) -> tuple[base.Finding, object]:
    """What came of one talk with an agent: the finding, and what the talk brought."""
    visit = base.Visit(kind="snmp", address=str(access.address), surroundings=around or surroundings())
    brought: list[object] = []

    async def look() -> None:
        brought.append(await talk(await agent.connect(access, visit)))

    finding = await base.within(access.timeout, look, visit)
    return finding, brought[0] if brought else None
