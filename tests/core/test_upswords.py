"""NUT's words, in any order, repeated, unknown, and against each other."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import power, powertable, upswords
from hostwatch.core.power import Concern, Output, Point, PowerReading, Ups, Utility
from hostwatch.core.upswords import WORDS
from tests.core.wires import OUTPUT, SIGNS, UPS, UTILITY

DECIDING = ("OL", "OB", "OFF", "BYPASS", "TRIM", "BOOST", "CAL", "TEST")
LIVE, DEAD, BETWEEN = "231.0", "0.0", "40"


def signs(found: Point) -> str:
    """Utility, UPS, output; supplied and interrupted."""
    words = powertable.words(found)
    first = [sign for sign, word in UTILITY.items() if word is found.utility]
    last = [sign for sign, word in OUTPUT.items() if word is found.output]
    middle = next(sign for sign, word in UPS.items() if word is found.ups)
    return f"{first[0]} {middle} {last[0]} → {SIGNS[words.supplied]}{SIGNS[words.interrupted]}"


def read(text: str, **figures: str) -> PowerReading:
    """A status; `input_voltage` and so on stand for NUT's names."""
    return upswords.reading(
        {"ups.status": text} | {name.replace("_", "."): figures[name] for name in figures}
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("OL", "+ able + → +-"),
        ("OL CHRG", "+ able + → +-"),
        ("OB", "- able + → +-"),
        ("OB DISCHRG LB", "- able + → +-"),
        ("OB OFF", "- dead - → -+"),
        ("OFF OB LB", "- dead - → -+"),
        ("OL OFF", "+ dead - → --"),
        ("OFF", "? dead - → -?"),
        ("OL BYPASS", "+ bypass + → +-"),
        ("BYPASS", "? bypass + → +-"),
        ("OB BYPASS", "- bypass ? → -+"),
        ("OB BYPASS OFF", "- dead - → -+"),
        ("BOOST BYPASS", "? bypass + → +-"),
        ("OL DISCHRG OB", "? able + → +-"),
        ("OL OB OFF", "? dead - → -?"),
        ("ALARM OL FSD", "+ able + → +-"),
        ("OB CAL", "+ able + → +-"),
        ("OB TEST", "+ able + → +-"),
        ("OB CAL OFF", "+ dead - → --"),
        ("OL TRIM", "+ able + → +-"),
        ("", "? ? ? → ??"),
        ("WAIT", "? ? ? → ??"),
        ("ALARM", "? ? ? → ??"),
        ("ol chrg", "+ able + → +-"),
        ("OL OL OL", "+ able + → +-"),
        ("HEY OL QQQ", "+ able + → +-"),
        ("OLD OBB OFFF", "? ? ? → ??"),
    ],
)
def test_what_a_status_means(text: str, told: str) -> None:
    assert signs(read(text).point("")) == told


