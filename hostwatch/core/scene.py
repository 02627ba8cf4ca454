"""A scene: what is known of one outage, each thing with a value for *nobody said*."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from hostwatch.core.cause import Finding, Slot

TOGETHER_MIN: Final = 3
"""So many others behind the same switch that fell silent within the window did not do so by chance."""


class What(StrEnum):
    """Whose outage it is."""

    DEVICE = "device"
    SERVICE = "service"
    SUPPLY = "supply"
    SWITCH = "switch"
    UPLINK = "uplink"


class Power(StrEnum):
    """What power comes to at a device, or at a supply. Later words weigh more than earlier ones."""

    UNKNOWN = "unknown"
    SUPPLIED = "supplied"
    """All the time, by who has said the same since before the outage."""

    CHANGED = "changed"
    """It is supplied now; who sees it has said another thing since the outage began."""

    LOST = "lost"
    """It is not supplied. Whether that is an interruption by the agreement, nobody knows."""

    FAULT = "fault"
    """Power comes in and does not come out: it is lost in the operator's distribution."""

    INTERRUPTED = "interrupted"
    """Utility and UPS are both without power (`colocation C2`)."""


class Port(StrEnum):
    """The state of a device's port, as its switch tells. Later words weigh more."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"
    OFF = "off"
    """Switched off, by us."""


class Stand(StrEnum):
    """Whether something answers. Later words weigh more."""

    UNKNOWN = "unknown"
    ANSWERS = "answers"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that witnesses said of one outage."""

    of: What
    power: Power = Power.UNKNOWN
    overload: bool = False
    """Whether a witness said that what lost the power was overloaded, and only this customer hangs on it."""

    port: Port = Port.UNKNOWN
    switch: Stand = Stand.UNKNOWN
    """What the device hangs on by its ports, and what that hangs on; of a switch, what it hangs on itself."""

    switch_power: Power = Power.UNKNOWN
    """What power comes to at the silent switches on its way."""

    silent: int = 0
    """Others behind the same switch that fell silent within the window; of a switch, those behind it."""

    answering: int = 0
    """Others that have answered since the outage began."""

    unheard: int = 0
    """Others of whom nobody knows."""

    gateway: Stand = Stand.UNKNOWN
    itself: Stand = Stand.UNKNOWN
    """Of a service: its device."""

    edge: Stand = Stand.UNKNOWN
    """Of an uplink: our own switches that it is reached by."""

    planned: bool = False
    """Whether work is planned, for this time, on what it hangs on."""

    @property
    def is_behind(self) -> bool:
        """Whether it hangs on a switch."""
        return self.is_reached or self.of is What.SWITCH

    @property
    def is_powered(self) -> bool:
        """Whether what power comes to where it hangs may explain it."""
        return self.is_behind or self.of is What.SUPPLY

    @property
    def cut(self) -> Power:
        """What power comes to at the switch that is silent on its way; unknown if none is."""
        is_cut = self.is_behind and self.switch is Stand.SILENT
        return self.switch_power if is_cut else Power.UNKNOWN

    @property
    def is_reached(self) -> bool:
        """Whether it is the device that is silent: what it hangs on may explain that."""
        return self.of is What.DEVICE or (self.of is What.SERVICE and self.itself is Stand.SILENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """The cause of an outage that goes on: what is known of it so far, and what the rules make of that."""

    signal: str
    first_miss: datetime
    last_answer: datetime
    scene: Scene
    finding: Finding


W = TypeVar("W", Power, Port, Stand)


def merged(before: Scene, now: Scene) -> Scene:
    """What is known of an outage, when more is said while it lasts: what speaks against us stays said."""
    return replace(
        now,
        power=heavier(before.power, now.power),
        overload=before.overload or now.overload,
        port=heavier(before.port, now.port),
        switch=heavier(before.switch, now.switch),
        switch_power=heavier(before.switch_power, now.switch_power),
        silent=max(before.silent, now.silent),
        gateway=heavier(before.gateway, now.gateway),
        itself=heavier(before.itself, now.itself),
        edge=heavier(before.edge, now.edge),
        planned=before.planned or now.planned,
    )


def heavier(before: W, now: W) -> W:
    """Which of two words weighs more; the first, if neither does."""
    order: tuple[W, ...] = tuple(type(now))
    return max(before, now, key=order.index)


def is_known(scene: Scene, slot: Slot) -> bool:
    """Whether anybody spoke of a thing."""
    match slot:
        case Slot.OTHERS:
            return scene.silent + scene.answering > 0 and scene.unheard < TOGETHER_MIN
        case Slot.PLANNED | Slot.OVERLOAD:
            return True
        case _:
            return str(getattr(scene, slot.value)) != "unknown"


def without(scene: Scene, slot: Slot) -> Scene:
    """The scene as if nobody had spoken of a thing. Of others behind the switch, one who did."""
    match slot:
        case Slot.OTHERS if scene.silent:
            return replace(scene, silent=scene.silent - 1, unheard=scene.unheard + 1)
        case Slot.OTHERS if scene.answering:
            return replace(scene, answering=scene.answering - 1, unheard=scene.unheard + 1)
        case Slot.OTHERS:
            return scene
        case _:
            nothing: Any = getattr(Scene(of=scene.of), slot.value)
            return replace(scene, **{slot.value: nothing})
