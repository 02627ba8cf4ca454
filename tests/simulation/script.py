"""Plans by seed: what dies, what is cut, who misbehaves and when the watch is killed.

The last stretch of every plan is calm, so that what was owed can be seen to have been done.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.simulation.house import FEEDS, PORTS, SIDES, SOURCES, SWITCHES, House, Place, cut_off
from tests.simulation.provider import Mode
from tests.simulation.shifts import Shift
from tests.simulation.simulation import Plan
from tests.simulation.town import (
    IN_SERVICE,
    OTHERS,
    REFERENCES,
    SUSPENDED,
    Town,
    address_of,
    device_name,
    service_of,
    town,
)
from tests.simulation.world import BEACONS, GATEWAY, Times, Truth

SECOND = 1_000_000
MINUTE = 60 * SECOND
CALM = timedelta(minutes=45)
SPARE = 3
"""Devices that are not in the first configuration; a reload may add them."""

MOMENTS = ("between two turns", "before a commit", "after a commit", "before the send", "after the send")
STEPS_S = (1, -1, 2, -2, 61, -61, 3600, -3600, 86400, -86400)
Event = tuple[timedelta, str, object]


def plan(
    seed: int,
    *,
    devices: int = 5,
    customers: int = 2,
    length: timedelta = timedelta(hours=6),
    interval: timedelta = timedelta(minutes=5),
    faults: int = 14,
    hanging: float = 0.35,
    start: datetime | None = None,
) -> Plan:
    """A world by seed. `faults` counts what is done to the watch; devices die besides.

    `hanging`: how likely it is that devices hang on supplies of power and on switches.
    """
    dice = random.Random(seed)
    busy = length - CALM
    made = town(devices, customers=customers, interval=interval, rungs=dice.randint(1, 3))
    events = _events(dice, made, busy, faults)
    truth = _truth(dice, devices + SPARE, busy, interval, faults)
    carrier = random.Random(f"{seed} carrier")  # dice of its own: the rest of a seed's world stays as it was
    if carrier.random() < 0.5:
        events += _carrier(carrier, made, truth, busy, interval)
    second = random.Random(f"{seed} second carrier")
    if made.uplinks and second.random() < 0.5:
        events += _second(second, made, truth, busy, interval)
    others = random.Random(f"{seed} services")
    if others.random() < 0.6:
        events += _services(others, made, truth, busy, interval)
    parents = random.Random(f"{seed} parents")
    if parents.random() < hanging:
        events += _parents(parents, made, truth, busy, interval)
    outside = random.Random(f"{seed} beacons")
    if outside.random() < 0.4:
        _beacons(outside, made, truth, busy, interval)
    notes = [(timedelta(microseconds=a), "note", "link cut") for a, _ in truth.cut.spans]
    notes += [(timedelta(microseconds=a), "note", "no route") for a, _ in truth.no_route.spans]
    notes += [(timedelta(microseconds=a), "note", "store full") for a, _ in truth.full.spans]
    notes += [(timedelta(0), "note", "device dies")] * sum(len(t.spans) for t in truth.down.values())
    began = start or datetime(2026, 10, 24, tzinfo=UTC) + timedelta(minutes=dice.randrange(7 * 24 * 60))
    shifts = random.Random(f"{seed} shifts")
    if shifts.random() < 0.4:
        made.shift = _shift(shifts, began, busy)
    return Plan(
        name=f"seed {seed}",
        start=began,
        length=length,
        calm=CALM,
        town=made,
        truth=truth,
        mode=_modes(seed, dice, busy),
        events=[*events, *notes],
    )


def _shift(dice: random.Random, start: datetime, busy: timedelta) -> Shift:
    """People who take turns, and are relieved while everything goes wrong.

    Perhaps in the night of 2026-10-25, in which the clocks of Berlin show an hour twice.
    """
    handed_over = start + busy * dice.uniform(0.3, 0.7)
    return Shift.over(handed_over, dice.randrange(1, 4), dice.choice(("Europe/Berlin", "Asia/Shanghai")))


def _truth(dice: random.Random, devices: int, busy: timedelta, interval: timedelta, faults: int) -> Truth:
    end, step = busy // timedelta(microseconds=1), interval // timedelta(microseconds=1)
    down = {}
    for number in range(devices):
        spans = [_span(dice, end, (step // 10, step * 9)) for _ in range(dice.choice((0, 1, 1, 2, 4)))]
        down[address_of(device_name(number))] = Times(spans)
    rare = max(faults // 7, 1)
    return Truth(
        down=down,
        cut=Times(_span(dice, end, (25 * SECOND, step * 5)) for _ in range(dice.randint(0, rare))),
        no_route=Times(_span(dice, end, (10 * SECOND, step * 3)) for _ in range(dice.randint(0, rare))),
        full=Times(_span(dice, end, (5 * SECOND, step * 4)) for _ in range(dice.randint(0, rare))),
        loss_permille=dice.choice((0, 0, 0, 30)),
    )


def _carrier(
    dice: random.Random, made: Town, truth: Truth, busy: timedelta, interval: timedelta
) -> list[Event]:
    """An uplink that is cut, and reference points that fail for themselves; a reload may take it away."""
    made.uplinks, made.operator = {"carrier": [*REFERENCES]}, dice.choice((None, *made.houses))
    end, step = busy // timedelta(microseconds=1), interval // timedelta(microseconds=1)
    cuts = [_span(dice, end, (step // 10, step * 9)) for _ in range(dice.choice((1, 2, 4)))]
    for address in REFERENCES:
        own = [_span(dice, end, (step // 10, step * 9)) for _ in range(dice.choice((0, 1, 2)))]
        truth.down[address] = Times([*cuts, *own])
    at = timedelta(seconds=dice.uniform(60, busy.total_seconds()))
    return [(at, "reload", _switch_uplink)] if dice.random() < 0.3 else []


def _beacons(dice: random.Random, made: Town, truth: Truth, busy: timedelta, interval: timedelta) -> None:
    """A gateway that answers no pings at times, and beacons outside that fail, one by one or together."""
    made.has_beacons = True
    end, step = busy // timedelta(microseconds=1), interval // timedelta(microseconds=1)
    mute = [_span(dice, end, (SECOND, step * 20)) for _ in range(dice.choice((1, 2, 4)))]
    truth.mute[GATEWAY] = Times([(0, end)] if dice.random() < 0.3 else mute)
    together = [_span(dice, end, (step // 10, step * 5)) for _ in range(dice.choice((0, 1)))]
    for address in BEACONS:
        own = [_span(dice, end, (SECOND, step * 9)) for _ in range(dice.choice((0, 1, 2)))]
        truth.down[address] = Times([*together, *own])


WAYS = ("any(backup,carrier)", "any(backup,carrier)", "all(backup,carrier)", "carrier", "backup", "")
"""What devices are behind; nothing is none of the two."""


def _second(
    dice: random.Random, made: Town, truth: Truth, busy: timedelta, interval: timedelta
) -> list[Event]:
    """Another carrier, whose uplink is cut at other times, and once with the first; reloads move devices."""
    made.uplinks["backup"] = [*OTHERS]
    end, step = busy // timedelta(microseconds=1), interval // timedelta(microseconds=1)
    cuts = [_span(dice, end, (step // 10, step * 12)) for _ in range(dice.choice((1, 2, 4)))]
    both = _span(dice, end, (step * 2, step * 9))
    for address in (*REFERENCES, *OTHERS):
        own = [_span(dice, end, (step // 10, step * 9)) for _ in range(dice.choice((0, 0, 1)))]
        own += cuts if address in OTHERS else truth.down[address].spans
        truth.down[address] = Times([*own, (both[0], both[1] - dice.randint(0, step))])
    devices = sorted(name for house in made.houses.values() for name in house.devices)
    made.behind = {device: dice.choice(WAYS) for device in devices}
    at = [timedelta(seconds=dice.uniform(60, busy.total_seconds())) for _ in range(2)]
    return [(one, "reload", _moved(dice.choice(devices), dice.choice(WAYS))) for one in at]


def _moved(device: str, way: str) -> Callable[[Town], None]:
    """A device is behind another uplink or group."""

    def change(present: Town) -> None:
        present.behind[device] = way

    return change


def _services(
    dice: random.Random, made: Town, truth: Truth, busy: timedelta, interval: timedelta
) -> list[Event]:
    """Services that fail of themselves, and devices that answer no pings; a reload takes some away."""
    end, step = busy // timedelta(microseconds=1), interval // timedelta(microseconds=1)
    events: list[Event] = []
    for device in sorted(name for house in made.houses.values() for name in house.devices):
        has = dice.choice(([], ["www"], ["www"], ["email", "www"]))
        if has:
            made.services[device] = has
        for service in has:
            spans = [_span(dice, end, (step // 10, step * 9)) for _ in range(dice.choice((0, 1, 1, 2)))]
            truth.failing[service_of(device, service)] = Times(spans)
        if dice.random() < 0.2:
            truth.mute[address_of(device)] = Times([_span(dice, end, (step, step * 6))])
        if has and dice.random() < 0.2:
            at = timedelta(seconds=dice.uniform(60, busy.total_seconds()))
            events.append((at, "reload", _without_services(device)))
    return events


def _parents(
    dice: random.Random, made: Town, truth: Truth, busy: timedelta, interval: timedelta
) -> list[Event]:
    """Power that is lost, batteries that last a while, sources and switches that fail in all their ways."""
    end, step = busy // timedelta(microseconds=1), interval // timedelta(microseconds=1)
    what = dice.choice(("power", "switches", "both", "both"))
    if what != "switches":
        made.power = min(interval, timedelta(minutes=1))
    made.has_switches = what != "power"
    made.operator = made.operator or dice.choice((None, *made.houses))

    def some(*counts: int, lasts: tuple[int, int] = (step // 2, step * 9)) -> Times:
        return Times(_span(dice, end, lasts) for _ in range(dice.choice(counts)))

    renames: list[Event] = []
    devices = sorted(name for house in made.houses.values() for name in house.devices)
    devices += [device_name(len(devices) + number) for number in range(SPARE)]
    for number, device in enumerate(devices):
        made.places[device] = Place(dice.choice(FEEDS), dice.choice(PORTS).format(number, number))
    absent = {side: some(1, 2, 3, lasts=(step // 2, step * 15)) for side in SIDES}
    house = House(
        absent=absent,
        empty={side: Times((s + dice.randrange(e - s), e) for s, e in absent[side].spans) for side in SIDES},
        quiet={source: some(0, 1, 2) for source in SOURCES},
        odd={source: some(0, 0, 1) for source in SOURCES},
    )
    dead = {name: some(0, 1, 1, 2) for name in SWITCHES}
    if made.power is not None:
        truth.says = house.said
    if made.has_switches:
        for name, address in SWITCHES.items():
            behind = [*dead[name].spans, *(dead["core"].spans if name != "core" else ())]
            truth.down[address] = Times(behind)
            truth.mute[address] = some(0, 0, 1, 2)
    for device in devices:
        place, spans = made.places[device], [*truth.down[address_of(device)].spans]
        if made.power is not None:
            spans += house.unpowered(place, dice.randint(0, step * 2)).spans
        if made.has_switches:
            spans += cut_off(place, dead).spans
        truth.down[address_of(device)] = Times(spans)
    at = [timedelta(seconds=dice.uniform(60, busy.total_seconds())) for _ in range(3)]
    if made.power is not None:
        renamings = random.Random(dice.random())
        told = [_renamed, _fed_otherwise(renamings, devices), _fed_otherwise(renamings, devices), _renamed]
        lost = [
            start + lasts
            for side in SIDES
            for start, end in house.unpowered(Place(f"r1-{side}"), 0).spans
            for lasts in (30 * SECOND, (end - start) // 2)
            if lasts < end - start
        ]
        moments = [timedelta(microseconds=one) for one in sorted(lost)[: len(told)]]
        renames = [(one, "reload", each) for one, each in zip(moments, told, strict=False)]
    changes = [_switch_power, _switch_switches, _replaced(dice.choice(devices))]
    others = [(one, "reload", each) for one, each in zip(at, changes, strict=True) if dice.random() < 0.25]
    return [*others, *renames]


def _switch_power(present: Town) -> None:
    """What power comes by is no longer written down; or is again."""
    present.power = None if present.power is not None else min(present.interval, timedelta(minutes=1))


def _renamed(present: Town) -> None:
    """The UPSes are called otherwise, and with them all supplies; or as before."""
    present.ups_named = "" if present.ups_named else "-new"


def _fed_otherwise(dice: random.Random, devices: list[str]) -> Callable[[Town], None]:
    """Some devices hang on other feeds, as somebody says now."""
    some = dice.sample(devices, min(2, len(devices)))
    feeds = [dice.choice([one for one in FEEDS if one]) for _ in some]

    def change(present: Town) -> None:
        for device, feed in zip(some, feeds, strict=True):
            place = present.places.get(device, Place())
            present.places[device] = Place(feed, place.ports)

    return change


def _switch_switches(present: Town) -> None:
    present.has_switches = not present.has_switches


def _replaced(device: str) -> Callable[[Town], None]:
    """Nobody says any more what a device hangs on."""

    def change(present: Town) -> None:
        present.places.pop(device, None)

    return change


def _without_services(device: str) -> Callable[[Town], None]:
    """A device's services are taken out, or put in again."""

    def change(present: Town) -> None:
        present.services[device] = [] if present.services.get(device) else ["www"]

    return change


