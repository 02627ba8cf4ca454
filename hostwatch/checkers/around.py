"""What all runs of checks have in common here: the clocks, our own resolver, the outbound policy."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from hostwatch.carrier import addresses_4, addresses_6
from hostwatch.checkers.nameservers import SystemServers
from hostwatch.checkers.policy import OutboundPolicy
from hostwatch.checkers.resolver import Resolver
from hostwatch.checks import base
from hostwatch.configuration.checks import Checks


def written_in(settings: Mapping[str, Any]) -> Checks:
    """The section `checks:`, from JSON. Raises `ValueError` for anything else."""
    return Checks.model_validate(dict(settings))


def surroundings(written: Checks) -> base.Surroundings:
    """Those that the section `checks:` asks for."""
    servers = written.resolvers
    return base.Surroundings(
        names=Resolver((lambda: servers) if servers else SystemServers(_monotonic_us), _monotonic_us),
        policy=OutboundPolicy(written, _own_addresses, _monotonic_us),
        monotonic_us=_monotonic_us,
        now_us=lambda: time.time_ns() // 1_000,
    )


def _own_addresses() -> set[str]:
    return {address for _, address in (*addresses_4(), *addresses_6())}


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1_000
