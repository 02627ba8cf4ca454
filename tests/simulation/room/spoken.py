"""Another channel for simulations, of a kind of its own."""

from __future__ import annotations

from hostwatch.channels import base
from tests.simulation.provider import PROVIDER
from tests.simulation.room.simulated import Settings as Settings
from tests.simulation.room.simulated import SimChannel
from tests.simulation.room.simulated import Site as Site


class SpokenChannel(SimChannel):
    """One number at the simulated provider."""

    kind = "spoken"


def build(settings: Settings, surroundings: base.Surroundings) -> SpokenChannel:
    """The channel, at the provider of this simulation."""
    return SpokenChannel(settings.to, PROVIDER.get())
