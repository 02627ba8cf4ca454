"""Stories of the whole watch on a simulated clock, told as timelines. Times are minutes of true time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hostwatch.core.reading import Outcome
from hostwatch.core.timeline import Span
from hostwatch.prober import CATCH_UP_PER_S
from hostwatch.sla import backbone
from hostwatch.sla.account import account
from tests.simulation.accounts import months
from tests.simulation.provider import Mode
from tests.simulation.shifts import Shift
from tests.simulation.simulation import Broken, Plan, Simulation
from tests.simulation.town import OTHERS, REFERENCES, Town, address_of, signal_of, town
from tests.simulation.world import BEACONS, GATEWAY, Times, Truth

MINUTE = 60_000_000
START = datetime(2026, 10, 24, 22, tzinfo=UTC)


def dead(*devices: str, at: float, until: float) -> dict[str, Times]:
    return {address_of(device): Times([(int(at * MINUTE), int(until * MINUTE))]) for device in devices}


def tell(
    folder: Path, hours: float, site: Town, truth: Truth, *events: tuple[float, str, Any], **more: Any
) -> Simulation:
    """Run a site; `events` are minutes, what is done, and what with."""
    plan = Plan(
        name="story",
        start=START,
        length=timedelta(hours=hours),
        town=site,
        truth=truth,
        events=[(timedelta(minutes=at), what, given) for at, what, given in events],
        **more,
    )
    return Simulation(plan, folder).run()


def spoken(ran: Simulation, words: str) -> list[int]:
    """The minutes at which something was said that contains the words."""
    return [second // 60 for second, said in ran.story if words in said]


def unknown_s(ran: Simulation, device: str) -> int:
    """Seconds of a device for which no reading speaks, beside those before its first answer."""
    assert ran.history is not None
    found = next(d for d in ran.history.devices if d.device == device)
    first = ran.accounts.watched[signal_of(device)][0].proofs[0].at
    spans = found.unknown.spans
    return sum(span.seconds for span in spans if span.start >= int(first.timestamp()))


def test_one_device_dies_and_returns(tmp_path: Path) -> None:
    ran = tell(tmp_path, 3, town(3), Truth(down=dead("d1", at=60, until=100)))
    (down,), (up,) = spoken(ran, "down d1"), spoken(ran, "up d1")
    assert 65 <= down <= 70
    assert 100 <= up <= 105
    assert spoken(ran, "emergency.c1.duty") == [down]
    assert spoken(ran, "recovery.c1.duty") == [up]
    assert len(ran.story) == 4, ran.story


def test_a_storm_of_two_hundred_devices(tmp_path: Path) -> None:
    """All of one customer's devices die at once: two messages to each contact, every one in time.

    They fall within the five minutes of an interval, and come back so.
    """
    site = town(200, customers=1, rungs=1)
    ran = tell(tmp_path, 2.5, site, Truth(down=dead(*site.houses["c0"].devices, at=60, until=90)))
    assert (ran.verdicts.down, ran.verdicts.up) == (200, 200)
    assert len(spoken(ran, ".emergency.")) == len(spoken(ran, ".recovery.")) == 2 * 2
    assert ran.duties.breached == 0


def test_the_disk_is_full_for_ten_minutes(tmp_path: Path) -> None:
    """Nothing is lost and nothing invented: the verdict waits for the disk, and no look is missing."""
    full = Times([(62 * MINUTE, 72 * MINUTE)])
    ran = tell(tmp_path, 3, town(3), Truth(down=dead("d1", at=60, until=100), full=full))
    assert spoken(ran, "down d1") == [72]
    assert spoken(ran, "emergency.c1.duty") == [72]
    assert [unknown_s(ran, device) for device in ("d0", "d1", "d2")] == [0, 0, 0]


def test_our_own_cable_is_cut(tmp_path: Path) -> None:
    """Two hours without a gateway: no emergency, only unknown time, and no storm afterwards."""
    ran = tell(tmp_path, 4, town(5), Truth(cut=Times([(60 * MINUTE, 180 * MINUTE)])))
    assert ran.story == []
    assert all(110 * 60 <= unknown_s(ran, f"d{n}") <= 126 * 60 for n in range(5))


@pytest.mark.parametrize("step_s", [1, -1, 3600, -3600, 86400, -86400])
def test_the_clock_is_set(step_s: int, tmp_path: Path) -> None:
    """Between first and second miss the clock jumps: still one verdict, one notice, in time."""
    truth = Truth(down=dead("d1", at=60, until=100))
    ran = tell(tmp_path, 3, town(3), truth, (64, "step", timedelta(seconds=step_s)))
    (down,) = spoken(ran, "down d1")
    assert 65 <= down <= 76
    assert spoken(ran, "emergency.c1.duty") == [down]
    assert len(spoken(ran, "recovery.c1.duty")) == 1


@pytest.mark.parametrize("step_s", [86400, -86400])
def test_the_clock_is_set_while_nobody_accepts(step_s: int, tmp_path: Path) -> None:
    """A day's step neither ends the attempts nor stops them until tomorrow."""

    def mode(to: str, key: str, at: int) -> Mode:
        return Mode.ACCEPTS if at > 80 * MINUTE else Mode.FAILS

    truth = Truth(down=dead("d1", at=60, until=100))
    ran = tell(tmp_path, 3, town(3, rungs=1), truth, (72, "step", timedelta(seconds=step_s)), mode=mode)
    tries = spoken(ran, "emergency.c1.duty")
    assert 80 <= tries[-1] <= 85
    assert len(spoken(ran, "recovery.c1.duty")) == 1


