"""Feeds what reads SNMP with what was changed at random, and the tables of UPSes and strips with any values.

    scripts/fuzz snmp [--inputs N] [--seed S]

Whatever comes is read, or refused in the two ways that are written; whatever is read makes a reading of power
that can be told, or is a miss.
"""

from __future__ import annotations

import argparse
import random
import secrets
from collections import Counter

from hostwatch.core.power import of_text
from hostwatch.power import _pdu_tables, _ups_tables, snmp_pdu, snmp_ups
from hostwatch.power.base import Missed, PowerReading
from hostwatch.snmp import ber, message, usm
from hostwatch.snmp.ber import Value
from hostwatch.snmp.usm import Engine, User
from tests.snmp.bending import bent
from tests.snmp.wolves import said

ENGINE = Engine(b"\x80\0\x7e\xd9\x04wolf", 3, 1_000)
USERS = (
    User(b"ups", "sha-256", b"signed-by-us", "aes-128", b"read-by-us-alone"),
    User(b"ups", "md5", b"signed-by-us", "des", b"read-by-us-alone"),
)
PLAIN = said(7, [(ber.name("1.3.6.1.4.1.1"), ber.written(5)), (ber.name("1.3.6.1.4.1.2"), message.NOTHING)])


def fuzz(inputs: int, seed: int) -> Counter[str]:
    """How many inputs came to what."""
    chance = random.Random(seed)
    inside = message.unframed(PLAIN)[1]
    start = [PLAIN, *(usm.sealed(7, 0, ENGINE, user, inside) for user in (*USERS, None))]
    return Counter(
        what for _ in range(inputs) for what in (_datagram(chance, start), _ups(chance), _strip(chance))
    )


def _datagram(chance: random.Random, start: list[bytes]) -> str:
    data = bent(chance, chance.choice(start))
    try:
        if message.version(data) == message.VERSION_3:
            came = usm.envelope(data)
            body = usm.opened(came, chance.choice(USERS) if came.flags & usm.AUTHENTIC else None).said
        else:
            _, body = message.unframed(data)
        message.pdu(body, 0, len(body))
    except (ber.BadBer, usm.NotAuthentic):
        return "refused"
    return "read"


def _value(chance: random.Random) -> Value:
    match chance.randrange(6):
        case 0:
            return chance.randrange(-2, 12)
        case 1:
            return chance.choice((-1, 2**31 - 1, 2**32 - 1, 2**64 - 1, 230, 2_300))
        case 2:
            return bytes(chance.randrange(256) for _ in range(chance.randrange(300)))
        case 3:
            return (
                1,
                3,
                6,
                1,
                2,
                1,
                33,
                1,
                6,
                3,
                *(chance.randrange(2**32) for _ in range(chance.randrange(40))),
            )
        case 4:
            return ()
    return chance.randrange(30)


def _ups(chance: random.Random) -> str:
    table = chance.choice([*_ups_tables.TABLES.values()])
    names = [*snmp_ups._scalars(table), *snmp_ups._columns(table)]
    row = {name: _value(chance) for name in names if chance.random() < 0.8}
    rows = [{name: _value(chance) for name in names} for _ in range(chance.randrange(40))]
    try:
        return _told("a UPS", snmp_ups.reading(table, row, rows))
    except Missed:
        return "a UPS missed"


def _strip(chance: random.Random) -> str:
    table = chance.choice([*_pdu_tables.TABLES.values()])

    def rows(name: str) -> snmp_pdu.Rows:
        many = chance.choice((0, 3, snmp_pdu.ROWS_MAX))
        return {_index(chance): {name: _value(chance)} for _ in range(many)}

    try:
        return _told(
            "a strip", snmp_pdu.reading(table, rows(table.outlets), rows(table.volts or table.inputs))
        )
    except Missed:
        return "a strip missed"


def _index(chance: random.Random) -> tuple[int, ...]:
    most = chance.choice((3, 300, 2**32))
    return tuple(chance.randrange(most) for _ in range(chance.choice((1, 2, 3, 30))))


def _told(what: str, reading: PowerReading) -> str:
    assert of_text(reading.text) == reading
    return f"{what} told"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    told = parser.parse_args()
    print(f"seed {told.seed}: {dict(fuzz(told.inputs, told.seed))}")


if __name__ == "__main__":
    main()
