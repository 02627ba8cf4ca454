"""What devices hang on is the same as if all devices were gone through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core.behind import NAMED_MAX
from hostwatch.core.device import Device, State
from hostwatch.core.hanging import way
from hostwatch.core.place import Place
from hostwatch.core.population import Changes, Population
from hostwatch.core.supply import Supply
from hostwatch.core.switch import Switch

NAMES = [f"d{number:02}" for number in range(60)]
PORTS = ["sw-1/7", "sw-1/1/0/8", "any(sw-2/7,sw-1/9)", ""]
SUPPLIES = ["ups-a", "any(ups-a,ups-b)", ""]


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ("sw-1/7", "sw-1"),
        ("sw-1/Gi1/0/7", "sw-1"),
        ("any(sw-1/7,sw-2/7)", "any(sw-1,sw-2)"),
        ("any(sw-2/7,sw-1/7)", "any(sw-1,sw-2)"),
        ("any(sw-1/7,sw-1/8)", "sw-1"),
        ("all(sw-3/1,any(sw-1/7,sw-2/7))", "all(any(sw-1,sw-2),sw-3)"),
    ],
)
def test_the_way_of_ports(ports: str, expected: str) -> None:
    assert way(ports) == expected


@st.composite
def devices(draw: st.DrawFn) -> Device:
    place = Place(supply=draw(st.sampled_from(SUPPLIES)), ports=draw(st.sampled_from(PORTS)))
    return Device(
        id=draw(st.sampled_from(NAMES)),
        customer=draw(st.sampled_from("aaab")),
        address="192.0.2.1",
        state=draw(st.sampled_from([State.IN_SERVICE] * 4 + [State.SUSPENDED])),
        place=draw(st.sampled_from([place, place, place, None])),
    )


CHANGES = st.builds(
    lambda put, gone: Changes(devices=tuple(put), devices_gone=tuple(gone)),
    st.lists(devices(), max_size=30, unique_by=lambda device: device.id),
    st.lists(st.sampled_from(NAMES), max_size=12, unique=True),
)


@given(began=st.lists(devices(), max_size=60, unique_by=lambda device: device.id), changes=st.lists(CHANGES))
@settings(deadline=None)
def test_the_same_as_if_all_devices_were_gone_through(began: list[Device], changes: list[Changes]) -> None:
    people = Population(devices={device.id: device for device in began})
    for change in (Changes(), *changes):
        people.change(change)
        placed = [(one, one.place) for one in people.in_service() if one.place is not None]
        supplied = [(place.supply, one) for one, place in placed if place.supply]
        ways = [(way(place.ports), one) for one, place in placed if place.ports]
        for hanging, found in ((people.supplied, supplied), (people.ways, ways)):
            assert {*hanging} == {what for what, _ in found}
            for what in hanging:
                mine = [one for other, one in found if other == what]
                assert {*hanging.devices(what)} == {one.id for one in mine}
                assert {name: (group.count, group.names) for name, group in hanging.groups(what)} == {
                    name: (len(names), sorted(names)[:NAMED_MAX])
                    for name in {one.customer for one in mine}
                    if (names := [one.id for one in mine if one.customer == name])
                }


def test_supplies_and_switches_come_and_go_and_another_population_is_another() -> None:
    before = Population(supplies={"ups-a": Supply(id="ups-a")})
    switch = Switch(id="sw-1", name="Row 1", address="192.0.2.2")
    after = before.changed(Changes(switches=(switch,), supplies_gone=("ups-a",)))

    assert ([*before.supplies], [*before.switches]) == (["ups-a"], [])
    assert ([*after.supplies], [*after.switches]) == ([], ["sw-1"])
    assert after.switch_of("switch:sw-1/ping@main") is switch
    assert after.terms_of("switch:sw-1/ping@main", None) == switch.terms
    assert after.target_of("switch:sw-1/ping@main") == switch.target("main")
    assert [one.signal for one in after.targets()] == ["switch:sw-1/ping@main"]
    assert before.supply_of("supply:ups-a/power@main") is before.supplies["ups-a"]
    assert len(Changes(switches=(switch,), supplies_gone=("ups-a",))) == 2