def test_the_machine_sleeps_for_eight_hours(tmp_path: Path) -> None:
    ran = tell(tmp_path, 12, town(3), Truth(), (60, "suspend", timedelta(hours=8)))
    assert ran.story == []
    assert all(8 * 3600 - 400 <= unknown_s(ran, f"d{n}") <= 8 * 3600 for n in range(3))


def test_nobody_accepts_for_twenty_minutes(tmp_path: Path) -> None:
    """The breach is recorded at the deadline, and the notice still arrives, late."""

    def mode(to: str, key: str, at: int) -> Mode:
        return Mode.ACCEPTS if at > 90 * MINUTE else Mode.FAILS

    ran = tell(tmp_path, 3, town(2, rungs=1), Truth(down=dead("d1", at=60, until=120)), mode=mode)
    (down,), tries = spoken(ran, "down d1"), spoken(ran, "emergency.c1.duty")
    assert ran.duties.breached == 1
    assert tries[0] == down
    assert tries[-1] >= 90


@pytest.mark.parametrize("moment", ["between two turns", "before a commit", "after a commit"])
def test_killed_between_two_misses(moment: str, tmp_path: Path) -> None:
    truth = Truth(down=dead("d1", at=60, until=100))
    ran = tell(tmp_path, 3, town(3), truth, (64, "kill", (moment, 0)))
    assert ran.begun == 2
    assert len(spoken(ran, "down d1")) == len(spoken(ran, "up d1")) == 1


def test_hand_over_in_the_middle_of_an_emergency_in_the_night_in_which_clocks_are_set_back(
    tmp_path: Path,
) -> None:
    """People of c0 take turns of a day, handed over at 02:30 in Berlin, which comes twice.

    120   02:00   d0 dies: boss is on call, and is told
    150   02:30   hand-over: duty is on call from now on
    170   02:50   d0 is back: boss is told, whose emergency it is
    180   03:00   the clocks are set back to 02:00
    190   02:10   d0 dies: duty is told, though the clock shows less than 02:30 again
    210   02:30   nothing is handed over a second time
    215   02:35   d0 is back: duty is told
    """
    site = town(3, rungs=1)
    site.shift = Shift(begins=date(2026, 10, 23), at="02:30", zone="Europe/Berlin")
    times = Times([(120 * MINUTE, 170 * MINUTE), (190 * MINUTE, 215 * MINUTE)])
    ran = tell(tmp_path, 4.5, site, Truth(down={address_of("d0"): times}))

    told = [
        found for _, said in ran.story for found in re.findall(r"\.(emergency|recovery)\.c0\.(\w+)", said)
    ]
    assert told == [("emergency", "boss"), ("recovery", "boss"), ("emergency", "duty"), ("recovery", "duty")]
    (first, second) = spoken(ran, "emergency.c0")
    assert first < 150 < spoken(ran, "recovery.c0")[0]
    assert 180 < second < 210 < spoken(ran, "recovery.c0")[1]


