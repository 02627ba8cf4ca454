"""SMS by a gateway that is asked by HTTP: the first line of a notice, in at most two segments.

The gateway is described under `channels: {sms: {gateways: …}}` (`_gateway`). What it answers proves that it
took the message, and no more.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from hostwatch.channels import _gateway, _phone, base
from hostwatch.channels._gateway import Gateway
from hostwatch.configuration.fields import Id


class Settings(_phone.Entry):
    """One mobile telephone of a contact."""


class Site(base.SiteEntry):
    """The site's gateways for SMS."""

    gateways: Mapping[Id, Gateway] = Field(min_length=1, max_length=10)
    """By their names; the first serves who names none."""


def build(settings: Settings, surroundings: base.Surroundings) -> Sms:
    """The channel. Raises `Unusable` without its gateway."""
    site = surroundings.site.get("sms")
    gateways = site.gateways if isinstance(site, Site) else {}
    name, gateway = _gateway.chosen(gateways, settings.gateway, "sms")
    return Sms(settings.number, name, gateway, surroundings)


class Sms(_gateway.Telephone):
    """One mobile telephone behind a gateway."""

    kind = "sms"

    async def send(self, message: base.Message) -> base.Receipt:
        return await self.ask(_phone.written(message, self.gateway.signature or ""), message)