def _switch_uplink(present: Town) -> None:
    """The uplink is taken out, or put in again."""
    present.uplinks = {} if present.uplinks else {"carrier": [*REFERENCES]}


def _span(dice: random.Random, end: int, lasts: tuple[int, int]) -> tuple[int, int]:
    start = dice.randrange(end)
    return start, min(start + dice.randint(*lasts), end)


def _modes(seed: int, dice: random.Random, busy: timedelta) -> Callable[[str, str, int], Mode]:
    """In calm times all is accepted; in bad ones an address does whatever the dice say."""
    end = busy // timedelta(microseconds=1)
    bad = Times(_span(dice, end, (2 * MINUTE, 60 * MINUTE)) for _ in range(dice.randint(0, 4)))
    choices = list(Mode)

    def mode(to: str, key: str, at: int) -> Mode:
        if not bad.hold(at):
            return Mode.ACCEPTS
        return choices[zlib.crc32(f"{seed} {to} {key} {at}".encode()) % len(choices)]

    return mode


def _events(dice: random.Random, made: Town, busy: timedelta, faults: int) -> list[Event]:
    kinds: tuple[str, ...] = (
        "kill",
        "kill",
        "kill",
        "restart",
        "reload",
        "reload",
        "step",
        "stall",
        "suspend",
        "slew",
    )
    if dice.random() < 0.5:  # exact sums are checked only where the clock is never set
        kinds = tuple(kind for kind in kinds if kind != "step")
    events: list[Event] = []
    for _ in range(faults):
        at = timedelta(seconds=dice.uniform(60, busy.total_seconds()))
        kind = dice.choice(kinds)
        events.append((at, kind, _given(dice, kind, made)))
    return [event for event in events if event[1] != "slew" or dice.random() < 0.5]


