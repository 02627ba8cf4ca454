"""Ports of a switch that is net-snmp's agent: found by any name, down and up again, counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hostwatch.core.ports import Octets, Port, State
from hostwatch.core.reading import Outcome
from hostwatch.ports import snmp
from tests.checks.servers import free_port
from tests.ports.switch import DOWN, FIRST, UP, look, old_port, port, reading, switch
from tests.power.test_traps import Ears, listening, sent
from tests.snmp.agents import credentials

WELL = (State.UP, State.UP, "up")


def state(found: Port) -> tuple[State, State, str]:
    return found.oper, found.admin, found.said


@pytest.mark.parametrize("user", ["", "ups"])
async def test_the_story_of_a_port(tmp_path: Path, user: str) -> None:
    """Its cable is pulled and put back; then somebody switches it off."""
    with switch(tmp_path) as mine:
        written = mine.settings("ge-0/0/1", "ge-0/0/2", user=user)
        found = await reading(written)
        assert [one.name for one in found.ports] == ["ge-0/0/1", "ge-0/0/2"]
        assert found.up_ticks == 100_000
        assert [state(one) for one in found.ports] == [WELL, WELL]
        assert found.port("ge-0/0/1").changed_s == 950
        assert found.port("ge-0/0/1").speed_mbps == 1_000
        assert found.port("ge-0/0/2").octets == Octets(received=2_000_000, sent=4_000_000)

        mine.clock(1_060)
        mine.set(1, OPER=DOWN, CHANGED=104_000)
        found = await reading(written)
        assert state(found.port("ge-0/0/1")) == (State.DOWN, State.UP, "down")
        assert found.port("ge-0/0/1").changed_s == 20
        assert state(found.port("ge-0/0/2")) == WELL

        mine.set(1, OPER=UP)
        mine.set(2, OPER=DOWN, ADMIN=DOWN)
        found = await reading(written)
        assert state(found.port("ge-0/0/1")) == WELL
        assert state(found.port("ge-0/0/2")) == (State.DOWN, State.DOWN, "down")


WORDS = {
    1: ("up", State.UP),
    2: ("down", State.DOWN),
    3: ("testing", State.UNKNOWN),
    4: ("unknown", State.UNKNOWN),
    5: ("dormant", State.UNKNOWN),
    6: ("notPresent", State.DOWN),
    7: ("lowerLayerDown", State.DOWN),
    8: ("state 8", State.UNKNOWN),
}
"""RFC 2863, ifOperStatus."""


async def test_what_is_said_of_a_port_has_one_meaning(tmp_path: Path) -> None:
    with switch(tmp_path) as mine:
        for number, (word, meaning) in WORDS.items():
            mine.set(1, OPER=number)
            found = (await reading(mine.settings("ge-0/0/1"))).port("ge-0/0/1")
            assert (found.said, found.oper) == (word, meaning)


async def test_a_port_is_found_by_any_name_of_it(tmp_path: Path) -> None:
    """Its name, its description, what somebody wrote on it, or its number, in this order."""
    third = {**port(3), snmp.NAME: "10001", snmp.ALIAS: "to web-2"}
    with switch(tmp_path, port(1), port(2), third) as mine:
        names = ("ge-0/0/2", "Gigabit port 2", "to web-1", "to web-2", str(FIRST), str(FIRST + 1), "ge-9")
        found = await reading(mine.settings(*names))
    counted = {one.name: one.octets.received if one.octets else one.said for one in found.ports}
    assert counted == {
        "ge-0/0/2": 2_000_000,
        "Gigabit port 2": 2_000_000,
        "to web-1": 1_000_000,
        "to web-2": snmp.SEVERAL,
        str(FIRST): 3_000_000,
        str(FIRST + 1): 2_000_000,
        "ge-9": snmp.NOT_THERE,
    }
    assert found.port("ge-9").oper is State.UNKNOWN


async def test_numbers_that_change_do_not_confuse_ports(tmp_path: Path) -> None:
    """A card is put in, and the two ports change places."""
    with switch(tmp_path) as mine:
        written = mine.settings("ge-0/0/1")
        assert octets(await counted(written)) == 1_000_000
        finding = await look(written)
        assert not any("10002" in said.text for said in finding.transcript), "nobody looked for names again"

        mine.set(1, NAME="ge-0/0/2")
        mine.set(2, NAME="ge-0/0/1")
        assert octets(await counted(written)) == 2_000_000

        mine.set(2, NAME="ge-1/0/1")
        assert (await counted(written)).said == snmp.NOT_THERE


async def counted(written: dict[str, Any]) -> Port:
    return (await reading(written)).ports[0]


def octets(found: Port) -> int:
    assert found.octets is not None
    return found.octets.received


async def test_counters_up_to_their_last_number(tmp_path: Path) -> None:
    with switch(tmp_path) as mine:
        mine.set(1, RECEIVED=2**64 - 1, SENT=0, DISCONTINUITY=90_000)
        found = await counted(mine.settings("ge-0/0/1"))
    assert found.octets == Octets(received=2**64 - 1, sent=0, bits=64, since_ticks=90_000)


async def test_a_switch_that_knows_32_bits_alone(tmp_path: Path) -> None:
    with switch(tmp_path, old_port(1)) as mine:
        found = await counted(mine.settings("ge-0/0/1"))
        assert found.octets == Octets(received=2**32 - 10, sent=77, bits=32)
        assert found.speed_mbps == 100
        mine.set(1, OLD_SPEED=2**32 - 1)
        assert (await counted(mine.settings("ge-0/0/1"))).speed_mbps is None, "it is faster than it can say"


@pytest.mark.parametrize("gone", [snmp.RECEIVED, snmp.SENT])
async def test_one_counter_alone_is_none(tmp_path: Path, gone: str) -> None:
    half = {column: value for column, value in port(1).items() if column != gone}
    with switch(tmp_path, half) as mine:
        assert (await counted(mine.settings("ge-0/0/1"))).octets is None


async def test_all_ports_by_the_switch_s_own_names(tmp_path: Path) -> None:
    """Two of one name are told apart by their numbers, and who is asked for by name keeps that one."""
    with switch(tmp_path, port(1), port(2), {**port(3), snmp.NAME: "ge-0/0/2"}) as mine:
        found = await reading(mine.settings("to web-1", all=True))
    names = [one.name for one in found.ports]
    assert {"to web-1", "ge-0/0/2", f"ge-0/0/2#{FIRST + 2}", "lo"} <= {*names}
    assert "ge-0/0/1" not in names
    assert octets(found.port(f"ge-0/0/2#{FIRST + 2}")) == 3_000_000


async def test_a_switch_with_too_many_ports_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snmp, "PORTS_MAX", 1)
    with switch(tmp_path) as mine:
        finding = await look(mine.settings(all=True))
    assert finding.outcome is Outcome.MISSED
    assert finding.sentence == "ports/snmp: answer: the table has more than 1 rows"


async def test_nobody_there_is_nothing_known(tmp_path: Path) -> None:
    with switch(tmp_path) as mine:
        written = mine.settings("ge-0/0/1", timeout="400ms", retries=1)
    finding = await look(written)
    assert finding.outcome is Outcome.MISSED
    assert not finding.value


async def test_a_clock_that_began_anew_after_497_days(tmp_path: Path) -> None:
    """The port changed 40 s before that, and now it is 10 s later."""
    with switch(tmp_path) as mine:
        mine.clock(10)
        mine.set(1, CHANGED=2**32 - 4_000)
        found = await reading(mine.settings("ge-0/0/1"))
    assert found.up_ticks == 1_000
    assert found.port("ge-0/0/1").changed_s == 50


async def test_a_port_that_is_as_it_was_at_the_start_does_not_say_since_when(tmp_path: Path) -> None:
    with switch(tmp_path, {**port(1), snmp.CHANGED: 0}) as mine:
        assert (await counted(mine.settings("ge-0/0/1"))).changed_s is None


async def test_a_link_that_goes_down_has_its_switch_read_at_once() -> None:
    """By the trap that the standard has for it (RFC 2863, linkDown)."""
    at, ears = free_port(), Ears()
    told = {"address": "127.0.0.1", **credentials("ups"), "traps": f"127.0.0.1:{at}"}
    settings = snmp.Settings.model_validate(told)
    async with listening(ears, (snmp.listen, {"ports:sw-1": settings})):
        await sent(
            "snmptrap", "ups", at, "1.3.6.1.6.3.1.1.5.3", f"1.3.6.1.2.1.2.2.1.1.{FIRST}", "i", str(FIRST)
        )
        assert await ears.next() == ("ports:sw-1", None)


@pytest.mark.parametrize("up_ticks", [(100_000, 100_010, 100_020), (100_000, 100_010, 300)])
async def test_a_switch_that_starts_while_it_is_read_is_not_believed(
    tmp_path: Path, up_ticks: tuple[int, ...]
) -> None:
    """The first question is that of whoever waits for the agent."""
    with switch(tmp_path, up_ticks=up_ticks) as mine:
        finding = await look(mine.settings("ge-0/0/1"))
    if up_ticks[-1] > 100_000:
        assert finding.outcome is Outcome.ANSWERED, finding.sentence
    else:
        assert finding.sentence == "ports/snmp: answer: the switch started anew while it was read"
