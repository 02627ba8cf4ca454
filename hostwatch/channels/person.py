"""A human of the operator makes a call, or sends a fax by hand: what is to be done stands on the call sheet.

The attempt is over when it stands there, and proves nothing: it waits for what a person says came of it
(`hostwatch calls`). The number is kept as every address is, and is on no page but that one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from hostwatch.channels import base
from hostwatch.channels._phone import Number
from hostwatch.configuration.duration import Duration, between
from hostwatch.configuration.mistake import Wrong
from hostwatch.core.calls import PREFIX
from hostwatch.core.capacity import Lane
from hostwatch.core.proof import Proof


class Settings(base.Entry):
    """One telephone, or one fax machine, of a contact."""

    shorthand: ClassVar[str] = "phone"
    proves: ClassVar[Proof] = Proof.ACKNOWLEDGED
    says_country: ClassVar[bool] = False

    phone: Number | None = None
    """The telephone that is to be rung, with its country, such as "+86 28 0000 0000"."""

    fax: Number | None = None
    """The fax machine that a page is to be sent to."""

    def lane_with(self, kind: str, site: object) -> tuple[str, Lane]:
        """The people who ring."""
        desk = site if isinstance(site, Site) else Site()
        return kind, Lane(at_once=desk.people, takes=desk.one_call, by_people=True)

    @model_validator(mode="after")
    def _one(self) -> Settings:
        if (self.phone is None) is (self.fax is None):
            raise Wrong("is not one number", 'write either phone: "+86 28 0000 0000" or fax: …')
        return self


class Site(base.SiteEntry):
    """Who rings, for planning (`hostwatch drill --plan`)."""

    aside: ClassVar[frozenset[str]] = frozenset({"people", "one_call"})

    people: Annotated[int, Field(ge=1, le=1_000, strict=True)] = 1
    """How many people of the operator's make calls at one time."""

    one_call: Annotated[Duration, between("1s", "1h")] = timedelta(minutes=3)
    """How long one call takes, with what is noted of it."""


def build(settings: Settings, surroundings: base.Surroundings) -> Person:
    """The channel."""
    what, number = ("fax", settings.fax) if settings.phone is None else ("phone", settings.phone)
    return Person(f"{what} {number}")


class Person(base.Channel):
    """One number that a human is to reach."""

    kind = "person"

    def __init__(self, shown: str) -> None:
        self._shown = shown

    @property
    def shown(self) -> str:
        return self._shown

    async def send(self, message: base.Message) -> base.Receipt:
        return base.Receipt("on the call sheet", proof=Proof.ATTEMPTED, receipt=f"{PREFIX}{message.key}")
