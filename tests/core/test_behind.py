"""Who lies behind an uplink is the same as if all devices were gone through."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hostwatch.core.behind import NAMED_MAX
from hostwatch.core.device import Device, State
from hostwatch.core.population import Changes, Population


def plainly(people: Population, uplink: str) -> dict[str, tuple[int, list[str]]]:
    """By customer, how many and which are named; all devices gone through."""
    found: dict[str, list[str]] = {}
    for _, device in people.watched():
        if device.uplink == uplink:
            found.setdefault(device.customer, []).append(device.id)
    return {name: (len(found[name]), sorted(found[name])[:NAMED_MAX]) for name in sorted(found)}


def told(people: Population, uplink: str) -> dict[str, tuple[int, list[str]]]:
    return {name: (group.count, group.names) for name, group in people.behind(uplink)}


NAMES = [f"d{number:02}" for number in range(60)]


@st.composite
def devices(draw: st.DrawFn) -> Device:
    """Mostly one customer's, behind one uplink, in service."""
    return Device(
        id=draw(st.sampled_from(NAMES)),
        customer=draw(st.sampled_from("aaab")),
        address="192.0.2.1",
        uplink=draw(st.sampled_from(["east", "east", "east", "west", None])),
        state=draw(st.sampled_from([State.IN_SERVICE] * 4 + [State.SUSPENDED])),
    )


CHANGES = st.builds(
    lambda put, gone: Changes(devices=tuple(put), devices_gone=tuple(gone)),
    st.lists(devices(), max_size=30, unique_by=lambda device: device.id),
    st.lists(st.sampled_from(NAMES), max_size=12, unique=True),
)


@given(
    began=st.lists(devices(), max_size=60, unique_by=lambda device: device.id),
    changes=st.lists(st.tuples(CHANGES, st.booleans()), max_size=8),
)
@settings(deadline=None)
def test_the_same_as_if_all_devices_were_gone_through(
    began: list[Device], changes: list[tuple[Changes, bool]]
) -> None:
    people = Population(devices={device.id: device for device in began})
    for change, asked in changes:
        people.change(change)
        if asked:
            for uplink in ("east", "west"):
                assert told(people, uplink) == plainly(people, uplink)
    for uplink in ("east", "west", "nowhere"):
        assert told(people, uplink) == plainly(people, uplink)
        assert told(people.changed(Changes()), uplink) == plainly(people, uplink)


def test_customers_come_in_the_order_of_their_names() -> None:
    people = Population()
    for customer in "cab":
        device = Device(id=f"of-{customer}", customer=customer, address="192.0.2.1", uplink="east")
        people.change(Changes(devices=(device,)))

    assert [name for name, _ in people.behind("east")] == ["a", "b", "c"]


def test_others_are_named_in_place_of_those_that_have_gone() -> None:
    """Also if one comes meanwhile whose name is later than those of others that are not named yet."""
    people = Population()
    many = [Device(id=name, customer="a", address="192.0.2.1", uplink="east") for name in NAMES[:40]]
    people.change(Changes(devices=tuple(many)))
    people.change(Changes(devices_gone=tuple(NAMES[:3])))
    late = Device(id="e", customer="a", address="192.0.2.1", uplink="east")
    people.change(Changes(devices=(late,)))

    assert told(people, "east") == {"a": (38, NAMES[3:23])}
