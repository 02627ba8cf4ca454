"""What is written under `checks:` holds in the process that does them."""

from __future__ import annotations

import asyncio

import pytest

from hostwatch.checkers import around, services
from hostwatch.checkers.protocol import Found, Look, Order
from hostwatch.configuration.checks import Checks, Server
from hostwatch.core.reading import Outcome
from tests.checkers.conftest import checkers, hear, look, service
from tests.checks.conftest import serving


async def _waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("host", "address", "outcome", "why"),
    [
        ("ns.example.test", "127.0.0.1", Outcome.ANSWERED, ""),
        ("gone.example.test", "127.0.0.1", Outcome.MISSED, "there is no name gone.example.test"),
        ("ns.example.test", "127.0.0.2", Outcome.UNKNOWN, "it lies in 127.0.0.0/8 (loopback)"),
        ("www.elsewhere.test", "127.0.0.1", Outcome.UNKNOWN, "REFUSED"),
    ],
)
async def test_names_are_asked_for_and_lead_where_they_may(
    bind: Server, host: str, address: str, outcome: Outcome, why: str
) -> None:
    written = Checks(resolvers=(bind,)).model_dump(mode="json")
    async with serving(_waits) as port, checkers(written) as process:
        found = await look(process, service({"port": port, "host": host}), address=address)
    assert found.outcome is outcome
    assert why in found.why


async def test_no_more_run_at_one_time_than_is_written() -> None:
    """Two devices may be looked at, and each hangs until the third has waited too long."""
    async with serving(_waits) as port, checkers({"at_once": 2}) as process:
        hanging = service({"port": port, "host": "127.0.0.1", "expect": "x", "timeout": "3s"})
        process.send(services.defined("www", hanging))
        orders = [Order(number, "www", f"192.0.2.{number}", 0, 400_000) for number in (1, 2, 3)]
        process.send(Look(orders=tuple(orders)))
        found = await hear(process, Found)
    assert (found.number, found.outcome, found.why) == (3, Outcome.UNKNOWN, "looked too late")


def test_what_is_no_such_section_is_refused() -> None:
    with pytest.raises(ValueError, match="resolvers"):
        around.written_in({"resolvers": ["name.example.test"]})
