"""A real upsd, and what is read of it: it works, is asked wrongly, loses its driver, has a night."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hostwatch.core import powertable
from hostwatch.core.power import Concern, Output, Point, PowerReading, Ups, Utility, of_text
from hostwatch.core.reading import Outcome
from tests.checks.certificates import Papers
from tests.core.wires import SIGNS
from tests.power import sources
from tests.power.upsd import PASSWORD, READER, USER, Upsd, until
from tests.power.upsd import upsd as started


def at(upsd: Upsd, ups: str = "ups1", **written: Any) -> dict[str, Any]:
    """Where it is, as it is written."""
    return {"address": "127.0.0.1", "port": upsd.port, "ups": ups, **written}


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("UPSD_PASSWORD", PASSWORD)
    return {"env": "UPSD_PASSWORD"}


def signs(point: Point) -> str:
    words = powertable.words(point)
    return SIGNS[words.supplied] + SIGNS[words.interrupted]


async def test_a_ups_on_the_utility(upsd: Upsd) -> None:
    upsd["ups1"].say("OL CHRG")

    found = await sources.reading("nut", at(upsd))

    assert found == PowerReading(
        points=(Point(utility=Utility.PRESENT, ups=Ups.ABLE, output=Output.POWERED, said="OL CHRG"),),
        runtime_s=1800,
        charge_percent=100,
        load_percent=21,
    )


async def test_a_strip_and_its_outlets(upsd: Upsd) -> None:
    upsd["strip1"].say(
        "OL", **{"device.type": "pdu", "outlet.count": "3", "outlet.1.status": "on", "outlet.2.status": "off",
                 "outlet.3.status": "on", "outlet.4.status": "on"}
    )  # fmt: skip

    counted = await sources.reading("nut", at(upsd, "strip1"))
    written = await sources.reading("nut", at(upsd, "strip1", outlets=1))

    assert {point.name: point.output.value for point in counted.points[1:]} == {
        "outlet 1": "powered", "outlet 2": "unpowered", "outlet 3": "powered",
    }  # fmt: skip
    assert [point.name for point in written.points] == ["", "outlet 1"]


async def test_a_transfer_switch_and_its_inputs(upsd: Upsd) -> None:
    upsd["ats1"].say(
        "OL", **{"device.type": "ats", "input.count": "2.00", "input.1.voltage": "0.00",
                 "input.2.voltage": "229.00", "input.source": "2.00"}
    )  # fmt: skip

    found = await sources.reading("nut", at(upsd, "ats1"))

    assert {point.name: point.utility.value for point in found.points[1:]} == {
        "input 1": "absent", "input 2": "present",
    }  # fmt: skip
    assert powertable.at_line(found.point("")) is True


async def test_what_counts_neither_its_outlets_nor_its_inputs() -> None:
    """As UPSes with switched groups say it, by the driver bcmxcp, and a transfer switch of Eaton's."""
    with started("grouped", "ats2") as upsd:
        upsd["grouped"].say(
            "OL",
            **{"outlet.1.status": "on/closed", "outlet.2.status": "off/open", "outlet.9.status": "on/closed"},
        )
        upsd["ats2"].say("OL", **{"device.type": "ats", "input.1.voltage": "229.2", "input.2.voltage": "0.0"})

        grouped = await sources.reading("nut", at(upsd, "grouped"))
        none = await sources.reading("nut", at(upsd, "grouped", outlets=0))
        switch = await sources.reading("nut", at(upsd, "ats2"))

    assert {point.name: point.output.value for point in grouped.points[1:]} == {
        "outlet 1": "powered", "outlet 2": "unpowered",
    }  # fmt: skip
    assert [point.name for point in none.points] == [""]
    assert {point.name: point.utility.value for point in switch.points[1:]} == {
        "input 1": "present", "input 2": "absent",
    }  # fmt: skip


async def test_a_name_that_it_does_not_know(upsd: Upsd) -> None:
    found = await sources.look("nut", at(upsd, "ups9"))

    assert (found.outcome, found.why) == (Outcome.MISSED, "upsd knows no UPS of that name")
    assert (found.expected, found.came) == ("VAR ups9 ups.status", "ERR UNKNOWN-UPS")


