"""A service as the checkers know it: its checks, what they make of it together, and how it is sent.

Settings travel as they were written, and their secrets with them, marked, so that they are secrets again as
soon as they have come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel

from hostwatch import checks
from hostwatch.checkers.protocol import CHECKS_MAX, WORDS_CHARS_MAX, Define, Written
from hostwatch.checks import base
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.service import AT_ONCE_MAX
from hostwatch.core.reading import Outcome

PER_TARGET_MAX: Final = AT_ONCE_MAX
"""Checks of one device that run at one time; the others of a service wait for their turn."""

DEPTH_MAX: Final = 20

_MARK: Final = "\0secret"
"""The only key of the mapping that a secret travels in: no text of a configuration holds a NUL."""

Require = Literal["all", "any"]


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One check of a service, as it was configured."""

    kind: str
    settings: base.Settings


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """What is watched on a device beside its ping: `www`, say. Whoever has the same one shares the object."""

    name: str
    checks: tuple[Check, ...]
    require: Require = "all"

    @property
    def longest(self) -> timedelta:
        """How long a look takes at most, once it has begun."""
        return self.waves * max(check.settings.timeout for check in self.checks)

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
    return Service(
        name=define.name,
        checks=tuple(_restored(one) for one in define.checks),
        require=define.require,
    )


def _restored(one: Written) -> Check:
    settings = checks.room(one.kind).Settings.model_validate(_hidden(one.settings, 0))
    assert isinstance(settings, base.Settings)
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
