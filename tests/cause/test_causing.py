"""Causes in the flow: at a verdict, while evidence comes in, at the end; and the store tells the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.core import causing, facts, judge
from hostwatch.core.cause import Cause, Evidence, Slot, Statement
from hostwatch.core.device import Device
from hostwatch.core.element import Element, Kind
from hostwatch.core.place import Place
from hostwatch.core.population import Customer, Population
from hostwatch.core.ports import Port, PortsReading, State
from hostwatch.core.power import Output, Point, PowerReading, Ups, Utility
from hostwatch.core.reading import Outcome, Reading
from hostwatch.core.service import Service
from hostwatch.core.source import Source
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch
from hostwatch.core.uplink import Uplink
from hostwatch.core.warned import Planned, Planning
from hostwatch.core.world import Decision
from tests.core import shared_pictures
from tests.core.pictures import instant

MINUTE = 60
DEVICES = [f"srv-{number}" for number in range(1, 7)]
SUPPLY = "pdu-1"
POWER = "source:ups-a/read@main"
STRIP = "source:strip/read@main"
PORTS = "source:ports:sw-1/read@main"
REFERENCES = ("192.0.2.8", "192.0.2.9", "192.0.2.10")
A, M = Outcome.ANSWERED, Outcome.MISSED


def population(*, with_ports: bool = True, feeds: str = "") -> Population:
    """Six devices behind one switch and on one strip; what feeds the switch; an uplink by it."""
    devices = {
        name: Device(
            id=name,
            customer=("acme", "beta")[number % 2],
            address="192.0.2.1",
            place=Place(rack="r1", feeds="r1-a", supply=SUPPLY, ports=f"sw-1/{number + 1}"),
            services=(Service(name="www"),) if name == "srv-6" else (),
        )
        for number, name in enumerate(DEVICES)
    }
    every = timedelta(seconds=10)
    sources = {
        "ups-a": Source(id="ups-a", kind="power/nut", interval=every),
        "strip": Source(id="strip", kind="power/snmp_pdu", interval=every),
    }
    if with_ports:
        sources["ports:sw-1"] = Source(id="ports:sw-1", kind="ports/snmp", interval=every)
    elements = (
        Element(id="grid", kind=Kind.UTILITY),
        Element(id="ups-a", kind=Kind.UPS, input="grid", witness="ups-a"),
        Element(id="r1-a", kind=Kind.FEED, input="ups-a", rack="r1"),
        Element(id="pdu-1", kind=Kind.PDU, input="r1-a", witness="strip"),
    )
    return Population(
        customers={name: Customer(id=name, contacts=("duty",)) for name in ("acme", "beta", "noc")},
        devices=devices,
        switches={
            "sw-1": Switch(id="sw-1", name="Row 1", address="192.0.2.2", uplink="main", feeds=feeds),
        },
        sources=sources,
        supplies={SUPPLY: Supply(id=SUPPLY, measured_at="outlet")},
        elements={one.id: one for one in elements},
        uplinks={"main": Uplink(id="main", name="Main", references=REFERENCES, quorum=2)},
        operator="noc",
    )


def ups(letter: str) -> str:
    """OL: on the utility, OB: on battery, OFF: nothing left."""
    utility, able, output = {
        "OL": (Utility.PRESENT, Ups.ABLE, Output.POWERED),
        "OB": (Utility.ABSENT, Ups.ABLE, Output.POWERED),
        "OFF": (Utility.ABSENT, Ups.DEAD, Output.UNPOWERED),
    }[letter]
    return PowerReading(points=(Point(utility=utility, ups=able, output=output, said=letter),)).text


def strip(*, on: bool) -> str:
    return PowerReading(points=(Point(output=Output.POWERED if on else Output.UNPOWERED),)).text


def switch(*, down: int = 0, off: int = 0, changed_s: int = 90_000) -> str:
    """All ports are up, but for one that is down or switched off."""
    ports = tuple(
        Port(
            name=str(number),
            oper=State.DOWN if number in (down, off) else State.UP,
            admin=State.DOWN if number == off else State.UP,
            changed_s=changed_s,
        )
        for number in range(1, 7)
    )
    return PortsReading(up_ticks=1, ports=ports).text


class Stage(shared_pictures.Stage):
    """Looks by all, and what they say. The store must tell the same causes after each deed."""

    def __init__(self, path: Path, people: Population) -> None:
        self.said = {POWER: ups("OL"), STRIP: strip(on=True), PORTS: switch()}
        super().__init__(path, people)
        self.world.planning = Planning(sees_gateway=True)

    def do(self, decision: Decision, at: int) -> None:
        super().do(decision, at)
        told = self.ledger.load()
        assert told.causes == self.world.causes
        assert told.stated == self.world.stated

    def hear(self, at: int) -> None:
        """All sources are asked."""
        readings = [
            Reading(signal=name, at=instant(at), known_at=instant(at), outcome=A if said else M, said=said)
            for name, said in self.said.items()
            if name in self.world.signals
        ]
        self.do(judge.readings(self.world, None, readings, closes=False, now=instant(at)), at)

    def round(self, at: int, *silent: str) -> None:
        """Sources are asked, then the switch, then all devices; these do not answer."""
        for before in (20, 10, 0):
            self.hear(at - before)
        names = ["switch:sw-1/ping@main", *(f"{one}/ping@main" for one in DEVICES), "srv-6/www@main"]
        names += [name for name in self.world.signals if name.startswith("uplink:main/ping")]
        for name in names:
            thing, _, check = name.partition("/")
            is_silent = (
                (thing in silent and check == "ping@main")
                or check in silent
                or ("uplink" in silent and thing == "uplink:main")
            )
            known_at = instant(at) + timedelta(seconds=2 * is_silent)
            reading = Reading(
                signal=name,
                at=instant(at),
                known_at=known_at,
                outcome=M if is_silent else A,
                why="no answer" if is_silent else "",
            )
            self.do(judge.readings(self.world, None, [reading], closes=False, now=known_at), at)

    @property
    def causes(self) -> list[str]:
        """The causes that were recorded."""
        return [
            f"{fact.signal.partition('/')[0]}: {fact.cause}, {fact.confidence}"
            for fact in self.facts
            if isinstance(fact, facts.CauseFound)
        ]

    def last(self, device: str) -> facts.CauseFound:
        """What was recorded last of an outage."""
        signal = device if "/" in device else f"{device}/ping@main"
        return [f for f in self.facts if isinstance(f, facts.CauseFound) and f.signal == signal][-1]


ROUND = 300
"""Seconds between two rounds: the interval of the devices."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path / "store", population())
    made.round(ROUND)
    made.round(2 * ROUND)
    yield made
    made.ledger.close()


