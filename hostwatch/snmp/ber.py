"""The writing of SNMP: tags, lengths, numbers and object identifiers, as far as SNMP uses them (RFC 3417).

Lengths are definite, nothing is followed that reaches beyond what holds it, and nothing here calls itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

INTEGER: Final = 0x02
OCTETS: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
SEQUENCE: Final = 0x30
IP_ADDRESS: Final = 0x40
COUNTER: Final = 0x41
GAUGE: Final = 0x42
TICKS: Final = 0x43
OPAQUE: Final = 0x44
COUNTER_64: Final = 0x46
NOTHINGS: Final = (NULL, 0x80, 0x81, 0x82)
"""Null, and: no such object, no such instance, the end of all that there is."""

UNSIGNED: Final = (COUNTER, GAUGE, TICKS, COUNTER_64)

SUBIDENTIFIERS_MAX: Final = 128
"""Numbers in one object identifier (RFC 2578, 3.5)."""

SUBIDENTIFIER_END: Final = 2**32
_INTEGER_BYTES_MAX: Final = 9
_LENGTH_BYTES_MAX: Final = 4

Value = int | bytes | tuple[int, ...] | None
"""A number, octets (an address is four of them), an object identifier, or nothing: there is no such thing."""


class BadBer(ValueError):
    """It is not written as SNMP is."""


class Part(NamedTuple):
    """A tag, and where what it holds begins and ends."""

    tag: int
    start: int
    stop: int


def part(data: bytes, at: int, end: int) -> Part:
    """The part that begins at `at`, and ends before `end`. Raises `BadBer`."""
    if at + 2 > end:
        raise BadBer("it ends too early")
    length = data[at + 1]
    start = at + 2
    if length >= 0x80:
        many = length & 0x7F
        if not 0 < many <= _LENGTH_BYTES_MAX or start + many > end:
            raise BadBer("a length that is none")
        length = int.from_bytes(data[start : start + many], "big")
        start += many
    stop = start + length
    if stop > end:
        raise BadBer("a part reaches beyond the end")
    return Part(data[at], start, stop)


def expect(data: bytes, at: int, end: int, tag: int) -> Part:
    """As `part`, and it must have that tag."""
    found = part(data, at, end)
    if found.tag != tag:
        raise BadBer(f"a part of kind 0x{found.tag:02x} where 0x{tag:02x} should be")
    return found


def number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A signed number, and where the next part begins."""
    found = expect(data, at, end, INTEGER)
    return _number(data, found, signed=True), found.stop


def _number(data: bytes, found: Part, *, signed: bool) -> int:
    if not 0 < found.stop - found.start <= _INTEGER_BYTES_MAX:
        raise BadBer("a number that is too long, or empty")
    return int.from_bytes(data[found.start : found.stop], "big", signed=signed)


def octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """Octets, and where the next part begins."""
    found = expect(data, at, end, OCTETS)
    return data[found.start : found.stop], found.stop


def value(data: bytes, at: int, end: int) -> tuple[Value, int]:
    """The value of a variable, and where the next part begins."""
    found = part(data, at, end)
    tag = found.tag
    if tag == INTEGER:
        return _number(data, found, signed=True), found.stop
    if tag in UNSIGNED:
        return _number(data, found, signed=False), found.stop
    if tag in (OCTETS, IP_ADDRESS, OPAQUE):
        return data[found.start : found.stop], found.stop
    if tag == OID:
        return numbers(data[found.start : found.stop]), found.stop
    if tag in NOTHINGS:
        return None, found.stop
    raise BadBer(f"a value of the unknown kind 0x{tag:02x}")


def numbers(body: bytes) -> tuple[int, ...]:
    """The numbers of an object identifier, from its writing."""
    found = tail(body)
    if not found:
        raise BadBer("an object identifier without numbers")
    first = found[0]
    return (*((first // 40, first % 40) if first < 80 else (2, first - 80)), *found[1:])


def tail(body: bytes) -> tuple[int, ...]:
    """Numbers of an object identifier after its first two, from their writing."""
    found: list[int] = []
    current = 0
    inside = False
    for byte in body:
        current = current << 7 | byte & 0x7F
        inside = byte >= 0x80
        if inside:
            if current >= SUBIDENTIFIER_END:
                raise BadBer("an object identifier with a number that is too large")
            continue
        if current >= SUBIDENTIFIER_END or len(found) >= SUBIDENTIFIERS_MAX:
            raise BadBer("an object identifier that is too long")
        found.append(current)
        current = 0
    if inside:
        raise BadBer("an object identifier that ends within a number")
    return tuple(found)


def shown(body: bytes) -> str:
    """An object identifier with dots, from its writing."""
    return ".".join(map(str, numbers(body)))


@lru_cache(4_096)
def name(dotted: str) -> bytes:
    """The writing of an object identifier that is given with dots, without tag and length."""
    found = [int(one) for one in dotted.split(".")]
    return below(b"", (found[0] * 40 + found[1], *found[2:]))


def below(body: bytes, more: tuple[int, ...]) -> bytes:
    """The writing of what stands below an object identifier."""
    written = bytearray(body)
    for one in more:
        groups = [one & 0x7F]
        while one := one >> 7:
            groups.append(one & 0x7F | 0x80)
        written += bytes(reversed(groups))
    return bytes(written)


def wrapped(tag: int, body: bytes) -> bytes:
    """A tag, a length and what they hold."""
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def written(given: int) -> bytes:
    """A number that is not negative."""
    return wrapped(INTEGER, given.to_bytes(given.bit_length() // 8 + 1, "big"))
