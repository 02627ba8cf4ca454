"""A silent switch has those behind it looked at at once: is it dead, or only its management (J10)?"""

from __future__ import annotations

import asyncio

from hostwatch.core import facts
from hostwatch.core.place import Place
from hostwatch.core.switch import Switch
from hostwatch.patience import Patience
from hostwatch.pinger import Manner
from hostwatch.store.ledger import facts_of
from tests.prober.stage import Stage, seconds

QUICK = Manner(attempts=1, timeout=seconds(0.5))
DEVICES = ("acme", "beta")
SWITCH = "switch:sw-1/ping@main"


def story(*silent: str) -> tuple[Stage, list[facts.Fact]]:
    """Twenty minutes; the switch misses from its sixth look on, and these devices from its verdict on."""
    down = False

    def says(signal: str, look: int) -> bool:
        nonlocal down
        if signal == SWITCH:
            down = down or look >= 6
            return not down
        return not down or signal.partition("/")[0] not in silent

    stage = Stage(
        dict.fromkeys(DEVICES, seconds(300)),
        dict.fromkeys(("", *DEVICES), QUICK),
        says,
        places={name: Place(ports=f"sw-1/{name}") for name in DEVICES},
        switches=(Switch(id="sw-1", name="Row 1", address="192.0.2.200"),),
    )

    async def act(stage: Stage) -> None:
        patience = asyncio.create_task(Patience(stage.engine, stage.clock).run())
        stage.prober.follow_ups.lasting = seconds(0)
        await stage.clock.sleep(seconds(1200))
        patience.cancel()

    stage.run(act)
    kinds = [facts.EmergencyHeld, facts.SwitchEmergencyOpened, facts.EmergencyOpened, facts.EmergencyJoined]
    return stage, [*facts_of(stage.ledger._db, kinds)]


def test_those_behind_are_looked_at_at_once_and_all_are_told_of_together() -> None:
    stage, told = story(*DEVICES)
    held, opened, *joined = told

    assert isinstance(held, facts.EmergencyHeld)
    assert held.signal == SWITCH
    assert isinstance(opened, facts.SwitchEmergencyOpened)
    assert opened.customers == DEVICES
    assert opened.at - held.at < seconds(2)
    for name in DEVICES:
        (asked,) = [at for at in stage.pinger.looks[f"{name}/ping@main"] if held.at <= at < opened.at]
        assert asked - held.at < seconds(1)
    assert {fact.signal for fact in joined if isinstance(fact, facts.EmergencyJoined)} == {
        f"{name}/ping@main" for name in DEVICES
    }, "their own verdicts come later"


def test_one_that_answers_proves_that_it_carries() -> None:
    _, told = story("beta")

    assert [type(fact).__name__ for fact in told] == ["EmergencyHeld", "EmergencyOpened"]