def test_killed_after_a_message_left(tmp_path: Path) -> None:
    """The same key arrives twice, and the second says that it may be a repeat."""
    truth = Truth(down=dead("d1", at=60, until=100))
    ran = tell(tmp_path, 3, town(3), truth, (61, "kill", ("after the send", 0)))
    assert len(spoken(ran, "emergency.c1.duty")) == 2
    (letter,) = [a for key, a in ran.telling.letters.items() if ".emergency.c1." in key]
    assert [sent.message.repeat for sent in letter.sent] == [False, True]


def test_a_contact_leaves_while_the_disk_is_full(tmp_path: Path) -> None:
    """A claim that waited for the disk is not sent to somebody who was removed meanwhile."""

    def remove(present: Town) -> None:
        del present.houses["c0"].contacts["boss"]

    truth = Truth(down=dead("d0", at=60, until=100), full=Times([(62 * MINUTE, 75 * MINUTE)]))
    ran = tell(tmp_path, 3, town(3), truth, (70, "reload", remove))
    assert spoken(ran, "c0.boss") == []


def test_a_contact_leaves_while_a_try_waits_for_the_disk(tmp_path: Path) -> None:
    """Who is authorised is asked again after the claim, for that may have waited."""

    def remove(present: Town) -> None:
        del present.houses["c0"].contacts["boss"]

    def mode(to: str, key: str, at: int) -> Mode:
        return Mode.FAILS if at < 90 * MINUTE else Mode.ACCEPTS

    truth = Truth(down=dead("d0", at=60, until=120), full=Times([(72 * MINUTE, 85 * MINUTE)]))
    ran = tell(tmp_path, 3, town(3), truth, (78, "reload", remove), mode=mode)
    tries = spoken(ran, "c0.boss")
    assert tries
    assert max(tries) < 85


def test_a_month_with_a_change_of_clocks_adds_up(tmp_path: Path) -> None:
    """Half a day around the hour that comes twice in Berlin; the month so far has its true length."""
    site = town(3)
    site.timezone = "Europe/Berlin"
    ran = tell(tmp_path, 12, site, Truth(down=dead("d1", at=100, until=250)))
    assert ran.history is not None
    sums = months(ran.history, "Europe/Berlin", ["2026-10"])
    assert sums["period_s"] == 3 * 12 * 3600
    assert 150 * 60 - 330 <= sums["down_s"] <= 150 * 60 + 330


def test_a_checker_that_is_red_ends_the_simulation(tmp_path: Path) -> None:
    """The harness itself: what is complained of is raised, with the time."""
    plan = Plan(name="story", start=START, length=timedelta(hours=1), town=town(1))
    simulation = Simulation(plan, tmp_path)
    plan.truth.down = dead("d0", at=10, until=11)
    simulation.verdicts.lines[signal_of("d0")] = type("Line", (), {"take": lambda *_: "down"})()
    with pytest.raises(Broken, match="the record says"):
        simulation.run()


def was_blind(ran: Simulation) -> list[str]:
    """Why we were blind, in the order of time."""
    assert ran.history is not None
    return [record.why for record in ran.history.blind if record.until is not None]


