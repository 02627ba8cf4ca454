"""Whose fault an outage is, out of all that witnesses said (`docs/cause.md`, whose tables are made of this).

A scene is what is known of one outage, each thing with a value for *nobody said*. A rule asks for what is
known, never for what is not: so more witnesses can only bring more rules. The strongest that holds gives the
cause; of rules that are equally strong, the first. Therefore a witness who is taken away never makes a cause
more certain. And what speaks for the customer's equipment asks for all who could speak against it: a witness
who is taken away never turns a cause towards the customer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from hostwatch.core.cause import Cause, Confidence, Slot
from hostwatch.core.scene import TOGETHER_MIN, Port, Power, Scene, Stand, What, is_known


class Rule(NamedTuple):
    """If all of this is known, then this is the cause."""

    name: str
    cause: Cause
    confidence: Confidence
    when: str
    """In words for people."""

    holds: Callable[[Scene], bool]


class Given(NamedTuple):
    """What the rules make of a scene."""

    cause: Cause
    confidence: Confidence
    rule: str


def _has(scene: Scene, *words: Power) -> bool:
    """Whether power comes to one of these where it hangs, or at the silent switch on its way."""
    return (scene.is_powered and scene.power in words) or scene.cut in words


def _is_dead_switch(scene: Scene) -> bool:
    """A switch that had power all the time: nothing is left that a witness could say."""
    if scene.silent < TOGETHER_MIN:
        return False
    if scene.of is What.SWITCH:
        return scene.power is Power.SUPPLIED
    return scene.is_reached and scene.cut is Power.SUPPLIED


def _is_overload(scene: Scene) -> bool:
    """A fault of distribution by the load of this customer's own, and nothing wrong with the network."""
    return (
        scene.is_reached
        and scene.power is Power.FAULT
        and scene.overload
        and scene.port in (Port.UP, Port.DOWN)
        and scene.switch is Stand.ANSWERS
        and scene.silent + scene.unheard < TOGETHER_MIN
    )


