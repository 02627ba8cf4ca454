"""What real devices say by NUT: each status has the meaning that the page of power gives it, and no other."""

from __future__ import annotations

import pytest

from hostwatch.core import powertable, upswords
from hostwatch.core.power import Concern, Output, Utility
from tests.core.wires import OUTPUT, SIGNS, UPS, UTILITY
from tests.power import page
from tests.power.dumps import DUMPS, ODD, READ, Odd

MEANINGS = {
    # utility, UPS, output → supplied, interrupted; concerns
    "OL": ("+ able + → +-", set()),
    "OL CHRG": ("+ able + → +-", set()),
    "OL BYPASS": ("+ bypass + → +-", {Concern.BYPASS}),
    "OL OFF": ("+ dead - → --", {Concern.OFF}),
    "OL TRIM": ("+ able + → +-", {Concern.VOLTAGE}),
    "TRIM": ("? able + → +-", {Concern.VOLTAGE}),
    "OL CAL": ("+ able + → +-", {Concern.CALIBRATION}),
    "OL LB": ("+ able + → +-", {Concern.LOW_BATTERY}),
    "OL DISCHRG": ("+ able + → +-", set()),
    "ALARM OL": ("+ able + → +-", {Concern.ALARM}),
    "OFF": ("? dead - → -?", {Concern.OFF}),
    "OB": ("- able + → +-", {Concern.ON_BATTERY}),
    "OB DISCHRG": ("- able + → +-", {Concern.ON_BATTERY}),
    "OB LB RB": ("- able + → +-", {Concern.ON_BATTERY, Concern.LOW_BATTERY, Concern.REPLACE_BATTERY}),
    "OL OB": ("? able + → +-", {Concern.ON_BATTERY}),
    "OL DISCHRG OB": ("? able + → +-", {Concern.ON_BATTERY}),
    "": ("? ? ? → ??", set()),
}

WITH_VOLTAGES = {
    ("OL OFF", "229.2", "0.0"): "+ dead - → --",
    ("OFF", "233.5", "0.0"): "+ dead - → --",
    ("OFF", "239.00", "0.00"): "+ dead - → --",
    ("TRIM", "240", "209"): "+ able + → +-",
    ("OB", "16.9", "228.5"): "- able + → +-",
    ("OB DISCHRG", "0.0", "0.0"): "- ? ? → ??",
    ("OL", "121.1", "0.0"): "+ ? ? → ?-",
    ("OL CHRG", "0.0", "0.0"): "+ ? ? → ?-",
    ("OL", "1.2", "231.4"): "+ able + → +-",
    ("OL", "000.0", ""): "+ able + → +-",
    ("OB LB RB", "122.4", "120.0"): "- able + → +-",
    ("OL OB", "209.00", "223.00"): "? able + → +-",
}


def signs(said: dict[str, str]) -> str:
    """Utility, UPS, output; supplied and interrupted."""
    point = upswords.reading(said).point("")
    words = powertable.words(point)
    three = [
        next(sign for sign, word in table.items() if word is found)
        for table, found in ((UTILITY, point.utility), (UPS, point.ups), (OUTPUT, point.output))
    ]
    return f"{' '.join(three)} → {SIGNS[words.supplied]}{SIGNS[words.interrupted]}"


def test_each_status_that_was_seen_has_its_meaning() -> None:
    told = [{"ups.status": one.status} for one in DUMPS]
    found = {one["ups.status"]: (signs(one), set(upswords.reading(one).concerns)) for one in told}

    assert found == MEANINGS
    assert sum(one.seen for one in DUMPS) == READ


def test_each_that_contradicts_its_own_voltages_has_its_meaning() -> None:
    volts = {"input.voltage": 1, "output.voltage": 2}

    assert {
        one[:3]: signs({"ups.status": one.status, **{name: one[at] for name, at in volts.items() if one[at]}})
        for one in ODD
    } == WITH_VOLTAGES


@pytest.mark.parametrize("one", ODD, ids=lambda one: f"{one.device}: {one.status}")
def test_no_device_that_supplies_its_load_is_taken_for_interrupted(one: Odd) -> None:
    said = {"ups.status": one.status, "input.voltage": one.inside, "output.voltage": one.outside}
    words = powertable.words(upswords.reading({k: v for k, v in said.items() if v}).point(""))

    assert words.interrupted is not True
    assert words.supplied is not False or one.truth == "it is off"


def test_all_of_them_stand_on_the_page() -> None:
    text = page.POWER.read_text(encoding="utf-8")

    assert [one.device for one in (*DUMPS, *ODD) if one.device not in text] == []
    assert f"{READ} dumps" in text


@pytest.mark.parametrize(
    ("word", "output"),
    [
        ("on", Output.POWERED), ("On", Output.POWERED), ("on/closed", Output.POWERED),
        ("off", Output.UNPOWERED), ("Off", Output.UNPOWERED), ("off/open", Output.UNPOWERED),
        ("on with pending", Output.UNKNOWN), ("pendingOff", Output.UNKNOWN), ("cycling", Output.UNKNOWN),
        ("failed and closed", Output.UNKNOWN), ("error", Output.UNKNOWN), ("", Output.UNKNOWN),
    ],
)  # fmt: skip
def test_what_outlets_say(word: str, output: Output) -> None:
    """By the drivers bcmxcp, usbhid-ups and snmp-ups."""
    assert upswords.reading({"outlet.1.status": word}).point("outlet 1").output is output


@pytest.mark.parametrize(
    ("figures", "charge", "is_low"),
    [
        ({"battery.charge": "99.9", "battery.charge.low": "345.6"}, 99, False),  # Powerware 9355
        ({"battery.charge": "100.0", "battery.charge.low": "120"}, 100, False),  # APC Silcon
        ({"battery.charge": "255"}, None, False),  # Riello iDialog
        ({"battery.charge": "1000"}, None, False),  # APC Back-UPS RS 500
        ({"battery.charge": "-197.6"}, None, False),  # Powercom BNT-1500AP
        ({"battery.charge": "23", "battery.charge.low": "20"}, 23, False),  # Eaton Protection Station 650
        ({"battery.charge": "19", "battery.charge.low": "20"}, 19, True),
    ],
)
def test_figures_that_cannot_be_worry_nobody(
    figures: dict[str, str], charge: int | None, is_low: bool
) -> None:
    found = upswords.reading({"ups.status": "OL"} | figures)

    assert found.charge_percent == charge
    assert (Concern.LOW_BATTERY in found.concerns) is is_low


def test_three_phases_that_are_measured_between_each_other() -> None:
    """As the APC Silcon says them."""
    live = {f"input.{phase}.voltage": "393.0" for phase in ("L1-L2", "L2-L3", "L3-L1")}
    one_dead = live | {"input.L2-L3.voltage": "0"}

    assert upswords.reading({"ups.status": "OFF"} | live).point("").utility is Utility.PRESENT
    assert upswords.reading({"ups.status": "OFF"} | one_dead).point("").utility is Utility.UNKNOWN
