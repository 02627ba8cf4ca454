"""One rendering serves all who ask while it is made, and for a while after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hostwatch import httpd


class Renderer:
    """Renders as soon as it may, and counts."""

    def __init__(self) -> None:
        self.made = 0
        self.may = asyncio.Event()
        self.fails = False

    async def make(self) -> int:
        self.made += 1
        number = self.made
        await self.may.wait()
        if self.fails:
            raise RuntimeError("broken")
        return number


def with_time(
    story: Callable[[httpd.Shared[int], Renderer, Callable[[float], None]], Awaitable[None]],
) -> None:
    """Tell a story on a loop whose clock is set by hand."""

    async def told() -> None:
        loop = asyncio.get_running_loop()
        now = [loop.time()]
        loop.time = lambda: now[0]  # type: ignore[method-assign]
        renderer = Renderer()

        def wait(seconds: float) -> None:
            now[0] += seconds

        await story(httpd.Shared(renderer.make), renderer, wait)

    asyncio.run(told())


def test_all_who_ask_at_once_get_the_same() -> None:
    async def story(shared: httpd.Shared[int], renderer: Renderer, wait: Callable[[float], None]) -> None:
        asking = [asyncio.create_task(shared.get()) for _ in range(50)]
        await asyncio.sleep(0)
        renderer.may.set()

        assert await asyncio.gather(*asking) == [1] * 50

    with_time(story)


def test_it_is_made_again_when_it_is_old() -> None:
    async def story(shared: httpd.Shared[int], renderer: Renderer, wait: Callable[[float], None]) -> None:
        renderer.may.set()
        assert await shared.get() == 1
        wait(httpd.FRESH_S * 0.9)
        assert await shared.get() == 1
        wait(httpd.FRESH_S * 0.2)
        assert await shared.get() == 2

    with_time(story)


def test_what_took_long_is_kept_longer() -> None:
    async def story(shared: httpd.Shared[int], renderer: Renderer, wait: Callable[[float], None]) -> None:
        asking = asyncio.create_task(shared.get())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        wait(3.0)
        renderer.may.set()
        assert await asking == 1
        wait(httpd.SHARE * 3.0 * 0.9)
        assert await shared.get() == 1
        wait(httpd.SHARE * 3.0 * 0.2)
        assert await shared.get() == 2

    with_time(story)


def test_who_goes_away_leaves_it_to_the_others() -> None:
    async def story(shared: httpd.Shared[int], renderer: Renderer, wait: Callable[[float], None]) -> None:
        first, second = asyncio.create_task(shared.get()), asyncio.create_task(shared.get())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        renderer.may.set()

        assert await second == 1

    with_time(story)


def test_a_failure_is_everybodys_and_tried_again() -> None:
    async def story(shared: httpd.Shared[int], renderer: Renderer, wait: Callable[[float], None]) -> None:
        renderer.fails = True
        renderer.may.set()
        with pytest.raises(RuntimeError):
            await shared.get()
        renderer.fails = False
        wait(httpd.FRESH_S * 1.1)

        assert await shared.get() == 2

    with_time(story)