def _given(dice: random.Random, kind: str, made: Town) -> object:
    match kind:
        case "kill":
            return dice.choice(MOMENTS), dice.choice((0, 1, 2, 5, 30))
        case "restart":
            return timedelta(seconds=dice.choice((0, 1, 30, 400, 1500)))
        case "reload":
            return _change(random.Random(dice.random()))
        case "step":
            return timedelta(seconds=dice.choice(STEPS_S))
        case "stall":
            return timedelta(seconds=dice.choice((0.3, 1.5, 4, 12, 70, 600)))
        case "suspend":
            return timedelta(seconds=dice.choice((3, 90, 1200)))
        case _:
            return dice.choice((-400, -100, 100, 400))


def _change(dice: random.Random) -> Callable[[Town], None]:
    """Something that an operator does to the configuration."""

    def change(present: Town) -> None:
        house = present.houses[dice.choice(sorted(present.houses))]
        devices = sum(len(h.devices) for h in present.houses.values())
        match dice.choice(("add", "remove", "suspend", "contact", "contact", "language")):
            case "add":
                taken = {name for h in present.houses.values() for name in h.devices}
                free = [device_name(n) for n in range(devices + SPARE) if device_name(n) not in taken]
                house.devices[free[0]] = IN_SERVICE
            case "remove" if len(house.devices) > 1:
                del house.devices[dice.choice(sorted(house.devices))]
            case "suspend":
                name = dice.choice(sorted(house.devices))
                house.devices[name] = SUSPENDED if house.devices[name] == IN_SERVICE else IN_SERVICE
            case "contact":
                if "boss" in house.contacts:
                    del house.contacts["boss"]
                else:
                    house.contacts["boss"] = dice.randint(1, 2)
            case _:
                house.language = "en" if house.language != "en" else "zh-CN"

    return change
