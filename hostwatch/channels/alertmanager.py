"""Alertmanager, by its API of version 2: an emergency is an entry that fires until its end is told.

An entry whose end is not said is resolved by Alertmanager itself after five minutes, since it expects to be
told again and again. A notice is sent once, so it says an end that is far away, and the notice of the
recovery brings it nearer. Entries are known by their labels: to be told twice is to be told once.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, field_validator, model_validator

import hostwatch
from hostwatch.channels import _alertmanager, _http, base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.core import instant

PATH = "/api/v2/alerts"


class Settings(base.LinkEntry):
    """One Alertmanager: the address of its pages."""

    username: str | None = Field(None, pattern=r"^[^:\x00-\x1f\x7f]{1,200}$")
    password: Secret | None = None

    @field_validator("url")
    @classmethod
    def _check_url(cls, link: Secret) -> Secret:
        return _http.check_url(link, "use username: and password:")

    @model_validator(mode="after")
    def _check_login(self) -> Settings:
        if (self.username is None) != (self.password is None):
            raise Wrong("half a login", "give both username: and password:, or neither")
        url = urlsplit(self.url.reveal())
        host = url.hostname or ""
        is_near = host in ("localhost", "::1") or host.startswith("127.")
        if self.password is not None and url.scheme == "http" and not is_near:
            raise Wrong("the password would be sent in the clear", "use https://")
        return self


class Site(base.SiteEntry):
    """What the site sets for all Alertmanagers."""

    timeout: Annotated[Duration, between("10ms", "4m")] = Field(
        timedelta(seconds=20), description="For one try, from the first look-up of the name to the answer."
    )
    open_for: Annotated[Duration, between("1h", "365d")] = Field(
        timedelta(days=30), description="How long an emergency stays open there if its end is never told."
    )


def build(settings: Settings, surroundings: base.Surroundings) -> Alertmanager:
    """The channel."""
    site = surroundings.site.get("alertmanager") or Site()
    return Alertmanager(settings, site, surroundings)


class Alertmanager(base.Channel):
    """One Alertmanager."""

    kind = "alertmanager"
    reads = False

    def __init__(self, settings: Settings, site: Site, surroundings: base.Surroundings) -> None:
        self._settings = settings
        self._site = site
        self._now = surroundings.now

    @property
    def shown(self) -> str:
        return base.shown_link(self._settings.url)

    async def send(self, message: base.Message) -> base.Receipt:
        answer = await _http.ask(
            "POST",
            posted_to(self._settings.url.reveal()),
            self.written(message),
            self._headers(),
            timeout_s=self._site.timeout.total_seconds(),
            now=self._now(),
        )
        if (refusal := answer.refusal()) is not None:
            raise refusal
        if answer.body.lstrip().startswith(b"<"):
            raise base.Failed(base.printable(f"a page came, and not Alertmanager's answer: {answer.said}"))
        return base.Receipt(answer.said)

    def written(self, message: base.Message) -> bytes:
        """The body, in UTF-8."""
        now = self._now()
        far = instant.rfc3339(now + self._site.open_for)
        entries = [
            {
                "labels": dict(one.labels),
                "annotations": dict(one.annotations),
                "startsAt": one.starts,
                "endsAt": one.ends or far,
            }
            for one in _alertmanager.told(message, now)
        ]
        return _json(entries)

    def _headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"hostwatch/{hostwatch.__version__}",
            "Accept-Encoding": "identity",
        }
        if self._settings.username is not None and self._settings.password is not None:
            login = f"{self._settings.username}:{self._settings.password.reveal()}"
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        return headers


def posted_to(link: str) -> str:
    """The address of the API behind that of the pages; one that is it already is left as it is."""
    url = urlsplit(link)
    path = url.path.rstrip("/")
    return urlunsplit(url._replace(path=path if path.endswith(PATH) else path + PATH))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
