"""Whose fault it is: scenes and what the rules make of them; and what no scene may ever do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest

from hostwatch.core.cause import Cause, Slot
from hostwatch.core.scene import Port, Power, Scene, Stand, What, merged, without
from hostwatch.core.topology import RULES, Given, attribute, wanting
from tests.cause import page

DEVICE, SERVICE, SUPPLY, SWITCH, UPLINK = What
ANSWERS, SILENT = Stand.ANSWERS, Stand.SILENT

ALONE = Scene(of=DEVICE, port=Port.UP, power=Power.SUPPLIED, switch=ANSWERS, gateway=ANSWERS, answering=29)
"""A device that is silent, while everybody else says that all is well."""

DEAD = Scene(of=DEVICE, switch=SILENT, switch_power=Power.SUPPLIED, silent=29)
"""A device whose switch is dead, with all behind it."""

STORIES: list[tuple[str, Scene, str]] = [
    ("it alone is silent, and everybody has spoken", ALONE, "customer's equipment, likely: equipment"),
    (
        "…but one neighbour that fell silent too is no crowd",
        replace(ALONE, silent=1),
        "customer's equipment, likely: equipment",
    ),
    ("…nobody tells of its port", replace(ALONE, port=Port.UNKNOWN), "undetermined, none: "),
    ("…nobody tells of its power", replace(ALONE, power=Power.UNKNOWN), "undetermined, none: "),
    ("…nobody else is behind its switch", replace(ALONE, answering=0), "undetermined, none: "),
    ("…too few of the others have been looked at", replace(ALONE, unheard=3), "undetermined, none: "),
    ("…its switch is not watched", replace(ALONE, switch=Stand.UNKNOWN), "undetermined, none: "),
    ("…our own gateway is not heard", replace(ALONE, gateway=Stand.UNKNOWN), "undetermined, none: "),
    ("…its port is down", replace(ALONE, port=Port.DOWN), "operator's network, possible: port-down"),
    ("…its port was switched off", replace(ALONE, port=Port.OFF), "operator's network, likely: port-off"),
    (
        "…the switch does not answer, though others behind it do",
        replace(ALONE, switch=SILENT),
        "operator's network, possible: switch-silent",
    ),
    (
        "…many others fell silent with it",
        replace(ALONE, silent=3),
        "operator's network, likely: many-at-once",
    ),
    (
        "…the power has changed meanwhile",
        replace(ALONE, power=Power.CHANGED),
        "operator's power, possible: power-changed",
    ),
    ("nothing is known at all", Scene(of=DEVICE), "undetermined, none: "),
    (
        "the switch is dead, with all behind it, and had power",
        DEAD,
        "operator's network, certain: dead-switch",
    ),
    (
        "…nobody knows of its power",
        replace(DEAD, switch_power=Power.UNKNOWN),
        "operator's network, likely: switch-and-others",
    ),
    (
        "…its power is interrupted, though that of the device is not",
        replace(DEAD, switch_power=Power.INTERRUPTED, power=Power.SUPPLIED),
        "operator's power, certain: switch-interrupted",
    ),
    (
        "…its strip is dead behind a living UPS",
        replace(DEAD, switch_power=Power.FAULT),
        "operator's power distribution, likely: switch-distribution",
    ),
    (
        "…it has no power, and nobody knows why",
        replace(DEAD, switch_power=Power.LOST),
        "operator's power, likely: switch-no-power",
    ),
    (
        "…the power of a switch that answers says nothing",
        replace(ALONE, switch_power=Power.INTERRUPTED),
        "customer's equipment, likely: equipment",
    ),
    (
        "…the UPS of the switch is worked on",
        replace(DEAD, switch_power=Power.INTERRUPTED, planned=True),
        "maintenance, certain: planned-interruption",
    ),
    (
        "the switch is dead, with the only other one",
        Scene(of=DEVICE, switch=SILENT, silent=1),
        "operator's network, likely: switch-and-others",
    ),
    (
        "power is interrupted, and so the switch is dead",
        Scene(of=DEVICE, switch=SILENT, silent=29, power=Power.INTERRUPTED),
        "operator's power, certain: interrupted",
    ),
    (
        "a strip is dead behind a living UPS",
        replace(ALONE, power=Power.FAULT, port=Port.DOWN),
        "operator's power distribution, likely: distribution",
    ),
    (
        "…it was overloaded, and is this customer's alone",
        replace(ALONE, power=Power.FAULT, port=Port.DOWN, overload=True),
        "customer's equipment, likely: overload",
    ),
    (
        "…it was overloaded, and nobody tells of the port",
        Scene(of=DEVICE, power=Power.FAULT, overload=True),
        "operator's power distribution, likely: distribution",
    ),
    (
        "it has no power, and nobody knows why",
        Scene(of=DEVICE, power=Power.LOST),
        "operator's power, likely: no-power",
    ),
    (
        "its UPS is worked on, and power is interrupted",
        Scene(of=DEVICE, power=Power.INTERRUPTED, planned=True),
        "maintenance, certain: planned-interruption",
    ),
    (
        "its strip is worked on, and has no power",
        Scene(of=DEVICE, power=Power.FAULT, planned=True),
        "maintenance, likely: planned-loss",
    ),
    (
        "its UPS is worked on, and nobody sees more",
        Scene(of=DEVICE, planned=True),
        "maintenance, possible: planned",
    ),
    (
        "an application, and its device answers",
        Scene(of=SERVICE, itself=ANSWERS, gateway=ANSWERS),
        "customer's equipment, possible: application",
    ),
    (
        "an application, and nobody knows of its device",
        Scene(of=SERVICE, gateway=ANSWERS),
        "undetermined, none: ",
    ),
    (
        "an application on a device that is dead with its switch",
        replace(DEAD, of=SERVICE, itself=SILENT),
        "operator's network, certain: dead-switch",
    ),
    ("a supply", Scene(of=SUPPLY, power=Power.INTERRUPTED), "operator's power, certain: interrupted"),
    (
        "a supply that is measured at the outlet",
        Scene(of=SUPPLY, power=Power.FAULT),
        "operator's power distribution, likely: distribution",
    ),
    (
        "a switch that had power, and those behind it",
        Scene(of=SWITCH, silent=30, power=Power.SUPPLIED),
        "operator's network, certain: dead-switch",
    ),
    (
        "…nobody knows of its power",
        Scene(of=SWITCH, silent=30),
        "operator's network, likely: switch",
    ),
    (
        "…it has none",
        Scene(of=SWITCH, silent=30, power=Power.INTERRUPTED),
        "operator's power, certain: interrupted",
    ),
    (
        "…what it hangs on itself has none",
        Scene(of=SWITCH, silent=30, switch=SILENT, switch_power=Power.INTERRUPTED),
        "operator's power, certain: switch-interrupted",
    ),
    ("a switch alone", Scene(of=SWITCH, answering=30), "operator's network, likely: switch"),
    (
        "an uplink, and our edge answers",
        Scene(of=UPLINK, gateway=ANSWERS, edge=ANSWERS),
        "carrier, likely: beyond-our-edge",
    ),
    (
        "an uplink, and our edge is dead",
        Scene(of=UPLINK, gateway=ANSWERS, edge=SILENT),
        "operator's network, likely: edge",
    ),
    (
        "an uplink without a known edge",
        Scene(of=UPLINK, gateway=ANSWERS),
        "carrier, possible: beyond-our-gateway",
    ),
]


@pytest.mark.parametrize(("told", "scene", "expected"), STORIES, ids=[story[0] for story in STORIES])
def test_a_story(told: str, scene: Scene, expected: str) -> None:
    found = attribute(scene)
    assert f"{found.cause}, {found.confidence}: {found.rule}" == expected


def test_each_rule_has_its_story() -> None:
    """And so each is needed: without it, its story would be another."""
    assert {attribute(scene).rule for _, scene, _ in STORIES} - {""} == {rule.name for rule in RULES}


SWITCHES = [(Stand.UNKNOWN, Power.UNKNOWN), (ANSWERS, Power.UNKNOWN), *product([SILENT], Power)]
"""What is said of the switch: its power is asked for where it is silent."""


def every() -> Iterator[Scene]:
    """Every combination of all words, with no, some and many others of each kind."""
    others = [*product((0, 1, 2, 3), (0, 1), (0, 2))]
    flags = (False, True)
    things = product(What, Power, Port, SWITCHES, others)
    for of, power, port, (switch, switch_power), (silent, answering, unheard) in things:
        for gateway, itself, overload, planned in product((Stand.UNKNOWN, ANSWERS), Stand, flags, flags):
            if of is not SERVICE and itself is not Stand.UNKNOWN:
                continue
            yield Scene(
                of=of,
                power=power,
                port=port,
                switch=switch,
                switch_power=switch_power,
                silent=silent,
                answering=answering,
                unheard=unheard,
                gateway=gateway,
                itself=itself,
                edge=switch if of is UPLINK else Stand.UNKNOWN,
                overload=overload,
                planned=planned,
            )


WITNESSES = [slot for slot in Slot if slot is not Slot.PLANNED]
"""What is planned we know ourselves."""


def poorer(scene: Scene) -> Iterator[Scene]:
    """The scene with one witness less, or with one who says less."""
    yield from (without(scene, slot) for slot in WITNESSES)
    if scene.answering:
        yield replace(scene, answering=scene.answering - 1, unheard=scene.unheard + 1)
    if scene.power in (Power.INTERRUPTED, Power.FAULT):
        yield replace(scene, power=Power.LOST)
    if scene.switch_power in (Power.INTERRUPTED, Power.FAULT):
        yield replace(scene, switch_power=Power.LOST)


def test_a_witness_less_never_makes_it_more_certain_and_never_turns_it_towards_the_customer() -> None:
    """Over all combinations of all words: none is left to chance."""
    known: dict[Scene, Given] = {}
    wrong: list[tuple[str, Scene, Scene]] = []
    for scene in every():
        found = known.setdefault(scene, attribute(scene))
        for less in poorer(scene):
            other = known.get(less) or attribute(less)
            if other.confidence.rank > found.confidence.rank:
                wrong.append(("more certain", scene, less))
            if other.cause is Cause.CUSTOMER and found.cause is not Cause.CUSTOMER:
                wrong.append(("the customer", scene, less))
    assert wrong[:3] == []
    assert len(known) > 50_000


def test_nothing_known_is_nobodys_fault() -> None:
    """A switch has only to be silent: it is ours, whatever befell it."""
    found = {of: attribute(Scene(of=of)).cause for of in What}
    assert found == {**dict.fromkeys(What, Cause.UNDETERMINED), SWITCH: Cause.NETWORK}


def test_what_would_decide_it() -> None:
    lonely = Scene(of=DEVICE, gateway=ANSWERS, switch=ANSWERS)
    assert wanting(lonely, attribute(lonely).confidence) == (Slot.POWER, Slot.PORT, Slot.OTHERS)
    assert wanting(ALONE, attribute(ALONE).confidence) == ()
    assert wanting(DEAD, attribute(DEAD).confidence) == (), "nothing is left to decide"
    unsure = replace(DEAD, switch_power=Power.UNKNOWN, power=Power.SUPPLIED, port=Port.UP, gateway=ANSWERS)
    assert wanting(unsure, attribute(unsure).confidence) == (Slot.SWITCH_POWER,)


def test_what_was_said_against_us_stays_said() -> None:
    """The switch is back, and so are 29 of the 30. The last one has not come back with them.

    ```
    sw-1   ────────✕━━━━━━━━━━━━━━━━━━╸──────────────
    29     ─────────✕━━━━━━━━━━━━━━━━━━╸─────────────
    srv-7  ─────────✕━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
    ```
    """
    during = replace(DEAD, gateway=ANSWERS)
    after = merged(during, ALONE)

    assert attribute(after).rule == "dead-switch"
    assert merged(ALONE, during).switch is SILENT
    assert after.port is Port.UP, "what is new is known too"


def test_the_page_is_what_the_code_says() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.page(text) == text, "run scripts/pages, and look at what it changed"
