"""WeCom (企业微信): the robot of a group. Data go to China.

https://developer.work.weixin.qq.com/document/path/91770
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final

from pydantic import field_validator

from hostwatch.channels import _robot, _sized, base
from hostwatch.channels._robot import Site as Site
from hostwatch.configuration.secret import Secret
from hostwatch.core.budget import Budget

TAKES: Final = Budget(messages=20 // _sized.PARTS_MAX, every=timedelta(minutes=1))
"""20 in a minute."""


class Settings(_robot.Entry):
    """One group of a contact."""

    shorthand: ClassVar[str] = "key"

    key: _robot.Token
    """What stands behind `key=` in the robot's address."""

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: Secret) -> Secret:
        return _robot.check(key, "[A-Za-z0-9_-]")

    @property
    def country(self) -> str:
        return "CN"

    @property
    def token_of(self) -> Secret:
        return self.key

    def budget_of(self) -> Budget:
        return TAKES


def build(settings: Settings, surroundings: base.Surroundings) -> base.Channel:
    """The channel."""
    robot = _robot.Robot(url=f"wecombot://{settings.key.reveal()}/")
    return _robot.build("wecom", settings, robot, surroundings)