@pytest.mark.parametrize("how", ["cut", "deaf", "forged"])
def test_on_return_there_is_no_storm(how: str, tmp_path: Path) -> None:
    """Two hours without sight, for a hundred devices of which five die meanwhile and stay dead.

    Nothing is said of anybody while we are blind. When sight is back, devices are looked at as before, each
    at its own instant, and those that are dead are told of after two misses of their own.
    """
    doomed = [f"d{number}" for number in range(5)]
    truth = Truth(down=dead(*doomed, at=90, until=210))
    setattr(truth, how, Times([(60 * MINUTE, 180 * MINUTE)]))
    ran = tell(tmp_path, 3.4, town(100), truth)

    assert was_blind(ran).count({"cut": "sight", "deaf": "loopback", "forged": "forged"}[how]) == 1
    assert len(spoken(ran, "down ")) == len(doomed)
    for device in doomed:
        assert 185 <= spoken(ran, f"down {device}")[0] <= 191
    before = max(count for second, count in ran.pace.items() if 10 * 60 < second < 60 * 60)
    assert max(count for second, count in ran.pace.items() if second >= 180 * 60) <= before
    assert unknown_s(ran, "d99") >= 110 * 60


def test_after_a_long_sleep_the_catch_up_is_paced(tmp_path: Path) -> None:
    """Three thousand devices, eight hours: each is looked at once besides its schedule, at a steady pace."""
    ran = tell(tmp_path, 8.3, town(3_000), Truth(), (8, "suspend", timedelta(hours=8)))

    woke = 8 * 60 + 8 * 60 * 60
    soon = {second: count for second, count in ran.pace.items() if woke <= second < woke + 300}
    assert max(soon.values()) <= CATCH_UP_PER_S * 11 // 10
    assert sum(soon.values()) <= 2 * 3_000
    assert "suspended" in was_blind(ran)
    assert spoken(ran, "down ") == []


@pytest.mark.parametrize(
    ("what", "by", "why"),
    [
        ("stall", timedelta(seconds=30), ["starved"]),
        ("stall", timedelta(milliseconds=700), []),
        ("suspend", timedelta(hours=2), ["suspended"]),
        ("step", timedelta(hours=1), []),
        ("step", timedelta(hours=-1), []),
        ("step", timedelta(milliseconds=200), []),
        ("slew", 400, []),
        ("slew", -400, []),
    ],
)
def test_what_befalls_the_clock_or_the_loop_has_one_cause(
    what: str, by: object, why: list[str], tmp_path: Path
) -> None:
    """A standstill is one and a sleep another; a step is a fact of its own; slewing is nothing at all.

    It happens while a dead device is being pinged, and moves no verdict of anybody else.
    """
    dying = Truth(down=dead("d1", at=60, until=200))
    ran = tell(tmp_path, 3.2, town(40), dying, (63.01, what, by))

    assert was_blind(ran) == why
    assert ran.kinds["ClockStepped"] == int(what == "step" and by != timedelta(milliseconds=200))
    assert {said for _, said in ran.story if said.startswith("down ")} == {f"down {signal_of('d1')}"}


def behind_a_carrier(devices: int = 3) -> Town:
    """Devices of two customers on one uplink, all looked at each minute."""
    site = town(devices, interval=timedelta(minutes=1))
    site.uplinks, site.operator = {"carrier": [*REFERENCES]}, "c1"
    return site


def silent(*references: str, at: float, until: float) -> dict[str, Times]:
    return {reference: Times([(int(at * MINUTE), int(until * MINUTE))]) for reference in references}


def carried_s(ran: Simulation, device: str) -> tuple[int, int]:
    """Seconds down by pings from inside, and down for the carrier."""
    assert ran.history is not None
    found = next(d for d in ran.history.devices if d.device == device)
    period = Span(0, int(ran.history.now.timestamp()))
    return account(period, found).down_s, backbone.books(period, found).account().down_s


