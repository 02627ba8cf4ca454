"""Pushes as they come in service: into the process of the checkers, and by the script on the page."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from hostwatch.checkcounts import CheckCounts
from hostwatch.checkers import services
from hostwatch.checkers.protocol import Alive, Ask, Found, Look, Order, Pushed
from hostwatch.checkers.services import Check, Service
from hostwatch.checks._posts import Push
from hostwatch.core.power import Output, Utility, of_text
from hostwatch.core.reading import Outcome
from hostwatch.power import webhook
from hostwatch.power.webhook import Settings, signature
from tests.checkers.conftest import checkers, hear
from tests.checks.servers import free_port, listens
from tests.power.sources import look, reading
from tests.power.test_webhook import KEY, STATE, Ears, listening, pushed, request, sent, written
from tests.power.upsd import Upsd

PAGE = (Path(__file__).parents[2] / "docs" / "pushes.md").read_text(encoding="utf-8")


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


async def test_what_is_pushed_comes_to_the_watch_at_once() -> None:
    """The checkers are told of the source, and what is pushed to it comes out of them without being asked."""
    port = free_port()
    settings = Settings.model_validate(written(port))
    source = Service("building", (Check("power/webhook", settings),))
    async with checkers() as process:
        process.send(services.defined("b", source))
        is_open = listens(port)
        await asyncio.to_thread(wait_for, is_open)
        body, at = json.dumps(STATE).encode(), str(Decimal(time.time_ns()).scaleb(-9))
        headers = {"X-Hostwatch-Timestamp": at}
        headers["X-Hostwatch-Signature"] = signature(KEY, at, "/building", body)
        answer = await sent(port, request(body, headers=headers))
        assert answer.startswith(b"HTTP/1.1 204 ")
        pushed = await hear(process, Pushed)
        assert (pushed.key, pushed.outcome) == ("b", Outcome.ANSWERED)
        assert of_text(pushed.said).point("").utility is Utility.PRESENT

        process.send(Look(orders=(Order(1, "b", "", 0, 10**6),)))
        found = await hear(process, Found)
        assert (found.outcome, found.said) == (Outcome.ANSWERED, pushed.said)


async def test_what_is_refused_is_counted_where_the_watch_can_see_it() -> None:
    """One is believed, one is signed with another key, one is of a wrong shape, one is no push."""
    port, counts = free_port(), CheckCounts()
    settings = Settings.model_validate(written(port))
    async with checkers() as process:
        process.send(services.defined("b", Service("building", (Check("power/webhook", settings),))))
        await asyncio.to_thread(wait_for, listens(port))
        for state, key in ((STATE, KEY), (STATE, KEY[::-1]), ({}, KEY)):
            await pushed(port, state, key=key)
        await sent(port, b"GET /building HTTP/1.1\r\n\r\n")
        process.send(Ask())
        counts.alive(await hear(process, Alive))
    (figure,) = (
        one
        for one in counts.figures(is_up=True, restarts=0, orders=0)
        if one.name == "hostwatch_pushes_total"
    )
    assert isinstance(figure.value, dict)
    found = {what: many for (what,), many in figure.value.items() if what != "broken off"}
    assert found == {"heard": 1, "not authentic": 1, "of a wrong shape": 1, "no push": 1}


async def test_the_script_of_the_page_pushes_what_a_real_upsd_says(upsd: Upsd, tmp_path: Path) -> None:
    """The UPS goes on battery, and the script is run, as upsmon runs it."""
    script, key, port = tmp_path / "push-ups", tmp_path / "key", free_port()
    found = re.search(r"```sh\n(#!/bin/sh.*?)```", PAGE, re.DOTALL)
    assert found is not None
    script.write_text(found[1])
    script.chmod(0o755)
    key.write_text(KEY + "\n")
    command = [str(script), f"ups1@127.0.0.1:{upsd.port}", f"http://127.0.0.1:{port}", "/ups1", str(key)]
    environment = {**os.environ, "no_proxy": "127.0.0.1", "NOTIFYTYPE": "ONBATT"}
    mine = written(port, "/ups1")
    async with listening(Ears(), ups1=mine):
        for status, utility in (("OL CHRG", Utility.PRESENT), ("OB DISCHRG", Utility.ABSENT)):
            await asyncio.to_thread(upsd["ups1"].say, status)
            ran = await asyncio.to_thread(
                subprocess.run, command, env=environment, capture_output=True, timeout=60, text=True
            )
            assert (ran.returncode, ran.stderr) == (0, "")
            if utility is Utility.ABSENT:
                assert (await look("webhook", mine)).outcome is Outcome.MISSED, (
                    "until the timer says it again"
                )
                await asyncio.to_thread(subprocess.run, command, env=environment, timeout=60, check=True)
            point = (await reading("webhook", mine)).point("")
            assert (point.utility, point.output) == (utility, Output.POWERED)

        ran = await asyncio.to_thread(
            subprocess.run,
            [command[0], "nobody@127.0.0.1:1", *command[2:]],
            env=environment,
            capture_output=True,
        )
        assert ran.returncode, "nothing is pushed of what upsc does not know"


def test_the_example_of_the_page_is_one() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    told = webhook.reading(Push("/", {}, found[1].encode()))

    assert (told.point("").utility, told.point("riser 2").output) == (Utility.ABSENT, Output.UNPOWERED)


@pytest.mark.parametrize("number", [webhook.WINDOW_S, webhook.POINTS_MAX, webhook.BURST_MAX])
def test_the_numbers_of_the_page_are_those_of_the_code(number: int) -> None:
    assert re.search(rf"\b{number}\b", PAGE)
