"""DingTalk (钉钉): the robot of a group. Data go to China.

It takes what satisfies the security that its group has chosen: a signature (`secret`), a word that must be in
each message (`keyword`), or our address. https://open.dingtalk.com/document/robots/custom-robot-access
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import ClassVar, Final

from pydantic import field_validator

from hostwatch.channels import _robot, _sized, base
from hostwatch.channels._robot import Site as Site
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.core.budget import Budget

TAKES: Final = Budget(messages=20 // _sized.PARTS_MAX, every=timedelta(minutes=1))
"""20 in a minute; who asks more often is shut out for ten."""


class Settings(_robot.Entry):
    """One group of a contact."""

    shorthand: ClassVar[str] = "token"

    token: _robot.Token
    """What stands behind `access_token=` in the robot's address."""

    secret: Secret | None = None
    """What it signs with, if its group asks for a signature: SEC…"""

    keyword: _robot.Keyword | None = None
    """A word that its group asks for in each message."""

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: Secret) -> Secret:
        return _robot.check(token, "[A-Za-z0-9]")

    @field_validator("secret")
    @classmethod
    def _check_secret(cls, secret: Secret | None) -> Secret | None:
        if secret is not None and not re.fullmatch(r"[A-Za-z0-9]{0,128}", secret.reveal()):
            raise Wrong(
                "is not the secret of a robot", "it begins with SEC, and has letters and digits alone"
            )
        return secret

    @property
    def country(self) -> str:
        return "CN"

    @property
    def token_of(self) -> Secret:
        return self.token

    def budget_of(self) -> Budget:
        return TAKES


def build(settings: Settings, surroundings: base.Surroundings) -> base.Channel:
    """The channel."""
    secret = "" if settings.secret is None else f"{settings.secret.reveal()}@"
    robot = _robot.Robot(url=f"dingtalk://{secret}{settings.token.reveal()}/", keyword=settings.keyword)
    return _robot.build("dingtalk", settings, robot, surroundings)
