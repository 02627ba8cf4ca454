"""What spoke against us between the last answer and the verdict, and was over by then: it stays said.

All devices are looked at every 300 s. A switch dies and is back in between:

```
sw-1   ──────────✕━━━━━━━━╸─────────────────
srv-2… ──────────✕━━━━━━━━╸─────────────────
srv-1  ──────────✕━━━━━━━━━━━━━━━━━━━━━┫ verdict
       last answer      first miss
```
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.core import facts, judge
from hostwatch.core.bygones import EACH_MAX, SIGNALS_MAX, Bygones
from hostwatch.core.reading import Kind, Outcome, Reading
from hostwatch.core.supply import Supply
from tests.cause.test_causing import DEVICES, PORTS, POWER, ROUND, STRIP, A, M, Stage, population, switch, ups
from tests.core.pictures import instant

SWITCH = "switch:sw-1/ping@main"
ALONE = "customer's equipment, likely: equipment"
"""What would be found if nothing had been otherwise meanwhile."""


class Timeline(Stage):
    """Looks between the rounds."""

    def looks(self, name: str, *marks: tuple[int, Outcome]) -> None:
        """Follow-up looks at one of them, at these seconds of the third round."""
        signal = name if "/" in name else f"{name}/ping@main"
        for at, outcome in marks:
            when = 3 * ROUND + at
            reading = Reading(
                signal=signal, at=instant(when), known_at=instant(when), outcome=outcome, kind=Kind.FOLLOW_UP
            )
            self.do(judge.readings(self.world, None, [reading], closes=False, now=instant(when)), when)

    def restart(self) -> None:
        """A new run knows what the store tells."""
        self.ledger.close()
        planning = self.world.planning
        self._open()
        self.world.planning = planning

    def found(self, device: str = "srv-1") -> str:
        told = self.last(device)
        return f"{told.cause}, {told.confidence}: {told.rule}"

    def witnesses(self, device: str = "srv-1") -> list[str]:
        return [f"{one['slot']} {one['said']}" for one in self.last(device).evidence]


@pytest.fixture(params=[False, True], ids=["", "after a restart"])
def restarts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Timeline]:
    made = Timeline(tmp_path / "store", population())
    made.round(ROUND)
    made.round(2 * ROUND)
    yield made
    made.ledger.close()


def to_the_verdict(stage: Timeline, *silent: str, restarts: bool) -> None:
    """The third round brings the first miss, the fourth the verdict."""
    if restarts:
        stage.restart()
    stage.round(4 * ROUND, *silent)


def test_a_switch_that_was_silent_and_is_back(stage: Timeline, restarts: bool) -> None:
    stage.looks(SWITCH, (-60, M), (-30, M))
    stage.round(3 * ROUND, "srv-1")
    to_the_verdict(stage, "srv-1", restarts=restarts)

    assert stage.found() == "operator's network, possible: switch-silent"
    assert "switch was silent" in stage.witnesses()


@pytest.mark.parametrize(
    ("looks", "why"),
    [
        ([(-299, M), (-290, A)], "it was silent, and may have been so since before"),
        ([(20, M), (30, A)], "it was well at the first miss, and silent later"),
    ],
    ids=["at once after the last answer", "after the first miss"],
)
def test_only_who_may_have_fallen_silent_in_the_same_moment(
    stage: Timeline, looks: list[tuple[int, Outcome]], why: str
) -> None:
    before = [one for one in looks if one[0] < 0]
    stage.looks(SWITCH, *before)
    stage.round(3 * ROUND, "srv-1")
    stage.looks(SWITCH, *(one for one in looks if one not in before))
    stage.round(4 * ROUND, "srv-1")

    is_against_us = "switch was silent" in stage.witnesses()
    assert is_against_us is bool(before), why


def test_a_switch_that_was_back_before_the_last_answer(stage: Timeline) -> None:
    """```
    sw-1   ──✕━━╸─────────────────
    srv-1  ────────A────✕━━━━━━━━━┫
    ```
    """
    stage.looks(SWITCH, (-200, M), (-190, M), (-180, A))
    stage.looks("srv-1", (-100, A))
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    assert stage.found() == ALONE


def test_many_that_fell_silent_with_it_and_are_back(stage: Timeline) -> None:
    others = ("srv-2", "srv-3", "srv-4")
    stage.round(3 * ROUND, "srv-1", *others)
    for name in others:
        stage.looks(name, (30, M), (60, A))
    stage.round(4 * ROUND, "srv-1")

    assert stage.found() == "operator's network, likely: many-at-once"
    assert "others fell silent together" in stage.witnesses()


def test_many_that_missed_a_single_look_say_nothing(stage: Timeline) -> None:
    """Pings are lost here and there; but then nobody knows that it alone is silent."""
    others = ("srv-2", "srv-3", "srv-4")
    stage.round(3 * ROUND, "srv-1", *others)
    for name in others:
        stage.looks(name, (30, A))
    stage.round(4 * ROUND, "srv-1")

    assert stage.found() == "undetermined, none: "
    assert stage.last("srv-1").wanting == ("others",)


@pytest.mark.parametrize(
    ("supply", "measured_at", "expected"),
    [
        ("ups-a", "source", "operator's power, certain: interrupted"),
        ("pdu-1", "outlet", "operator's power, likely: no-power"),
    ],
)
def test_power_that_was_interrupted_and_is_back(
    tmp_path: Path, restarts: bool, supply: str, measured_at: str, expected: str
) -> None:
    """For ten seconds, between the last answer and the first miss. The UPS is no longer heard."""
    people = population()
    for name, device in people.devices.items():
        assert device.place is not None
        people.devices[name] = replace(device, place=replace(device.place, supply=supply))
    people = replace(people, supplies={supply: Supply(id=supply, measured_at=measured_at)})
    stage = Timeline(tmp_path / "store", people)
    for number in (1, 2):
        stage.round(number * ROUND)
    stage.said[POWER], strip_on, stage.said[STRIP] = ups("OFF"), stage.said[STRIP], ""
    if measured_at == "outlet":
        stage.said[STRIP] = strip_on.replace("powered", "unpowered")
    stage.hear(3 * ROUND - 100)
    stage.said.update({POWER: ups("OL"), STRIP: strip_on})
    stage.hear(3 * ROUND - 90)
    stage.said[POWER] = ""
    stage.round(3 * ROUND, "srv-1")
    to_the_verdict(stage, "srv-1", restarts=restarts)

    assert stage.found() == expected
    stage.ledger.close()


def test_who_lost_power_then_says_nothing_of_the_switch(stage: Timeline) -> None:
    """All fell silent together, for their power was gone; one did not come back."""
    stage.said.update({STRIP: stage.said[STRIP].replace("powered", "unpowered")})
    stage.hear(3 * ROUND - 30)
    stage.said.update({STRIP: stage.said[STRIP].replace("unpowered", "powered")})
    stage.round(3 * ROUND, *DEVICES[:4])
    for name in DEVICES[1:4]:
        stage.looks(name, (30, M), (60, A))
    stage.round(4 * ROUND, "srv-1")

    assert stage.found() == "operator's power, likely: no-power"
    assert not [one for one in stage.witnesses() if one.startswith("others")]


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (switch(down=1), "operator's network, possible: port-down"),
        (switch(off=1), "operator's network, likely: port-off"),
        (switch(), "undetermined, none: "),
    ],
    ids=["down", "switched off", "up"],
)
def test_what_a_switch_said_of_the_port_before_it_was_no_longer_heard(
    stage: Timeline, port: str, expected: str
) -> None:
    stage.said[PORTS] = port
    stage.round(3 * ROUND, "srv-1")
    stage.said[PORTS] = ""
    stage.round(4 * ROUND, "srv-1")

    assert stage.found() == expected


def test_power_that_changed_is_told_though_another_witness_is_not_heard(stage: Timeline) -> None:
    stage.said.update({POWER: ups("OB")})
    stage.hear(3 * ROUND - 60)
    stage.said.update({POWER: ups("OL")})
    stage.round(3 * ROUND, "srv-1")
    stage.round(4 * ROUND, "srv-1")

    assert stage.found() == "operator's power, possible: power-changed"


def test_a_service_whose_device_was_silent_then(stage: Timeline) -> None:
    """The device is back, the service is not: what silenced the device is asked for."""
    stage.looks("srv-6", (-60, M), (-30, M))
    stage.looks(SWITCH, (-60, M), (-30, M))
    stage.round(3 * ROUND, "www@main")
    stage.round(4 * ROUND, "www@main")

    assert stage.found("srv-6/www@main") == "operator's network, possible: switch-silent"
    assert "itself was silent" in stage.witnesses("srv-6/www@main")


def ended(signal: str, at: int) -> facts.SilenceEnded:
    return facts.SilenceEnded(
        at=instant(at),
        signal=signal,
        last_answer=instant(at - 3),
        first_miss=instant(at - 2),
        last_miss=instant(at - 1),
        confirmed=False,
    )


def test_what_is_kept_of_silences_has_bounds() -> None:
    """A signal that comes and goes keeps its last silences; of very many, those that came back last stay."""
    kept = Bygones()
    for at in range(EACH_MAX + 2):
        kept.add(ended("srv-1", at))
    assert [one.first_answer for one in kept.of("srv-1")] == [instant(at) for at in range(2, EACH_MAX + 2)]

    for number in range(SIGNALS_MAX):
        kept.add(ended(f"other-{number}", 100 + number))
    assert kept.of("srv-1") == ()
    assert kept.of("other-0") != ()


def test_a_clock_that_was_set_makes_all_of_it_another_time(stage: Timeline) -> None:
    stage.looks(SWITCH, (-60, M), (-30, M), (-10, A))
    assert stage.world.bygones.of(SWITCH) != ()
    at = 3 * ROUND
    stage.do(judge.follow_clock(stage.world, instant(at), instant(at) + timedelta(hours=1)), at)

    assert stage.world.bygones.of(SWITCH) == ()
    stage.restart()
    assert stage.world.bygones.of(SWITCH) == ()
