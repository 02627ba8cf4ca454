"""Telephone numbers, and the entry of a contact that is one behind a gateway."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from hostwatch.channels import base
from hostwatch.configuration.fields import Id
from hostwatch.configuration.mistake import Wrong

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def _check(value: str) -> str:
    number = re.sub(r"[ ()./-]", "", value)
    if _NUMBER.fullmatch(number):
        return number
    raise Wrong("is no telephone number", 'write it with its country, such as "+86 138 0000 0000"')


Number = Annotated[str, AfterValidator(_check)]
"""As E.164 has it: a plus, the country, at most 15 digits."""


class Entry(base.Entry):
    """One telephone of a contact."""

    shorthand: ClassVar[str] = "number"

    number: Number
    """The number with its country, such as "+86 138 0000 0000"."""

    gateway: Id | None = None
    """The gateway that it is reached by; absent: the first that the site has."""