def test_one_device_is_silent_and_everybody_else_says_that_all_is_well(stage: Stage) -> None:
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    found = stage.last("srv-1")
    assert (found.cause, found.confidence, found.rule) == ("customer's equipment", "likely", "equipment")
    said = [causing.evidence_of(one) for one in found.evidence]
    assert {one.slot for one in said} == {Slot.GATEWAY, Slot.POWER, Slot.PORT, Slot.SWITCH, Slot.OTHERS}
    assert Evidence(Slot.PORT, "sw-1/1", "up", instant(4 * ROUND - 90_000)) in said
    assert Evidence(Slot.OTHERS, "", "answer", None, 5, 5) in said
    assert found.wanting == ()
    assert stage.causes == ["srv-1: customer's equipment, likely"]


def test_a_gateway_in_whose_place_a_beacon_may_have_answered_is_not_said_to_answer(stage: Stage) -> None:
    """It may drop pings; what is known is that it lets us out. The cause is the same."""
    stage.world.planning = Planning(sees_gateway=True, sees_beyond=True)
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    found = stage.last("srv-1")
    assert (found.cause, found.confidence, found.rule) == ("customer's equipment", "likely", "equipment")
    (gateway,) = [said for said in map(causing.evidence_of, found.evidence) if said.slot is Slot.GATEWAY]
    assert gateway.said == "lets us out"


def test_nothing_is_said_of_a_gateway_that_nobody_looks_at(stage: Stage) -> None:
    stage.world.planning = Planning()
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    found = stage.last("srv-1")
    assert (found.cause, found.wanting) == ("undetermined", ("gateway",))
    assert Slot.GATEWAY not in {causing.evidence_of(one).slot for one in found.evidence}


