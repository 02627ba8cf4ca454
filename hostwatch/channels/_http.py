"""One request by HTTP, as every channel makes it: a connection of its own, an answer that is bounded.

No pool, no cookies, no proxy, no decompression: nothing of one try reaches another. No redirect is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from hostwatch.channels import base
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret

ANSWER_MAX_BYTES = 64 * 1024
ANSWER_SECONDS = 5.0
"""How long we listen to the body of an answer; its status is known by then."""

RETRY_AFTER_MAX = timedelta(hours=1)
TRY_AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 that mean "not now"."""


def check_url(link: Secret, instead: str) -> Secret:
    """It is the address of a web server, without a login in it; `instead` says how then. Raises `Wrong`."""
    if not link.reveal():
        return link  # The configuration is being checked where its secrets are not at hand.
    try:
        url = urlsplit(link.reveal())
        _ = url.port, (url.hostname or "").encode("idna")
    except ValueError:
        raise Wrong("is not a web address", "write https://HOST/PATH") from None
    odd = not link.reveal().isprintable() or " " in link.reveal()
    if url.scheme not in ("http", "https") or not url.hostname or odd:
        raise Wrong("is not a web address", "write https://HOST/PATH")
    if "@" in url.netloc:
        raise Wrong("a login may not stand in the address", instead)
    return link


class Answer(NamedTuple):
    """What the other side answered."""

    code: int
    body: bytes
    said: str
    """All of it as evidence."""

    retry_after: timedelta | None

    @property
    def is_not_now(self) -> bool:
        """Whether the same may be taken later."""
        return self.code >= 500 or self.code in TRY_AGAIN

    def refusal(self) -> base.Failed | base.Refused | None:
        """What follows from the code alone; None if the other side took it."""
        if 200 <= self.code <= 299:
            return None
        if self.is_not_now:
            return base.Failed(self.said, retry_after=self.retry_after)
        if 300 <= self.code <= 399:
            return base.Refused(base.printable(f"redirects are not followed; it said {self.said}"))
        return base.Refused(self.said)


class Progress:
    """Whether a request has begun to leave; from then on a silence may hide an arrival."""

    sent = False

    async def note(self, _session: Any, _context: Any, _params: Any) -> None:
        """Something of it left."""
        self.sent = True


async def ask(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, timeout_s: float, now: datetime
) -> Answer:
    """One request and its answer. Raises `base.Failed` where there is none."""
    progress = Progress()
    try:
        async with asyncio.timeout(timeout_s), _session(progress, body) as session:
            return await _asked(session, method, url, body, headers, now)
    except TimeoutError as error:
        what = "no answer" if progress.sent else "no connection"
        raise base.Failed(f"{what} within {timeout_s:g} s", perhaps_arrived=progress.sent) from error
    except (aiohttp.ClientError, OSError) as error:
        said = base.printable(str(error) or type(error).__name__)
        raise base.Failed(said, perhaps_arrived=progress.sent) from error


async def _asked(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    now: datetime,
) -> Answer:
    async with session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
        whole, broken = await _body(response)
        said = base.printable(f"{response.status} {response.reason or ''}: {base.printable(whole)}{broken}")
        return Answer(response.status, whole, said, retry_after(response.headers.get("Retry-After"), now))


def _session(progress: Progress, body: bytes | None) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    if body:
        trace.on_request_chunk_sent.append(progress.note)
    else:
        trace.on_request_headers_sent.append(progress.note)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, use_dns_cache=False),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        trace_configs=[trace],
    )


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The other side's wish to be left alone: seconds or an HTTP date, at most `RETRY_AFTER_MAX`."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), RETRY_AFTER_MAX.total_seconds()))
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max(when - now, timedelta(0)), RETRY_AFTER_MAX)


async def _body(response: aiohttp.ClientResponse) -> tuple[bytes, str]:
    """The beginning of the body, as far as it comes in good time, and how it broke off: no reason to fail."""
    body = b""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while len(body) < ANSWER_MAX_BYTES and (
                piece := await response.content.read(ANSWER_MAX_BYTES - len(body))
            ):
                body += piece
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        return body, f" (then {type(error).__name__})"
    return body, ""
