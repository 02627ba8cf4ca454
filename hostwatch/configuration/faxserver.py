"""A HylaFAX server: where it is, who logs in, and how long it tries."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.fields import DeviceAddress, Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.configuration.strict import Section

Times = Annotated[int, Field(ge=1, le=12, strict=True)]
Numbers = Literal["digits", "plus", "00"]
"""How a number is written: 8628…, +8628… or 008628…."""

SPOKEN_MAX_CHARS: Final = 128


def written(number: str, numbers: Numbers) -> str:
    """A number of E.164 as the other side wants it."""
    digits = number.removeprefix("+")
    return {"digits": digits, "plus": number, "00": f"00{digits}"}[numbers]


class FaxServer(Section):
    """A server that is spoken to by HylaFAX's own protocol, in plain text."""

    address: DeviceAddress
    """Its address. Names are not looked up."""

    port: Annotated[int, Field(ge=1, le=65535, strict=True)] = 4559
    """Its port."""

    user: Annotated[Text, Field(pattern=r"^[\x21-\x7e]{1,60}$")]
    """Who logs in. Lists of others' pages can be read with it: give us a user of our own."""

    password: Secret | None = None
    """The password, where the server asks for one."""

    numbers: Numbers = "plus"
    """How a number is written for its dialling rules: +8628…, 8628… or 008628…."""

    prefix: Annotated[str, Field(pattern=r"^[0-9,*#]{0,10}$")] = ""
    """What is dialled before it, such as "0," for an outside line."""

    resolution: Literal["fine", "coarse"] = "fine"
    """196 or 98 lines an inch; coarse takes half the time."""

    tries: Times = 3
    """So often the page is sent before the server gives up."""

    dials: Times = 6
    """So often it dials before it gives up."""

    kill_after: Annotated[Duration, between("1m", "1h")] = timedelta(minutes=10)
    """After so long the server gives up. In whole minutes; below the time to tell, or it is late by then."""

    every: Annotated[Duration, between("100ms", "10m")] = timedelta(seconds=20)
    """How often it is asked what became of pages."""

    timeout: Annotated[Duration, between("100ms", "1m")] = timedelta(seconds=20)
    """For one conversation."""

    @model_validator(mode="after")
    def _can_be_said(self) -> FaxServer:
        secret = "" if self.password is None else self.password.reveal()
        if len(secret) > SPOKEN_MAX_CHARS or not secret.isascii() or not secret.isprintable():
            raise Wrong("the password cannot be said by this protocol", "it must be a line of ASCII")
        return self