@pytest.mark.parametrize(
    ("text", "inside", "outside", "told"),
    [
        # the words leave the utility open: its voltage decides
        ("OFF", LIVE, None, "+ dead - → --"),
        ("OFF", DEAD, None, "- dead - → -+"),
        ("OFF", DEAD, DEAD, "- dead - → -+"),
        ("OFF", BETWEEN, None, "? dead - → -?"),
        ("OFF", "nonsense", None, "? dead - → -?"),
        ("BYPASS", DEAD, None, "- bypass ? → -+"),
        ("BYPASS", LIVE, None, "+ bypass + → +-"),
        ("", LIVE, LIVE, "+ ? + → +-"),
        ("", DEAD, DEAD, "- ? ? → ??"),
        # the words decide, whatever the voltage of the input
        ("OB", LIVE, None, "- able + → +-"),
        ("OL", DEAD, None, "+ able + → +-"),
        ("OL OB", LIVE, None, "? able + → +-"),
        # a UPS that measures nothing says 0 V, and one that is not off says that it is off
        ("OL", DEAD, DEAD, "+ ? ? → ?-"),
        ("OB", DEAD, DEAD, "- ? ? → ??"),
        ("OL OFF", LIVE, LIVE, "+ ? ? → ?-"),
        ("OB OFF", DEAD, LIVE, "- ? ? → ??"),
        # on bypass without the utility
        ("OB BYPASS", DEAD, DEAD, "- bypass ? → -+"),
        ("OB BYPASS", DEAD, LIVE, "- bypass + → ??"),
        ("OB", None, "-5", "- able + → +-"),
        ("OB", None, BETWEEN, "- able + → +-"),
    ],
)
def test_what_a_status_means_beside_voltages(
    text: str, inside: str | None, outside: str | None, told: str
) -> None:
    figures = {"input_voltage": inside, "output_voltage": outside}

    assert signs(read(text, **{name: volts for name, volts in figures.items() if volts}).point("")) == told


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        (
            {"input.L1-N.voltage": LIVE, "input.L2-N.voltage": LIVE, "input.L3-N.voltage": LIVE},
            Utility.PRESENT,
        ),
        (
            {"input.L1-N.voltage": DEAD, "input.L2-N.voltage": DEAD, "input.L3-N.voltage": DEAD},
            Utility.ABSENT,
        ),
        (
            {"input.L1-N.voltage": LIVE, "input.L2-N.voltage": DEAD, "input.L3-N.voltage": LIVE},
            Utility.UNKNOWN,
        ),
        ({"input.voltage": "48", "input.voltage.nominal": "48"}, Utility.PRESENT),
        ({"input.voltage": "110", "input.voltage.nominal": "230"}, Utility.UNKNOWN),
        ({"input.voltage": "116", "input.voltage.nominal": "230"}, Utility.PRESENT),
        ({"input.voltage": "99"}, Utility.PRESENT),
        ({"input.voltage": "20"}, Utility.ABSENT),
        ({"input.voltage": "20.1"}, Utility.UNKNOWN),
        ({"input.voltage": "inf"}, Utility.UNKNOWN),
        ({"input.voltage": "1e3"}, Utility.UNKNOWN),
        ({"input.voltage": "٣٣٣"}, Utility.UNKNOWN),
        ({"input.voltage": "9" * 400}, Utility.UNKNOWN),
    ],
)
def test_when_a_line_is_alive(figures: dict[str, str], told: Utility) -> None:
    assert upswords.reading({"ups.status": "OFF"} | figures).point("").utility is told


def by_the_book(
    words: frozenset[str], inside: str | None, outside: str | None
) -> tuple[Utility, Ups, Output]:
    """The same rules, written down once more, as a chain of cases."""
    utility = {LIVE: Utility.PRESENT, DEAD: Utility.ABSENT}.get(inside or "", Utility.UNKNOWN)
    if "OL" in words:
        utility = Utility.UNKNOWN if "OB" in words else Utility.PRESENT
    elif "OB" in words:
        utility = Utility.PRESENT if words & {"CAL", "TEST"} else Utility.ABSENT
    if "OFF" in words:
        return (
            (utility, Ups.UNKNOWN, Output.UNKNOWN)
            if outside == LIVE
            else (utility, Ups.DEAD, Output.UNPOWERED)
        )
    ups = Ups.ABLE if words & {"OL", "OB", "TRIM", "BOOST"} else Ups.UNKNOWN
    ups = Ups.BYPASS if "BYPASS" in words else ups
    says_powered = bool(words & {"OL", "OB", "TRIM", "BOOST", "BYPASS"})
    if "BYPASS" in words and utility is Utility.ABSENT:
        says_powered = False
    if says_powered and outside == DEAD:
        return utility, Ups.UNKNOWN, Output.UNKNOWN
    return utility, ups, Output.POWERED if says_powered or outside == LIVE else Output.UNKNOWN


def subsets(words: tuple[str, ...]) -> list[frozenset[str]]:
    return [frozenset(some) for many in range(len(words) + 1) for some in itertools.combinations(words, many)]


def test_every_combination_of_the_words_that_decide_beside_every_voltage() -> None:
    for words in subsets(DECIDING):
        for inside, outside in itertools.product((None, LIVE, DEAD, BETWEEN), repeat=2):
            figures = {"input_voltage": inside, "output_voltage": outside}
            found = read(" ".join(words), **{name: value for name, value in figures.items() if value}).point(
                ""
            )
            wanted = by_the_book(words, inside, outside)
            assert (found.utility, found.ups, found.output) == wanted, (words, inside, outside)


def test_the_other_words_decide_nothing() -> None:
    rest = tuple(word for word in WORDS if word not in DECIDING)
    for some in ("", "OL", "OB", "OFF", "OB OFF", "BYPASS"):
        plain = signs(read(some).point(""))
        for words in subsets(rest):
            assert signs(read(f"{some} {' '.join(words)}").point("")) == plain


