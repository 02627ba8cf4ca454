"""Others ping beside us, or flood us with what is not ours: no look is changed, none is unknown for it."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from hostwatch.clock import Clock
from hostwatch.core.reading import Outcome
from hostwatch.icmp import OVERFLOWED, IcmpPinger
from hostwatch.pinger import Look, Manner
from tests.icmp.conftest import HERE, THERE, Cable, ask
from tests.lab.flood import flooding
from tests.lab.frames import echo, frame_of, ip_packet, packed
from tests.lab.reflector import Reflector
from tests.lab.script import ECHO_REPLY, ECHO_REQUEST, RIGHT, SILENT, Answer, Script

pytestmark = pytest.mark.lab

MANNER = Manner(attempts=2, spacing=timedelta(milliseconds=300), timeout=timedelta(milliseconds=700))
ROUNDS = 2
FLOOD_PER_S = 20_000
MODES = pytest.mark.parametrize("mode", ["raw", "ping socket"])
TARGETS = [f"10.98.5.{number}" for number in range(1, 101)] + [f"fd98::5:{n:x}" for n in range(1, 101)]
DEAD = frozenset(TARGETS[::10])


@pytest.fixture
def reflector(cable: Cable) -> Iterator[Reflector]:
    """Whatever is beyond the other machine, by a script."""
    with Reflector(cable.there) as started:
        yield started


def rounds(cable: Cable, mode: str) -> Counter[tuple[bool, Outcome, str]]:
    """All targets are looked at, twice: how many of the dead and of the living brought what."""

    async def story(pinger: IcmpPinger, clock: Clock) -> list[Look]:
        return [look for _ in range(ROUNDS) for look in await ask(pinger, clock, MANNER, *TARGETS)]

    return Counter((look.address in DEAD, look.outcome, look.why) for look in cable.pinging(story, mode=mode))


TRUTH = {
    (True, Outcome.MISSED, "no answer"): ROUNDS * len(DEAD),
    (False, Outcome.ANSWERED, ""): ROUNDS * (len(TARGETS) - len(DEAD)),
}


def foreign_frames(cable: Cable) -> list[bytes]:
    """Replies to others' pings, errors about them, and requests to us, from our targets and elsewhere."""
    draw = random.Random(5)
    here, there = (machine.hardware("port") for machine in (cable.here, cable.there))
    frames: list[bytes] = []
    for target in TARGETS:
        family = 6 if ":" in target else 4
        number, payload = draw.randrange(2**16), draw.randbytes(56)
        reply = echo(ECHO_REPLY[family], number, draw.randrange(4), payload)
        asked = ip_packet(
            family, packed(HERE[family]), packed(target),
            echo(ECHO_REQUEST[family], number, 1, payload),
        )  # fmt: skip
        error = bytes([3, 1] if family == 4 else [1, 3]) + bytes(6) + asked[: draw.choice((28, 60, 84))]
        for source, icmp in ((target, reply), (THERE[family], reply), (THERE[family], error)):
            packet = ip_packet(family, packed(source), packed(HERE[family]), icmp)
            frames.append(frame_of(family, here, there, packet))
    return frames


@MODES
def test_a_flood_of_foreign_packets_changes_nothing(cable: Cable, reflector: Reflector, mode: str) -> None:
    reflector.play(dict.fromkeys(DEAD, SILENT))
    with flooding(cable.there, foreign_frames(cable), FLOOD_PER_S) as sent:
        brought = rounds(cable, mode)

    print(f"{sent[0]} foreign packets")
    assert brought == TRUTH
    assert sent[0] > FLOOD_PER_S / 2


@MODES
def test_other_pingers_of_the_same_targets_change_nothing(
    cable: Cable, reflector: Reflector, mode: str
) -> None:
    """Two fpings as fast as they can; they are answered by all, also by those who are silent to us."""
    reflector.play(dict.fromkeys(DEAD, SILENT))
    with ExitStack() as stack:
        for family in ("-4", "-6"):
            targets = [one for one in TARGETS if (":" in one) == (family == "-6")]
            words = ["fping", family, "-q", "-l", "-b", "100", "-i", "0", "-p", "10", "-Q", "1", *targets]
            beside = subprocess.Popen(
                cable.here.command("setpriv", "--pdeathsig", "KILL", *words),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.enter_context(beside)
            stack.callback(beside.kill)
            assert beside.stderr is not None
            while "xmt/rcv" not in beside.stderr.readline():  # it has pinged for a second
                assert beside.poll() is None
        brought = rounds(cable, mode)
    assert brought == TRUTH


@MODES
def test_a_buffer_that_overflows_hides_answers_and_invents_no_miss(
    cable: Cable, reflector: Reflector, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each living target answers many times, into a buffer for a few: unknown, never missed."""
    monkeypatch.setattr("hostwatch.echo.RECEIVE_BUFFER_BYTES", 4_096)
    many: Script = ((Answer(copies=60),),)
    reflector.play({target: SILENT if target in DEAD else many for target in TARGETS})
    brought = rounds(cable, mode)

    assert brought[False, Outcome.UNKNOWN, OVERFLOWED] > 0
    assert {outcome for dead, outcome, _ in brought if dead} <= {Outcome.UNKNOWN, Outcome.MISSED}
    assert {outcome for dead, outcome, _ in brought if not dead} <= {Outcome.UNKNOWN, Outcome.ANSWERED}


@MODES
def test_what_fping_finds_alive_we_find_alive(cable: Cable, reflector: Reflector, mode: str) -> None:
    """The same packets of each get lost: zero to four of ten, and all of some."""
    draw = random.Random(7)
    scripts = {target: _lossy(draw) for target in TARGETS}
    patient = Manner(attempts=3, spacing=timedelta(milliseconds=200), timeout=timedelta(seconds=1))
    reflector.play(scripts)
    looks = cable.pinging(lambda pinger, clock: ask(pinger, clock, patient, *TARGETS), mode=mode)
    ours = {look.address for look in looks if look.outcome is Outcome.ANSWERED}

    reflector.play(scripts)
    theirs = {line for family in ("-4", "-6") for line in _fping(cable, family)}
    assert ours == theirs
    assert ours == {target for target, script in scripts.items() if any(script[:3])}
    assert {look.outcome for look in looks} == {Outcome.ANSWERED, Outcome.MISSED}


def _lossy(draw: random.Random) -> Script:
    loss = draw.choice((0, 0.1, 0.2, 0.3, 0.4, 0.8, 1))
    return tuple(() if draw.random() < loss else RIGHT[0] for _ in range(3))


def _fping(cable: Cable, family: str) -> list[str]:
    """The targets that answer one of three packets of fping."""
    targets = [one for one in TARGETS if (":" in one) == (family == "-6")]
    words = ["fping", family, "-a", "-q", "-r", "2", "-B", "1", "-t", "300", "-i", "1", *targets]
    done = subprocess.run(
        cable.here.command(*words),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1)
    return done.stdout.split()
