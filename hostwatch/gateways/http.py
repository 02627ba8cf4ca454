"""Callbacks by HTTP: delivery reports, keys that were pressed, replies. GET or POST, form or JSON.

Whoever calls is hostile until the secret of the path or the signature is right. What is believed is a name of
a message and a word that was described; nothing else goes on. Said again it changes nothing. The gateway gets
a yes only when the watch has taken what it said: else nobody would say it again to one that died meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Awaitable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, NoReturn
from urllib.parse import parse_qsl

from pydantic import Field

from hostwatch.checks import _posts
from hostwatch.checks._posts import Answer, Push, Take
from hostwatch.checks.base import Fault, Visit, printable
from hostwatch.configuration import pointer
from hostwatch.configuration.callback import Callback
from hostwatch.configuration.fields import Listen
from hostwatch.gateways import base

REPORTS_MAX: Final = 500
"""In one callback."""

FIELDS_MAX: Final = 100
"""Of a form."""

EAR_BURST: Final = 500
"""Words of one gateway at once, and as many connections of it; after that so many a second:"""

EAR_RATE: Final = 200


TAKEN_WITHIN_S: Final = 5.0
"""By then the watch must have taken a callback; else it is to be said again."""

_untaken: dict[str, list[asyncio.Future[None]]] = {}
"""Words that the watch has not taken yet, and the callbacks that wait for that."""


class Settings(Callback):
    """A callback, and whose it is."""

    of: Annotated[str, Field(max_length=200)]
    """The kind of channel and the gateway: `sms/main`."""

    timeout: timedelta = timedelta(seconds=5)


async def read(_settings: Settings, _visit: Visit) -> NoReturn:
    """Nobody asks a gateway."""
    raise Fault("a gateway is heard, and not looked at")


def took(_settings: Settings, names: Collection[str], *, is_ours: bool = True) -> None:
    """The watch has taken these words, or knows that they are about nothing of ours."""
    for name in names:
        for waiting in _untaken.pop(name, ()):
            if not waiting.done():
                waiting.set_result(None)


async def listen(sources: Mapping[str, Settings], ear: base.Ear) -> None:
    """Take what gateways say until it is cancelled. Raises `Fault` if an address and port cannot be taken."""
    wanted: dict[Listen, dict[str, list[tuple[str, Settings]]]] = {}
    for name, settings in sources.items():
        assert settings.listen is not None
        path = settings.path if settings.secret is None else settings.path + _posts.SECRET
        wanted.setdefault(settings.listen, {}).setdefault(path, []).append((name, settings))
    if wanted:
        await _posts.listen(
            {at: {path: _taken(mine, ear) for path, mine in of.items()} for at, of in wanted.items()},
            burst=EAR_BURST,
            rate=EAR_RATE,
        )


def _taken(sources: Sequence[tuple[str, Settings]], ear: base.Ear) -> Take:
    def take(push: Push) -> Answer | Awaitable[Answer]:
        for name, settings in sources:
            if is_his(settings, push):
                return _heard(name, settings, push, ear)
        return Answer(HTTPStatus.UNAUTHORIZED)

    return take


def is_his(settings: Settings, push: Push) -> bool:
    """Whether a callback is one that the gateway has made, at whatever time."""
    if settings.secret is not None:
        said = push.path.removeprefix(settings.path + "/")
        return hmac.compare_digest(said.encode(), settings.secret.reveal().encode())
    signed = settings.signed
    if signed is None or not push.is_post or push.query:
        return False  # nothing but a body is signed
    digest = hmac.new(signed.key.reveal().encode(), push.body, signed.algorithm).digest()
    mine = digest.hex() if signed.form == "hex" else base64.b64encode(digest).decode("ascii")
    said = push.headers.get(signed.header.lower(), "")
    return hmac.compare_digest(said.encode(), f"{signed.prefix}{mine}".encode())


async def _heard(name: str, settings: Settings, push: Push, ear: base.Ear) -> Answer:
    found = [*reports(settings, push)]
    if len(found) > REPORTS_MAX:
        return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    words = [later for one in found if (later := meant(settings, one)) is not None]
    taken = [_taken_later(later) for later in words]
    try:
        async with asyncio.timeout(TAKEN_WITHIN_S):
            if all(ear.said(name, later) for later in words):
                await asyncio.gather(*taken)
                return Answer(HTTPStatus.NO_CONTENT)
    except TimeoutError:
        pass
    finally:
        _await_no_more(words, taken)
    return Answer(HTTPStatus.SERVICE_UNAVAILABLE, "say it again later")


def _taken_later(later: base.Later) -> asyncio.Future[None]:
    waiting = asyncio.get_running_loop().create_future()
    _untaken.setdefault(base.name_of(later.text), []).append(waiting)
    return waiting


def _await_no_more(words: Sequence[base.Later], taken: Sequence[asyncio.Future[None]]) -> None:
    for later, waiting in zip(words, taken, strict=True):
        waiting.cancel()
        name = base.name_of(later.text)
        others = [one for one in _untaken.pop(name, ()) if one is not waiting]
        if others:
            _untaken[name] = others


def reports(settings: Settings, push: Push) -> Iterator[Any]:
    """What a callback reports, each as JSON."""
    kind = push.headers.get("content-type", "").partition(";")[0].strip().lower()
    if push.is_post and kind != "application/x-www-form-urlencoded":
        data = pointer.read(push.body)
        listed = pointer.at(data, settings.each) if settings.each else data
        yield from listed if isinstance(listed, list) else [listed]
        return
    form = push.body.decode("utf-8", "replace") if push.is_post else ""
    try:
        pairs = parse_qsl(form, max_num_fields=FIELDS_MAX) + parse_qsl(push.query, max_num_fields=FIELDS_MAX)
    except ValueError:
        return
    yield dict(pairs)


def meant(settings: Settings, report: Any) -> base.Later | None:
    """What a report means; None if it names no message, or its word says nothing."""
    name, word = pointer.word(report, settings.id), pointer.word(report, settings.word)
    for meaning in base.WORDS:
        if name and word in getattr(settings.means, meaning):
            return base.Later(f"{settings.of}/{name}", meaning, printable(word, base.SAID_CHARS_MAX))
    return None