def test_what_is_the_same_as_before_is_recorded_once(stage: Stage) -> None:
    for number in range(3, 8):
        stage.round(number * ROUND, "srv-1")
    stage.round(8 * ROUND)

    assert stage.causes == ["srv-1: customer's equipment, likely"]
    assert stage.world.causes == {}, "it is over"


@pytest.mark.parametrize(
    ("missing", "wanting"),
    [(POWER, {"power"}), (STRIP, {"power"}), (PORTS, {"port"})],
)
def test_a_witness_who_is_not_heard_leaves_it_undetermined(
    stage: Stage, missing: str, wanting: set[str]
) -> None:
    stage.said[missing] = ""
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    assert stage.last("srv-1").cause == "undetermined"
    assert {*stage.last("srv-1").wanting} == wanting


@pytest.mark.parametrize(
    ("feeds", "said", "expected"),
    [
        ("r1-a", {}, "operator's network, certain: dead-switch"),
        ("", {}, "operator's network, likely: switch-and-others"),
        ("r1-a", {STRIP: ""}, "operator's network, likely: switch-and-others"),
        ("r1-a", {STRIP: "", POWER: ""}, "operator's network, likely: switch-and-others"),
    ],
    ids=["it had power", "nobody said where it hangs", "its strip is not heard with it", "nobody is heard"],
)
def test_a_switch_and_all_behind_it(tmp_path: Path, feeds: str, said: dict[str, str], expected: str) -> None:
    """A strip that dies takes with it who could say so: then nobody knows that the switch had power."""
    stage = Stage(tmp_path / "other", population(feeds=feeds))
    for number in (1, 2):
        stage.round(number * ROUND)
    stage.said.update({PORTS: "", **said})
    for number in (3, 4):
        stage.round(number * ROUND, "switch:sw-1", *DEVICES)

    for name in DEVICES:
        found = stage.last(name)
        assert f"{found.cause}, {found.confidence}: {found.rule}" == expected, name
    found = stage.last("switch:sw-1/ping@main")
    assert f"{found.cause}, {found.confidence}" == expected.partition(":")[0]
    told = [one["who"] for one in found.evidence if one["said"] == "not heard"]
    assert told == [{STRIP: "strip", POWER: "ups-a"}[name] for name in said][::-1]
    assert ("power" in found.wanting) is (expected.endswith("switch-and-others"))
    stage.ledger.close()


APART = replace(
    population(feeds="r2-a"),
    devices={
        name: replace(one, place=replace(one.place, supply="ups-b", feeds="r3-a"))
        for name, one in population().devices.items()
        if one.place is not None
    },
    supplies={"ups-b": Supply(id="ups-b")},
    elements={
        one.id: one
        for one in (
            Element(id="grid", kind=Kind.UTILITY),
            Element(id="ups-a", kind=Kind.UPS, input="grid", witness="ups-a"),
            Element(id="ups-b", kind=Kind.UPS, input="grid", witness="ups-b"),
            Element(id="r2-a", kind=Kind.FEED, input="ups-a", rack="r2"),
            Element(id="pdu-2", kind=Kind.PDU, input="r2-a", witness="strip"),
            Element(id="r3-a", kind=Kind.FEED, input="ups-b", rack="r3"),
        )
    },
)
"""The switch stands in a rack of its own, on a UPS and a strip of its own; the devices are on another UPS."""


@pytest.mark.parametrize(
    ("said", "expected", "its"),
    [
        ({POWER: ups("OFF"), STRIP: strip(on=False)}, "switch-interrupted", "interrupted"),
        ({STRIP: strip(on=False)}, "switch-distribution", "distribution"),
        ({POWER: "", STRIP: strip(on=False)}, "switch-no-power", "no-power"),
    ],
    ids=["utility and UPS", "the strip", "who knows"],
)
def test_a_switch_that_has_no_power_while_the_devices_have(
    tmp_path: Path, said: dict[str, str], expected: str, its: str
) -> None:
    people = replace(APART, sources={**APART.sources, "ups-b": Source(id="ups-b", kind="power/nut")})
    stage = Stage(tmp_path / "other", people)
    stage.said["source:ups-b/read@main"] = ups("OL")
    for number in (1, 2):
        stage.round(number * ROUND)
    stage.said.update(said)
    for number in (3, 4):
        stage.round(number * ROUND, "switch:sw-1", *DEVICES)

    assert {stage.last(name).rule for name in DEVICES} == {expected}
    assert stage.last("switch:sw-1/ping@main").rule == its
    assert {stage.last(name).cause for name in DEVICES} == {stage.last("switch:sw-1/ping@main").cause}
    stage.ledger.close()


