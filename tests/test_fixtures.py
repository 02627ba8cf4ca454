"""What `hostwatch status` and the metrics say of sources, supplies and switches."""

from __future__ import annotations

from hostwatch import fixtures
from hostwatch.core.reading import Outcome
from hostwatch.core.switch import Switch
from hostwatch.core.warned import Warned, What
from tests.core.test_hearing import BOTH, START, at, watched
from tests.sla.teller import Teller


def lines(told: Teller, number: float) -> list[str]:
    now = at(number)
    status = fixtures.describe(told.world, now)
    found = [text for _, text in fixtures.lines(status)]
    for table in fixtures.tables(status, lambda when: f"{when:%M:%S}"):
        found += [table.title, *(" | ".join(row.cells) for row in table.rows)]
    return found


def values(told: Teller, number: float) -> dict[str, object]:
    return {figure.name: figure.value for figure in fixtures.figures(told.world, at(number))}


def of_house(told: Teller, number: float) -> dict[str, object]:
    """The same without warnings."""
    return {name: value for name, value in values(told, number).items() if name != "hostwatch_warnings"}


def test_what_is_well_is_counted_and_what_is_not_is_named() -> None:
    told = watched("LL LL DD")
    found = lines(told, 2.1)
    assert found[: found.index("Warnings")] == [
        "sources: 2 up",
        "supplies: 1 not proven · 2 silent",
        "Supplies",
        f"{BOTH} | silent | {at(2):%M:%S} | 0 | interrupted at ups-a, ups-b",
        "nobody | not proven | 00:00 | 0 | not proven",
        f"strip/outlet 7 | silent | {at(2):%M:%S} | 0 | interrupted at ups-a",
    ]
    assert of_house(told, 2.1) == {
        "hostwatch_source_answering": {"a": 1.0, "b": 1.0},
        "hostwatch_supply_up": {BOTH: 0.0, "strip/outlet 7": 0.0},
    }


def test_who_does_not_answer_is_unknown_and_so_is_what_it_sees() -> None:
    told = watched("LL xx")
    found = lines(told, 1.1)
    assert found[0] == "sources: 2 unknown"
    assert found[found.index("Sources") :][:3] == [
        "Sources",
        f"a | unknown | {at(1):%M:%S} | no answer",
        f"b | unknown | {at(1):%M:%S} | no answer",
    ]
    assert of_house(told, 1.1) == {
        "hostwatch_source_answering": {"a": 0.0, "b": 0.0},
        "hostwatch_supply_up": {},
    }


def test_a_switch_is_pinged_and_told_of() -> None:
    told = Teller()
    told.populate(START, switches=[Switch(id="sw-1", name="Row 1", address="192.0.2.2")])
    assert [target.signal for target in told.world.schedule.targets] == ["switch:sw-1/ping@main"]
    told.read("switch:sw-1", START, Outcome.ANSWERED)
    assert fixtures.describe(told.world, START)["switches"][0]["state"] == "up"
    found = values(told, 0)
    assert found["hostwatch_switch_up"] == {"sw-1": 1.0}
    assert found.keys() == {"hostwatch_switch_up", "hostwatch_warnings"}


def test_warnings_are_listed_and_counted_with_what_was_seen_last() -> None:
    told = watched("LL LL")
    since, quiet = at(1), at(2)
    for one in (
        Warned(what=What.ON_BATTERY, about="a", said="charge 97 %", since=since),
        Warned(what=What.ON_BATTERY, about="b", said="", since=since, quiet_since=quiet),
        Warned(what=What.REDUNDANCY, about=BOTH, said="all hangs on ups-b", since=since, quiet_since=quiet),
    ):
        told.world.warned[one.name] = one

    found = lines(told, 2.1)
    assert found[found.index("Warnings") :] == [
        "Warnings",
        f"on battery | ups-a (source a) | {since:%M:%S} | charge 97 %",
        f"on battery | strip, ups-b (source b) | {since:%M:%S} | no longer seen since {quiet:%M:%S}",
        f"redundancy lost | {BOTH} | {since:%M:%S} | no longer seen since {quiet:%M:%S}"
        " (last: all hangs on ups-b)",
    ]
    counted = values(told, 2.1)["hostwatch_warnings"]
    assert isinstance(counted, dict)
    assert {what: count for what, count in counted.items() if count} == {
        "on battery": 2,
        "redundancy lost": 1,
    }
    assert counted.keys() == {one.value for one in What}
