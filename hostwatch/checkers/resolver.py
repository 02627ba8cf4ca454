"""Our own resolver: names become addresses on the event loop, and what that means is never mixed up.

A name that does not exist, or has no address of the family that is asked for, is a miss that says so. Servers
that do not answer, or fail, are our own fault: UNKNOWN, for everyone at once if it is the resolver that is
dead, and for that name alone if it is not. The file of this machine's own names (`/etc/hosts`) is not read,
names are not completed by search lists, and there is no fallback from one family to the other.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Final, NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from hostwatch.checkers.asking import PATIENCE_S, Unanswered, ask
from hostwatch.checks import base
from hostwatch.configuration.checks import Server

TTL_MIN_US: Final = 1_000_000
"""An address is believed at least so long, also if its owner says less."""

TTL_MAX_US: Final = 3_600_000_000
NEGATIVE_MAX_US: Final = 30_000_000
"""That a name does not exist is believed so long at most: it may have been mended."""

FAULT_US: Final = 5_000_000
"""How long a failure is remembered, so that ten thousand checks do not each wait for it."""

CACHE_MAX: Final = 20_000
"""Names that are remembered; the one longest unused goes first."""

ADDRESSES_MAX: Final = 16
"""Addresses of one name that are kept, the lowest first, so that each run goes to the same one."""

QUESTIONS_MAX: Final = 128
"""Questions on their way at one time; each has a socket."""

_NAME: Final = re.compile(rb"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?")
_NUMBER: Final = re.compile(rb"[0-9]+|0[xX][0-9A-Fa-f]*")
_FAMILIES: Final = {4: dns.rdatatype.A, 6: dns.rdatatype.AAAA}
_LACKS: Final = {4: "{name} has no IPv4 address", 6: "{name} has no IPv6 address"}


class Asked(NamedTuple):
    """What is looked up."""

    name: dns.name.Name
    family: int


@dataclass(frozen=True, slots=True)
class Known:
    """What came of it: addresses, or why there are none."""

    addresses: tuple[str, ...] = ()
    missed: Callable[[], base.Missed] | None = None
    fault: str = ""
    for_us: int = 0
    """How long that is believed."""


class Resolver:
    """`checks._visit.Names`. To be closed when it is no longer needed."""

    def __init__(
        self,
        servers: Callable[[], tuple[Server, ...]],
        monotonic_us: Callable[[], int],
        patience_s: Sequence[float] = PATIENCE_S,
    ) -> None:
        """`servers` tells whom to ask, and is asked each time."""
        self._servers = servers
        self._monotonic_us = monotonic_us
        self._patience_s = tuple(patience_s)
        self._known: OrderedDict[Asked, tuple[int, Known]] = OrderedDict()
        self._asking: dict[Asked, asyncio.Task[Known]] = {}
        self._trial: asyncio.Task[str] | None = None
        self._room = asyncio.Semaphore(QUESTIONS_MAX)
        self._dead = ""
        self._dead_until_us = 0

    async def addresses(self, name: str, family: int) -> tuple[str, ...]:
        """The addresses of one family (4, 6) that a name has; at least one.

        Raises `Missed` if there is no such name, or it has none of them; `Fault` if no resolver answers.
        """
        asked = Asked(canonical(name), family)
        known = self._remembered(asked)
        if known is None:
            task = self._asking.get(asked)
            if task is None:
                task = asyncio.create_task(self._look_up(asked))
                self._asking[asked] = task
                task.add_done_callback(lambda _: self._asking.pop(asked, None))
            known = await asyncio.shield(task)  # whoever asked first may go: others wait for the same answer
        if known.fault:
            raise base.Fault(known.fault)
        if known.missed is not None:
            raise known.missed()
        return known.addresses

    async def close(self) -> None:
        """End all questions."""
        tasks = [*self._asking.values(), *([self._trial] if self._trial else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _remembered(self, asked: Asked) -> Known | None:
        until_us, known = self._known.get(asked, (0, None))
        if known is None or self._monotonic_us() >= until_us:
            return None
        self._known.move_to_end(asked)
        return known

    def _remember(self, asked: Asked, known: Known) -> None:
        self._known[asked] = (self._monotonic_us() + known.for_us, known)
        self._known.move_to_end(asked)
        while len(self._known) > CACHE_MAX:
            self._known.popitem(last=False)

    async def _look_up(self, asked: Asked) -> Known:
        async with self._room:
            servers = self._servers()
            if not servers:
                return Known(fault="no resolver is known here: checks.resolvers and resolv.conf name none")
            if dead := await self._is_dead(servers, asked):
                return Known(fault=dead)
            try:
                answer = await ask(servers, asked.name, _FAMILIES[asked.family], self._patience_s)
                known = _read(asked, answer)
            except Unanswered as failed:
                known = await self._unanswered(asked, servers, failed)
        if known.for_us:
            self._remember(asked, known)
        return known

    async def _unanswered(self, asked: Asked, servers: tuple[Server, ...], failed: Unanswered) -> Known:
        fault = f"{asked.name.to_text(omit_final_dot=True)} could not be looked up ({failed})"
        if failed.own:
            return Known(fault=fault)
        if not failed.alive and (dead := await self._tried(servers, asked)):
            return Known(fault=dead)
        return Known(fault=fault, for_us=FAULT_US)

    async def _is_dead(self, servers: tuple[Server, ...], asked: Asked) -> str:
        """Why no name can be looked up now; empty if one can be tried.

        When the time is over for which the resolver was taken for dead, one question finds out for all.
        """
        if not self._dead or self._monotonic_us() < self._dead_until_us:
            return self._dead
        return await self._tried(servers, asked)

    async def _tried(self, servers: tuple[Server, ...], asked: Asked) -> str:
        if self._trial is None:
            self._trial = asyncio.create_task(self._try(servers, asked))
            self._trial.add_done_callback(self._tried_out)
        return await asyncio.shield(self._trial)

    def _tried_out(self, _task: asyncio.Task[str]) -> None:
        self._trial = None

    async def _try(self, servers: tuple[Server, ...], asked: Asked) -> str:
        """Ask what every resolver knows, so that a name whose own servers hang does not make ours look dead.

        And ask for the name as well: there are resolvers that drop what they do not like.
        """
        known_to_all = ask(servers, dns.name.root, dns.rdatatype.NS, self._patience_s[:1])
        wanted = ask(servers, asked.name, _FAMILIES[asked.family], self._patience_s[:1])
        found = await asyncio.gather(known_to_all, wanted, return_exceptions=True)
        silent = [one for one in found if isinstance(one, Unanswered) and not one.alive and not one.own]
        self._dead = f"no resolver answers ({silent[0]})" if len(silent) == len(found) else ""
        self._dead_until_us = self._monotonic_us() + FAULT_US
        return self._dead


def canonical(name: str) -> dns.name.Name:
    """A name as it is asked for: absolute, in small letters, by IDNA. Raises `Missed` for what is no name."""
    missed = base.Missed("{text} is not a name of a machine", text=name, step=base.Step.RESOLVE)
    if not name or len(name) > 1_000 or "\\" in name:
        raise missed
    try:
        found = dns.name.from_text(name).canonicalize()
    except (dns.exception.DNSException, UnicodeError, ValueError):
        raise missed from None
    labels = found.labels[:-1]
    if not labels or not all(_NAME.fullmatch(label) for label in labels) or _NUMBER.fullmatch(labels[-1]):
        raise missed
    if labels[-1] == b"localhost":
        raise base.Missed(
            "{text} is this machine itself, and no name to look up", text=name, step=base.Step.RESOLVE
        )
    return found


def _read(asked: Asked, answer: dns.message.QueryMessage) -> Known:
    shown = asked.name.to_text(omit_final_dot=True)
    try:
        chain = answer.resolve_chaining()
    except dns.message.AnswerForNXDOMAIN:
        return Known(fault=f"the resolver contradicts itself about {shown}", for_us=FAULT_US)
    except dns.exception.DNSException:
        return _missed("{name} is an alias of too many others", NEGATIVE_MAX_US, name=shown)
    ttl_us = max(chain.minimum_ttl * 1_000_000, TTL_MIN_US)
    if chain.answer:
        found = sorted(ip_address(record.address) for record in chain.answer)[:ADDRESSES_MAX]
        return Known(addresses=tuple(str(one) for one in found), for_us=min(ttl_us, TTL_MAX_US))
    for_us = min(ttl_us, NEGATIVE_MAX_US)
    if answer.rcode() != dns.rcode.NXDOMAIN:
        return _missed(_LACKS[asked.family], for_us, name=shown)
    if chain.canonical_name == asked.name:
        return _missed("there is no name {name}", for_us, name=shown)
    last = chain.canonical_name.to_text(omit_final_dot=True)
    return _missed("{name} is an alias of {text}, and there is no such name", for_us, name=shown, text=last)


def _missed(pattern: str, for_us: int, **values: str) -> Known:
    return Known(missed=partial(base.Missed, pattern, step=base.Step.RESOLVE, **values), for_us=for_us)
