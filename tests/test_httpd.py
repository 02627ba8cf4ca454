"""The pages: one rendering serves all who ask while it is made, and large ones go out as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import aiohttp
import pytest

from hostwatch import desk, httpd, metrics
from hostwatch.configuration.fields import Listen
from hostwatch.core.world import World
from tests.well import NOW, WELL


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


LONG = b"probe_success 1\n" * 1_000_000


class Table:
    """A desk that hands out sheets, or says that it has none."""

    def __init__(self) -> None:
        self.broken = False

    def body(self) -> desk.Body:
        if self.broken:
            raise desk.NoSamples("the store is gone")
        sheet = desk.Sheet()
        with open(sheet.fileno(), "wb", closefd=False) as file:
            file.write(LONG)
        return desk.Body(size=len(LONG), sheet=sheet)

    def close(self) -> None:
        pass


async def asked(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.read()


def with_pages(each_device: bool, story: Callable[[int, Table], Awaitable[None]]) -> None:
    """Real pages on loopback, with a desk of ours."""

    async def told() -> None:
        table = Table()
        sources = httpd.Sources(
            examine=lambda: WELL,
            ready=lambda: True,
            take=lambda: metrics.snapshot(World(), metrics.Tally(), WELL, 0.5, NOW),
            desk=table,
            each_device=lambda: each_device,
        )
        pages = httpd.Pages(Listen(ip_address("127.0.0.1"), 0), sources)
        port = await pages.start()
        try:
            await story(port, table)
        finally:
            await pages.close()

    asyncio.run(told())


def test_what_a_process_wrote_goes_out_whole_to_all_who_ask() -> None:
    async def story(port: int, _: Table) -> None:
        answers = await asyncio.gather(*(asked(port, "/metrics/devices") for _ in range(5)))

        assert answers == [(200, LONG)] * 5
        assert await asked(port, "/metrics/devices", "HEAD") == (200, b"")
        assert await asked(port, "/metrics/devices") == (200, LONG)

    with_pages(False, story)


def test_the_figures_come_before_the_samples_of_each_device() -> None:
    async def story(port: int, _: Table) -> None:
        __, figures = await asked(port, "/metrics")

        assert figures.startswith(b"# HELP hostwatch_build_info")
        assert figures.endswith(LONG)

    with_pages(True, story)


def test_without_a_desk_the_figures_come_all_the_same() -> None:
    async def story(port: int, table: Table) -> None:
        table.broken = True

        assert await asked(port, "/metrics/devices") == (503, b"the store is gone\n")
        status, figures = await asked(port, "/metrics")
        assert (status, b"hostwatch_healthy" in figures, LONG in figures) == (200, True, False)

    with_pages(True, story)


def test_a_visitor_who_leaves_in_the_middle_harms_nobody() -> None:
    async def story(port: int, _: Table) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics/devices HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readexactly(1000)
        writer.transport.abort()

        assert await asked(port, "/metrics/devices") == (200, LONG)

    with_pages(False, story)
