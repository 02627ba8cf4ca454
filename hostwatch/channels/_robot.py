"""Robots of chat groups, as DingTalk, WeCom and Feishu have them: what their three kinds share.

Each group has a robot of its own, known by a token, which takes so many messages in a time; who asks more
often is shut out for minutes. apprise says the words, so each kind only makes its address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

import requests
from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter, WithJsonSchema

from hostwatch.channels import _apprise, base
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.core.budget import Budget
from hostwatch.core.capacity import Lane

AT_ONCE: Final = 4
"""Sends to one robot under way."""


def _fingerprint(token: Secret) -> str:
    """What the record of a configuration keeps of it: a change must be visible, itself not."""
    return f"… (sha256 {hashlib.sha256(token.reveal().encode()).hexdigest()[:12]})"


def check(token: Secret, signs: str) -> Secret:
    """It may be a token, of such signs. Raises `Wrong`."""
    if token.reveal() and not re.fullmatch(f"{signs}{{8,128}}", token.reveal()):
        raise Wrong(
            "is not the token of a robot",
            "write what stands at the end of its address, behind access_token=, key= or hook/",
        )
    return token


Token = Annotated[
    Secret,
    BeforeValidator(lambda value: Secret(value) if isinstance(value, str) else value),
    PlainSerializer(_fingerprint, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string"}, TypeAdapter(Secret).json_schema()]}),
]
"""By what a robot is known, written out or kept elsewhere. Who has it can write to the group."""

Keyword = Annotated[Text, Field(max_length=30)]


class Entry(base.Entry):
    """One group of a contact."""

    @property
    def token_of(self) -> Secret:
        """By what its robot is known."""
        raise NotImplementedError

    def budget_of(self) -> Budget:
        """What the robot takes, so that parts of one notice never pass it."""
        raise NotImplementedError

    def lane_with(self, kind: str, site: object) -> tuple[str, Lane]:
        """The robot."""
        lane = Lane(at_once=AT_ONCE, takes=base.TAKES, budget=self.budget_of())
        return lane_of(kind, self.token_of), lane


class Site(base.SiteEntry):
    """What the site sets for robots of this kind."""

    timeout: Annotated[Duration, between("10ms", "4m")] = Field(
        timedelta(seconds=25), description="For one try."
    )


def lane_of(kind: str, token: Secret) -> str:
    """Each robot has a budget of its own."""
    digest = hashlib.sha256(token.reveal().encode()).hexdigest()[:12]
    return f"{kind}/{digest}" if token.reveal() else kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """What is built of an entry."""

    url: str
    """The address, as apprise writes it."""

    keyword: str | None = None
    sign: Callable[[requests.PreparedRequest], None] | None = None


def build(kind: str, entry: Entry, robot: Robot, surroundings: base.Surroundings) -> base.Channel:
    """The channel."""
    site = surroundings.site.get(kind)
    channel = _apprise.Apprise(
        Secret(robot.url),
        kind=kind,
        lane=lane_of(kind, entry.token_of),
        timeout_s=(site if isinstance(site, Site) else Site()).timeout.total_seconds(),
        now=surroundings.now,
        budget=entry.budget_of(),
        keyword=robot.keyword or "",
        sign=robot.sign,
    )
    channel.at_once = AT_ONCE
    return channel
