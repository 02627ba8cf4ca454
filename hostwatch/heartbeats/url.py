"""A heartbeat by HTTP, as Healthchecks and its like take it: an address that is asked while all is well.

The address is a secret: whoever knows it can keep the other side quiet. It leaves by HTTPS, or by HTTP within
our own networks. No redirect is followed, and an answer is never read further than that of a webhook.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, field_validator

import hostwatch
from hostwatch.channels import _http
from hostwatch.channels.base import LinkEntry
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.heartbeats import base

EVERY: Final = timedelta(minutes=1)


class Settings(LinkEntry):
    """Where it goes: an address by HTTPS, or one by HTTP within our own networks."""

    method: Literal["post", "get"] = Field(
        "post", description="post says in the body how the watch is; get says nothing but that it is well."
    )
    start: Literal["on", "off"] = Field(
        "off",
        description="Whether a start is told, at the address with /start added, as Healthchecks takes it.",
    )
    fail: Literal["on", "off"] = Field(
        "off",
        description="Whether troubles are told, at the address with /fail added, instead of falling silent.",
    )
    timeout: Annotated[Duration, between("10ms", "1m")] = Field(
        timedelta(seconds=10), description="For one beat, from the first look-up of the name to the answer."
    )

    @field_validator("url")
    @classmethod
    def _check_url(cls, link: Secret) -> Secret:
        checked = _http.check_url(link, "put what tells us apart into the path")
        url = urlsplit(checked.reveal())
        if url.scheme == "http" and not _is_near(url.hostname or ""):
            raise Wrong("would go through foreign networks in the clear", "write https://HOST/PATH")
        return checked


def _is_near(name: str) -> bool:
    try:
        address = ip_address(name)
    except ValueError:
        return name == "localhost"
    return address.is_loopback or address.is_private


def build(settings: Settings, surroundings: base.Surroundings) -> Url:
    """The way."""
    return Url(settings, surroundings)


class Url(base.Way):
    """One address, with a connection of its own for each beat."""

    def __init__(self, settings: Settings, surroundings: base.Surroundings) -> None:
        self._settings = settings
        self._now = surroundings.now
        self.tells_trouble = settings.fail == "on"

    async def beat(self, beat: base.Beat) -> str:
        return await self._ask("", beat)

    async def fail(self, beat: base.Beat) -> str:
        return await self._ask("/fail", beat)

    async def start(self, beat: base.Beat) -> str:
        return await self._ask("/start", beat) if self._settings.start == "on" else ""

    async def _ask(self, more: str, beat: base.Beat) -> str:
        url = urlsplit(self._settings.url.reveal())
        posts = self._settings.method == "post"
        answer = await _http.ask(
            "POST" if posts else "GET",
            urlunsplit(url._replace(path=url.path.rstrip("/") + more if more else url.path)),
            beat.text.encode() if posts else None,
            {
                "User-Agent": f"hostwatch/{hostwatch.__version__}",
                "Accept-Encoding": "identity",
                **({"Content-Type": "text/plain; charset=utf-8"} if posts else {}),
            },
            timeout_s=self._settings.timeout.total_seconds(),
            now=self._now(),
        )
        if (refusal := answer.refusal()) is not None:
            raise refusal
        return answer.said
