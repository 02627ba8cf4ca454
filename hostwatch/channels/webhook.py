"""Webhooks: the notice as signed JSON, posted to the customer's own endpoint.

The receiver knows us by the signature and knows a repeat by the `Idempotency-Key`; both are described
in `docs/notices.md`. Only a 2xx counts as accepted, redirects are not followed, and an answer is never
read further than `ANSWER_MAX_BYTES`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, field_validator

import hostwatch
from hostwatch.channels import base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret

ANSWER_MAX_BYTES = 64 * 1024
ANSWER_SECONDS = 5.0
"""How long we listen to the body of an answer; its status is known by then."""

RETRY_AFTER_MAX = timedelta(hours=1)
TRY_AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 that mean "not now"."""


def sign(key: bytes, timestamp: int, body: bytes) -> str:
    """The value of `X-Hostwatch-Signature` for a body sent at a timestamp (seconds since 1970)."""
    return "v1=" + hmac.new(key, b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def verify(
    key: bytes,
    timestamp: str,
    body: bytes,
    signature: str,
    *,
    now: float,
    tolerance: timedelta = timedelta(minutes=5),
) -> bool:
    """What a receiver does: the signature is ours, and the timestamp is not a replay of old days."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now - int(timestamp)) > tolerance.total_seconds():
        return False
    expected = sign(key, int(timestamp), body)
    return any(hmac.compare_digest(expected.encode(), one.strip().encode()) for one in signature.split(","))


class Settings(base.LinkEntry):
    """One endpoint of a contact: an http:// or https:// address."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, link: Secret) -> Secret:
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
            raise Wrong("a login may not stand in the address", "check the signature at the receiver instead")
        return link


class Site(base.SiteEntry):
    """What the site sets for all webhooks."""

    timeout: Annotated[Duration, between("10ms", "4m")] = Field(
        timedelta(seconds=20), description="For one try, from the first look-up of the name to the answer."
    )


def build(settings: Settings, surroundings: base.Surroundings) -> Webhook:
    """The channel."""
    site = surroundings.site.get("webhook") or Site()
    return Webhook(settings, site, surroundings)


class Webhook(base.Channel):
    """One endpoint, with a connection of its own for each try."""

    kind = "webhook"

    def __init__(self, settings: Settings, site: Site, surroundings: base.Surroundings) -> None:
        self._link = settings.url
        self._timeout_s = site.timeout.total_seconds()
        self._key = surroundings.webhook_key
        self._now = surroundings.now

    @property
    def shown(self) -> str:
        return base.shown_link(self._link)

    async def send(self, message: base.Message) -> base.Receipt:
        body = written(message)
        progress = _Progress()
        try:
            async with asyncio.timeout(self._timeout_s), self._session(progress) as session:
                return await self._post(session, message, body)
        except TimeoutError as error:
            what = "no answer" if progress.sent else "no connection"
            said = f"{what} within {self._timeout_s:g} s"
            raise base.Failed(said, perhaps_arrived=progress.sent) from error
        except (aiohttp.ClientError, OSError) as error:
            said = base.printable(str(error) or type(error).__name__)
            raise base.Failed(said, perhaps_arrived=progress.sent) from error

    async def _post(self, session: aiohttp.ClientSession, message: base.Message, body: bytes) -> base.Receipt:
        async with session.post(
            self._link.reveal(),
            data=body,
            headers=self._headers(message, body),
            allow_redirects=False,
        ) as response:
            said = base.printable(f"{response.status} {response.reason or ''}: {await _answer(response)}")
            if 200 <= response.status <= 299:
                return base.Receipt(said)
            if response.status >= 500 or response.status in TRY_AGAIN:
                wait = retry_after(response.headers.get("Retry-After"), self._now())
                raise base.Failed(said, retry_after=wait)
            if 300 <= response.status <= 399:
                raise base.Refused(base.printable(f"redirects are not followed; it said {said}"))
            raise base.Refused(said)

    def _session(self, progress: _Progress) -> aiohttp.ClientSession:
        """No pool, no cookies, no proxy, no decompression: nothing of one try reaches another."""
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(progress.note)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trace_configs=[trace],
        )

    def _headers(self, message: base.Message, body: bytes) -> dict[str, str]:
        timestamp = int(self._now().timestamp())
        return {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"hostwatch/{hostwatch.__version__}",
            "Accept-Encoding": "identity",
            "Idempotency-Key": base.printable(message.key),
            "X-Hostwatch-Timestamp": str(timestamp),
            "X-Hostwatch-Signature": sign(self._key, timestamp, body),
        }


class _Progress:
    """Whether the body has begun to leave; from then on a silence may hide an arrival."""

    sent = False

    async def note(self, _session: Any, _context: Any, _chunk: Any) -> None:
        self.sent = True


def written(message: base.Message) -> bytes:
    """The body: the documented data with the key and the mark of a repeat, in UTF-8."""
    data = {**message.payload, "key": message.key, "repeat": message.repeat}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


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


async def _answer(response: aiohttp.ClientResponse) -> str:
    """The beginning of the body, as far as it comes in good time: evidence, never a reason to fail."""
    body = b""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while len(body) < ANSWER_MAX_BYTES and (
                piece := await response.content.read(ANSWER_MAX_BYTES - len(body))
            ):
                body += piece
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        return f"{base.printable(body)} (then {type(error).__name__})"
    return base.printable(body)