def test_the_carrier_is_gone_for_twelve_minutes(tmp_path: Path) -> None:
    """Devices and gateway answer: an outage of every port, told once to each contact of each customer."""
    ran = tell(tmp_path, 2, behind_a_carrier(), Truth(down=silent(*REFERENCES, at=60, until=72)))
    (down,), (up,) = spoken(ran, "down uplink:carrier/reach"), spoken(ran, "up uplink:carrier/reach")
    assert 61 <= down <= 63
    assert 72 <= up <= 74
    for person in ("c0.duty", "c0.boss", "c1.duty"):
        assert spoken(ran, f"emergency.{person}") == [down]
        assert spoken(ran, f"recovery.{person}") == [up]
    for device in ("d0", "d1", "d2"):
        inside, carried = carried_s(ran, device)
        assert inside == 0
        assert 11 * 60 <= carried <= 13 * 60


def test_one_reference_point_is_switched_off_for_ever(tmp_path: Path) -> None:
    ran = tell(tmp_path, 2, behind_a_carrier(), Truth(down=silent(REFERENCES[0], at=60, until=999)))
    assert spoken(ran, "sent") == []
    assert carried_s(ran, "d0") == (0, 0)


def with_beacons(site: Town) -> Town:
    """Three beacons show that we see, beside the gateway."""
    site.has_beacons = True
    return site


MUTE = {GATEWAY: Times([(50 * MINUTE, 999 * MINUTE)])}
"""From minute 50 on the gateway forwards all, and answers no pings."""


def test_a_gateway_that_answers_no_pings_hides_no_death_where_beacons_answer(tmp_path: Path) -> None:
    """Of the beacons, one dies too. Without them all of that were unknown time."""
    down = {**dead("d1", at=60, until=100), **silent(BEACONS[0], at=55, until=999)}
    ran = tell(tmp_path, 3, with_beacons(town(3)), Truth(down=down, mute=MUTE))
    (verdict,), (up,) = spoken(ran, "down d1"), spoken(ran, "up d1")
    assert 65 <= verdict <= 70
    assert 100 <= up <= 105
    assert was_blind(ran) == []
    assert [unknown_s(ran, f"d{n}") for n in (0, 2)] == [0, 0]


def test_our_own_cable_is_cut_behind_a_gateway_that_answers_no_pings(tmp_path: Path) -> None:
    cut = Times([(60 * MINUTE, 180 * MINUTE)])
    ran = tell(tmp_path, 4, with_beacons(town(5)), Truth(cut=cut, mute=MUTE))
    assert ran.story == []
    assert was_blind(ran) == ["sight"]
    assert all(110 * 60 <= unknown_s(ran, f"d{n}") <= 126 * 60 for n in range(5))


def test_beacons_behind_a_dead_carrier_are_no_blindness(tmp_path: Path) -> None:
    """Gateway and devices answer, and nobody outside: the carrier's outage, while a device dies of itself."""
    gone = {**silent(*REFERENCES, *BEACONS, at=60, until=72), **dead("d1", at=62, until=80)}
    ran = tell(tmp_path, 2, with_beacons(behind_a_carrier()), Truth(down=gone))
    assert len(spoken(ran, "down uplink:carrier/reach")) == len(spoken(ran, "down d1")) == 1
    assert was_blind(ran) == []


def test_our_own_cut_link_is_no_outage_of_the_carrier(tmp_path: Path) -> None:
    cut = Times([(60 * MINUTE, 72 * MINUTE)])
    ran = tell(tmp_path, 2, behind_a_carrier(), Truth(cut=cut))
    assert ran.story == []
    assert carried_s(ran, "d0") == (0, 0)


def test_killed_between_two_rounds_without_a_quorum(tmp_path: Path) -> None:
    truth = Truth(down=silent(*REFERENCES, at=60, until=80))
    ran = tell(tmp_path, 2, behind_a_carrier(), truth, (61.2, "kill", ("at once", 0)))
    assert ran.begun == 2
    assert len(spoken(ran, "down uplink:carrier/reach")) == len(spoken(ran, "up uplink:carrier/reach")) == 1
    assert len(spoken(ran, "emergency.c0.duty")) == 1


