"""Stories of devices and their services in the whole watch, told as timelines (J8). Times are minutes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.core.timeline import Span
from hostwatch.sla.account import Account, account
from tests.simulation.simulation import Simulation
from tests.simulation.test_stories import MINUTE, dead, spoken, tell
from tests.simulation.town import Town, address_of, service_of, town
from tests.simulation.world import Times, Truth


def served(*services: str) -> Town:
    """Three devices; `d1` of `c1` has these services."""
    site = town(3)
    site.services["d1"] = [*services]
    return site


def wrong(service: str, at: float, until: float) -> dict[str, Times]:
    return {service_of("d1", service): Times([(int(at * MINUTE), int(until * MINUTE))])}


def sent(ran: Simulation) -> list[str]:
    """What was sent to c1's contact, in the order of time: `E-000001.emergency`."""
    return [
        said.split()[1].split(".c1.")[0]
        for _, said in ran.story
        if said.startswith("sent ") and ".c1." in said
    ]


def down_s(ran: Simulation, service: str | None = None) -> int:
    assert ran.history is not None
    device = next(one for one in ran.history.devices if one.device == "d1")
    judged = device if service is None else next(one for one in device.services if one.name == service)
    found: Account = account(Span(0, 1 << 40), judged)
    return found.down_s


def test_a_service_stops_and_its_device_lives(tmp_path: Path) -> None:
    """At 60 www stops; at 90 it is back: an emergency of www alone."""
    ran = tell(tmp_path, 3, served("email", "www"), Truth(failing=wrong("www", 60, 90)))

    assert sent(ran) == ["E-000001.emergency", "E-000001.recovery"]
    assert len(spoken(ran, "down d1/")) == len(spoken(ran, "down d1/www")) == 1
    assert down_s(ran) == down_s(ran, "email") == 0 < down_s(ran, "www")
    assert ran.together.waited == 0


def test_a_device_is_cut_and_its_services_with_it(tmp_path: Path) -> None:
    """Three verdicts, one notice; each signal has its own outage."""
    ran = tell(tmp_path, 3, served("email", "www"), Truth(down=dead("d1", at=60, until=90)))

    assert sent(ran) == ["E-000001.emergency", "E-000001.recovery"]
    assert len(spoken(ran, "down d1/")) == 3
    assert min(down_s(ran), down_s(ran, "email"), down_s(ran, "www")) > 1200


def test_a_device_comes_back_and_its_service_does_not(tmp_path: Path) -> None:
    """At 90 the device is back, www at 120."""
    truth = Truth(down=dead("d1", at=60, until=90), failing=wrong("www", 60, 120))
    ran = tell(tmp_path, 3, served("www"), truth)

    assert sent(ran) == ["E-000001.emergency", "E-000001.recovery", "E-000002.emergency", "E-000002.recovery"]
    (begun,) = spoken(ran, "E-000002.emergency")
    assert 90 < begun <= 96


@pytest.mark.parametrize("minute", [66, 68, 70, 72, 74])
def test_a_kill_in_the_middle_keeps_it_together(minute: int, tmp_path: Path) -> None:
    ran = tell(
        tmp_path,
        3,
        served("email", "www"),
        Truth(down=dead("d1", at=60, until=90)),
        (minute, "kill", ("at once", 0)),
    )

    assert sent(ran) == ["E-000001.emergency", "E-000001.recovery"]


def test_a_device_drops_pings_and_its_service_answers(tmp_path: Path) -> None:
    mute = {address_of("d1"): Times([(60 * MINUTE, 90 * MINUTE)])}
    ran = tell(tmp_path, 3, served("www"), Truth(mute=mute))

    assert sent(ran) == ["E-000001.emergency", "E-000001.recovery"]
    assert (down_s(ran) > 1200, down_s(ran, "www")) == (True, 0)


def test_while_we_are_blind_services_are_unknown(tmp_path: Path) -> None:
    cut = Times([(60 * MINUTE, 120 * MINUTE)])
    ran = tell(tmp_path, 3, served("www"), Truth(cut=cut, failing=wrong("www", 60, 120)))

    assert ran.story == []
    assert down_s(ran, "www") == 0


def test_the_clock_is_set_while_a_service_waits(tmp_path: Path) -> None:
    truth = Truth(down=dead("d1", at=60, until=100))
    for place, step in enumerate((3600, -3600)):
        folder = tmp_path / str(place)
        folder.mkdir()
        ran = tell(folder, 3, served("www"), truth, (68, "step", timedelta(seconds=step)))

        assert sent(ran)[0] == "E-000001.emergency"
        assert sent(ran).count("E-000001.recovery") == 1
