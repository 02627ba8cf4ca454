"""What people read of power that is lost in distribution: that it is outside the wording of the promise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hostwatch.commands import explain as page
from hostwatch.commands import power
from hostwatch.core.population import Population
from hostwatch.core.supply import Supply
from hostwatch.explaining import explain
from hostwatch.store.reader import Reader
from tests.cause.test_causing import POWER, ROUND, STRIP, SUPPLY, Stage, population, strip, ups
from tests.core.pictures import instant

OUTSIDE = "outside the wording of the promise: the utility or the UPS is there"


def house(measured_at: str) -> Population:
    """Six devices on one strip, measured at it, or before it at the UPS."""
    people, supply = population(), {"outlet": SUPPLY, "source": "ups-a"}[measured_at]
    for name, device in people.devices.items():
        assert device.place is not None
        people.devices[name] = replace(device, place=replace(device.place, supply=supply))
    supplies = {supply: Supply(id=supply, measured_at=measured_at)}
    return replace(people, supplies=supplies)


def lost(path: Path, measured_at: str, said: dict[str, str]) -> Stage:
    """All is well for three rounds; then a device is silent while sources say this."""
    stage = Stage(path, house(measured_at))
    for number in range(3):
        stage.round(number * ROUND)
    stage.said.update(said)
    for number in (3, 4):
        stage.round(number * ROUND, "srv-1")
    return stage


DEAD_STRIP = {STRIP: strip(on=False)}
ON_BATTERY = {POWER: ups("OB"), STRIP: strip(on=False)}
BLACKOUT = {POWER: ups("OFF"), STRIP: strip(on=False)}


@pytest.mark.parametrize(
    ("measured_at", "said", "is_outside"),
    [
        ("source", DEAD_STRIP, True),
        ("source", ON_BATTERY, True),
        ("source", BLACKOUT, False),
        ("outlet", DEAD_STRIP, False),
    ],
    ids=["the strip", "the strip, on battery", "utility and UPS", "the strip, measured at it"],
)
def test_a_loss_in_distribution_says_that_it_is_outside_the_promise(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    measured_at: str,
    said: dict[str, str],
    is_outside: bool,
) -> None:
    stage = lost(tmp_path / "h.db", measured_at, said)
    people = stage.world.population

    told = power.describe(stage.world, instant(4 * ROUND))
    power._show(people.witnesses.wiring, told, ZoneInfo("UTC"))
    shown = capsys.readouterr().out
    assert (OUTSIDE in " ".join(shown.split())) is is_outside, shown
    assert [one["element"] for one in told["elements"] if one["outside_promise"]] == ["pdu-1"] * is_outside

    stage.ledger.close()
    assert stage.world.emergencies
    with Reader(stage.path) as reader:
        for emergency in stage.world.emergencies.values():
            found = explain(reader, emergency.reference)
            assert found is not None
            for language, line in (("en", OUTSIDE), ("zh", "不属于承诺条款字面所述的中断")):
                page._Page(ZoneInfo("UTC"), language).show(found, "")
                shown = capsys.readouterr().out
                assert (line in shown) is is_outside, shown
