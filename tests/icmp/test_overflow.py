"""The receive buffer is too small for what comes: looks that lost something are unknown, and it is said."""

from __future__ import annotations

import logging
import socket
from datetime import timedelta

import pytest

from hostwatch import echo
from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.echo import Outlet
from hostwatch.icmp import OVERFLOWED, IcmpPinger
from hostwatch.outlets import TWINS
from hostwatch.packets import Requests
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import THERE, Cable, ask

pytestmark = pytest.mark.lab

QUICK = Manner(attempts=1, timeout=timedelta(milliseconds=300))
MANY = 200
TARGETS = {
    4: [f"127.8.0.{host}" for host in range(1, MANY + 1)],
    6: [f"fd96::{n:x}" for n in range(1, MANY + 1)],
}


@pytest.mark.parametrize("family", [4, 6])
def test_replies_that_were_dropped_are_nobodys_silence(cable: Cable, family: int) -> None:
    """Two hundred answer at once into a buffer for a few, and so again when they are sent to once more."""
    cable.here.ip(*(f"address add {one}/128 dev lo nodad" for one in TARGETS[6]))

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        pinger._outlets.sockets[Outlet(family)].sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        first = await ask(pinger, clock, QUICK, *TARGETS[family])
        return first + await ask(pinger, clock, QUICK, TARGETS[family][0], "127.8.1.1")

    looks = cable.pinging(story)
    crowded, after = looks[:MANY], looks[MANY:]

    lost = [look for look in crowded if look.outcome is not Outcome.ANSWERED]
    assert len(lost) > MANY / 4
    assert {(look.outcome, look.why) for look in lost} == {(Outcome.UNKNOWN, OVERFLOWED)}
    assert after[0].outcome is Outcome.ANSWERED
    cable.lose()
    (silent,) = cable.looks(QUICK, TARGETS[family][0])
    assert silent.outcome is Outcome.MISSED


def test_a_drop_is_the_fault_of_those_alone_who_were_under_way(cable: Cable) -> None:
    """Two hundred answer into a buffer for a few; who is silent a moment later is missed."""
    cable.there.nft("""
        add table inet lab
        add chain inet lab in { type filter hook input priority 0; }
        add rule inet lab in icmp type echo-request drop
    """)

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        pinger._outlets.sockets[Outlet(4)].sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        crowd = await ask(pinger, clock, QUICK, *TARGETS[4], THERE[4])
        return [crowd[-1], *await ask(pinger, clock, QUICK, THERE[4])]

    during, after = cable.pinging(story)

    assert (during.outcome, during.why) == (Outcome.UNKNOWN, OVERFLOWED)
    assert (after.outcome, after.why) == (Outcome.MISSED, "no answer")


def test_small_buffers_are_made_up_for_by_several_sockets(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred answer at once, more than one of the buffers holds. None is lost, none repeated."""
    monkeypatch.setattr(echo.EchoSocket, "is_short", property(lambda _: True))

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        for twin in range(TWINS):
            sock = pinger._outlets.get(Outlet(4, twin=twin))
            assert isinstance(sock, echo.EchoSocket)
            sock.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MANY * echo.REPLY_CHARGE_BYTES // 4)
            assert sock.holds < MANY < TWINS * sock.holds
        return await ask(pinger, clock, QUICK, *TARGETS[4])

    looks = cable.pinging(story)

    assert {(look.outcome, look.lost) for look in looks} == {(Outcome.ANSWERED, 0)}


class Heard(logging.Handler):
    """What the log was told."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def warnings_of(cable: Cable) -> list[dict[str, object]]:
    """What a pinger warns of that keeps looking."""

    async def story(pinger: IcmpPinger, clock: Clock) -> None:
        for _ in range(4):
            await ask(pinger, clock, QUICK, "127.0.0.1")

    heard = Heard()
    logger = logging.getLogger("hostwatch")
    logger.addHandler(heard)
    try:
        cable.pinging(story)
    finally:
        logger.removeHandler(heard)
    return [record.__dict__["fields"] for record in heard.records if record.msg == "small-receive-buffer"]


def test_a_buffer_smaller_than_asked_for_is_told_once_with_what_to_do(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 2**30  # no machine grants that
    monkeypatch.setattr("hostwatch.echo.RECEIVE_BUFFER_BYTES", asked)
    monkeypatch.setattr("hostwatch.outlets.RECEIVE_BUFFER_BYTES", asked)
    (told,) = warnings_of(cable)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, asked)
        granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert told["advice"] == f"sysctl -w net.core.rmem_max={asked}"
    assert told["holds_replies"] == granted // echo.REPLY_CHARGE_BYTES * TWINS


def test_a_buffer_that_is_granted_is_no_matter(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hostwatch.echo.RECEIVE_BUFFER_BYTES", 65_536)

    assert warnings_of(cable) == []


def test_what_a_reply_is_charged_is_what_the_kernel_charges(cable: Cable) -> None:
    async def story(pinger: IcmpPinger, _: Clock) -> int:
        sock, requests = pinger._outlets.sockets[Outlet(4)], Requests(4, 1)
        for number in range(10):
            sock.send(requests.packet(number, pinger._mark + bytes(12)), ("127.0.0.1", 0))
        return int.from_bytes(sock.sock.getsockopt(socket.SOL_SOCKET, echo.SO_MEMINFO, 36)[:4], "little")

    assert cable.pinging(story) <= 10 * echo.REPLY_CHARGE_BYTES
