"""Calls by a gateway that is asked by HTTP and reads a text aloud: the first line of a notice, said twice.

The gateway is described under `channels: {voice: {gateways: …}}` (`_gateway`). That it took the order proves
no more than that; that somebody picked up, or pressed the key, it says later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from hostwatch.channels import _gateway, _phone, base
from hostwatch.channels._gateway import Gateway
from hostwatch.configuration.fields import Id


class Settings(_phone.Entry):
    """One telephone of a contact."""


class Called(Gateway):
    """A gateway that calls."""

    keypress: Annotated[str, Field(pattern=r"^[0-9*#]$")] | None = None
    """The key by which the person says that they have it; what the gateway calls it is described among the
    `callbacks`."""


class Site(base.SiteEntry):
    """The site's gateways for calls."""

    gateways: Mapping[Id, Called] = Field(min_length=1, max_length=10)
    """By their names; the first serves who names none."""


def build(settings: Settings, surroundings: base.Surroundings) -> Voice:
    """The channel. Raises `Unusable` without its gateway."""
    site = surroundings.site.get("voice")
    gateways = site.gateways if isinstance(site, Site) else {}
    name, _ = _gateway.chosen(gateways, settings.gateway, "voice")
    return Voice(settings.number, name, gateways[name], surroundings)


class Voice(_gateway.Telephone):
    """One telephone behind a gateway."""

    kind = "voice"

    def __init__(self, number: str, name: str, gateway: Called, surroundings: base.Surroundings) -> None:
        super().__init__(number, name, gateway, surroundings)
        self._keypress = gateway.keypress

    async def send(self, message: base.Message) -> base.Receipt:
        aloud = {name: message.spoken[name] for name in message.named if message.spoken.get(name)}
        said = replace(message, named={**message.named, **aloud})
        return await self.ask(written(message, self._keypress), said)


def written(message: base.Message, keypress: str | None) -> str:
    """What is read aloud."""
    words = base.printable(message.spoken.get("text") or message.subject)
    if keypress is None:
        return words
    return f"{words} {message.spoken.get('press', '').replace('{key}', keypress)}".rstrip()
