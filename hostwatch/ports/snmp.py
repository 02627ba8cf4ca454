"""A switch that is asked by SNMP: the state of its ports, and how many octets have passed (RFC 2863, IF-MIB).

A port is found by its name, its description, its alias or its number, in this order, so `ge-0/0/7`, `7` and
what somebody wrote on it will do. Numbers change when a switch starts, or a card is put in: so the name is
asked for again with each reading, and looked up anew once it is another.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hostwatch.configuration.fields import TrapsAddress
from hostwatch.core.ports import NAME_CHARS_MAX, PORTS_MAX, SPEED_MBPS_MAX, TICKS_END
from hostwatch.ports import base
from hostwatch.ports.base import Missed, Octets, Port, PortsReading, State, Step
from hostwatch.snmp import agent, hearing
from hostwatch.snmp.agent import Agent, Row
from hostwatch.snmp.ber import Value

EXAMPLE = """
snmp:
  address: 192.0.2.2
  community: {file: secrets/community}
"""

UP_TIME: Final = "1.3.6.1.2.1.1.3.0"
_IF: Final = "1.3.6.1.2.1.2.2.1"
_IFX: Final = "1.3.6.1.2.1.31.1.1.1"
NAME: Final = f"{_IFX}.1"
DESCRIPTION: Final = f"{_IF}.2"
ALIAS: Final = f"{_IFX}.18"
NAMES: Final = (NAME, DESCRIPTION, ALIAS)
"""Where a name is looked for, the first that has it first."""

ADMIN: Final = f"{_IF}.7"
OPER: Final = f"{_IF}.8"
CHANGED: Final = f"{_IF}.9"
RECEIVED: Final = f"{_IFX}.6"
SENT: Final = f"{_IFX}.10"
SPEED: Final = f"{_IFX}.15"
DISCONTINUITY: Final = f"{_IFX}.19"
STATES: Final = (OPER, ADMIN, CHANGED, SPEED, RECEIVED, SENT, DISCONTINUITY)
OLD_SPEED: Final = f"{_IF}.5"
OLD_RECEIVED: Final = f"{_IF}.10"
OLD_SENT: Final = f"{_IF}.16"
OLD: Final = (OLD_RECEIVED, OLD_SENT, OLD_SPEED)
"""What switches have that do not know 64 bits."""

OPERS: Final = {
    1: ("up", State.UP),
    2: ("down", State.DOWN),
    3: ("testing", State.UNKNOWN),
    4: ("unknown", State.UNKNOWN),
    5: ("dormant", State.UNKNOWN),
    6: ("notPresent", State.DOWN),
    7: ("lowerLayerDown", State.DOWN),
}
"""`ifOperStatus`: the switch's word, and what it means."""

ADMINS: Final = {1: State.UP, 2: State.DOWN}
SWITCHES_KEPT: Final = 10_000
"""Switches of which is remembered which number a name has."""

LOOK_AGAIN_S: Final = 600
"""After that a name that the switch did not have is looked for again."""

READ_S_MAX: Final = 120
"""If the switch's clock went on by more while it was read, it has started meanwhile."""

NOT_THERE: Final = "the switch has no such port"
SEVERAL: Final = "several ports are called so"


class Settings(hearing.Heard, base.Settings):
    """Where the switch is, how it is asked, and about which ports."""

    traps: TrapsAddress = None
    """Where its traps and informs come in: an address of ours and a port, as 0.0.0.0:1162.
    Nowhere if absent."""


async def listen(sources: Mapping[str, Settings], ear: base.Ear) -> None:
    """A trap of a switch, that a link went down or came up say, makes that it is read at once."""
    await hearing.listen(sources, lambda name, told: ear.ask(name))


@dataclass(slots=True)
class _Known:
    """Which port has which name, as a switch told when it was asked last for its names."""

    at_s: float = 0.0
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By the name: the column that has it, and the number; the column is empty if the number is the name."""

    why_not: dict[str, str] = field(default_factory=dict)
    """Of the names that mean no port, the reason."""


_switches: OrderedDict[tuple[str, int], _Known] = OrderedDict()
"""By address and port."""


async def read(settings: Settings, visit: base.Visit) -> PortsReading:
    """Ask the switch once."""
    asked = await agent.connect(settings, visit)
    first = await _up_ticks(asked)
    if settings.all:
        rows = await asked.walk(*NAMES, *STATES, rows_max=PORTS_MAX)
        names = {index[0]: row for index, row in rows.items() if len(index) == 1}
        known = found(settings.ports, names)
        values = {number: {**row} for number, row in names.items()}
    else:
        known = await _known(settings, asked, visit.surroundings.monotonic_us() / 1e6)
        values = await _values(asked, (number for _, number in known.places.values()), STATES)
    lacking = [number for number, row in values.items() if RECEIVED not in row or SENT not in row]
    for number, row in (await _values(asked, lacking, OLD)).items():
        values[number].update(row)
    up_ticks = await _up_ticks(asked)
    if (up_ticks - first) % TICKS_END > READ_S_MAX * 100:
        raise Missed("the switch started anew while it was read", step=Step.ANSWER)
    return reading(known, values, up_ticks, settings.all)


async def _up_ticks(asked: Agent) -> int:
    found = (await asked.get(UP_TIME)).get(UP_TIME)
    if not isinstance(found, int):
        raise Missed("the agent does not say for how long it has run", step=Step.ANSWER)
    return found % TICKS_END


async def _known(settings: Settings, asked: Agent, now_s: float) -> _Known:
    """Which number each port that is wanted has, checked against the switch's present names."""
    key = (str(settings.address), settings.port)
    known = _switches.get(key)
    if known is None or not await _is_so_still(known, settings.ports, asked, now_s):
        rows = await asked.walk(*NAMES, rows_max=agent.ROWS_MAX) if settings.ports else {}
        known = found(settings.ports, {index[0]: row for index, row in rows.items() if len(index) == 1})
        known.at_s = now_s
        _switches[key] = known
    _switches.move_to_end(key)
    while len(_switches) > SWITCHES_KEPT:
        _switches.popitem(last=False)
    return known