def test_what_is_heard_of_the_power_of_a_switch_while_it_is_silent(tmp_path: Path) -> None:
    """Nobody is heard at first. When the strip is, it says that it is dead: at once, for all of them."""
    people = replace(APART, sources={**APART.sources, "ups-b": Source(id="ups-b", kind="power/nut")})
    stage = Stage(tmp_path / "other", people)
    stage.said["source:ups-b/read@main"] = ups("OL")
    for number in (1, 2):
        stage.round(number * ROUND)
    stage.said[STRIP] = ""
    for number in (3, 4):
        stage.round(number * ROUND, "switch:sw-1", *DEVICES)
    assert stage.last("srv-1").rule == "switch-and-others"
    stage.said[STRIP] = strip(on=False)
    stage.hear(4 * ROUND + 10)

    assert stage.last("srv-1").rule == "switch-distribution"
    assert stage.last("switch:sw-1/ping@main").rule == "distribution"
    stage.ledger.close()


def test_the_one_that_does_not_come_back_fell_with_the_switch_all_the_same(
    stage: Stage,
) -> None:
    """```
    sw-1   ────────✕━━━━━━━━━━━━━━━╸────────────
    srv-1  ────────✕━━━━━━━━━━━━━━━━━━━━━━━━━━━
    srv-2… ────────✕━━━━━━━━━━━━━━━╸────────────
    ```
    """
    stage.round(3 * ROUND, "switch:sw-1", *DEVICES)
    stage.round(4 * ROUND, "switch:sw-1", *DEVICES)
    stage.round(5 * ROUND, "srv-1")
    stage.round(6 * ROUND, "srv-1")

    found = stage.last("srv-1")
    assert (found.cause, found.rule) == ("operator's network", "switch-and-others")
    assert [*stage.world.causes] == ["srv-1/ping@main"]


def test_many_at_once_though_the_switch_answers(stage: Stage) -> None:
    stage.round(3 * ROUND, *DEVICES[:4])
    stage.round(4 * ROUND, *DEVICES[:4])

    assert (stage.last("srv-1").cause, stage.last("srv-1").rule) == ("operator's network", "many-at-once")


def test_others_that_fell_silent_at_another_time_say_nothing_against_the_switch(stage: Stage) -> None:
    for number, silent in enumerate((["srv-2"], ["srv-2", "srv-3"], ["srv-2", "srv-3", "srv-4"])):
        stage.round((3 + number) * ROUND, *silent)
    before = ["srv-2", "srv-3", "srv-4"]
    stage.round(6 * ROUND, *before)
    stage.round(7 * ROUND, *before, "srv-1")
    stage.round(8 * ROUND, *before, "srv-1")

    assert stage.last("srv-1").cause == "customer's equipment"


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (switch(down=1), "operator's network, possible: port-down"),
        (switch(off=1), "operator's network, likely: port-off"),
        (switch(changed_s=30), "operator's network, possible: port-down"),
    ],
    ids=["down", "switched off", "up again, and was down meanwhile"],
)
def test_what_the_switch_says_of_the_port(stage: Stage, port: str, expected: str) -> None:
    stage.round(3 * ROUND, "srv-1")
    stage.said[PORTS] = port
    stage.round(4 * ROUND, "srv-1")

    found = stage.last("srv-1")
    assert f"{found.cause}, {found.confidence}: {found.rule}" == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({POWER: ups("OFF"), STRIP: strip(on=False)}, "operator's power, certain"),
        ({POWER: ups("OFF"), STRIP: ""}, "operator's power, certain"),
        ({STRIP: strip(on=False)}, "operator's power distribution, likely"),
        ({POWER: "", STRIP: strip(on=False)}, "operator's power, likely"),
    ],
    ids=["utility and UPS", "utility and UPS, and the strip is dead with them", "the strip", "who knows"],
)
def test_power_that_is_gone(stage: Stage, said: dict[str, str], expected: str) -> None:
    """The devices and their switch are silent because they have no power: a power outage, and said so."""
    stage.said.update(said)
    stage.round(3 * ROUND, "switch:sw-1", *DEVICES)
    stage.round(4 * ROUND, "switch:sw-1", *DEVICES)

    found = stage.last("srv-1")
    assert f"{found.cause}, {found.confidence}" == expected
    power = stage.last(f"supply:{SUPPLY}/power@main")
    assert f"{power.cause}, {power.confidence}" == expected


