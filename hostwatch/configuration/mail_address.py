"""Addresses of mail as operators write them, and the names of machines in them.

What has passed may stand in a command of SMTP and in a header as it is: it holds no space, no line break and
no angle bracket.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

from hostwatch.configuration.mistake import Wrong

ADDRESS_MAX_CHARS: Final = 254
DOMAIN_MAX_CHARS: Final = 253

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DOMAIN: Final = rf"{_LABEL}(?:\.{_LABEL})*"
"""A name of a machine, as a pattern."""

_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_LOCAL}@{DOMAIN}")
_DOMAIN = re.compile(DOMAIN)


def check_address(value: str) -> str:
    """A bare address, checked; the errors are for the person who wrote the configuration."""
    if not value.isascii():
        raise Wrong(f"{value!r} is not plain ASCII", "write the domain as xn--…")
    if len(value) > ADDRESS_MAX_CHARS or _ADDRESS.fullmatch(value) is None:
        raise Wrong(f"{value[:80]!r} is not a mailbox address", "write it bare, such as ops@acme.example")
    return value


def _check_domain(value: str) -> str:
    if len(value) <= DOMAIN_MAX_CHARS and _DOMAIN.fullmatch(value):
        return value
    raise Wrong("is not the name of a machine", "write one such as watch.acme.example")


MailAddress = Annotated[str, AfterValidator(check_address)]
Domain = Annotated[str, AfterValidator(_check_domain)]
