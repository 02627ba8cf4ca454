"""Another channel for simulations, of a kind of its own."""

from __future__ import annotations

from hostwatch.channels import base
from tests.simulation.provider import PROVIDER, Provider


class Settings(base.Entry):
    """One address."""

    shorthand = "to"

    to: str
    """`customer/contact/rung`."""


class Site(base.SiteEntry):
    """Nothing to set."""


class SpokenChannel(base.Channel):
    """One number at the simulated provider."""

    kind = "spoken"

    def __init__(self, to: str, provider: Provider) -> None:
        self._to = to
        self._provider = provider

    @property
    def shown(self) -> str:
        return self._to

    async def send(self, message: base.Message) -> base.Receipt:
        return await self._provider.take(self._to, message)


def build(settings: Settings, surroundings: base.Surroundings) -> SpokenChannel:
    """The channel of one entry."""
    return SpokenChannel(settings.to, PROVIDER.get())
