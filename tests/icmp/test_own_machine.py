"""Our own machine refuses to send, or has no means left: unknown with the reason, and never a miss.

A firewall of ours, routes that are missing or refuse, a full queue before the link, no file descriptor left.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from hostwatch.carrier import OWN_FAULTS
from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.icmp import IcmpPinger
from hostwatch.outward import DISCARDED, NO_NEIGHBOURS
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import THERE, Cable, ask
from tests.lab.reflector import Reflector
from tests.lab.script import SILENT, Answer, Script

pytestmark = pytest.mark.lab

QUICK = Manner(attempts=2, spacing=timedelta(milliseconds=200), timeout=timedelta(milliseconds=500))
MODES = pytest.mark.parametrize("mode", ["raw", "ping socket"])
MANY = {
    4: [f"10.98.8.{number}" for number in range(1, 101)],
    6: [f"fd98::8:{number:x}" for number in range(1, 101)],
}
REFUSED, NO_ROUTE, NO_BUFFER = "sending not permitted here", "no route here", "no buffer space here"


@pytest.fixture
def reflector(cable: Cable) -> Iterator[Reflector]:
    """Whatever is beyond the other machine, by a script."""
    with Reflector(cable.there) as started:
        yield started


ROUTES = {
    "unreachable": NO_ROUTE,
    "prohibit": REFUSED,
    "blackhole": "cannot send: [Errno 22] Invalid argument",
}
"""Routes of ours that lead nowhere, and what the kernel says then."""


@MODES
def test_what_our_own_tables_refuse_is_unknown(cable: Cable, reflector: Reflector, mode: str) -> None:
    """Addresses with routes that refuse, with none, behind our firewall; and one that is reached."""
    kinds = list(ROUTES)
    firewall, reached = both(8), both(9)
    cable.here.ip(
        "route del default",
        "route del ::/0",
        f"route add 10.98.0.0/16 via {THERE[4]}",
        f"route add fd98::/64 via {THERE[6]}",
        *(f"route add {kind} {one}" for number, kind in enumerate(kinds) for one in both(number)),
    )
    cable.here.nft(f"""
        add table inet lab
        add chain inet lab out {{ type filter hook output priority 0; }}
        add rule inet lab out ip daddr {firewall[0]} drop
        add rule inet lab out ip6 daddr {firewall[1]} drop
    """)
    expected = {
        **{one: ROUTES[kind] for number, kind in enumerate(kinds) for one in both(number)},
        **dict.fromkeys(("192.0.2.1", "2001:db8::1"), NO_ROUTE),
        # IPv6 tells a ping socket nothing of what became of its packets, only how many went astray.
        **dict(zip(firewall, (REFUSED, REFUSED if mode == "raw" else DISCARDED), strict=True)),
    }
    looks = cable.pinging(
        lambda pinger, clock: ask(pinger, clock, QUICK, *expected, *reached), mode=mode
    )  # fmt: skip

    assert {look.address: look.why for look in looks if look.outcome is Outcome.UNKNOWN} == expected
    assert [look.outcome for look in looks[-2:]] == [Outcome.ANSWERED] * 2


@MODES
@pytest.mark.parametrize("family", [4, 6])
def test_a_full_queue_before_our_link_is_unknown(
    cable: Cable, reflector: Reflector, mode: str, family: int
) -> None:
    """All would answer, but our link takes a packet now and then, and its queue holds a few."""
    slowly = ("tbf", "rate", "8kbit", "burst", "1600", "limit", "3000")

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        before = await ask(pinger, clock, QUICK, MANY[family][0])  # the gateway is known as a neighbour
        cable.here.run("tc", "qdisc", "add", "dev", "port", "root", *slowly)
        return before + await ask(pinger, clock, QUICK, *MANY[family])

    brought = Counter((look.outcome, look.why) for look in cable.pinging(story, mode=mode))
    why = DISCARDED if (mode, family) == ("ping socket", 6) else NO_BUFFER
    assert brought.keys() == {(Outcome.ANSWERED, ""), (Outcome.UNKNOWN, why)}
    assert brought[Outcome.UNKNOWN, why] > len(MANY[family]) / 2


@MODES
def test_what_was_dropped_on_its_way_out_is_nobody_elses_silence(
    cable: Cable, reflector: Reflector, mode: str
) -> None:
    """Our firewall drops what goes to one, from us or somebody else; another is silent a moment later.

    Of a third a router says meanwhile that it cannot be reached: what was said something of has left.
    """
    dropped, silent, told_of = both(1), both(2), both(3)
    says = {
        one: ((Answer(kind="error", code=code, source=THERE[family]),),)
        for one, family, code in zip(told_of, (4, 6), ((3, 1), (1, 3)), strict=True)
    }
    reflector.play(dict.fromkeys(silent, SILENT) | says)
    cable.here.nft(f"""
        add table inet lab
        add chain inet lab out {{ type filter hook output priority 0; }}
        add rule inet lab out ip daddr {dropped[0]} drop
        add rule inet lab out ip6 daddr {dropped[1]} drop
    """)

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        first = await ask(pinger, clock, QUICK, *dropped, *told_of)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other, pytest.raises(PermissionError):
            other.sendto(b"", (dropped[1], 9))
        return first + await ask(pinger, clock, QUICK, *silent)

    looks = cable.pinging(story, mode=mode)
    assert [look.outcome for look in looks] == [Outcome.UNKNOWN] * 2 + [Outcome.MISSED] * 4


NEIGHBOURS = {
    4: [f"10.96.{1 + number // 250}.{1 + number % 250}" for number in range(2_000)],
    6: [f"fd96::{number:x}" for number in range(1, 2_001)],
}


@pytest.mark.long
@MODES
@pytest.mark.parametrize("family", [4, 6])
def test_more_neighbours_than_the_kernel_knows_are_nobodys_silence(
    cable: Cable, family: int, mode: str
) -> None:
    """Two thousand on our link, all alive, of whom nobody has heard: the kernel's table holds a thousand.

    It is the table of the whole machine: other tests would find no room in it meanwhile.
    """
    cable.here.ip("address add 10.96.0.1/16 dev port", "address add fd96::ffff:1/64 dev port nodad")
    form = {4: "{}/32", 6: "{}/128 nodad"}[family]
    cable.there.ip(*(f"address add dev port {form.format(one)}" for one in NEIGHBOURS[family]))
    patient = Manner(attempts=3, spacing=timedelta(milliseconds=400), timeout=timedelta(milliseconds=500))
    looks = cable.pinging(lambda pinger, clock: ask(pinger, clock, patient, *NEIGHBOURS[family]), mode=mode)
    brought = Counter((look.outcome, look.why) for look in looks)

    why = {("raw", 6): NO_NEIGHBOURS, ("ping socket", 6): DISCARDED}.get((mode, family), NO_BUFFER)
    assert brought.keys() == {(Outcome.ANSWERED, ""), (Outcome.UNKNOWN, why)}


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """This process may open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(one.name) for one in Path("/proc/self/fd").iterdir())
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        yield
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@MODES
def test_without_a_file_descriptor_answers_count_and_silence_is_unknown(
    cable: Cable, reflector: Reflector, mode: str
) -> None:
    """Nor can be told then who said what of a silent one: no exception comes of it."""
    alive, silent, unreachable = (both(number) for number in (1, 2, 3))
    scripts: dict[str, Script] = dict.fromkeys(silent, SILENT)
    for one, family, code in zip(unreachable, (4, 6), ((3, 1), (1, 3)), strict=True):
        scripts[one] = ((Answer(kind="error", code=code, source=THERE[family]),),)
    reflector.play(scripts)

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        with no_descriptor_left():
            return await ask(pinger, clock, QUICK, *alive, *silent, *unreachable)

    looks = cable.pinging(story, mode=mode)
    unknown = (Outcome.UNKNOWN, OWN_FAULTS[errno.EMFILE])
    assert [(look.outcome, look.why) for look in looks] == [(Outcome.ANSWERED, "")] * 2 + [unknown] * 4


def both(number: int) -> list[str]:
    """The addresses of that number, of both families."""
    return [f"10.98.9.{number + 1}", f"fd98::9:{number + 1}"]