def test_the_carrier_is_taken_out_of_the_configuration_while_it_is_gone(tmp_path: Path) -> None:
    def remove(present: Town) -> None:
        present.uplinks = {}

    truth = Truth(down=silent(*REFERENCES, at=60, until=999))
    ran = tell(tmp_path, 2, behind_a_carrier(), truth, (75, "reload", remove))
    assert spoken(ran, "withdrawn.c0.duty") == [75]
    assert 13 * 60 <= carried_s(ran, "d0")[1] <= 16 * 60


def test_rounds_that_end_together_when_the_disk_has_room_again_lose_no_look(tmp_path: Path) -> None:
    """What is urgent in a round waits for the disk, and the answers of that round and of the next with it."""
    full = Times([(int(60.2 * MINUTE), int(63.5 * MINUTE))])
    ran = tell(tmp_path, 2, behind_a_carrier(40), Truth(full=full))
    assert [unknown_s(ran, f"d{number}") for number in range(40)] == [0] * 40
    assert ran.story == []


def test_answers_that_wait_for_their_slice_while_the_clock_is_set_back_make_nobody_deaf(
    tmp_path: Path,
) -> None:
    """They are dated by the clock as it was: taken for later ones they would hide a death for an hour."""
    site = behind_a_carrier(40)
    everybody = [device for house in site.houses.values() for device in house.devices]
    full = Times([(int(60.2 * MINUTE), int(62.5 * MINUTE))])
    truth = Truth(down=dead(*everybody, at=70, until=90), full=full)
    ran = tell(tmp_path, 2, site, truth, (61.9, "step", timedelta(hours=-1)))
    assert (ran.verdicts.down, ran.verdicts.up) == (40, 40)


def test_a_reload_while_the_watch_starts_is_the_last_word(tmp_path: Path) -> None:
    """The configuration of the start comes into force first, whoever is ready first."""

    def remove(present: Town) -> None:
        del present.houses["c0"].contacts["boss"]

    truth = Truth(down=dead("d0", at=70, until=100))
    restart = (60, "restart", timedelta(0))
    ran = tell(tmp_path, 3, town(3), truth, restart, (60, "reload", remove), calm=timedelta(hours=1))
    assert ran.begun == 2
    assert len(spoken(ran, "emergency.c0.duty")) == 1
    assert [key for key in ran.telling.letters if ".c0.boss" in key] == []


def test_a_reload_while_the_machine_wakes_costs_nobody_a_look(tmp_path: Path) -> None:
    """The machine sleeps from 60:02 to 80:02. On waking there is a new schedule: each is looked at at once.

    A look that had begun before the watch knew of the sleep would be unknown, and would hide the next one.
    """

    def add(present: Town) -> None:
        present.houses["c0"].devices["d6"] = "in-service"

    at = 60 + 2 / 60
    asleep = (at, "suspend", timedelta(minutes=20))
    ran = tell(tmp_path, 2, town(6), Truth(), asleep, (at, "reload", add))
    woke = START + timedelta(minutes=at + 20)
    for number in range(6):
        proofs = ran.accounts.watched[signal_of(f"d{number}")][0].proofs
        first = next(proof for proof in proofs if proof.at > woke)
        assert first.at < woke + timedelta(seconds=5)
        assert first.outcome is Outcome.ANSWERED


def test_a_follow_up_look_does_not_hide_the_answer_before_it(tmp_path: Path) -> None:
    """The answer that ends a silence stays with the pinger, since another device of its slice is dead.

    d0 is due 30.6 s and d4 34.9 s after each full minute; while d0 is silent it is looked at again each 6 s.
    """
    site = town(5, interval=timedelta(minutes=1))
    truth = Truth(down=dead("d0", at=65, until=70.45) | dead("d4", at=60, until=80))
    ran = tell(tmp_path, 2, site, truth)
    assert ran.begun == 1
    assert unknown_s(ran, "d0") == 0
    assert ran.history is not None
    (outage,) = next(d for d in ran.history.devices if d.device == "d0").silences
    assert outage.first_answer == START + timedelta(minutes=70, seconds=30.6)


