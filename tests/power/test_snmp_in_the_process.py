"""The whole way of SNMP: the confined process of the checkers, an agent of net-snmp, informs and traps."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostwatch.checkcounts import CheckCounts
from hostwatch.checkers import services
from hostwatch.checkers.protocol import Alive, Ask, Complaint, Found, Look, Order, Pushed
from hostwatch.checkers.services import Check, Service
from hostwatch.core.power import Concern, Utility, of_text
from hostwatch.core.reading import Outcome
from hostwatch.power import snmp_ups
from tests.checkers.conftest import SECOND_US, checkers, hear
from tests.checks.servers import free_port
from tests.power.test_snmp_ups import WELL, Room
from tests.power.test_traps import ON_BATTERY, SAYS, sent
from tests.snmp.agents import credentials, override, snmpd


def source(settings: snmp_ups.Settings) -> Service:
    return Service("ups-a", (Check("power/snmp_ups", settings),))


@pytest.mark.parametrize("user", ["", "ups"])
async def test_a_failure_between_two_readings_is_not_missed(tmp_path: Path, user: str) -> None:
    """It is read; it goes on battery and says so; it is read at once; it says that all is well again."""
    port = free_port()
    with snmpd(tmp_path, override(WELL)) as agent:
        room = Room(agent, user)
        settings = snmp_ups.Settings.model_validate({**room.written, "traps": f"127.0.0.1:{port}"})
        async with checkers() as process:
            process.send(services.defined("key", source(settings)))
            process.send(Look(orders=(Order(1, "key", "", 0, SECOND_US),)))
            found = await hear(process, Found)
            assert (found.outcome, found.why) == (Outcome.ANSWERED, "")
            assert of_text(found.said).point("").said == "normal"

            room.set(source=5, seconds=3, volts=0)
            await sent("snmpinform", user, port, ON_BATTERY, *SAYS)
            if user:
                by_itself = await hear(process, Pushed)
                assert of_text(by_itself.said).point("").said == "battery; by a trap"
            asked = await hear(process, Pushed)
            assert (asked.key, asked.outcome) == ("key", Outcome.ANSWERED)
            reading = of_text(asked.said)
            assert (reading.point("").utility, reading.absent_for_s) == (Utility.ABSENT, 3)
            assert reading.concerns == (Concern.ON_BATTERY,)

            room.set(source=3, seconds=0, volts=230)
            await sent("snmptrap", user, port, "1.3.6.1.2.1.33.2.4")
            asked = await hear(process, Pushed)
            assert of_text(asked.said).point("").utility is Utility.PRESENT


async def test_a_trap_of_a_card_that_does_not_answer_is_a_hint_and_nothing_is_made_of_it(
    tmp_path: Path,
) -> None:
    port = free_port()
    with snmpd(tmp_path, override(WELL)) as agent:
        gone = {"address": "127.0.0.1", "port": agent.port, "timeout": "300ms", **credentials()}
    settings = snmp_ups.Settings.model_validate({**gone, "traps": f"127.0.0.1:{port}"})
    async with checkers() as process:
        process.send(services.defined("key", source(settings)))
        await sent("snmpinform", "", port, ON_BATTERY, *SAYS)
        asked = await hear(process, Pushed)
    assert (asked.outcome, asked.said) == (Outcome.MISSED, "")
    assert asked.why.endswith("connection refused")


async def test_a_port_that_is_not_for_us_is_said() -> None:
    settings = snmp_ups.Settings.model_validate(
        {"address": "127.0.0.1", **credentials(), "traps": "192.0.2.1:1162"}
    )
    async with checkers() as process:
        process.send(services.defined("key", source(settings)))
        said = await hear(process, Complaint)
    assert said.why.startswith("cannot listen for power/snmp_ups: cannot hear traps at 192.0.2.1:1162: ")


async def test_strangers_are_counted_where_the_watch_can_see_it() -> None:
    port = free_port()
    settings = snmp_ups.Settings.model_validate(
        {"address": "192.0.2.5", **credentials(), "traps": f"127.0.0.1:{port}"}
    )
    counts = CheckCounts()
    async with checkers() as process:
        process.send(services.defined("key", source(settings)))
        told: dict[str, int] = {}
        while not told:  # nobody hears the first ones, if they come too early
            await sent("snmptrap", "", port, ON_BATTERY, *SAYS)
            process.send(Ask())
            alive = await hear(process, Alive)
            told = alive.traps
            counts.alive(alive)
    assert [*told] == ["from nobody we know"]
    (figure,) = (
        one for one in counts.figures(is_up=True, restarts=0, orders=0) if one.name == "hostwatch_traps_total"
    )
    assert figure.value == {("from nobody we know",): told["from nobody we know"]}
