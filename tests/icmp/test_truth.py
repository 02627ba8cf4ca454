"""Everything that can come back of a ping, a row each: what proves nothing changes nothing.

All rows are looked at together, each at an address of its own, over both families, by both kinds of socket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.icmp import IcmpPinger
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import THERE, Cable, ask
from tests.lab.reflector import Reflector
from tests.lab.script import RIGHT, SILENT, Answer, Script, losing

pytestmark = pytest.mark.lab

MANNER = Manner(attempts=3, spacing=timedelta(milliseconds=200), timeout=timedelta(seconds=1))
LONGEST_S = MANNER.longest.total_seconds()
MODES = pytest.mark.parametrize("mode", ["raw", "ping socket"])
NOBODY, SOMEBODY = {4: "10.98.250.1", 6: "fd98::fa:1"}, {4: "10.98.250.2", 6: "fd98::fa:2"}
"""One whose requests get lost, and one who answers."""


@dataclass(frozen=True)
class Row:
    """What comes back, and what is to be made of it."""

    script: Script
    outcome: Outcome
    why: str = ""
    lost: int = 0

    @classmethod
    def dead(cls, script: Script, why: str = "no answer") -> Row:
        """Nothing in it proves life."""
        return cls(script, Outcome.MISSED, why, MANNER.attempts)

    @classmethod
    def alive(cls, script: Script, lost: int = 0) -> Row:
        """One answer is right, after so many packets in vain."""
        return cls(script, Outcome.ANSWERED, lost=lost)

    def fits(self, look: Look) -> bool:
        """Whether that is what was made of it."""
        return told(look) == (self.outcome, self.why, self.lost)


def always(**changes: Any) -> Script:
    """Each request gets one answer that is wrong in this."""
    return ((Answer(**changes),),)


def rows(family: int) -> dict[str, Row]:
    """The table."""
    return dict(chain(_alive(family), _dead(family), _told(family), _lied_to(family)))


def _alive(family: int) -> Iterator[tuple[str, Row]]:
    wrong = Answer(flip=3)
    yield "at once", Row.alive(RIGHT)
    yield "after a while", Row.alive(always(delay_s=0.1))
    yield "fifty times", Row.alive(always(copies=50))
    yield "the first is lost", Row.alive(losing(1), lost=1)
    yield "two are lost", Row.alive(losing(2), lost=2)
    yield "the first is answered after the last has left", Row.alive(((Answer(delay_s=0.6),), ()))
    # Two answers on their way: the second overtakes the first.
    yield "in another order", Row.alive(((Answer(delay_s=0.8),), (Answer(delay_s=0.1),)), lost=1)
    yield "rightly among wrong ones", Row.alive(((wrong, wrong, Answer(), wrong),))
    yield "rightly after an error", Row.alive(((Answer(kind="error"), Answer(delay_s=0.05)),))
    yield "rightly before an error", Row.alive(((Answer(), Answer(kind="error")),))
    for cut in (16, 17, 31, 55):  # a device may cut what it sends back, but not the nonce
        yield f"cut to {cut} bytes", Row.alive(always(cut=cut))
    yield "a bit behind the nonce is changed", Row.alive(always(flip=128))
    for options in (1, 5) if family == 4 else (1,):  # our kernel takes no more over IPv6
        yield f"behind {options} × 8 bytes of IP options", Row.alive(always(options=options))


def _dead(family: int) -> Iterator[tuple[str, Row]]:
    yield "nothing", Row.dead(SILENT)
    yield "after the ping is over", Row.dead(((Answer(delay_s=LONGEST_S + 2),), ()))
    yield "from elsewhere", Row.dead(always(source=SOMEBODY[family]))
    yield "from the gateway", Row.dead(always(source=THERE[family]))
    for bit in (0x0001, 0x0100, 0x8000):
        yield f"with another identifier {bit:#x}", Row.dead(always(identifier=bit))
    for added in (7, 256, 0x8000):
        yield f"with another number {added}", Row.dead(always(sequence=added))
    for bit in (0, 31, 32, 64, 127):
        yield f"with bit {bit} of the nonce changed", Row.dead(always(flip=bit))
    for cut in range(16):
        yield f"cut to {cut} bytes", Row.dead(always(cut=cut))
        whole = Answer(source=SOMEBODY[family])  # what was read before must not complete it
        yield f"whole from elsewhere, then cut to {cut} bytes", Row.dead(((whole, Answer(cut=cut)),))
    yield "the request itself", Row.dead(always(kind="request"))
    yield "what another device was asked", Row.dead(always(stranger=SOMEBODY[family]))
    yield "what a silent device was asked", Row.dead(always(stranger=NOBODY[family]))
    yield "hundreds of wrong ones", Row.dead(always(copies=300, flip=100))
    yield "with another number behind IP options", Row.dead(always(options=1, sequence=5))


HOST = {4: (3, 1), 6: (1, 3)}
"""Type and code of "host unreachable"."""

WORDS = {
    4: {
        (3, 0): "network unreachable",
        (3, 1): "host unreachable",
        (3, 2): "protocol unreachable",
        (3, 3): "port unreachable",
        (3, 9): "prohibited",
        (3, 10): "prohibited",
        (3, 13): "prohibited",
        (3, 6): "ICMP error 3/6",
        (11, 0): "time exceeded",
        (11, 1): "ICMP error 11/1",
        (12, 0): "ICMP error 12/0",
    },
    6: {
        (1, 0): "network unreachable",
        (1, 1): "prohibited",
        (1, 3): "host unreachable",
        (1, 4): "port unreachable",
        (1, 6): "ICMP error 1/6",
        (3, 0): "time exceeded",
        (3, 1): "ICMP error 3/1",
        (4, 1): "ICMP error 4/1",
    },
}


def _told(family: int) -> Iterator[tuple[str, Row]]:
    """True errors: by a router, by the device itself, quoting little or all."""
    says = f", says {THERE[family]}"
    for code, words in WORDS[family].items():
        script = always(kind="error", code=code, source=THERE[family])
        yield f"error {code}", Row.dead(script, words + says)
    for cut in (8, 12, 20, 24, 63):
        script = always(kind="error", code=(1 if family == 6 else 3, 0), source=THERE[family], cut=cut)
        yield f"an error that quotes {cut} bytes", Row.dead(script, "network unreachable" + says)
    by_itself = always(kind="error", code=HOST[family])
    yield "an error by the device itself", Row.dead(by_itself, "host unreachable")


def _lied_to(family: int) -> Iterator[tuple[str, Row]]:
    """Errors that are about nothing that we sent to this device."""
    lies: dict[str, dict[str, Any]] = {
        "about another device": {"stranger": SOMEBODY[family], "cut": 8},
        "of another identifier": {"identifier": 0x0100, "cut": 8},
        "of a number not sent": {"sequence": 9, "cut": 8},
        "of another nonce": {"flip": 64},
        "of another nonce, cut short": {"flip": 40, "cut": 14},
        "of another pinger": {"identifier": 0x5555, "flip": 1},
    }
    for name, lie in lies.items():
        script = always(kind="error", code=HOST[family], source=THERE[family], **lie)
        yield f"an error {name}", Row.dead(script)


@pytest.fixture
def reflector(cable: Cable) -> Iterator[Reflector]:
    """Whatever is beyond the other machine, by a script."""
    with Reflector(cable.there) as started:
        yield started


def address(family: int, number: int) -> str:
    """One of many beyond the other machine."""
    return f"10.98.1.{number}" if family == 4 else f"fd98::1:{number:x}"


@MODES
def test_only_what_proves_life_counts(cable: Cable, reflector: Reflector, mode: str) -> None:
    table = {(name, family): row for family in (4, 6) for name, row in rows(family).items()}
    where = {key: address(key[1], number) for number, key in enumerate(table, 1)}
    scripts = {where[key]: row.script for key, row in table.items()}
    reflector.play(scripts | {NOBODY[4]: SILENT, NOBODY[6]: SILENT})
    others = (*NOBODY.values(), *SOMEBODY.values())
    targets = [*others, *where.values()]
    looks = cable.pinging(lambda pinger, clock: ask(pinger, clock, MANNER, *targets), mode=mode)

    found = dict(zip(table, looks[len(others) :], strict=True))
    if mode != "raw":
        table["error (11, 1)", 4] = Row.dead(SILENT)  # that a fragment was lost is kept from ping sockets
    wrong = [f"{key}: {told(found[key])}" for key, row in table.items() if not row.fits(found[key])]
    assert not wrong, "\n".join(wrong)


def told(look: Look) -> tuple[Outcome, str, int]:
    """What was made of it."""
    return look.outcome, look.why, look.lost


def both(number: int) -> list[str]:
    """The addresses of that number, of both families."""
    return [address(family, number) for family in (4, 6)]


@MODES
def test_a_wrong_checksum_harms_nobody_else(cable: Cable, reflector: Reflector, mode: str) -> None:
    """
    A nonce that came back right proves life, whatever happened to the rest of the packet; a ping socket is
    not given such packets. Nobody else's silence, or answer, is doubted because of them.
    """
    damaged, silent, alive = both(1), both(2), both(3)
    scripts: dict[str, Script] = dict.fromkeys(damaged, always(checksum=0x0100, copies=20))
    reflector.play(scripts | dict.fromkeys(silent, SILENT))
    targets = [*damaged, *silent, *alive]
    looks = cable.pinging(lambda pinger, clock: ask(pinger, clock, MANNER, *targets), mode=mode)

    proven = Outcome.ANSWERED if mode == "raw" else Outcome.MISSED
    expected = [proven] * 2 + [Outcome.MISSED] * 2 + [Outcome.ANSWERED] * 2
    assert [look.outcome for look in looks] == expected


@MODES
def test_a_word_that_is_out_of_use_stops_no_packet(cable: Cable, reflector: Reflector, mode: str) -> None:
    """Devices say "source quench" of each request while others' packets leave: all leave all the same."""
    targets = [address(4, number) for number in range(1, 201)]
    reflector.play(dict.fromkeys(targets, always(kind="error", code=(4, 0))))
    looks = cable.pinging(lambda pinger, clock: ask(pinger, clock, MANNER, *targets), mode=mode)

    assert {look.outcome for look in looks} == {Outcome.MISSED}
    assert {len(seen.asked_ns) for seen in reflector.seen().values()} == {MANNER.attempts}