@pytest.mark.parametrize("mute", [{}, {GATEWAY: Times([(0, 999 * MINUTE)])}], ids=["gateway", "beacons"])
def test_a_cable_that_is_out_for_some_seconds_is_nobodys_silence(
    mute: dict[str, Times], tmp_path: Path
) -> None:
    """Long enough to take all packets of a ping, too short for the looks at who shows that we see to fail."""
    out = Times([(minute * MINUTE + 7_300_000, minute * MINUTE + 9_800_000) for minute in range(20, 100, 4)])
    ran = tell(tmp_path, 2, with_beacons(town(300)) if mute else town(300), Truth(cut=out, mute=mute))
    assert ran.history is not None
    assert [silence for device in ran.history.devices for silence in device.silences] == []
    assert sum(unknown_s(ran, f"d{n}") > 0 for n in range(300)) > 3


def behind_two_carriers() -> Town:
    """d0 is behind both uplinks, d1 behind the first alone, d2 needs both; c1 is the operator."""
    site = behind_a_carrier()
    site.uplinks["backup"] = [*OTHERS]
    site.behind = {"d0": "any(backup,carrier)", "d1": "carrier", "d2": "all(backup,carrier)"}
    return site


def test_two_carriers_die_one_after_the_other(tmp_path: Path) -> None:
    """The first at minute 60, the other from 70 to 80; the first is back at 90.

    d2, which needs both, is cut off from the first on, d0 only while both are dead.
    """
    down = {**silent(*REFERENCES, at=60, until=90), **silent(*OTHERS, at=70, until=80)}
    ran = tell(tmp_path, 2, behind_two_carriers(), Truth(down=down))
    (group,) = spoken(ran, "down uplink:any(backup,carrier)/reach")
    (back,) = spoken(ran, "up uplink:any(backup,carrier)/reach")
    (other,) = spoken(ran, "down uplink:backup/reach")
    assert group == other
    assert 71 <= group <= 73
    assert 80 <= back <= 82
    assert len(spoken(ran, "down uplink:all(backup,carrier)/reach")) == 1
    carried = {name: carried_s(ran, name)[1] for name in ("d0", "d1", "d2")}
    assert 9 * 60 <= carried["d0"] <= 11 * 60
    assert all(29 * 60 <= carried[name] <= 31 * 60 for name in ("d1", "d2"))
    assert ran.carriers.joined == 1, "backup is told of with the group"


def test_the_second_of_two_carriers_stays_dead_when_the_first_is_back(tmp_path: Path) -> None:
    """Nobody is told of it any more when the group is back: it is told to the operator at its next miss."""
    down = {**silent(*REFERENCES, at=60, until=75), **silent(*OTHERS, at=70, until=90)}
    ran = tell(tmp_path, 2, behind_two_carriers(), Truth(down=down))
    assert ran.carriers.joined == 1
    assert ran.carriers.again == 1


def test_a_kill_between_the_deaths_of_two_carriers(tmp_path: Path) -> None:
    down = {**silent(*REFERENCES, at=60, until=90), **silent(*OTHERS, at=70, until=80)}
    ran = tell(tmp_path, 3, behind_two_carriers(), Truth(down=down), (70.6, "kill", ("at once", 0)))
    assert len(spoken(ran, "down uplink:any(backup,carrier)/reach")) == 1
    assert ran.carriers.joined == 1


def test_a_device_is_put_behind_two_carriers_while_both_are_dead(tmp_path: Path) -> None:
    """At minute 75 a group comes into force of which all members are dead: it is told by their next miss."""

    def move(present: Town) -> None:
        present.behind = {"d0": "any(backup,carrier)", "d1": "carrier", "d2": "carrier"}

    site = behind_two_carriers()
    site.behind = dict.fromkeys(("d0", "d1", "d2"), "carrier")
    down = silent(*REFERENCES, *OTHERS, at=60, until=90)
    ran = tell(tmp_path, 2, site, Truth(down=down), (75, "reload", move))
    (group,) = spoken(ran, "down uplink:any(backup,carrier)/reach")
    assert 75 <= group <= 77
