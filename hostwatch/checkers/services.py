"""A service, or a source, as the checkers know it: its checks, what they come to, and how it is sent.

Settings travel as they were written, and their secrets with them, marked, so that they are secrets again as
soon as they have come. A source of readings is one "check" of a kind of another room, which its name begins
with: `power/nut` is the kind `nut` of the room of power sources.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel

from hostwatch import checks, gateways, ports, power
from hostwatch.checkers.protocol import CHECKS_MAX, WORDS_CHARS_MAX, Define, Written
from hostwatch.checks import base
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.service import AT_ONCE_MAX
from hostwatch.core.reading import Outcome
from hostwatch.gateways import base as gateways_base
from hostwatch.ports import base as ports_base
from hostwatch.power import base as power_base

PER_TARGET_MAX: Final = AT_ONCE_MAX
"""Checks of one device that run at one time; the others of a service wait for their turn."""

DEPTH_MAX: Final = 20

_MARK: Final = "\0secret"
"""The only key of the mapping that a secret travels in: no text of a configuration holds a NUL."""

Require = Literal["all", "any"]


Run = Callable[[ModuleType, Any, base.Visit], Awaitable[base.Finding]]
"""One run of a module of a room, within its time."""


class Room(NamedTuple):
    """A room of things that the checkers look at."""

    kinds: Callable[[], tuple[str, ...]]
    room: Callable[[str], ModuleType]
    run: Run


CHECKS: Final = ""
"""The room of checks: the names of its kinds begin with no room."""

ROOMS: Final = {
    CHECKS: Room(checks.kinds, checks.room, base.run),
    "power": Room(power.kinds, power.room, power_base.run),
    "ports": Room(ports.kinds, ports.room, ports_base.run),
    "gateways": Room(gateways.kinds, gateways.room, gateways_base.run),
}


def kinds() -> tuple[str, ...]:
    """All kinds of all rooms, each with the name of its room before it."""
    return tuple(f"{name}/{kind}" if name else kind for name, room in ROOMS.items() for kind in room.kinds())


def module(kind: str) -> ModuleType:
    """The module of a kind of any room. Raises `LookupError` if there is none."""
    room, _, name = kind.rpartition("/")
    return ROOMS[room].room(name)


async def run(check: Check, visit: base.Visit) -> base.Finding:
    """One run of a check, or one reading of a source, within its time."""
    return await ROOMS[check.kind.rpartition("/")[0]].run(check.module, check.settings, visit)


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One check of a service, as it was configured; or the way to read a source."""

    kind: str
    settings: Any
    """Those of its kind: its module's `Settings`."""

    @property
    def module(self) -> ModuleType:
        """The module of its kind."""
        return module(self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """What is watched on a device beside its ping: `www`, say. Whoever has the same one shares the object."""

    name: str
    checks: tuple[Check, ...]
    require: Require = "all"

    @property
    def is_source(self) -> bool:
        """Whether it is a source: it brings words, and nobody's device is looked at."""
        return "/" in self.checks[0].kind

    @property
    def address(self) -> str:
        """Where a source is, if an address is written; empty of a service, which is where its device is."""
        return str(getattr(self.checks[0].settings, "address", "")) if self.is_source else ""

    @property
    def listener(self) -> Callable[..., Awaitable[None]] | None:
        """How its kind listens to sources that speak by themselves (`checkers.ears`); None if it does not."""
        return getattr(self.checks[0].module, "listen", None) if self.is_source else None

    @property
    def longest(self) -> timedelta:
        """How long a look takes at most, once it has begun."""
        longest: timedelta = max(check.settings.timeout for check in self.checks)
        return self.waves * longest

    @property
    def waves(self) -> int:
        """How often checks of it wait for others of it."""
        return -(-len(self.checks) // PER_TARGET_MAX)


def combined(require: Require, findings: Sequence[base.Finding]) -> tuple[Outcome, str]:
    """What the findings of all checks make of the service, and why, in a sentence; empty if it runs.

    `all`: one that is missed, and the service is; else one that is unknown, and it is. `any`: one that
    answers is enough; if none does and one is unknown, so is the service.
    """
    outcomes = {finding.outcome for finding in findings}
    if require == "any" and Outcome.ANSWERED in outcomes:
        return Outcome.ANSWERED, ""
    order = [Outcome.MISSED, Outcome.UNKNOWN] if require == "all" else [Outcome.UNKNOWN, Outcome.MISSED]
    found = next((outcome for outcome in order if outcome in outcomes), Outcome.ANSWERED)
    sentences = dict.fromkeys(finding.sentence for finding in findings if finding.outcome is found)
    return found, _joined([sentence for sentence in sentences if sentence])


def _joined(sentences: Sequence[str]) -> str:
    """As many whole sentences as there is room for, and how many more there are."""
    for shown in range(len(sentences), 0, -1):
        more = [f"and {len(sentences) - shown} more"] if shown < len(sentences) else []
        told = "; ".join([*sentences[:shown], *more])
        if len(told) <= WORDS_CHARS_MAX:
            return told
    return base.printable("".join(sentences[:1]), WORDS_CHARS_MAX)


def defined(key: str, service: Service) -> Define:
    """A service as it is sent."""
    return Define(
        key=key,
        name=service.name,
        require=service.require,
        checks=tuple(Written(kind=one.kind, settings=written(one.settings)) for one in service.checks),
    )


def restored(define: Define) -> Service:
    """The service that was sent. Raises `ValueError` or `LookupError` if it cannot be used here."""
    if len(define.checks) > CHECKS_MAX:
        raise ValueError(f"a service of more than {CHECKS_MAX} checks")
    if len(define.checks) > 1 and any("/" in one.kind for one in define.checks):
        raise ValueError("a source that is asked in more than one way")
    return Service(
        name=define.name,
        checks=tuple(_restored(one) for one in define.checks),
        require=define.require,
    )


def _restored(one: Written) -> Check:
    settings = module(one.kind).Settings.model_validate(_hidden(one.settings, 0))
    return Check(one.kind, settings)


def written(settings: BaseModel) -> dict[str, Any]:
    """Settings as JSON types, as far as somebody wrote them, with their secrets revealed and marked."""
    told = settings.model_dump(mode="json", exclude_unset=True)
    return {name: _revealed(getattr(settings, name), plain) for name, plain in told.items()}


def _revealed(value: Any, plain: Any) -> Any:
    """What `plain` says of a value, with the secrets that stand in the value."""
    match value:
        case Secret():
            return {_MARK: value.reveal()}
        case BaseModel() if isinstance(plain, dict):
            return {name: _revealed(getattr(value, name), inside) for name, inside in plain.items()}
        case Mapping() if isinstance(plain, dict):
            inside_of = {str(name): inside for name, inside in value.items()}
            return {name: _revealed(inside_of.get(name), inside) for name, inside in plain.items()}
        case list() | tuple() if isinstance(plain, list):
            return [_revealed(one, inside) for one, inside in zip(value, plain, strict=True)]
    return plain


def _hidden(value: Any, depth: int) -> Any:
    """The same the other way: what is marked is a secret again."""
    if depth > DEPTH_MAX:
        raise ValueError(f"settings that are more than {DEPTH_MAX} deep")
    match value:
        case {"\0secret": str(hidden)}:
            return Secret(hidden)
        case dict():
            return {name: _hidden(inside, depth + 1) for name, inside in value.items()}
        case list():
            return [_hidden(inside, depth + 1) for inside in value]
    return value
