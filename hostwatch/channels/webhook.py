"""Webhooks: the notice as signed JSON, posted to the customer's own endpoint.

The receiver knows us by the signature and knows a repeat by the `Idempotency-Key`; both are described
in `docs/notices.md`. Only a 2xx counts as accepted, redirects are not followed, and an answer is never
read further than `_http.ANSWER_MAX_BYTES`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

import hostwatch
from hostwatch.channels import _alertmanager, _http, base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.secret import Secret


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

    format: Literal["hostwatch", "alertmanager"] = Field(
        "hostwatch", description="Our own data, or those of Alertmanager's webhooks, version 4."
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, link: Secret) -> Secret:
        return _http.check_url(link, "check the signature at the receiver instead")


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
    reads = False

    def __init__(self, settings: Settings, site: Site, surroundings: base.Surroundings) -> None:
        self._link = settings.url
        self._format = settings.format
        self._timeout_s = site.timeout.total_seconds()
        self._key = surroundings.webhook_key
        self._now = surroundings.now

    @property
    def shown(self) -> str:
        return base.shown_link(self._link)

    async def send(self, message: base.Message) -> base.Receipt:
        body = written(message) if self._format == "hostwatch" else as_alertmanager(message, self._now())
        answer = await _http.ask(
            "POST",
            self._link.reveal(),
            body,
            self._headers(message, body),
            timeout_s=self._timeout_s,
            now=self._now(),
        )
        if (refusal := answer.refusal()) is not None:
            raise refusal
        return base.Receipt(answer.said)

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


def written(message: base.Message) -> bytes:
    """The body: the documented data with the key and the mark of a repeat, in UTF-8."""
    return _json({**message.payload, "key": message.key, "repeat": message.repeat})


def as_alertmanager(message: base.Message, now: datetime) -> bytes:
    """The body in the format of Alertmanager's webhooks. The key stands in the headers alone."""
    return _json(_alertmanager.webhook(message, now))


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
