"""What the kernel lets through to an ICMP socket: our own replies, and errors about our own requests.

A raw socket gets everybody's packets. Those of others are left in the kernel, so that neither who pings
from this machine nor who sends us made-up errors fills our buffer or takes our time.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Final

ECHO_REQUEST: Final = {4: 8, 6: 128}
ECHO_REPLY: Final = {4: 0, 6: 129}
MARK_BYTES: Final = 4
"""A nonce begins with the mark of its pinger, by which the kernel knows whose packet it is.

An identifier ends with the first byte of the mark, its tag, for errors that quote no nonce.
"""

_PASSED: Final = {4: (0, 3, 11, 12), 6: (129, 1, 3, 4)}
_SOL_RAW: Final = 255
_ICMP_FILTER: Final = 1
_ICMP6_FILTER: Final = 1
_SO_ATTACH_FILTER: Final = 26

_LOAD_BYTE: Final = 0x50  # at X + k
_LOAD_WORD: Final = 0x40  # at X + k
_LOAD_LENGTH: Final = 0x80
_AND: Final = 0x54
_SHIFT_LEFT: Final = 0x64
_ADD_X: Final = 0x0C
_SUBTRACT_X: Final = 0x1C
_KEEP: Final = 0x07  # X = A
_SET_X: Final = 0x01
_SKIP_IP_HEADER: Final = 0xB1  # X = length of the IPv4 header at k
_IF_EQUAL: Final = 0x15
_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_WHOLE: Final = 0xFFFFFFFF

_Step = tuple[int, int, int, int]
"""What to do, how many steps to skip if it holds and if not, and the number k that it is done with."""


def install(sock: socket.socket, family: int, mark: bytes) -> None:
    """Have the kernel pass over what is not ours."""
    _pass_kinds(sock, family, _PASSED[family])
    _attach(sock, _program(family, mark))


def close(sock: socket.socket, family: int) -> None:
    """Have the kernel pass over everything; by its kind first, before the kernel makes a copy for us."""
    _pass_kinds(sock, family, ())
    _attach(sock, ((_RETURN, 0, 0, 0),))


def _attach(sock: socket.socket, program: tuple[_Step, ...]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    wrapped = struct.pack("@HP", len(program), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, wrapped)


def _pass_kinds(sock: socket.socket, family: int, passed: tuple[int, ...]) -> None:
    words = [_WHOLE] * (1 if family == 4 else 8)
    for number in passed:
        words[number >> 5] &= ~(1 << (number & 31))
    blocked = struct.pack(f"={len(words)}I", *words)
    if family == 4:
        sock.setsockopt(_SOL_RAW, _ICMP_FILTER, blocked)
    else:
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, blocked)


def _program(family: int, mark: bytes) -> tuple[_Step, ...]:
    """The filter in classic BPF. A load beyond the end of the packet leaves it.

    Of an error the quoted request is looked at. If enough of it is quoted, it must bear our mark;
    older routers quote 8 bytes, and then its identifier must end with our tag.
    """
    to_request: tuple[_Step, ...] = ((_SET_X, 0, 0, 40),)
    if family == 4:
        to_request = (
            (_LOAD_BYTE, 0, 0, 8),
            (_AND, 0, 0, 0x0F),
            (_SHIFT_LEFT, 0, 0, 2),
            (_ADD_X, 0, 0, 0),
            (_KEEP, 0, 0, 0),
        )
    whose = int.from_bytes(mark)
    of_error: tuple[_Step, ...] = (
        *to_request,  # X = length of all headers before the request but our own 8 bytes
        (_LOAD_BYTE, 0, 0, 8),
        (_IF_EQUAL, 0, 8, ECHO_REQUEST[family]),  # else leave it
        (_LOAD_LENGTH, 0, 0, 0),
        (_SUBTRACT_X, 0, 0, 0),
        (_IF_AT_LEAST, 0, 2, 8 + 8 + MARK_BYTES),  # else look at the tag
        (_LOAD_WORD, 0, 0, 16),
        (_IF_EQUAL, 2, 3, whose),
        (_LOAD_BYTE, 0, 0, 13),
        (_IF_EQUAL, 0, 1, mark[0]),
        (_RETURN, 0, 0, _WHOLE),
        (_RETURN, 0, 0, 0),
    )
    return (
        (_SKIP_IP_HEADER if family == 4 else _SET_X, 0, 0, 0),  # X = where ICMP begins
        (_LOAD_BYTE, 0, 0, 0),
        (_IF_EQUAL, 0, 4, ECHO_REPLY[family]),  # else it is an error
        (_LOAD_WORD, 0, 0, 8),  # the first four bytes of the payload
        (_IF_EQUAL, 0, 1, whose),
        (_RETURN, 0, 0, _WHOLE),
        (_RETURN, 0, 0, 0),
        *of_error,
    )
