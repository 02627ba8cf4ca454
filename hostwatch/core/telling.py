"""What verdicts and recoveries mean for people: which emergencies open and end, and which wait.

A verdict on a device or an uplink opens an emergency, and its recovery ends it. A verdict on a service does
so too, unless the device under it may be down: then it waits for the verdict on the device, or is told under
the device's emergency (J8, `core.together`). So does a device for what it hangs on, its supply of power and
the switches on its way, whose emergencies are shared by many (J10, `core.shared`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from hostwatch.core import facts, supply, switch, uplink
from hostwatch.core.device import Device, State
from hostwatch.core.observing import Observing
from hostwatch.core.outages import Outages
from hostwatch.core.owing import People
from hostwatch.core.parents import is_parent
from hostwatch.core.population import Changes
from hostwatch.core.resettling import Resettling
from hostwatch.core.service import is_service
from hostwatch.core.signal import Signal
from hostwatch.core.succession import Succession
from hostwatch.core.world import Decision, World

AT_ONCE_MAX = 100
"""Of those who wait, how many are told of in one deed."""


def tell(world: World, observed: Observing, now: datetime) -> People:
    """What follows from what was observed. What others hang on goes before them."""
    telling = Outages(world, observed.known, now)
    _supplies(telling, observed)
    _settle(world, observed, telling, now)
    _switches(telling, observed)
    _uplinks(telling, observed)
    _devices(telling, observed)
    _services(telling, observed)
    for name, at in sorted(observed.again, key=lambda one: is_service(one[0])):
        if uplink.named(name) is not None:
            pass
        elif is_service(name):
            telling.missed_again(name, at)
        elif not is_parent(name):
            telling.still_down(name, at)
    for reading in observed.still_down:
        telling.missed_in_between(reading.signal, reading.at, reading.known_at)
    telling.suspects.look(observed)
    if world.holds:
        telling.waiting.look_at_holds(observed)
        telling.waiting.look_at_doubts(observed)
    return telling.owing.people()


def _settle(world: World, observed: Observing, telling: Outages, now: datetime) -> None:
    """Supplies were read after they, or those on them, were changed: what customers are to hear of that."""
    if world.unsettled and any(supply.named(name) is not None for name in observed.changed):
        people = world.population
        mine = Resettling(people, observed.known, telling.owing, telling.shared, people.devices.get, now)
        telling.owing.settled += mine.look(observed, world.unsettled)


def _supplies(telling: Outages, observed: Observing) -> None:
    """Those that go down in one deed are told of together."""
    together: list[facts.WentDown] = []
    for fact in observed.facts:
        match fact:
            case facts.WentDown() if supply.named(fact.signal) is not None:
                together.append(fact)
            case facts.CameUp() if supply.named(fact.signal) is not None:
                telling.shared.supplies_down(together)
                together = []
                telling.back(fact)
                telling.shared.up(fact.signal, fact)
            case _:
                pass
    telling.shared.supplies_down(together)


def _switches(telling: Outages, observed: Observing) -> None:
    for fact in observed.facts:
        match fact:
            case facts.WentDown() if switch.named(fact.signal) is not None:
                telling.suspects.switch_down(fact)
            case facts.CameUp() if switch.named(fact.signal) is not None:
                telling.back(fact)
                telling.suspects.up(fact)
            case facts.SilenceEnded(confirmed=False) if switch.named(fact.signal) is not None:
                telling.suspects.answered(fact)
            case _:
                pass
    for name, _ in observed.again:
        if switch.named(name) is not None:
            telling.suspects.missed_again(name)


def _uplinks(telling: Outages, observed: Observing) -> None:
    """Those that go down in one deed are looked at together: a group and the last of its members."""
    downs: list[facts.WentDown] = []
    for fact in observed.facts:
        match fact:
            case facts.WentDown() if _is_uplink(fact.signal):
                downs.append(fact)
            case facts.CameUp() if _is_uplink(fact.signal):
                telling.unreached.down(downs)
                downs = []
                telling.up(fact.signal, fact)
            case _:
                pass
    telling.unreached.down(downs)
    telling.unreached.still_down([(name, at) for name, at in observed.again if _is_uplink(name)])


def _is_uplink(name: str) -> bool:
    return uplink.named(name) is not None and not uplink.is_reference(name)


def _devices(telling: Outages, observed: Observing) -> None:
    for fact in observed.facts:
        match fact:
            case facts.WentDown() | facts.CameUp() if is_service(fact.signal) or is_parent(fact.signal):
                pass
            case facts.WentDown() | facts.CameUp() if uplink.named(fact.signal) is not None:
                pass
            case facts.WentDown():
                telling.down(fact)
            case facts.CameUp():
                telling.up(fact.signal, fact)
            case facts.SilenceEnded(confirmed=False):
                telling.answered(fact.signal)
            case _:
                pass


def _services(telling: Outages, observed: Observing) -> None:
    for fact in observed.facts:
        match fact:
            case facts.WentDown() if is_service(fact.signal):
                telling.service_down(fact)
            case facts.CameUp() if is_service(fact.signal):
                telling.up(fact.signal, fact)
            case _:
                pass


def overdue(world: World, now: datetime) -> Decision:
    """Whoever has waited long enough for another's verdict has an emergency now (J8, J10).

    At most `AT_ONCE_MAX`, those who were due first: thousands may have begun to wait together.
    """
    telling = Outages(world, world.signals.get, now)
    for hold in world.holds.overdue(now, AT_ONCE_MAX):
        if is_parent(hold.signal):
            telling.suspects.waited(hold.signal)
        else:
            telling.waiting.waited(hold)
    made = telling.owing.people()
    return Decision(
        facts=made.facts,
        emergencies=made.emergencies,
        duties=made.duties,
        customer_duties=made.customer_duties,
        notices=made.notices,
        holds=made.holds,
    )


def _moved(world: World, changes: Changes) -> Iterator[Device]:
    """The devices in service that hang elsewhere from now on."""
    for new in changes.devices:
        old = world.population.devices.get(new.id)
        if old is not None and new.state is State.IN_SERVICE and old.place != new.place:
            yield new


def enrol(
    world: World,
    gone: Iterable[str],
    given: Iterable[str],
    taken: Succession,
    changes: Changes,
    now: datetime,
) -> People:
    """End the emergencies of signals that are no longer watched, or no longer for whoever was told.

    Those of supplies go on with the ones that take their places.
    """
    devices: dict[str, Device | None] = {device.id: device for device in changes.devices}
    devices |= dict.fromkeys(changes.devices_gone)

    def known(name: str) -> Signal | None:
        return taken.signals.get(name) or world.signals.get(name)

    def where(name: str) -> Device | None:
        return devices[name] if name in devices else world.population.devices.get(name)

    telling = Outages(world, known, now)
    resettling = Resettling(world.population, known, telling.owing, telling.shared, where, now)
    resettling.come(taken.moves)
    telling.shared.moved(_moved(world, changes))
    for name in gone:
        if supply.named(name) is not None:
            resettling.gone(name)
        elif is_parent(name):
            telling.shared.up(name, None)
        else:
            telling.up(name, None)
    for name in given:
        telling.up(name, None, "customer")
    return telling.owing.people()