@MODES
def test_what_belongs_to_an_earlier_ping_counts_no_more(
    cable: Cable, reflector: Reflector, mode: str
) -> None:
    """
    1st    all are pinged; the late ones' answers are still on their way when the ping is over
    2nd    they come in the middle of the next ping, which nobody answers; others repeat old answers
    """
    late, again, again_and_right, right = (both(number) for number in range(1, 5))
    targets = [*late, *again, *again_and_right, *right]
    old = Answer(old=True, copies=5)
    first = dict.fromkeys(late, always(delay_s=LONGEST_S + 0.6))
    second: dict[str, Script] = {
        **dict.fromkeys(late, SILENT),
        **dict.fromkeys(again, ((old,),)),
        **dict.fromkeys(again_and_right, ((old, Answer()),)),
    }

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        reflector.play(first)
        before = await ask(pinger, clock, MANNER, *targets)
        reflector.play(second)
        return before + await ask(pinger, clock, MANNER, *targets)

    looks = cable.pinging(story, mode=mode)
    alive, dead = [Outcome.ANSWERED] * 2, [Outcome.MISSED] * 2
    assert [look.outcome for look in looks] == [*dead, *alive, *alive, *alive, *dead, *dead, *alive, *alive]
    assert all(len(reflector.seen()[one].sent) == 5 * MANNER.attempts for one in again)


@MODES
def test_when_an_answer_came_matters_and_not_when_it_is_read(
    cable: Cable, reflector: Reflector, mode: str
) -> None:
    """
    all packets have left, then the loop stands still until long after the ping is over
    meanwhile some devices answer in time, others too late: the kernel's stamps tell which
    """
    in_time, too_late = both(1), both(2)
    after_s = MANNER.timeout.total_seconds()
    scripts: dict[str, Script] = dict.fromkeys(in_time, ((), (), (Answer(delay_s=0.5),)))
    reflector.play(scripts | dict.fromkeys(too_late, ((), (), (Answer(delay_s=after_s + 1),))))

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        all_sent_s = 2 * MANNER.spacing.total_seconds() + 0.2
        asyncio.get_running_loop().call_later(all_sent_s, time.sleep, after_s + 1.5)
        return await ask(pinger, clock, MANNER, *in_time, *too_late)

    looks = cable.pinging(story, mode=mode)
    assert [look.outcome for look in looks] == [Outcome.ANSWERED] * 2 + [Outcome.MISSED] * 2
