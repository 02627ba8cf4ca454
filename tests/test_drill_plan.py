"""`hostwatch drill --plan`: who could be told in time, and who not, of a loss that is only thought of.

Forty customers with two people each; a gateway takes one SMS a second, two people ring for 20 s each.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hostwatch import cli
from hostwatch.channels.base import Surroundings
from hostwatch.clock import SystemClock
from hostwatch.configuration.load import load
from hostwatch.directory import Directory

GATEWAY = {
    "country": "CN",
    "url": "http://127.0.0.1:9/sms",
    "fields": {"number": "to", "text": "text"},
    "limit": {"messages": 1, "every": "1s"},
}
NUMBER = "+86 138 0000 0000"


def contact(name: str, *channels: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name.title(), "channels": [*channels], **more}


def customer(number: int, contacts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """With two devices: one in rack 7 on sw-1, one in rack 8 on both switches."""
    hung = (
        {"rack": "7", "ports": f"sw-1/{number}"},
        {"rack": "8", "ports": f"any(sw-1/1{number:03},sw-2/{number})"},
    )
    devices = [
        {"id": f"c{number}-{which}", "address": f"192.0.2.{number + 1}", "shared": True, **place}
        for which, place in enumerate(hung)
    ]
    return {"id": f"c{number}", "name": f"C {number}", "contacts": contacts, "devices": devices, **more}


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """Writes a configuration; its path."""

    def write(customers: list[dict[str, Any]], **more: Any) -> str:
        written = {
            "site": {"name": "Site", "timezone": "UTC"},
            "store": "sqlite:///hostwatch.db",
            "mail": {"smtp": "smtp://127.0.0.1:25", "from": "noc@dc.example"},
            "notices": {"within": "60s"},
            "channels": {"sms": {"gateways": {"main": GATEWAY}}, "person": {"people": 2, "one_call": "20s"}},
            "network": {
                "switches": [
                    {"id": "sw-1", "name": "One", "address": "192.0.2.251"},
                    {"id": "sw-2", "name": "Two", "address": "192.0.2.252"},
                ],
            },
            "uplinks": [
                {"id": one, "name": one, "references": [f"198.51.100.{base + n}" for n in range(3)]}
                for one, base in (("main", 1), ("backup", 11))
            ],
            "customers": customers,
            **more,
        }
        path = tmp_path / "hostwatch.yaml"
        path.write_text(json.dumps(written), encoding="utf-8")
        return str(path)

    return write


def asked(capsys: pytest.CaptureFixture[str], path: str, *what: str) -> tuple[int, dict[str, Any]]:
    code = cli.main(["drill", "--plan", *what, "--config", path, "--json"])
    said = capsys.readouterr()
    assert said.err == ""
    return code, json.loads(said.out)


def by_sms(number: int) -> list[dict[str, Any]]:
    return [contact("ann", {"sms": NUMBER}), contact("bob", {"sms": NUMBER})]


def test_all_can_be_told(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    path = site([customer(n, by_sms(n)) for n in range(20)])
    code, said = asked(capsys, path, "rack", "7")
    assert (code, said["emergencies"], said["shared"], said["late"]) == (0, 20, False, 0)
    assert [(one["lane"], one["first"], one["in_time"]) for one in said["lanes"]] == [("sms/main", 40, 40)]

    assert cli.main(["drill", "--plan", "everything", "--config", path]) == 0
    shown = capsys.readouterr().out
    assert "40 devices, 40 emergencies, 20 customers, 40 people to tell" in " ".join(shown.split())
    assert "everybody can be told in time" in shown


def test_who_cannot_and_what_would_suffice(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """eighty SMS at one a second, in a minute: 59 of them"""
    path = site([customer(n, by_sms(n)) for n in range(40)])
    code, said = asked(capsys, path, "everything")
    assert (code, said["late"], said["breached"]) == (1, 21, [])
    assert said["enough"]["sms/main"]["messages"] == 2
    assert {one["contact"] for one in said["people"] if not one["in_time"]} == {"bob"}

    cli.main(["drill", "--plan", "everything", "--config", path])
    shown = " ".join(capsys.readouterr().out.split())
    assert "21 people cannot be told in time; the duty to 0 customers would be breached" in shown
    assert "sms/main takes 1 in 1 s" in shown
    assert "it would suffice: sms/main with 2 in 1 s" in shown


def test_a_second_way_helps_and_a_term_of_all_hurts(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    mailed = [{"sms": NUMBER}, {"email": "x@c.example"}]
    helped = site([customer(n, [contact("ann", *mailed), contact("bob", *mailed)]) for n in range(40)])
    assert asked(capsys, helped, "everything")[0] == 0

    all_of_them = site([customer(n, by_sms(n), terms={"told": "all"}) for n in range(40)])
    assert len(asked(capsys, all_of_them, "everything")[1]["breached"]) == 21


def test_people_who_ring_are_counted(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """two people, twenty seconds a call: six calls in a minute"""
    path = site([customer(n, [contact("ann", {"person": NUMBER})]) for n in range(8)])
    code, said = asked(capsys, path, "rack 8")
    assert (code, said["late"], len(said["breached"])) == (1, 2, 2)
    assert said["enough"] == {"person": {"people": 3, "takes_s": 20.0}}


@pytest.mark.parametrize(
    ("what", "devices", "emergencies", "customers"),
    [
        ("switch sw-1", 3, 1, 3),
        ("switch sw-2", 0, 0, 0),
        ("uplink main", 2, 1, 1),
        ("uplink backup", 0, 0, 0),
        ("customer c1", 2, 2, 1),
        ("device c0-0,c2-1", 2, 2, 2),
        ("everything", 6, 6, 3),
    ],
)
def test_what_falls_with_what(
    site: Any,
    capsys: pytest.CaptureFixture[str],
    what: str,
    devices: int,
    emergencies: int,
    customers: int,
) -> None:
    """what hangs on both switches, or on either uplink, does not fall with one of them"""
    path = site(
        [
            customer(0, by_sms(0), uplink="main"),
            customer(1, by_sms(1), uplink="any(main,backup)"),
            customer(2, by_sms(2)),
        ]
    )
    _, said = asked(capsys, path, what)
    found = (said["devices"], said["emergencies"], said["customers"])
    assert found == (devices, emergencies, customers)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("rack 9", "there is no rack 9 in service: is it 7, 8?"),
        ("customer c11", "there is no customer c11 in service: is it c1"),
        ("device c0-0,nobody", "there is no device nobody in service"),
        ("shelf 3", "cannot plan for 'shelf 3': write rack, customer"),
        ("rack", "cannot plan for 'rack'"),
    ],
)
def test_mistakes_are_said_in_words(
    site: Any, capsys: pytest.CaptureFixture[str], what: str, why: str
) -> None:
    path = site([customer(n, by_sms(n)) for n in range(3)])
    assert cli.main(["drill", "--plan", what, "--config", path]) == 2
    assert why in capsys.readouterr().err


def test_who_is_authorised_then_is_told(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    people = [
        contact("ann", {"sms": NUMBER}, valid={"until": "2026-10-31"}),
        contact("bob", {"sms": NUMBER}, valid={"from": "2026-11-01"}),
        contact("cyd", {"sms": NUMBER}, **{"for": {"devices": ["c0-1"]}}),
    ]
    path = site([customer(0, people)])

    def told(what: str, at: str) -> list[str]:
        _, said = asked(capsys, path, what, "--at", at)
        return [one["contact"] for one in said["people"]]

    assert told("rack 7", "2026-10-05") == ["ann"]
    assert told("rack 7", "2026-11-05") == ["bob"]
    assert told("rack 8", "2026-11-05") == ["bob", "cyd"]


def test_check_config_warns_of_the_worst(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """eighty people at everything and in each rack, and behind sw-1; on main are only ten of them"""
    on_main = [customer(n, by_sms(n), uplink="main") for n in range(5)]
    path = site([*on_main, *(customer(n, by_sms(n)) for n in range(5, 40))])
    cli.main(["check-config", path, "--json"])
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    said = [one["wrong"] for one in warnings if one["key"] == "notices.within"]
    assert said == [
        "if this is lost, 21 of 80 people cannot be told in time, "
        f"and 0 of 40 customers not as agreed: {what}"
        for what in ("everything", "rack 7", "rack 8", "switch sw-1")
    ]
    assert 'hostwatch drill --plan "rack 7"' in str(warnings)


def test_check_config_is_quiet_where_all_can_be_told(site: Any, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["check-config", site([customer(n, by_sms(n)) for n in range(5)]), "--json"])
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert [one for one in warnings if one["key"] == "notices.within"] == []


def test_how_many_people_ring_does_not_make_a_way_another(site: Any) -> None:
    """else a call that is on the sheet would be put there once more"""

    def ways(**more: Any) -> tuple[str, ...]:
        path = Path(site([customer(0, [contact("ann", {"person": NUMBER})])], **more))
        loaded = load(path).configuration
        around = Surroundings(site=loaded.site_settings, webhook_key=b"key", now=SystemClock().now)
        person = Directory(loaded, around)._people["c0", "ann"]
        return person.rungs

    assert ways(channels={}) == ways(channels={"person": {"people": 7, "one_call": "1m"}})
