"""A real Redfish server is asked: what it shows of its systems, its login, its certificate, and its end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hostwatch.checks.base import Step
from hostwatch.configuration.secret import Secret
from hostwatch.core.power import Output
from hostwatch.core.reading import Outcome
from hostwatch.power import redfish
from tests.checks.certificates import Papers
from tests.power.sources import look, reading
from tests.power.sushy import PASSWORD, SYSTEMS, Sushy
from tests.power.sushy import sushy as started


@pytest.fixture
def emulator(papers: Papers, tmp_path: Path) -> Iterator[Sushy]:
    redfish.memory.cache_clear()
    with started(papers.self_signed, tmp_path) as one:
        yield one


def asked_of(one: Sushy, papers: Papers, **others: Any) -> dict[str, Any]:
    pinned = hashlib.sha256(papers.self_signed.certificate.public_bytes(Encoding.DER)).hexdigest()
    written = {"address": "127.0.0.1", "port": one.port, "user": "reader", "password": Secret(PASSWORD)}
    return {**written, "fingerprint": pinned, "timeout": "20s", **others}


async def test_systems_and_the_end_of_the_server(emulator: Sushy, papers: Papers) -> None:
    """One system runs, one is off, which says nothing of its feeds. Then the server is killed."""
    written = asked_of(emulator, papers)
    found = await reading("redfish", written)
    assert {point.name: (point.output, point.said) for point in found.points} == {
        f"system {SYSTEMS['On']}": (Output.POWERED, "On"),
        f"system {SYSTEMS['Off']}": (Output.UNKNOWN, "Off"),
    }

    wrong = await look("redfish", asked_of(emulator, papers, password=Secret("wrong-horse")))
    assert (wrong.step, wrong.why) == (Step.LOGIN, "the server does not take the login")
    other = await look("redfish", asked_of(emulator, papers, fingerprint="0" * 64))
    assert (other.step, other.came) == (Step.TLS, written["fingerprint"])
    unpinned = await look("redfish", asked_of(emulator, papers, fingerprint=None))
    assert (unpinned.outcome, unpinned.step) == (Outcome.MISSED, Step.TLS)

    emulator.process.kill()
    emulator.process.wait(10)
    gone = await look("redfish", written)
    assert (gone.outcome, gone.step) == (Outcome.MISSED, Step.CONNECT)
