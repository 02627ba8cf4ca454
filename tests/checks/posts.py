"""What is pushed to us is listened to, as the checkers do it: for sources of power and for gateways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from hostwatch.checks import _posts


@asynccontextmanager
async def heard_at(addresses: Collection[Any], listen: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """While `listen` runs; entered when all of its addresses are open."""
    task = asyncio.ensure_future(listen)
    try:
        while not all(one in _posts._posts and _posts._posts[one].port for one in addresses):
            assert not task.done(), task.exception()
            await asyncio.sleep(0.01)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not _posts._posts, "nobody listens any more"