class TestLogin:
    """A wrong password is noticed, though reading needs none."""

    async def test_with_the_right_one(self, upsd: Upsd, secret: dict[str, str]) -> None:
        upsd["ups1"].say("OL")
        found = await sources.look("nut", at(upsd, user=USER, password=secret, unprotected_login=True))
        assert found.outcome is Outcome.ANSWERED
        assert [line.text for line in found.transcript if line.who == ">"][:3] == [
            'USERNAME "watch"\\n', "PASSWORD ***", 'LOGIN "ups1"\\n',
        ]  # fmt: skip
        assert not any(PASSWORD in line.text or "horse" in line.text for line in found.transcript)

    @pytest.mark.parametrize(
        ("user", "password"), [(USER, "mistaken"), ("nobody", PASSWORD), (READER, PASSWORD)]
    )
    async def test_with_a_wrong_one(
        self, upsd: Upsd, user: str, password: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UPSD_PASSWORD", password)
        secret = {"env": "UPSD_PASSWORD"}
        found = await sources.look("nut", at(upsd, user=user, password=secret, unprotected_login=True))
        assert (found.outcome, found.step, found.came) == (Outcome.MISSED, "login", "ERR ACCESS-DENIED")
        assert found.why.startswith("upsd denies access: the user or the password is wrong")

    async def test_nobody_stays_logged_in(self, upsd: Upsd, secret: dict[str, str]) -> None:
        await sources.reading("nut", at(upsd, user=USER, password=secret, unprotected_login=True))
        until(lambda: upsd.ask("GET NUMLOGINS ups1") == ["NUMLOGINS ups1 0"], lambda: "somebody is logged in")


@pytest.fixture(scope="module")
def protected(papers: Papers) -> Iterator[Upsd]:
    """One that speaks TLS."""
    with started("ups1", tls=(papers.valid, papers.ca)) as server:
        yield server


class TestTls:
    """STARTTLS, with a certificate that is verified."""

    async def test_it_is_spoken(self, protected: Upsd, papers: Papers, secret: dict[str, str]) -> None:
        protected["ups1"].say("OB")
        tls = {"ca": str(papers.ca)}
        found = await sources.look("nut", at(protected, user=USER, password=secret, starttls=tls))
        assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")
        assert of_text(found.value).concerns == (Concern.ON_BATTERY,)
        assert "TLS" in [phase.step for phase in found.phases]

    async def test_by_somebody_whom_nobody_trusts(self, protected: Upsd, papers: Papers) -> None:
        stranger = papers.self_signed
        found = await sources.look("nut", at(protected, starttls={"ca": str(stranger.chain)}))
        assert (found.outcome, found.step) == (Outcome.MISSED, "TLS")
        assert "certificate" in found.why

    async def test_where_there_is_none(self, upsd: Upsd) -> None:
        found = await sources.look("nut", at(upsd, starttls={}))
        assert (found.outcome, found.why) == (Outcome.MISSED, "upsd is not set up for that")
        assert (found.expected, found.came) == ("OK STARTTLS", "ERR FEATURE-NOT-CONFIGURED")


class TestLostCommunication:
    """Nobody knows: never an absent utility, even if it was absent last."""

    async def test_the_driver_hangs_while_on_battery(self, upsd: Upsd) -> None:
        upsd["ups1"].say("OB DISCHRG", **{"input.voltage": "0.0"})
        assert signs((await sources.reading("nut", at(upsd))).point("")) == "+-"
        upsd["ups1"].freeze()
        try:
            found = await sources.look("nut", at(upsd))
        finally:
            upsd["ups1"].thaw()
        assert (found.outcome, found.value) == (Outcome.MISSED, "")
        assert found.why == "upsd has not heard from the UPS for too long"
        assert signs((await sources.reading("nut", at(upsd))).point("")) == "+-"

    async def test_the_driver_is_killed_while_on_battery(self, upsd: Upsd) -> None:
        upsd["ups1"].say("OB LB", **{"input.voltage": "0.0"})
        upsd["ups1"].kill()
        try:
            found = await sources.look("nut", at(upsd))
        finally:
            upsd["ups1"].start()
            upsd["ups1"].wait("VAR")
        assert (found.outcome, found.value) == (Outcome.MISSED, "")
        assert found.why == "the driver of the UPS does not run"

    async def test_nobody_is_there(self, unused_tcp_port: int) -> None:
        written = {"address": "127.0.0.1", "port": unused_tcp_port, "ups": "ups1"}
        found = await sources.look("nut", written)
        assert (found.outcome, found.step, found.why) == (Outcome.MISSED, "connect", "connection refused")


NIGHT = """
ups.status: {words}
device.type: ups
battery.charge: 50
battery.runtime: 300
input.voltage: {volts}
"""


STORY = [
    ("OL", "231.0", "+-"),
    ("OB DISCHRG", "0.0", "+-"),
    ("OB DISCHRG LB", "0.0", "+-"),
    ("OFF", "0.0", "-+"),
    ("OFF", "231.0", "--"),
    ("OL CHRG", "231.0", "+-"),
]
"""The words, the volts at the input, and what follows: supplied, interrupted."""


async def test_a_night() -> None:
    """The utility is lost, the battery becomes empty, the utility comes back, and the UPS is switched on.

    upsd may hear of the words and of the voltages one after the other, so each reading waits for both.
    """
    seen = []
    with started("ups1") as server:
        for words, volts, _ in STORY:
            server["ups1"].say(
                words, **{"input.voltage": volts, "output.voltage": "0.0" if "OFF" in words else "230.0"}
            )
            seen.append(signs((await sources.reading("nut", at(server))).point("")))

    assert seen == [told for _, _, told in STORY]


async def test_a_script_of_its_own() -> None:
    """`dummy-ups` plays a `.seq`; each state is seen as it comes."""
    with started("ups1") as server:
        parts = [NIGHT.format(words=words, volts=volts) for words, volts in (("OB", "0.0"), ("OL", "230.0"))]
        server["ups1"].play("TIMER 2\n".join((*parts, "")))
        for words, told in (("OB", "absent"), ("OL", "present"), ("OB", "absent")):
            server["ups1"].wait(f'VAR ups1 ups.status "{words}"')
            assert (await sources.reading("nut", at(server))).point("").utility.value == told
