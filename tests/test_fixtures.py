"""What `hostwatch status` and the metrics say of sources, supplies and switches."""

from __future__ import annotations

from hostwatch import fixtures
from hostwatch.core.reading import Outcome
from hostwatch.core.switch import Switch
from tests.core.test_hearing import BOTH, START, at, watched
from tests.sla.teller import Teller


def lines(told: Teller, number: float) -> list[str]:
    now = at(number)
    return [
        text for _, text in fixtures.lines(fixtures.describe(told.world, now), lambda when: f"{when:%M:%S}")
    ]


def values(told: Teller, number: float) -> dict[str, object]:
    return {figure.name: figure.value for figure in fixtures.figures(told.world, at(number))}


def test_what_is_well_is_counted_and_what_is_not_is_named() -> None:
    told = watched("LL LL DD")
    assert lines(told, 2.1) == [
        "sources: 2 up",
        "supplies: 1 not proven · 2 silent",
        f"  {BOTH}: silent since {at(2):%M:%S}, 0 devices: interrupted at ups-a, ups-b",
        "  nobody: not proven since 00:00, 0 devices: not proven",
        f"  strip/outlet 7: silent since {at(2):%M:%S}, 0 devices: interrupted at ups-a",
    ]
    assert values(told, 2.1) == {
        "hostwatch_source_answering": {"a": 1.0, "b": 1.0},
        "hostwatch_supply_up": {BOTH: 0.0, "strip/outlet 7": 0.0},
    }


def test_who_does_not_answer_is_unknown_and_so_is_what_it_sees() -> None:
    told = watched("LL xx")
    assert lines(told, 1.1)[:3] == [
        "sources: 2 unknown",
        f"  a: unknown since {at(1):%M:%S}: no answer",
        f"  b: unknown since {at(1):%M:%S}: no answer",
    ]
    assert values(told, 1.1) == {
        "hostwatch_source_answering": {"a": 0.0, "b": 0.0},
        "hostwatch_supply_up": {},
    }


def test_a_switch_is_pinged_and_told_of() -> None:
    told = Teller()
    told.populate(START, switches=[Switch(id="sw-1", name="Row 1", address="192.0.2.2")])
    assert [target.signal for target in told.world.schedule.targets] == ["switch:sw-1/ping@main"]
    told.read("switch:sw-1", START, Outcome.ANSWERED)
    assert fixtures.describe(told.world, START)["switches"][0]["state"] == "up"
    assert dict(values(told, 0)) == {"hostwatch_switch_up": {"sw-1": 1.0}}
