"""A building system that tells by itself how it stands with power: it pushes, and is heard at once.

What it pushed last is what a reading brings, for as long as it is fresh: it must push at least once in each
`heartbeat`, whether anything has happened or not. If it does not, nobody knows, which is never an
interruption. What was pushed is forgotten when the checkers start anew. It is JSON, or what `upsc` prints.
A loss is read only once it was pushed again: one word never makes a verdict (`colocation C2`).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, model_validator

from hostwatch.checks import _posts
from hostwatch.checks._posts import Answer, Push, Take
from hostwatch.configuration.duration import Duration, between, shown
from hostwatch.configuration.fields import Listen, PushesAddress
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.core import upswords
from hostwatch.core.power import CONCERNS_MAX, NAME_CHARS_MAX, NUMBER_MAX, SAID_CHARS_MAX
from hostwatch.power import base
from hostwatch.power.base import Concern, Missed, Output, Point, PowerReading, Ups, Utility

EXAMPLE = """
webhook:
  listen: 192.0.2.10:8476
  path: /building
  key: {file: secrets/building}
  heartbeat: 1m
"""

KEY_CHARS_MIN: Final = 16
POINTS_MAX: Final = 200
READING_CHARS_MAX: Final = 30_000
"""Of a reading on its way to the watch."""

WINDOW_S: Final = 300
"""So far the clock of who pushes may be from ours."""

REMEMBERED: Final = 10_000
"""Sources of which the last push is kept."""

BURST_MAX: Final = 10
"""Pushes of one source at once; after that one a second."""

_PATH = re.compile(r"/[A-Za-z0-9._/-]{0,100}")
_AT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def _check_path(value: str) -> str:
    if _PATH.fullmatch(value):
        return value
    raise Wrong("is no path", "write one such as /building: letters, digits, dots, hyphens and slashes")


def _check_key(value: Secret) -> Secret:
    if 0 < len(value.reveal()) < KEY_CHARS_MIN:
        raise Wrong(f"has less than {KEY_CHARS_MIN} characters", "make one by: openssl rand -hex 32")
    return value


class Settings(base.Settings):
    """Where it pushes to, and how it is known."""

    listen: PushesAddress
    """Where what it pushes comes in: an address of ours and a port, such as 192.0.2.10:8476. Several sources
    may share one; `power.listen` says it for all."""

    path: Annotated[str, AfterValidator(_check_path)]
    """The path that it pushes to; each source has its own."""

    key: Annotated[Secret, AfterValidator(_check_key)] | None = None
    """What it signs with (HMAC with SHA-256). What somebody else says, or says again, is not believed."""

    token: Annotated[Secret, AfterValidator(_check_key)] | None = None
    """Instead of a key, for who cannot sign: a token that it sends along. Who reads it can push as well."""

    unprotected_token: bool = False
    """Allows that a token is pushed to another address than one of loopback. There is no TLS here: let a
    reverse proxy speak it, and listen on loopback."""

    heartbeat: Annotated[Duration, between("5s", "1d")] = timedelta(minutes=1)
    """How long a push is believed. Push at least twice as often."""

    @model_validator(mode="after")
    def _is_in_itself_right(self) -> Settings:
        if self.listen is None:
            raise Wrong("listens nowhere", "write listen: 127.0.0.1:8476 here, or under power:")
        if (self.key is None) is (self.token is None):
            raise Wrong("needs either a key or a token", "write key: {file: …}")
        if self.token is not None and not self.listen.address.is_loopback and not self.unprotected_token:
            raise Wrong(
                "a token would go over the line in plain text",
                "write key: instead, or listen on loopback, or unprotected_token: true if it may",
            )
        return self

    def known_by(self) -> Hashable | None:
        """Where it pushes to, and its key or token: with both alike only one of two would ever be heard."""
        secret = self.key or self.token
        if secret is None or not secret.reveal():
            return None
        return self.listen, self.path, self.token is None, secret


@dataclass(slots=True)
class Memory:
    """What is remembered of a source."""

    since: Decimal = field(default_factory=lambda: _now())
    """Since when we listen, by the wall clock. What was signed before may have been heard already."""

    last: Decimal = Decimal(0)
    """When the last push that was believed was signed, by its own clock."""

    signatures: set[str] = field(default_factory=set)
    """Those of the same moment: who counts in whole seconds may push twice in one."""

    reading: PowerReading | None = None
    heard_s: float = 0.0
    """When, by the clock of the loop."""

    lost: frozenset[str] = frozenset()
    """The points that say that something has no power, by the last push."""

    said_once: frozenset[str] = frozenset()
    """Of these, those that no reading has come upon yet."""

    doubted: frozenset[str] = frozenset()
    """And those that a reading came upon, and that were not pushed again since."""

    allowance: float = BURST_MAX
    counted_s: float = 0.0


@lru_cache(REMEMBERED)
def memory(_settings: Settings) -> Memory:
    """That of a source; other settings begin anew."""
    return Memory()


async def read(settings: Settings, _visit: base.Visit) -> PowerReading:
    """What was pushed last, if it is fresh, and no loss that was not said again."""
    known = memory(settings)
    if known.reading is None:
        raise Missed("nothing was pushed since the checkers began to listen")
    age_s = asyncio.get_running_loop().time() - known.heard_s
    if age_s > settings.heartbeat.total_seconds():
        raise Missed(f"nothing was pushed for more than {shown(settings.heartbeat)}")
    _doubt(known)
    return known.reading


def _doubt(known: Memory) -> None:
    """Raises `Missed` while a loss at some point was not pushed again since a reading came upon it."""
    known.doubted, known.said_once = known.doubted | known.said_once, frozenset()
    if known.doubted:
        point = min(known.doubted) or "the whole"
        raise Missed(f"a loss was pushed for {point}, and not again since: it is believed when it is")


async def listen(sources: Mapping[str, Settings], ear: base.Ear) -> None:
    """Take what is pushed to all sources until it is cancelled; each push is told to the ear at once.

    Raises `Fault` if an address and port cannot be taken.
    """
    wanted: dict[Listen, dict[str, list[tuple[str, Settings]]]] = {}
    for name, settings in sources.items():
        assert settings.listen is not None
        memory(settings)  # it begins now, and not with the first push
        wanted.setdefault(settings.listen, {}).setdefault(settings.path, []).append((name, settings))
    if wanted:
        await _posts.listen(
            {
                at: {path: _taken(path, mine, ear) for path, mine in paths.items()}
                for at, paths in wanted.items()
            }
        )


def _taken(path: str, sources: Sequence[tuple[str, Settings]], ear: base.Ear) -> Take:
    """What judges a push to a path: it is for the source whose key it was signed with."""

    def take(push: Push) -> Answer:
        if not push.is_post:
            return Answer(HTTPStatus.METHOD_NOT_ALLOWED)
        if push.query:
            return Answer(HTTPStatus.UNAUTHORIZED)
        for name, settings in sources:
            if is_his(settings, path, push):
                return _heard(name, settings, push, ear)
        return Answer(HTTPStatus.UNAUTHORIZED)

    return take


def is_his(settings: Settings, path: str, push: Push) -> bool:
    """Whether a push is one that a source has made, at whatever time."""
    if settings.token is not None:
        said = push.headers.get("authorization", "")
        return hmac.compare_digest(said.encode(), f"Bearer {settings.token.reveal()}".encode())
    assert settings.key is not None
    at = push.headers.get("x-hostwatch-timestamp", "")
    said = push.headers.get("x-hostwatch-signature", "")
    mine = signature(settings.key.reveal(), at, path, push.body)
    return _AT.fullmatch(at) is not None and hmac.compare_digest(said.encode(), mine.encode())


def signature(key: str, at: str, path: str, body: bytes) -> str:
    """What a push is signed with: when that is in seconds since 1970, its path and its body."""
    signed = f"{at}.{path}.".encode() + body
    return "v1=" + hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def _heard(name: str, settings: Settings, push: Push, ear: base.Ear) -> Answer:
    """A source has said something: it is judged, remembered, and told."""
    known, now_s = memory(settings), asyncio.get_running_loop().time()
    known.allowance = min(known.allowance + now_s - known.counted_s, BURST_MAX)
    known.counted_s = now_s
    if known.allowance < 1:
        return Answer(
            HTTPStatus.TOO_MANY_REQUESTS, f"push no more than {BURST_MAX} at once, and one a second"
        )
    known.allowance -= 1
    if settings.key is not None and (why := _is_old(known, push, _now())):
        return Answer(HTTPStatus.CONFLICT, why)
    try:
        found = reading(push)
    except ValueError as error:
        return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
    _remember(known, found, now_s)
    ear.said(name, found)
    return Answer(HTTPStatus.NO_CONTENT)


def _remember(known: Memory, found: PowerReading, now_s: float) -> None:
    """Keep what was pushed. What was doubted and is said again is believed from now on."""
    lost = frozenset(point.name for point in found.points if _is_loss(point))
    known.said_once = (known.said_once & lost) | (lost - known.lost)
    known.doubted = frozenset()
    known.lost, known.reading, known.heard_s = lost, found, now_s


def _is_loss(point: Point) -> bool:
    """Whether a point says that something has no power. On battery too: more may hang on the utility."""
    said = (point.utility, point.ups, point.output)
    return Utility.ABSENT in said or Ups.DEAD in said or Output.UNPOWERED in said


def _now() -> Decimal:
    """By the wall clock, in seconds."""
    return Decimal(time.time_ns()).scaleb(-9)


def _is_old(known: Memory, push: Push, now: Decimal) -> str:
    """Why a push may be one that somebody says again; empty if it is new. It is remembered."""
    at, said = Decimal(push.headers["x-hostwatch-timestamp"]), push.headers["x-hostwatch-signature"]
    if abs(now - at) > WINDOW_S:
        return f"the timestamp is more than {WINDOW_S} s from our clock, which says {now:.3f}"
    if at < known.since:
        return f"signed before we began to listen, at {known.since:.3f}"
    if at < known.last:
        return f"older than what was pushed last, at {known.last}"
    if at > known.last:
        known.last, known.signatures = at, set()
    if said in known.signatures:
        return "this was pushed already"
    known.signatures.add(said)
    return ""


def reading(push: Push) -> PowerReading:
    """What was pushed. Raises `ValueError`, in words for who set it up."""
    is_text = push.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/plain"
    found = _of_upsc(push.body) if is_text else _of_json(push.body)
    if len(found.points) > POINTS_MAX or len(json.dumps(found.text)) > READING_CHARS_MAX:
        raise ValueError(f"this is too much: at most {POINTS_MAX} points, with short texts")
    return found


def _of_json(body: bytes) -> PowerReading:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError("this is no object of JSON; what upsc prints is text/plain")
    if odd := found.keys() - {"points", "concerns", *FIGURES}:
        raise ValueError(f"this is not known: {base.printable(min(odd), NAME_CHARS_MAX)}")
    points = _listed(found, "points", POINTS_MAX)
    if not points:
        raise ValueError("there are no points")
    whole = [_point(one) for one in points]
    if len({one.name for one in whole}) < len(whole):
        raise ValueError("a point stands there twice")
    concerns = [_word(one, Concern, "concerns") for one in _listed(found, "concerns", CONCERNS_MAX)]
    figures = {name: _figure(found[name], name) for name in FIGURES if name in found}
    return PowerReading(points=tuple(whole), concerns=tuple(dict.fromkeys(concerns)), **figures)


FIGURES: Final = ("runtime_s", "charge_percent", "load_percent", "absent_for_s", "failures")


def _of_upsc(body: bytes) -> PowerReading:
    """What `upsc` prints of a UPS: a line for each variable."""
    said = {}
    for line in body.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(": ")
        if colon:
            said[name.strip()] = value.strip()
    if "ups.status" not in said:
        raise ValueError("there is no ups.status: upsc has got nothing from its upsd")
    return upswords.reading(said)


def _listed(found: Mapping[str, Any], name: str, most: int) -> list[Any]:
    listed = found.get(name, [])
    if not isinstance(listed, list) or len(listed) > most:
        raise ValueError(f"{name} is not a list of at most {most}")
    return listed


def _point(one: Any) -> Point:
    if not isinstance(one, dict) or one.keys() - {"point", "utility", "ups", "output", "said"}:
        raise ValueError("a point is an object of point, utility, ups, output and said")
    name, said = one.get("point", ""), one.get("said", "")
    for text, most in ((name, NAME_CHARS_MAX), (said, SAID_CHARS_MAX)):
        if not isinstance(text, str) or len(text) > most or (text and not text.isprintable()):
            raise ValueError(
                f"point and said are texts of at most {NAME_CHARS_MAX} and {SAID_CHARS_MAX} characters"
            )
    return Point(
        name=name,
        said=said,
        utility=_word(one.get("utility", "unknown"), Utility, "utility"),
        ups=_word(one.get("ups", "unknown"), Ups, "ups"),
        output=_word(one.get("output", "unknown"), Output, "output"),
    )


Word = TypeVar("Word", bound=StrEnum)


def _word(value: Any, words: type[Word], name: str) -> Word:
    if isinstance(value, str) and value in {word.value for word in words}:
        return words(value)
    raise ValueError(f"{name} is one of {', '.join(words)}")


def _figure(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= NUMBER_MAX:
        raise ValueError(f"{name} is a whole number")
    return value
