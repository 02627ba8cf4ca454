"""Meters and transfer switches by Modbus TCP: pymodbus answers, and a map says what its registers mean."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pymodbus.constants import ExcCodes

from hostwatch.checks.base import Missed
from hostwatch.core.power import Concern, Output, Ups, Utility, of_text
from hostwatch.core.reading import Outcome
from hostwatch.power import _modbus, modbus
from hostwatch.power._modbus import Asked
from tests.power.meters import MISSING, Meter, meter
from tests.power.sources import look, reading

INPUT = {"function": 4, "type": "f32", "says": "utility", "when": ">= 180", "unless": "<= 20"}


def asked_of(one: Meter, *registers: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"address": "127.0.0.1", "port": one.port, "registers": [*registers], **others}


def settings(*registers: dict[str, Any], **others: Any) -> modbus.Settings:
    return modbus.Settings.model_validate({"address": "127.0.0.1", "registers": [*registers], **others})


async def test_the_story_of_a_transfer_switch() -> None:
    """It hangs on input 1; input 1 fails, it goes over; input 2 fails as well."""
    registers = [
        {"register": 0, "point": "input 1", **INPUT},
        {"register": 2, "point": "input 2", **INPUT},
        {"register": 7, "function": 2, "point": "load", "says": "output", "when": "== 1"},
        {"register": 20, "says": "on battery", "when": "== 2"},
        {"register": 21, "says": "load", "scale": 0.1},
    ]
    async with meter() as one:
        written = asked_of(one, *registers)
        one.set_f32(4, 0, 231.5)
        one.set_f32(4, 2, 229.0)
        one.set(2, 7, 1)
        one.set(3, 20, 1, 425)
        found = await reading("modbus", written)
        assert [(point.name, point.utility, point.output) for point in found.points] == [
            ("input 1", Utility.PRESENT, Output.UNKNOWN),
            ("input 2", Utility.PRESENT, Output.UNKNOWN),
            ("load", Utility.UNKNOWN, Output.POWERED),
        ]
        assert found.point("input 1").said == "utility 231.5"
        assert (found.concerns, found.load_percent) == ((), 42)

        one.set_f32(4, 0, 3.2)
        one.set(3, 20, 2)
        found = await reading("modbus", written)
        assert found.point("input 1").utility is Utility.ABSENT
        assert (found.point("load").output, found.concerns) == (Output.POWERED, (Concern.ON_BATTERY,))

        one.set_f32(4, 2, 120.0)
        one.set(2, 7, 0)
        found = await reading("modbus", written)
        assert found.point("input 2").utility is Utility.UNKNOWN, "between the two nobody can say"
        assert found.point("load").output is Output.UNPOWERED


TYPES = [
    ({"type": "u16"}, (65_535,), 65_535),
    ({}, (7,), 7),
    ({"type": "i16"}, (0xFFFE,), -2),
    ({"type": "u32"}, (1, 2), 65_538),
    ({"type": "u32", "words": "little"}, (2, 1), 65_538),
    ({"type": "i32"}, (0xFFFF, 0xFFFF), -1),
    ({"type": "f32"}, struct.unpack(">HH", struct.pack(">f", 1.5)), 1.5),
    ({"type": "f32", "words": "little"}, struct.unpack(">HH", struct.pack(">f", 1.5))[::-1], 1.5),
    ({"type": "bit", "bit": 0}, (0b1010,), 0),
    ({"type": "bit", "bit": 3}, (0b1010,), 1),
    ({"scale": 0.5}, (461,), 230.5),
]


@pytest.mark.parametrize(("how", "words", "value"), TYPES)
async def test_a_number_is_read_as_its_type_says(
    how: dict[str, Any], words: tuple[int, ...], value: float
) -> None:
    async with meter() as one:
        one.set(3, 40, *words)
        right = {"register": 40, "says": "output", "when": f"== {value}", **how}
        wrong = {**right, "when": f"!= {value}", "point": "wrong"}
        found = await reading("modbus", asked_of(one, right, wrong))

    assert found.point("").output is Output.POWERED, found
    assert found.point("wrong").output is Output.UNPOWERED


@pytest.mark.parametrize(
    ("volts", "utility"),
    [
        ((230, 230, 230), Utility.PRESENT),
        ((230, 230, 0), Utility.UNKNOWN),
        ((230, 100, 230), Utility.UNKNOWN),
        ((0, 0, 0), Utility.ABSENT),
    ],
)
async def test_three_phases_make_one_input(volts: tuple[int, ...], utility: Utility) -> None:
    lines = [
        {"register": place, "point": "input 1", "says": "utility", "when": ">= 180", "unless": "<= 20"}
        for place in range(3)
    ]
    async with meter() as one:
        one.set(3, 0, *volts)
        found = await reading("modbus", asked_of(one, *lines))

    assert [(point.name, point.utility) for point in found.points] == [("input 1", utility)]


@pytest.mark.parametrize(
    ("mode", "bypass", "ups"),
    [(1, 0, Ups.ABLE), (1, 1, Ups.BYPASS), (0, 0, Ups.DEAD), (0, 1, Ups.DEAD), (7, 0, Ups.UNKNOWN)],
)
async def test_a_ups_by_registers(mode: int, bypass: int, ups: Ups) -> None:
    lines = [
        {"register": 0, "says": "ups", "when": ["== 1", "== 2"], "unless": "== 0"},
        {"register": 1, "says": "bypass", "when": "== 1"},
        {"register": 2, "says": "runtime", "scale": 60},
        {"register": 3, "says": "charge", "unknown": "== 65535"},
    ]
    async with meter() as one:
        one.set(3, 0, mode, bypass, 12, 65_535)
        found = await reading("modbus", asked_of(one, *lines))

    assert (found.point("").ups, found.runtime_s, found.charge_percent) == (ups, 720, None)


async def test_what_the_device_does_not_know_is_unknown() -> None:
    lines = [
        {"register": 0, "type": "f32", "point": "a", "says": "output", "when": ">= 0", "unless": "< 0"},
        {"register": 2, "point": "b", "says": "output", "when": "== 1", "unknown": ["== 65535", "== 65534"]},
    ]
    async with meter() as one:
        one.set(3, 0, 0x7FC0, 0, 65_534)
        found = await reading("modbus", asked_of(one, *lines))

    assert [(point.output, point.said) for point in found.points] == [
        (Output.UNKNOWN, "output not known"),
        (Output.UNKNOWN, "output not known"),
    ]


def test_registers_that_stand_beside_each_other_are_read_together() -> None:
    def line(register: int, **others: Any) -> dict[str, Any]:
        return {"register": register, "says": "output", "when": "== 1", **others}

    apart = [line(0), line(1, type="u32"), line(4), line(0, unit=2), line(0, function=4), line(9, function=1)]
    assert modbus.asks(settings(*apart)) == (
        Asked(1, 1, 9, 1),
        Asked(1, 3, 0, 3),
        Asked(1, 3, 4, 1),
        Asked(1, 4, 0, 1),
        Asked(2, 3, 0, 1),
    )
    assert modbus.asks(settings(*apart, gap=1))[1] == Asked(1, 3, 0, 5)
    many = settings(*(line(place) for place in range(126)))
    assert modbus.asks(many) == (Asked(1, 3, 0, 125), Asked(1, 3, 125, 1))


@given(st.data())
def test_whatever_is_asked_for_is_read_within_bounds(data: st.DataObject) -> None:
    lines: list[dict[str, Any]] = data.draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "register": st.integers(0, 400) | st.just(65_535),
                    "function": st.integers(1, 4),
                    "unit": st.integers(0, 2),
                    "says": st.just("output"),
                    "when": st.just("== 1"),
                }
            ),
            min_size=1,
            max_size=60,
        )
    )
    found = modbus.asks(settings(*lines, gap=data.draw(st.integers(0, 100))))
    assert all(one.many <= (2_000 if one.function <= 2 else 125) and one.end <= 65_536 for one in found)
    for line in lines:
        assert any(
            (one.unit, one.function) == (line["unit"], line["function"])
            and one.start <= line["register"] < one.end
            for one in found
        )


OUTPUT = {"register": 0, "says": "output", "when": "== 1"}


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (ExcCodes.ILLEGAL_FUNCTION, "the device does not know this function: holding registers 0 of unit 1"),
        (ExcCodes.DEVICE_FAILURE, "the device failed while it answered: holding registers 0 of unit 1"),
        (ExcCodes.DEVICE_BUSY, "the device is busy: holding registers 0 of unit 1"),
        (
            ExcCodes.GATEWAY_NO_RESPONSE,
            "the gateway got no answer from this unit: holding registers 0 of unit 1",
        ),
    ],
)
async def test_what_a_device_refuses_is_told_in_words(refusal: ExcCodes, why: str) -> None:
    async with meter() as one:
        one.refusal = refusal
        found = await look("modbus", asked_of(one, OUTPUT))

    assert (found.outcome, found.why) == (Outcome.MISSED, why)


async def test_a_register_that_is_not_there() -> None:
    async with meter() as one:
        found = await look("modbus", asked_of(one, {**OUTPUT, "register": MISSING.start}))

    assert found.why == "the device has not all of these registers: holding registers 500 of unit 1"


async def test_a_device_that_goes_away() -> None:
    async with meter() as one:
        written = asked_of(one, OUTPUT)
        assert (await look("modbus", written)).outcome is Outcome.ANSWERED
    found = await look("modbus", written)

    assert (found.outcome, found.value) == (Outcome.MISSED, "")
    assert found.why == "connection refused"


WRONG = [
    ({"register": 0, "function": 1, "type": "u16", "says": "output", "when": "== 1"}, "which has bits"),
    ({"register": 0, "type": "bit", "says": "output", "when": "== 1"}, "type: bit without one"),
    ({"register": 0, "bit": 3, "says": "output", "when": "== 1"}, "a bit without type: bit"),
    ({"register": 65_535, "type": "u32", "says": "output", "when": "== 1"}, "ends beyond the last register"),
    ({"register": 0, "says": "load", "when": "== 1"}, "says a figure"),
    ({"register": 0, "says": "output"}, "does not say when that is so"),
    ({"register": 0, "says": "outpt", "when": "== 1"}, "is nothing that a register can say"),
    ({"register": 0, "says": "output", "when": "= 1"}, "is no condition"),
    ({"register": 0, "says": "output", "when": ["== 1"] * 11}, "has 11 conditions"),
    ({"register": 0, "function": 5, "says": "output", "when": "== 1"}, "less than or equal to 4"),
    ({"register": 0, "says": "output", "when": "== 1", "point": " a"}, "is no name of a point"),
]


@pytest.mark.parametrize(("register", "why"), WRONG)
def test_a_wrong_map_is_refused(register: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as found:
        settings(register)
    assert why in str(found.value)


def test_all_mistakes_of_a_map_are_said_and_no_others() -> None:
    with pytest.raises(ValidationError) as found:
        settings({**OUTPUT, "says": "outptu"}, {**OUTPUT, "when": "1"})
    assert [one["loc"][:2] for one in found.value.errors()] == [("registers", 0), ("registers", 1)]
    assert "did you mean output?" in str(found.value)
    with pytest.raises(ValidationError, match="write at least one register"):
        settings()


def test_a_map_is_written_out_as_it_was_read() -> None:
    before = settings({"register": 3, "says": "output", "when": [">= 180", "== -1.5"], "unless": "< 20"})
    told = before.model_dump(mode="json", exclude_unset=True, by_alias=True)

    assert told["registers"][0]["when"] == [">= 180", "== -1.5"]
    assert modbus.Settings.model_validate(told) == before


@given(st.binary(min_size=2, max_size=260), st.integers(1, 4), st.integers(1, 2_000))
def test_any_answer_is_read_or_refused(said: bytes, function: int, many: int) -> None:
    asked = Asked(1, function, 0, min(many, 125) if function >= 3 else many)
    try:
        came = _modbus.answered(asked, said)
    except Missed:
        return
    assert len(came) == asked.many


words = st.tuples(st.integers(0, 65_535), st.integers(0, 65_535))


@given(words, words)
def test_any_registers_make_a_reading(first: tuple[int, int], second: tuple[int, int]) -> None:
    lines = [
        {"register": 0, "type": "f32", "says": "load", "scale": 1e6},
        {"register": 0, "type": "f32", "says": "runtime"},
        {"register": 2, "type": "f32", "says": "ups", "when": ">= 1", "unless": "<= 0"},
        {"register": 0, "type": "i32", "says": "alarm", "when": "> 7", "point": "a"},
    ]
    values = {(1, 3, place): word for place, word in enumerate((*first, *second))}
    found = modbus.reading(settings(*lines), values)

    assert of_text(found.text) == found