def test_no_combination_without_the_word_for_an_absent_utility_is_an_interruption() -> None:
    for words in subsets(tuple(WORDS)[:16]):
        if "OB" not in words:
            assert powertable.words(read(" ".join(words)).point("")).interrupted is not True


@given(st.lists(st.sampled_from([*WORDS, "XYZ", "?!"]), max_size=12), st.randoms())
def test_order_and_repetition_say_nothing(words: list[str], chance: st.random.Random) -> None:  # type: ignore[name-defined]
    turned = words + words[:3]
    chance.shuffle(turned)
    first, second = read(" ".join(words)), read("  ".join(turned).lower())
    assert signs(first.point("")) == signs(second.point(""))
    assert first.concerns == second.concerns


@pytest.mark.parametrize(
    ("text", "concerns"),
    [
        ("OL", set()),
        ("OL CHRG HB ECO DISCHRG", set()),
        ("OB LB RB", {Concern.ON_BATTERY, Concern.LOW_BATTERY, Concern.REPLACE_BATTERY}),
        ("OB CAL", {Concern.CALIBRATION}),
        ("OB TEST", {Concern.CALIBRATION}),
        ("OFF", {Concern.OFF}),
        ("OL OVER BYPASS", {Concern.OVERLOAD, Concern.BYPASS}),
        ("ALARM OL FSD", {Concern.ALARM, Concern.SHUTDOWN}),
        ("OL TRIM", {Concern.VOLTAGE}),
        ("OL BOOST", {Concern.VOLTAGE}),
    ],
)
def test_what_worries(text: str, concerns: set[Concern]) -> None:
    assert set(read(text).concerns) == concerns


def test_a_battery_below_its_own_limit_worries_too() -> None:
    assert read("OL", battery_runtime="119", battery_runtime_low="120").concerns == (Concern.LOW_BATTERY,)
    assert read("OL", battery_runtime="120", battery_runtime_low="120").concerns == ()
    assert read("OL", battery_charge="9.9", battery_charge_low="10").concerns == (Concern.LOW_BATTERY,)
    assert read("OL", battery_charge="9.9").concerns == ()


def test_figures_and_what_was_said() -> None:
    found = read(
        "OL ALARM", ups_alarm="Fan\x1b[2J failed", battery_runtime="1800.7", battery_charge="97", ups_load="x"
    )

    assert (found.runtime_s, found.charge_percent, found.load_percent) == (1800, 97, None)
    assert found.point("").said == "OL ALARM: Fan?[2J failed"
    assert power.of_text(found.text) == found


def test_a_strip_has_outlets_and_no_battery() -> None:
    found = upswords.reading(
        {"device.type": "pdu", "ups.status": "OL", "outlet.count": "3", "outlet.1.status": "on",
         "outlet.2.status": "off", "outlet.10.status": "pendingOff", "outlet.1.desc": "a server"}
    )  # fmt: skip

    assert found.point("").ups is Ups.UNKNOWN
    assert powertable.at_line(found.point("")) is True
    assert [(point.name, point.output.value) for point in found.points[1:]] == [
        ("outlet 1", "powered"), ("outlet 2", "unpowered"), ("outlet 10", "unknown"),
    ]  # fmt: skip


def test_a_transfer_switch_has_inputs() -> None:
    found = upswords.reading(
        {"device.type": "ats", "ups.status": "OL", "input.source": "2.00", "input.1.voltage": "0.00",
         "input.2.voltage": "221.00", "input.voltage.nominal": "230.00", "output.voltage": "221.00"}
    )  # fmt: skip

    assert [(point.name, point.utility.value) for point in found.points[1:]] == [
        ("input 1", "absent"), ("input 2", "present"),
    ]  # fmt: skip
    assert powertable.at_line(found.point("")) is True


NAMES = [
    *("ups.status", "device.type", "ups.alarm", "input.voltage", "ups.load", "battery.charge"),
    *("outlet.1.status", "outlet.01.status", "input.1.voltage"),
]


@given(st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_whatever_is_said_is_a_reading(said: dict[str, str]) -> None:
    found = upswords.reading(said)

    assert power.of_text(found.text) == found
