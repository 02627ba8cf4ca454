"""Feishu (飞书), or Lark abroad: the robot of a group. Data go to China, or to Singapore.

It takes what satisfies the security that its group has chosen: a signature (`secret`), a word that must be in
each message (`keyword`), or our address. https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal

import requests
from pydantic import Field, field_validator

from hostwatch.channels import _robot, base
from hostwatch.channels._robot import Site as Site
from hostwatch.configuration.secret import Secret
from hostwatch.core.budget import Budget

TAKES: Final = Budget(messages=2, every=timedelta(milliseconds=2500))
"""5 in a second and 100 in a minute: of messages in two parts, 4 in any second and 96 in any minute."""


class Settings(_robot.Entry):
    """One group of a contact."""

    shorthand: ClassVar[str] = "token"

    token: _robot.Token
    """What stands behind `hook/` in the robot's address."""

    secret: Secret | None = None
    """What it signs with, if its group asks for a signature."""

    keyword: _robot.Keyword | None = None
    """A word that its group asks for in each message."""

    service: Literal["feishu", "lark"] = Field(
        "feishu", description="feishu (open.feishu.cn), or lark abroad (open.larksuite.com)."
    )

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: Secret) -> Secret:
        return _robot.check(token, "[A-Za-z0-9-]")

    @property
    def country(self) -> str:
        return "CN" if self.service == "feishu" else "SG"

    @property
    def token_of(self) -> Secret:
        return self.token

    def budget_of(self) -> Budget:
        return TAKES


def build(settings: Settings, surroundings: base.Surroundings) -> base.Channel:
    """The channel."""
    robot = _robot.Robot(
        url=f"{settings.service}://{settings.token.reveal()}/",
        keyword=settings.keyword,
        sign=None if settings.secret is None else _signing(settings.secret, surroundings.now),
    )
    return _robot.build("feishu", settings, robot, surroundings)


def _signing(secret: Secret, now: Callable[[], datetime]) -> Callable[[requests.PreparedRequest], None]:
    """Puts time and signature into a request: apprise knows nothing of them."""

    def sign(request: requests.PreparedRequest) -> None:
        timestamp = str(int(now().timestamp()))
        digest = hmac.digest(f"{timestamp}\n{secret.reveal()}".encode(), b"", "sha256")
        signed = {"timestamp": timestamp, "sign": base64.b64encode(digest).decode("ascii")}
        words = json.loads(request.body) if isinstance(request.body, bytes) else {}
        request.prepare_body(json.dumps({**signed, **words}).encode(), None)

    return sign
