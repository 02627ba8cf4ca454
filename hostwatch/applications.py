"""The watch's part that has to do with applications: who has services looked at, and what was found last.

What it needs of the rest it gets: the definitions that are in force, and where the findings are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hostwatch.checkers.services import Service
from hostwatch.clock import Clock
from hostwatch.configuration.load import Loaded
from hostwatch.gauges import Figure
from hostwatch.recall import Recall, path_for
from hostwatch.servicing import DefinitionOf, Servicing


class Applications:
    """The pinger of services and the recall, kept running together."""

    def __init__(self, clock: Clock, store: Path) -> None:
        self._recall = Recall(path_for(store), clock)
        self.pinger = Servicing(clock, self._recall)

    def configure(
        self,
        loaded: Loaded,
        definition_of: DefinitionOf,
        listened: Mapping[str, Service] = MappingProxyType({}),
    ) -> None:
        """What is in force from now on. Where nothing is looked at or listened to, there are no checkers."""
        configuration = loaded.configuration
        customers = configuration.customers
        self.pinger.configure(
            definition_of,
            folder=loaded.folder,
            around=configuration.checks.model_dump(mode="json"),
            listened=listened,
            wanted=bool(configuration.services or configuration.asks_sources or listened)
            or any(one.services or any(device.services for device in one.devices) for one in customers),
        )

    async def run(self) -> None:
        """Keep checkers running, and their findings, for ever. What is fresh is written at the end."""
        parts = [asyncio.create_task(part) for part in (self.pinger.run(), self._recall.run())]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in parts:
                task.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            await self._recall.close()

    async def last(self, _author: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The last findings of a device's checks, for the control socket."""
        device = str(request.get("device", ""))
        return {"device": device, "findings": await self._recall.of(device)}

    def figures(self) -> Iterator[Figure]:
        """What the metrics say of checks."""
        return self.pinger.figures()

    def troubles(self) -> Iterator[str]:
        """What is wrong with the checkers."""
        return self.pinger.troubles()