@pytest.mark.parametrize(("again", "expected"), [(0, "undetermined"), (1, "customer's equipment")])
def test_words_of_power_from_before_the_first_miss_say_nothing_of_it(
    tmp_path: Path, again: int, expected: str
) -> None:
    """A UPS that is asked seldom was well before the device fell silent, and nobody has asked it since."""
    people = population()
    for name in ("ups-a", "strip"):
        people.sources[name] = Source(id=name, kind="power/nut", interval=timedelta(seconds=4 * ROUND))
    stage = Stage(tmp_path / "store", people)
    stage.round(ROUND)
    stage.round(2 * ROUND)
    words = {name: stage.said.pop(name) for name in (POWER, STRIP)}
    stage.round(3 * ROUND, "srv-1")
    stage.said.update(words if again else {})
    stage.round(4 * ROUND, "srv-1")

    assert stage.last("srv-1").cause == expected
    stage.ledger.close()


def test_power_that_is_back_when_the_device_is_found_to_be_down(stage: Stage) -> None:
    """Nobody knows whether it was there when the device fell silent: that speaks against nobody but us."""
    stage.said.update({POWER: ups("OB")})
    stage.hear(3 * ROUND - 60)
    stage.said.update({POWER: ups("OL")})
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    found = stage.last("srv-1")
    assert (found.cause, found.rule) == ("operator's power", "power-changed")


@pytest.mark.parametrize(
    ("element", "hours", "expected"),
    [
        ("ups-a", (0, 1), "maintenance, certain"),
        ("pdu-1", (0, 1), "maintenance, certain"),
        ("ups-b", (0, 1), "operator's power, certain"),
        ("ups-a", (1, 2), "operator's power, certain"),
    ],
    ids=["on its UPS", "on its strip", "on another", "for another time"],
)
def test_work_that_was_planned(stage: Stage, element: str, hours: tuple[int, int], expected: str) -> None:
    since, until = (instant(3600 * hour) for hour in hours)
    work = Planned(element=element, since=since, until=until, what="battery change")
    stage.world.planning = Planning(planned=(work,), sees_gateway=True)
    stage.said.update({POWER: ups("OFF"), STRIP: strip(on=False)})
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    found = stage.last("srv-1")
    assert f"{found.cause}, {found.confidence}" == expected


def test_evidence_that_comes_in_while_it_lasts(stage: Stage) -> None:
    """Nobody asks the strip at first. When it is heard, it says that it is dead."""
    stage.said[STRIP] = ""
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")
    stage.said[STRIP] = strip(on=False)
    stage.hear(4 * ROUND + 10)

    assert stage.causes == ["srv-1: undetermined, none", "srv-1: operator's power distribution, likely"]


def test_an_outage_in_the_deed_that_ends_another_has_a_cause_of_its_own(stage: Stage) -> None:
    """What was known of the one, for us or against us, is no evidence for the other."""
    stage.said.update({POWER: ups("OFF"), STRIP: strip(on=False)})
    for number in (3, 4):
        stage.round(number * ROUND, *DEVICES)
    assert stage.last("srv-1").cause == "operator's power"
    stage.said.update({POWER: "", STRIP: ""})
    stage.hear(4 * ROUND + 10)
    late = [
        Reading(signal="srv-1/ping@main", at=instant(at), known_at=instant(7 * ROUND), outcome=outcome)
        for at, outcome in ((5 * ROUND, A), (6 * ROUND, M), (7 * ROUND, M))
    ]
    now = instant(7 * ROUND)
    stage.do(judge.readings(stage.world, None, late, closes=False, now=now), 7 * ROUND)

    found = stage.last("srv-1")
    assert (found.first_miss, found.cause) == (instant(6 * ROUND), "undetermined")


