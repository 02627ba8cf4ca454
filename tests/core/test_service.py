"""Services in the population: whose signals there are, by which terms each is judged, and when it is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hostwatch.core import canonical, enrolment
from hostwatch.core.device import Device, State
from hostwatch.core.population import Changes, Customer, Population
from hostwatch.core.service import Service, device_in, is_service, service_in
from hostwatch.core.terms import AgreementTerms, ServiceTerms

TERMS = AgreementTerms(interval=timedelta(minutes=5), misses=2)
WWW = Service(name="www")
EMAIL = Service(name="email", terms=ServiceTerms(interval=timedelta(minutes=10), misses=3, obliges=False))
WEB = Device(id="web", customer="acme", address="192.0.2.1", services=(EMAIL, WWW))
BARE = Device(id="bare", customer="acme", address="192.0.2.2")
SPARE = replace(WEB, id="spare", state=State.SUSPENDED)


def people(*devices: Device) -> Population:
    return Population(
        customers={"acme": Customer(id="acme", terms=TERMS)},
        devices={device.id: device for device in devices},
    )


@pytest.mark.parametrize(
    ("signal", "device", "service"),
    [
        ("web/www@main", "web", "www"),
        ("web/ping@main", "web", ""),
        ("web.acme/www-2@east", "web.acme", "www-2"),
        ("uplink:chinanet/reach@main", "uplink:chinanet", ""),
        ("uplink:chinanet/ping:192.0.2.1@main", "uplink:chinanet", ""),
    ],
)
def test_the_name_of_a_signal_tells_the_device_and_the_service(
    signal: str, device: str, service: str
) -> None:
    assert (device_in(signal), service_in(signal), is_service(signal)) == (device, service, bool(service))


def test_a_device_and_each_of_its_services_is_a_signal() -> None:
    found = [(signal, device.id) for signal, device in people(WEB, BARE, SPARE).watched()]

    assert found == [
        ("web/ping@main", "web"),
        ("web/email@main", "web"),
        ("web/www@main", "web"),
        ("bare/ping@main", "bare"),
    ]


@pytest.mark.parametrize(
    ("signal", "device", "service"),
    [
        ("web/ping@main", "web", None),
        ("web/www@main", "web", "www"),
        ("web/ftp@main", None, None),
        ("web/www@east", None, None),
        ("web/ping@east", None, None),
        ("bare/www@main", None, None),
        ("spare/www@main", None, None),
        ("gone/www@main", None, None),
        ("uplink:chinanet/reach@main", None, None),
    ],
)
def test_whose_a_signal_is(signal: str, device: str | None, service: str | None) -> None:
    population = people(WEB, BARE, SPARE)
    found, served = population.device_of(signal), population.service_of(signal)

    assert (found and found.id) == device
    assert (served and served[1].name) == service


def test_terms_of_a_service_go_before_those_of_its_device() -> None:
    population = people(WEB)

    def terms(signal: str) -> AgreementTerms | None:
        return population.terms_of(signal, population.device_of(signal))

    assert terms("web/ping@main") == terms("web/www@main") == TERMS
    assert terms("web/email@main") == replace(TERMS, interval=timedelta(minutes=10), misses=3)


def test_each_service_has_a_place_of_its_own_in_the_schedule() -> None:
    found = {target.signal: target for target in people(WEB, BARE, SPARE).targets()}

    assert [*found] == ["web/ping@main", "web/email@main", "web/www@main", "bare/ping@main"]
    assert {(target.method, target.address) for target in found.values()} == {
        ("icmp", "192.0.2.1"),
        ("service", "192.0.2.1"),
        ("icmp", "192.0.2.2"),
    }
    assert found["web/email@main"].interval == timedelta(minutes=10)
    assert len({target.phase_us for target in found.values()}) == 4, "the checks of a device are spread"


def test_a_service_that_comes_or_goes_moves_nothing_else_in_the_schedule() -> None:
    before, after = people(WEB, BARE), people(replace(WEB, services=(WWW,)), BARE)

    moved = enrolment.moves(before, enrolment.between(before, after))

    assert [target.signal for target in moved.removed] == ["web/email@main"]
    assert [*moved.added] == []


def test_a_device_without_services_is_recorded_as_before_there_were_any() -> None:
    """So an upgrade compares the text of a million versions, and reads none of them."""
    from hostwatch.core import versions

    assert "services" not in versions.body(BARE, "main")
    assert versions.body(WEB, "main")["services"] == canonical.plain((EMAIL, WWW))
    assert canonical.restore(Device, canonical.plain(WEB)) == WEB


def test_a_change_of_the_vantage_point_renames_services_too() -> None:
    before = people(WEB)
    moved = enrolment.moves(before, Changes(vantage="east"))

    assert {target.signal.rpartition("@")[2] for target in moved.removed} == {"main"}
    assert [target.signal for target in moved.added] == ["web/ping@east", "web/email@east", "web/www@east"]
