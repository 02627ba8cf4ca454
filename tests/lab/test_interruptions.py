"""The daemon is restarted, killed or stopped for a while: no verdict moves, and nothing is made up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from hostwatch.core import facts
from tests.lab.conftest import Lab
from tests.lab.daemon import rows
from tests.lab.topology import DEVICES
from tests.lab.waiting import until

pytestmark = pytest.mark.lab

SLOW = timedelta(seconds=4)
STOPPED_S = 5
COUNTING = """
add table inet lab
add chain inet lab forward { type filter hook forward priority 0; }
add rule inet lab forward icmp type echo-request counter
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_restart_between_two_misses_moves_no_verdict(lab: Lab, number: signal.Signals) -> None:
    """
    0 s    all devices answer, every 4 s
    then   device-2's cable is pulled: first miss
    then   hostwatch is ended, and started again at once
    +4 s   second miss, at the first reading that was due anyway once it watched: the verdict, and one mail
    then   the cable is plugged in: one recovery mail
    """
    lab.watch_all(schedule="interval: 4s, spacing: 100ms, timeout: 100ms")
    lab.net.cut("device-2")
    lab.daemon.said("silence-began")
    assert lab.daemon.end(number) == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    lab.daemon.start()
    watching_at = datetime.now(UTC)

    lab.daemon.said("went-down")
    until("the mail of the emergency", lambda: lab.post.mails)
    (down,) = lab.daemon.facts(facts.WentDown)
    (began,) = lab.daemon.facts(facts.SilenceBegan)
    assert (down.misses, down.first_miss) == (2, began.at)
    # However long the start took: in the old rhythm, and none was left out from then on.
    apart = down.last_miss - down.first_miss
    assert abs(apart - max(round(apart / SLOW), 1) * SLOW) <= SLOW / 20
    assert apart <= max(watching_at - down.first_miss, timedelta(0)) + SLOW * 21 / 20
    assert len(lab.daemon.facts(facts.BlindBegan, why="stopped")) == 1

    lab.net.restore("device-2")
    lab.daemon.said("came-up")
    until("the mail of the recovery", lambda: lab.post.mails[1:])
    lab.daemon.looked("answered", 3)
    assert len(lab.post.mails) == 2
    assert [mail["X-Hostwatch-Repeat"] for mail in lab.post.mails] == [None, None]
    assert len(lab.daemon.facts(facts.EmergencyOpened)) == 1


def test_a_stopped_process_makes_nothing_up(lab: Lab) -> None:
    """
    0 s    all devices answer
    then   the process is stopped for 5 s, and goes on
    then   that it was starved is a fact, the gap is unknown; nobody was silent, and nobody is pinged more
           than once besides the schedule
    """
    lab.watch_all()
    stopped_at = datetime.now(UTC)
    lab.daemon.send(signal.SIGSTOP)
    time.sleep(STOPPED_S)  # this is what is done to it, not a wait for it
    lab.net.router.nft(COUNTING)
    gone_on_at, since = datetime.now(UTC), time.monotonic()
    lab.daemon.send(signal.SIGCONT)
    lab.daemon.said("blind-ended", why="starved")
    lab.daemon.looked("answered", 2 * len(DEVICES))
    shown, passed_s = lab.net.router.run("nft", "list", "table", "inet", "lab"), time.monotonic() - since

    asked = sum(int(number) for number in re.findall(r"counter packets (\d+)", shown))
    assert asked <= len(DEVICES) * (passed_s / 0.5 + 2)
    (ended,) = lab.daemon.facts(facts.BlindEnded, why="starved")
    interval = timedelta(milliseconds=500)
    assert stopped_at - interval <= ended.since <= stopped_at + 2 * interval
    assert gone_on_at <= ended.at
    assert lab.daemon.facts(facts.SilenceBegan) == []
    assert lab.daemon.facts(facts.ClockStepped) == []
    for row in rows(lab.daemon.report(), DEVICES):
        assert (row["down_s"], row["silences"]) == (0, [])
        assert row["unknown_s"] >= STOPPED_S - 2
    assert lab.post.mails == []


def test_a_starved_process_makes_nothing_up(lab: Lab) -> None:
    """
    0 s    all devices answer
    then   hostwatch runs only when nobody else wants its processor, and two want it, for 6 s
    then   it runs as before; what was looked at meanwhile was late, and says nothing of anybody
    then   that it was starved is a fact; all devices answer again, and nobody was silent
    """
    lab.watch_all()
    processor = str(min(os.sched_getaffinity(0)))
    lab.daemon.treat("taskset", "--all-tasks", "--cpu-list", "--pid", processor)
    lab.daemon.treat("chrt", "--all-tasks", "--idle", "--pid", "0")
    greedy = ["taskset", "-c", processor, "timeout", "6", "sh", "-c", "while :; do :; done"]
    with subprocess.Popen(greedy), subprocess.Popen(greedy):
        pass  # until both have had enough
    lab.daemon.treat("chrt", "--all-tasks", "--other", "--pid", "0")
    lab.daemon.said("blind-ended", why="starved")
    lab.daemon.looked("answered", 2 * len(DEVICES))

    assert lab.daemon.facts(facts.SilenceBegan) == []
    assert lab.post.mails == []
    for row in rows(lab.daemon.report(), DEVICES):
        assert (row["down_s"], row["silences"]) == (0, [])
