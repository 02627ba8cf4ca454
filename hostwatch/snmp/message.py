"""What is asked and answered: requests, answers, reports, traps, and the frame that v2c puts around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hostwatch.snmp import ber
from hostwatch.snmp.ber import BadBer, Value

GET: Final = 0xA0
RESPONSE: Final = 0xA2
GET_BULK: Final = 0xA5
INFORM: Final = 0xA6
TRAP: Final = 0xA7
REPORT: Final = 0xA8
KINDS: Final = (GET, 0xA1, RESPONSE, 0xA3, GET_BULK, INFORM, TRAP, REPORT)

VERSION_2C: Final = 1
VERSION_3: Final = 3

VARIABLES_MAX: Final = 2_000
"""Variables in one message: more than a datagram holds of real ones."""

NUMBER_END: Final = 2**31
"""Of requests and messages."""

NOTHING: Final = ber.wrapped(ber.NULL, b"")


@dataclass(frozen=True, slots=True)
class Pdu:
    """One thing that is said: of which kind, and about which variables."""

    kind: int
    number: int
    """Of the request; its answer has the same."""

    error: int
    """Why a request was not followed, 0 if it was; for a request of many, those that are asked for once."""

    index: int
    """The variable that the error is about, from 1; for a request of many, how often the others are."""

    variables: tuple[tuple[bytes, Value], ...]
    """Names, as they are written, and values."""


def pdu(data: bytes, at: int, end: int) -> Pdu:
    """What stands there. Raises `BadBer`."""
    whole = ber.part(data, at, end)
    if whole.tag not in KINDS:
        raise BadBer(f"a message of the unknown kind 0x{whole.tag:02x}")
    number, at = ber.number(data, whole.start, whole.stop)
    error, at = ber.number(data, at, whole.stop)
    index, at = ber.number(data, at, whole.stop)
    listed = ber.expect(data, at, whole.stop, ber.SEQUENCE)
    found: list[tuple[bytes, Value]] = []
    at = listed.start
    while at < listed.stop:
        if len(found) >= VARIABLES_MAX:
            raise BadBer(f"more than {VARIABLES_MAX:,} variables")
        pair = ber.expect(data, at, listed.stop, ber.SEQUENCE)
        name = ber.expect(data, pair.start, pair.stop, ber.OID)
        value, _ = ber.value(data, name.stop, pair.stop)
        found.append((data[name.start : name.stop], value))
        at = pair.stop
    return Pdu(whole.tag, number, error, index, tuple(found))


def request(kind: int, number: int, names: tuple[bytes, ...], error: int = 0, index: int = 0) -> bytes:
    """A request about variables, as it is written inside its frame."""
    listed = b"".join(ber.wrapped(ber.SEQUENCE, ber.wrapped(ber.OID, one) + NOTHING) for one in names)
    return ber.wrapped(
        kind,
        ber.written(number) + ber.written(error) + ber.written(index) + ber.wrapped(ber.SEQUENCE, listed),
    )


def answer(inform: bytes) -> bytes:
    """The answer to an inform that was read as a `Pdu` before: the same variables back (RFC 3416, 4.2.7)."""
    return bytes((RESPONSE,)) + inform[1:]


def report(about: bytes) -> bytes:
    """A report about one counter of errors (RFC 3414, 5)."""
    listed = ber.wrapped(ber.SEQUENCE, ber.wrapped(ber.OID, about) + ber.wrapped(ber.COUNTER, b"\1"))
    return ber.wrapped(
        REPORT, ber.written(0) + ber.written(0) + ber.written(0) + ber.wrapped(ber.SEQUENCE, listed)
    )


def version(data: bytes) -> int:
    """The version of SNMP that a datagram is of. Raises `BadBer`."""
    whole = ber.expect(data, 0, len(data), ber.SEQUENCE)
    return ber.number(data, whole.start, whole.stop)[0]


def framed(community: bytes, body: bytes) -> bytes:
    """A message of v2c."""
    return ber.wrapped(ber.SEQUENCE, ber.written(VERSION_2C) + ber.wrapped(ber.OCTETS, community) + body)


def unframed(data: bytes) -> tuple[bytes, bytes]:
    """The community of a message of v2c, and what is said. Raises `BadBer`."""
    whole = ber.expect(data, 0, len(data), ber.SEQUENCE)
    found, at = ber.number(data, whole.start, whole.stop)
    if found != VERSION_2C:
        raise BadBer(f"a message of version {found}")
    community, at = ber.octets(data, at, whole.stop)
    return community, data[at : whole.stop]