async def _is_so_still(known: _Known, wanted: Iterable[str], asked: Agent, now_s: float) -> bool:
    if {*wanted} != known.places.keys() | known.why_not.keys():
        return False
    if known.why_not and now_s - known.at_s > LOOK_AGAIN_S:
        return False
    named = {f"{column}.{number}": name for name, (column, number) in known.places.items() if column}
    said = await asked.get(*named)
    return all(agent.text(said.get(variable), NAME_CHARS_MAX) == name for variable, name in named.items())


def found(wanted: Iterable[str], rows: Mapping[int, Row]) -> _Known:
    """Which number each name has, by the columns of names."""
    by_name: dict[str, dict[str, list[int]]] = {column: {} for column in NAMES}
    for number, row in rows.items():
        for column in NAMES:
            by_name[column].setdefault(agent.text(row.get(column), NAME_CHARS_MAX), []).append(number)
    known = _Known()
    for name in wanted:
        column = next((column for column in NAMES if name in by_name[column]), "")
        numbers = by_name[column][name] if column else [n for n in rows if str(n) == name]
        if len(numbers) == 1:
            known.places[name] = column, numbers[0]
        else:
            known.why_not[name] = SEVERAL if numbers else NOT_THERE
    return known


async def _values(asked: Agent, numbers: Iterable[int], columns: tuple[str, ...]) -> dict[int, Row]:
    """What columns say of some ports. What belongs to one port is asked for together."""
    each = sorted({*numbers})
    said = await asked.get(*(f"{column}.{number}" for number in each for column in columns))
    return {
        number: {c: value for c in columns if (value := said.get(f"{c}.{number}")) is not None}
        for number in each
    }


def reading(known: _Known, values: Mapping[int, Row], up_ticks: int, every: bool) -> PortsReading:
    """What the values come to, by the names that are wanted; and all others by the switch's own names."""
    ports = [_port(name, values.get(number, {}), up_ticks) for name, (_, number) in known.places.items()]
    ports += [Port(name=name, said=why) for name, why in known.why_not.items()]
    if every:
        told = {number for _, number in known.places.values()}
        taken = {port.name for port in ports}
        for number, row in values.items():
            own = agent.text(row.get(NAME), NAME_CHARS_MAX) or agent.text(
                row.get(DESCRIPTION), NAME_CHARS_MAX
            )
            name = own if own and own not in taken else f"{own[: NAME_CHARS_MAX - 12]}#{number}"
            if number not in told:
                taken.add(name)
                ports.append(_port(name, row, up_ticks))
    return PortsReading(up_ticks=up_ticks, ports=tuple(ports[:PORTS_MAX]))


def _port(name: str, row: Row, up_ticks: int) -> Port:
    oper, admin, changed = row.get(OPER), row.get(ADMIN), row.get(CHANGED)
    word, state = (
        OPERS.get(oper, (f"state {oper}", State.UNKNOWN)) if isinstance(oper, int) else ("", State.UNKNOWN)
    )
    return Port(
        name=name,
        oper=state,
        admin=ADMINS.get(admin, State.UNKNOWN) if isinstance(admin, int) else State.UNKNOWN,
        said=word or "the switch does not say",
        changed_s=(up_ticks - changed) % TICKS_END // 100 if isinstance(changed, int) and changed else None,
        speed_mbps=_speed_mbps(row),
        octets=_octets(row),
    )


def _speed_mbps(row: Row) -> int | None:
    """How fast the port is; None where the switch says nothing that can be."""
    speed, old = row.get(SPEED), row.get(OLD_SPEED)
    if isinstance(speed, int) and 0 < speed <= SPEED_MBPS_MAX:
        return speed
    if isinstance(old, int) and 1_000_000 <= old < 2**32 - 1:
        return old // 1_000_000
    return None


def _octets(row: Row) -> Octets | None:
    """Both counters, if the switch has both of one length."""
    since = row.get(DISCONTINUITY)
    since_ticks = since % TICKS_END if isinstance(since, int) else 0
    for bits, columns in ((64, (RECEIVED, SENT)), (32, (OLD_RECEIVED, OLD_SENT))):
        received, sent = (_counter(row.get(column), bits) for column in columns)
        if received is not None and sent is not None:
            return Octets(received=received, sent=sent, bits=bits, since_ticks=since_ticks)
    return None


def _counter(value: Value, bits: int) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**bits else None