def _is_customers(scene: Scene) -> bool:
    """Everybody who could say that it is not the customer's equipment has spoken, and none says so."""
    return (
        scene.is_reached
        and scene.port is Port.UP
        and scene.power is Power.SUPPLIED
        and scene.switch is Stand.ANSWERS
        and scene.gateway is Stand.ANSWERS
        and scene.answering > 0
        and scene.silent + scene.unheard < TOGETHER_MIN
    )


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "planned-interruption",
        Cause.MAINTENANCE,
        Confidence.CERTAIN,
        "its power, or that of the silent switch on its way, is interrupted, and work is planned for this"
        " time on what it hangs on",
        lambda s: _has(s, Power.INTERRUPTED) and s.planned,
    ),
    Rule(
        "interrupted",
        Cause.POWER,
        Confidence.CERTAIN,
        "its power is interrupted: utility and UPS are both without power",
        lambda s: s.is_powered and s.power is Power.INTERRUPTED,
    ),
    Rule(
        "switch-interrupted",
        Cause.POWER,
        Confidence.CERTAIN,
        "the switch is silent, and its power is interrupted: utility and UPS are both without power",
        lambda s: s.cut is Power.INTERRUPTED,
    ),
    Rule(
        "dead-switch",
        Cause.NETWORK,
        Confidence.CERTAIN,
        "the switch is silent, has had power all the time, and many behind it fell silent with it",
        _is_dead_switch,
    ),
    Rule(
        "planned-loss",
        Cause.MAINTENANCE,
        Confidence.LIKELY,
        "it, or the silent switch on its way, has no power, and work is planned for this time on what it"
        " hangs on",
        lambda s: _has(s, Power.LOST, Power.FAULT) and s.planned,
    ),
    Rule(
        "overload",
        Cause.CUSTOMER,
        Confidence.LIKELY,
        "power comes in and none comes out where only this customer hangs; a witness says that it was"
        " overloaded; its switch answers, tells how its port is, and few others are silent",
        _is_overload,
    ),
    Rule(
        "distribution",
        Cause.DISTRIBUTION,
        Confidence.LIKELY,
        "power comes in and none comes out: a strip, a breaker or a transfer switch",
        lambda s: s.is_powered and s.power is Power.FAULT,
    ),
    Rule(
        "no-power",
        Cause.POWER,
        Confidence.LIKELY,
        "it has no power; whether utility and UPS have is not known",
        lambda s: s.is_powered and s.power is Power.LOST,
    ),
    Rule(
        "switch-distribution",
        Cause.DISTRIBUTION,
        Confidence.LIKELY,
        "the switch is silent; power comes in and none comes out where it hangs",
        lambda s: s.cut is Power.FAULT,
    ),
    Rule(
        "switch-no-power",
        Cause.POWER,
        Confidence.LIKELY,
        "the switch is silent and has no power; whether utility and UPS have is not known",
        lambda s: s.cut is Power.LOST,
    ),
    Rule(
        "port-off",
        Cause.NETWORK,
        Confidence.LIKELY,
        "its port was switched off; why, a person says",
        lambda s: s.is_reached and s.port is Port.OFF,
    ),
    Rule(
        "switch-and-others",
        Cause.NETWORK,
        Confidence.LIKELY,
        "the switch is silent, and another behind it fell silent with it",
        lambda s: s.is_reached and s.switch is Stand.SILENT and s.silent > 0,
    ),
    Rule(
        "many-at-once",
        Cause.NETWORK,
        Confidence.LIKELY,
        "many behind the same switch fell silent together, whatever the switch itself answers",
        lambda s: s.is_reached and s.silent >= TOGETHER_MIN,
    ),
    Rule(
        "switch",
        Cause.NETWORK,
        Confidence.LIKELY,
        "a switch is silent: its own outage",
        lambda s: s.of is What.SWITCH,
    ),
    Rule(
        "edge",
        Cause.NETWORK,
        Confidence.LIKELY,
        "the reference points are silent, and so is our own switch towards the uplink",
        lambda s: s.of is What.UPLINK and s.edge is Stand.SILENT,
    ),
    Rule(
        "beyond-our-edge",
        Cause.CARRIER,
        Confidence.LIKELY,
        "the reference points are silent; our gateway and our own switch towards the uplink answer",
        lambda s: s.of is What.UPLINK and s.gateway is Stand.ANSWERS and s.edge is Stand.ANSWERS,
    ),
    Rule(
        "equipment",
        Cause.CUSTOMER,
        Confidence.LIKELY,
        "its port is up, it has had power all the time, its switch and our gateway answer, and so do others"
        " behind the same switch: it alone is silent",
        _is_customers,
    ),
    Rule(
        "beyond-our-gateway",
        Cause.CARRIER,
        Confidence.POSSIBLE,
        "the reference points are silent, and our gateway answers; nobody knows how our edge is",
        lambda s: s.of is What.UPLINK and s.gateway is Stand.ANSWERS,
    ),
    Rule(
        "switch-silent",
        Cause.NETWORK,
        Confidence.POSSIBLE,
        "the switch is silent; nobody behind it is known to have fallen silent with it",
        lambda s: s.is_reached and s.switch is Stand.SILENT,
    ),
    Rule(
        "port-down",
        Cause.NETWORK,
        Confidence.POSSIBLE,
        "its port is down: the port, the cable, or the device's own end of it",
        lambda s: s.is_reached and s.port is Port.DOWN,
    ),
    Rule(
        "power-changed",
        Cause.POWER,
        Confidence.POSSIBLE,
        "it, or the silent switch on its way, has power now, and who sees that has said another thing since"
        " the outage began",
        lambda s: _has(s, Power.CHANGED),
    ),
    Rule(
        "application",
        Cause.CUSTOMER,
        Confidence.POSSIBLE,
        "the device answers, and so does our gateway: the application on it does not do what it should",
        lambda s: s.of is What.SERVICE and s.itself is Stand.ANSWERS and s.gateway is Stand.ANSWERS,
    ),
    Rule(
        "planned",
        Cause.MAINTENANCE,
        Confidence.POSSIBLE,
        "work is planned for this time on what it hangs on; nobody saw what it did",
        lambda s: s.is_powered and s.planned,
    ),
)  # fmt: skip
"""All rules, the strongest first."""


def attribute(scene: Scene) -> Given:
    """The cause by the strongest rule that holds; undetermined if none does."""
    for rule in RULES:
        if rule.holds(scene):
            return Given(rule.cause, rule.confidence, rule.name)
    return Given(Cause.UNDETERMINED, Confidence.NONE, "")


ASKED: Final[dict[What, tuple[Slot, ...]]] = {
    What.DEVICE: (Slot.POWER, Slot.PORT, Slot.SWITCH, Slot.SWITCH_POWER, Slot.OTHERS, Slot.GATEWAY),
    What.SERVICE: (Slot.ITSELF,),
    What.SUPPLY: (Slot.POWER,),
    What.SWITCH: (Slot.POWER, Slot.SWITCH_POWER, Slot.OTHERS),
    What.UPLINK: (Slot.EDGE, Slot.GATEWAY),
}
"""Who could speak of whose outage."""


def wanting(scene: Scene, confidence: Confidence) -> tuple[Slot, ...]:
    """Of what nobody has spoken who could decide it; nothing where the cause is certain."""
    if confidence is Confidence.CERTAIN:
        return ()
    asked = ASKED[What.DEVICE if scene.is_reached else scene.of]
    if scene.switch is not Stand.SILENT:
        asked = tuple(slot for slot in asked if slot is not Slot.SWITCH_POWER)
    return tuple(slot for slot in asked if not is_known(scene, slot))
