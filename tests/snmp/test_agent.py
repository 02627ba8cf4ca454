"""A real agent (of net-snmp) asked by v2c and by every kind of user; and what is said without an answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hostwatch.checks import base
from hostwatch.configuration.secret import Secret
from hostwatch.core.reading import Outcome
from hostwatch.snmp import agent
from hostwatch.snmp.agent import Agent
from tests.checks.conftest import surroundings
from tests.snmp.agents import COMMUNITY, USERS, Snmpd, override, snmpd
from tests.snmp.asking import visited

OURS = "1.3.6.1.4.1.32473.1"
"""Below the number that is for examples (RFC 5612)."""

NAMES = [f"{OURS}.{number}" for number in range(1, 31)]
TABLE = "1.3.6.1.2.1.1.9.1"
"""What every agent has: the modules that it knows (sysORTable)."""

MODULE, WORDS = f"{TABLE}.2", f"{TABLE}.3"


@pytest.fixture(scope="module")
def ups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    values: dict[str, tuple[str, object]] = {
        name: ("integer", -7 + place) for place, name in enumerate(NAMES)
    }
    values[f"{OURS}.50"] = ("octet_str", "UPS\u202e two")
    values[f"{OURS}.51"] = ("counter", 4_294_967_295)
    values[f"{OURS}.52"] = ("object_id", "1.3.6.1.2.1.33.1.6.3.2")
    values[f"{OURS}.53"] = ("timeticks", 2**32 - 1)
    with snmpd(tmp_path_factory.mktemp("agent"), override(values)) as running:
        yield running


async def all_of_it(asked: Agent) -> dict[str, Any]:
    return await asked.get(*NAMES, f"{OURS}.99", f"{OURS}.50", f"{OURS}.51", f"{OURS}.52", f"{OURS}.53")


@pytest.mark.parametrize("user", ["", *USERS])
async def test_variables_of_every_kind_by_whoever_may_ask(ups: Snmpd, user: str) -> None:
    finding, found = await visited(ups.access(user), all_of_it)
    assert finding.sentence == ""
    assert isinstance(found, dict)
    assert [found[name] for name in NAMES] == [*range(-7, 23)]
    assert f"{OURS}.99" not in found, "what the agent does not have is left out"
    assert found[f"{OURS}.50"] == "UPS\u202e two".encode()
    assert agent.text(found[f"{OURS}.50"]) == r"UPS\u202e two", "nothing that turns the writing round"
    assert found[f"{OURS}.51"] == found[f"{OURS}.53"] == 2**32 - 1
    assert found[f"{OURS}.52"] == (1, 3, 6, 1, 2, 1, 33, 1, 6, 3, 2)


@pytest.mark.parametrize("user", ["", "ups"])
@pytest.mark.parametrize("at_once", [50, 3, 1])
async def test_the_rows_of_a_table(ups: Snmpd, user: str, at_once: int) -> None:
    async def walk(asked: Agent) -> object:
        return await asked.walk(MODULE, WORDS, f"{OURS}.77", at_once=at_once)

    finding, rows = await visited(ups.access(user), walk)
    assert finding.sentence == ""
    assert isinstance(rows, dict)
    assert [*rows] == [(number,) for number in range(1, len(rows) + 1)]
    assert len(rows) > 5
    assert all(row.keys() == {MODULE, WORDS} for row in rows.values())
    assert rows[1,][MODULE][:6] == (1, 3, 6, 1, 6, 3)


async def test_a_table_of_more_rows_than_anybody_wants(ups: Snmpd) -> None:
    finding, _ = await visited(ups.access(), lambda asked: asked.walk(MODULE, rows_max=5))
    assert finding.outcome is Outcome.MISSED
    assert finding.why == "the table has more than 5 rows"


async def test_by_ipv6(tmp_path: Path) -> None:
    with snmpd(tmp_path, override({NAMES[0]: ("integer", 3)}), "::1") as six:
        for user in ("", "ups"):
            finding, found = await visited(six.access(user), lambda asked: asked.get(NAMES[0]))
            assert found == {NAMES[0]: 3}
            assert finding.address == f"[::1]:{six.port}"


WRONG: dict[str, tuple[str, dict[str, object], str, str]] = {
    "the community": ("", {"community": Secret("another")}, "answer", agent.NO_ANSWER_2C),
    "the user": ("ups", {"user": "nobody"}, "login", "the agent knows no such user"),
    "the password": (
        "ups", {"auth_password": Secret("signed-by-others")}, "login",
        "the agent takes our signature for wrong: auth, or auth_password, is another",
    ),
    "the signature": (
        "ups", {"auth": "sha-1"}, "login",
        "the agent takes our signature for wrong: auth, or auth_password, is another",
    ),
    "the password of the privacy": (
        "ups", {"privacy_password": Secret("read-by-all")}, "answer", agent.NOT_READ
    ),
    "the privacy": ("ups", {"privacy": "aes-256"}, "answer", agent.NOT_READ),
    "no privacy": (
        "ups", {"privacy": "none", "privacy_password": None}, "answer",
        "the agent does not permit us to read this",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
async def test_what_is_wrong_is_said(ups: Snmpd, what: str) -> None:
    user, written, step, why = WRONG[what]
    access = ups.access(user, **{"timeout": "1s", "retries": 0, **written})
    finding, found = await visited(access, lambda asked: asked.get(NAMES[0]))
    assert (finding.outcome, found) == (Outcome.MISSED, None)
    assert (finding.step, finding.why) == (step, why)
    shown = repr(finding)
    assert not any(secret in shown for secret in (*access.secrets, COMMUNITY))


async def test_nobody_there(ups: Snmpd) -> None:
    closed = ups.access(port=ups.port - 1 if ups.port > 2_000 else 1_999)
    finding, _ = await visited(closed, lambda asked: asked.get(NAMES[0]))
    assert (finding.outcome, finding.why) == (Outcome.MISSED, "connection refused")


@pytest.mark.parametrize("user", ["", "ups"])
async def test_an_agent_that_hangs_is_asked_again_and_answers_late(ups: Snmpd, user: str) -> None:
    """What was asked is asked again until the time is over, and an answer to any of them is one."""
    visit = base.Visit(kind="snmp", address="127.0.0.1", surroundings=surroundings())
    visit.listener = lambda line: (
        os.kill(ups.process.pid, signal.SIGCONT) if getattr(line, "text", "") == "the same again" else None
    )
    access = ups.access(user, timeout="30s", retries=10)
    found: list[object] = []

    async def look() -> None:
        asked = await agent.connect(access, visit)
        os.kill(ups.process.pid, signal.SIGSTOP)
        found.append(await asked.get(NAMES[0]))

    try:
        finding = await base.within(access.timeout, look, visit)
    finally:
        os.kill(ups.process.pid, signal.SIGCONT)
    assert (finding.sentence, found) == ("", [{NAMES[0]: -7}])
    assert [line.text for line in finding.transcript].count("the same again") >= 1


async def test_an_agent_that_was_started_again_has_another_clock_and_is_asked_on(tmp_path: Path) -> None:
    with snmpd(tmp_path / "one", override({NAMES[0]: ("integer", 1)})) as before:
        access = before.access("ups")
        _, found = await visited(access, lambda asked: asked.get(NAMES[0]))
        assert found == {NAMES[0]: 1}
    other = snmpd(tmp_path / "two", override({NAMES[0]: ("integer", 2)}))
    with other as after:  # another engine by another name, at the address where the first one was
        kept = agent._engines.pop((before.address, before.port))
        agent._engines[after.address, after.port] = kept
        finding, found = await visited(after.access("ups"), lambda asked: asked.get(NAMES[0]))
        assert (finding.sentence, found) == ("", {NAMES[0]: 2})
        late, at_us = agent._engines[after.address, after.port]
        agent._engines[after.address, after.port] = (late._replace(time_s=late.time_s + 1_000), at_us)
        finding, found = await visited(after.access("ups"), lambda asked: asked.get(NAMES[0]))
        assert (finding.sentence, found) == ("", {NAMES[0]: 2})


async def test_nothing_is_sent_where_the_policy_refuses(ups: Snmpd) -> None:
    class Nowhere:
        def refusal(self, address: str, port: int, *, literal: bool, own: bool) -> str:
            return "it is not allowed"

    finding, _ = await visited(
        ups.access(), lambda asked: asked.get(NAMES[0]), surroundings(policy=Nowhere())
    )
    assert finding.outcome is Outcome.UNKNOWN
    assert finding.why == f"not connected to 127.0.0.1:{ups.port}: it is not allowed"
    assert not finding.transcript