def test_an_application_and_its_device(stage: Stage) -> None:
    for number in (3, 4):
        stage.round(number * ROUND, "www@main")

    found = stage.last("srv-6/www@main")
    assert (found.cause, found.confidence, found.rule) == ("customer's equipment", "possible", "application")


def test_an_application_on_a_device_that_is_silent_has_the_devices_cause(stage: Stage) -> None:
    gone = ("switch:sw-1", *DEVICES, "www@main")
    for number in (3, 4):
        stage.round(number * ROUND, *gone)

    assert stage.last("srv-6/www@main").rule == "switch-and-others"


def test_a_device_whose_service_answers_has_its_port_and_its_power(tmp_path: Path) -> None:
    """Nobody tells of its port: its own service shows that it is reached, so it only drops pings."""
    stage = Stage(tmp_path / "other", population(with_ports=False))
    for number in (1, 2):
        stage.round(number * ROUND)
    for number in (3, 4, 5):
        stage.round(number * ROUND, "srv-6")

    found = stage.last("srv-6")
    assert (found.cause, found.rule) == ("customer's equipment", "equipment")
    assert {"slot": "port", "who": "srv-6/www", "said": "answers"} in found.evidence
    stage.ledger.close()


def test_an_uplink_beyond_our_edge(stage: Stage) -> None:
    for number in (3, 4):
        stage.round(number * ROUND, "uplink")

    found = stage.last("uplink:main/reach@main")
    assert (found.cause, found.rule) == ("carrier", "beyond-our-edge")


def test_an_uplink_whose_edge_is_dead(stage: Stage) -> None:
    for number in (3, 4):
        stage.round(number * ROUND, "uplink", "switch:sw-1", *DEVICES)

    assert stage.last("uplink:main/reach@main").rule == "edge"


def test_a_device_of_which_nobody_said_where_it_stands(tmp_path: Path) -> None:
    people = population()
    people = replace(people, devices={name: replace(one, place=None) for name, one in people.devices.items()})
    stage = Stage(tmp_path / "other", people)
    for number in (1, 2):
        stage.round(number * ROUND)
    for number in (3, 4):
        stage.round(number * ROUND, *DEVICES)

    assert {stage.last(name).cause for name in DEVICES} == {"undetermined"}
    assert stage.last("srv-1").wanting == ("power", "port", "switch", "others")
    stage.ledger.close()


def test_who_is_no_longer_watched_has_no_cause_any_more(stage: Stage) -> None:
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")
    assert [*stage.world.causes] == ["srv-1/ping@main"]
    people = population()
    stage.enrol(replace(people, devices={name: people.devices[name] for name in DEVICES[1:]}), 4 * ROUND + 60)

    assert stage.world.causes == {}


def test_what_a_person_states_goes_beside_what_the_rules_find(stage: Stage) -> None:
    stage.said[PORTS] = ""
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")
    (reference,) = stage.world.emergencies
    at = instant(4 * ROUND + 30)
    said = Statement(reference, at, Cause.THIRD_PARTY, "root (uid 0, process 1)", "a commitment")
    stage.do(causing.state(stage.world, said, at), 4 * ROUND + 30)
    assert stage.world.stated == {reference: said}

    stage.said[PORTS] = switch()
    stage.round(5 * ROUND, "srv-1")
    assert stage.last("srv-1").cause == "customer's equipment", "the rules go on"
    assert stage.world.stated == {reference: said}

    stage.do(causing.withdraw(stage.world, reference, "root", "", at), 5 * ROUND + 30)
    assert stage.world.stated == {}
    told = [fact for fact in stage.facts if isinstance(fact, facts.CauseStated)]
    assert [fact.cause for fact in told] == ["third party", ""]


def test_the_word_on_an_emergency_that_is_over_is_a_fact_and_nothing_to_remember(stage: Stage) -> None:
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")
    (reference,) = stage.world.emergencies
    stage.round(5 * ROUND)
    at = instant(6 * ROUND)
    stage.do(causing.state(stage.world, Statement(reference, at, Cause.CARRIER, "x", "y"), at), 6 * ROUND)

    assert stage.world.stated == {}
