"""Asking an agent: single variables, and the rows of tables, within bounds, whatever it answers.

One question is under way at a time, since many cards can do no more. An answer is believed if it comes from
the address and port that was asked, has the number of the question, and is protected as the question was:
the number cannot be guessed, so an old answer never fits a new question.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from hostwatch.checks.base import Missed, Step, Visit, printable
from hostwatch.snmp import ber, message, usm
from hostwatch.snmp.access import Access
from hostwatch.snmp.ber import BadBer, Value
from hostwatch.snmp.message import Pdu
from hostwatch.snmp.usm import Engine, NotAuthentic, User

AT_ONCE: Final = 20
"""Variables in one question: their answer fits into a frame of Ethernet."""

BULK_AT_ONCE: Final = 50
"""Variables that one answer about a table may hold."""

ROWS_MAX: Final = 10_000
"""Rows of a table."""

STRAY_MAX: Final = 64
"""Datagrams that are no answer to the question, before we no longer wait for one that is."""

DATAGRAM_BYTES: Final = 65_535
TEXT_CHARS_MAX: Final = 100
SHOWN_MAX: Final = 20
"""Variables of one answer that stand in the transcript."""

ENGINES_KEPT: Final = 10_000
"""Agents whose names and clocks are remembered, for v3."""

TOO_BIG: Final = 1
NO_SUCH_NAME: Final = 2
ERRORS: Final = {
    5: "the agent could not read its own variables",
    6: "the agent does not permit us to read this",
    13: "the agent has no room for the answer",
    16: "the agent does not permit us to read this",
}
"""What an agent says instead of an answer."""

NOT_IN_TIME: Final = "1.3.6.1.6.3.15.1.1.2.0"
UNKNOWN_ENGINE: Final = "1.3.6.1.6.3.15.1.1.4.0"
REPORTS: Final = {
    "1.3.6.1.6.3.15.1.1.1.0": "the agent lets the user in otherwise: with another auth or privacy",
    NOT_IN_TIME: "the agent takes our clock for wrong, again after we set it by its own",
    "1.3.6.1.6.3.15.1.1.3.0": "the agent knows no such user",
    UNKNOWN_ENGINE: "the agent does not know its own engine",
    "1.3.6.1.6.3.15.1.1.5.0": "the agent takes our signature for wrong: auth, or auth_password, is another",
    "1.3.6.1.6.3.15.1.1.6.0": "the agent cannot decrypt: privacy, or privacy_password, is another",
    "1.3.6.1.6.3.12.1.5.0": "the agent knows no such context",
}
"""What an agent reports about the security of a message (RFC 3414, 5)."""

NO_ANSWER_2C: Final = (
    "no answer: a wrong community, an address of ours that it does not allow, or nobody there"
)
NO_ANSWER_3: Final = "no answer: it does not speak SNMP v3, does not allow our address, or nobody is there"
NOT_READ: Final = "no answer to what it alone can read: privacy, or its password, is another; or it is gone"

Row = dict[str, Value]
"""What a table says in one row, by the columns that were asked for; what it does not have is left out."""

_Read = Callable[[bytes], Pdu | None]
"""What makes the answer of a datagram; None for what is none."""

_engines: OrderedDict[tuple[str, int], tuple[Engine, int]] = OrderedDict()
"""By address and port: the agent's engine, and when by our monotonic clock its own was so."""


async def connect(access: Access, visit: Visit) -> Agent:
    """An agent that can be asked. Nothing is sent yet, but for v3. Raises `Missed` or `Fault`."""
    for secret in access.secrets:
        visit.conceal(secret)
    sock = await visit.open_datagrams(str(access.address), access.port)
    agent = Agent(access, visit, sock)
    visit.known = Missed(NO_ANSWER_3 if access.user else NO_ANSWER_2C)
    if access.user is not None:
        await agent.introduce()
    return agent


class Agent:
    """One that is asked during one visit. `connect` makes it."""

    def __init__(self, access: Access, visit: Visit, sock: socket.socket) -> None:
        self._visit = visit
        self._sock = sock
        self._key = (str(access.address), access.port)
        self._user = access.user_3
        self._community = access.community.reveal().encode() if access.community is not None else b""
        self._patience_s = access.timeout.total_seconds() / (access.retries + 1)
        self._tries = access.retries + 1

    async def introduce(self) -> None:
        """Find out by what name the agent is called, if that is not known: for v3 alone."""
        if self._engine() is None:
            with self._visit.at(Step.LOGIN):
                await self._discover()
        self._visit.known = Missed(NOT_READ)

    async def get(self, *names: str) -> dict[str, Value]:
        """The values of variables, by their names with dots. What the agent does not have is left out.

        Raises `Missed` if it does not answer so.
        """
        found: dict[str, Value] = {}
        left, at_once = [*names], AT_ONCE
        with self._visit.at(Step.ANSWER):
            while left:
                some = left[:at_once]
                wires = tuple(map(ber.name, some))
                came = await self._ask(message.GET, wires, f"get {_few(some)}")
                if came.error == TOO_BIG and len(some) > 1:
                    at_once = len(some) // 2
                    continue
                if came.error == NO_SUCH_NAME and 1 <= came.index <= len(some):
                    left.remove(some[came.index - 1])
                    continue
                _check_error(came)
                if tuple(name for name, _ in came.variables) != wires:
                    raise Missed("the agent answers about other variables than it was asked for")
                for name, (_, value) in zip(some, came.variables, strict=True):
                    if value is not None:
                        found[name] = value
                del left[: len(some)]
        return found

    async def walk(
        self, *columns: str, rows_max: int = ROWS_MAX, at_once: int = BULK_AT_ONCE
    ) -> dict[tuple[int, ...], Row]:
        """The rows of tables, by what stands behind the names of their columns, in the agent's order.

        Raises `Missed` if there are more rows than that, and if the agent does not answer so.
        """
        rows: dict[tuple[int, ...], Row] = {}
        last: dict[str, tuple[int, ...]] = dict.fromkeys(columns, ())
        repeat = max(at_once // len(columns), 1)
        with self._visit.at(Step.ANSWER):
            while last:
                asked = [*last]
                wires = tuple(ber.below(ber.name(column), last[column]) for column in asked)
                came = await self._ask(message.GET_BULK, wires, f"get {repeat} after {_few(asked)}", repeat)
                if came.error == TOO_BIG and repeat > 1:
                    repeat //= 2
                    continue
                _check_error(came)
                if len(came.variables) < len(asked):
                    raise Missed("the agent leaves out what it was asked for")
                for column, index, value in _rows(came, asked, last):
                    rows.setdefault(index, {})[column] = value
                    if len(rows) > rows_max:
                        raise Missed(f"the table has more than {rows_max:,} rows")
                await asyncio.sleep(0)  # a long table must not keep all others waiting
        return rows

    async def _ask(self, kind: int, names: tuple[bytes, ...], said: str, repeat: int = 0) -> Pdu:
        """One question and its answer, over a network that loses some."""
        number = secrets.randbelow(message.NUMBER_END)
        body = message.request(kind, number, names, 0, repeat)
        self._visit.tell(">", said)
        if self._user is None:
            datagram = message.framed(self._community, body)
            came = await self._answered(datagram, partial(self._plain, number))
        else:
            came = await self._ask_by_user(self._user, number, body)
        self._visit.known = None
        self._tell(came)
        return came

    def _plain(self, number: int, data: bytes) -> Pdu | None:
        community, body = message.unframed(data)
        found = message.pdu(body, 0, len(body))
        fits = community == self._community and found.kind == message.RESPONSE and found.number == number
        return found if fits else None

    async def _ask_by_user(self, user: User, number: int, body: bytes) -> Pdu:
        """By v3. An engine that is another by now, or has another clock, is asked once more."""
        mended: set[str] = set()
        while True:
            engine = self._engine() or await self._discover()
            datagram = usm.sealed(number, usm.REPORTABLE, engine, user, body)
            came = await self._answered(datagram, partial(self._private, number, user, engine.id))
            if came.kind == message.RESPONSE:
                return came
            why = _reported(came)
            if why in mended or why not in (NOT_IN_TIME, UNKNOWN_ENGINE):
                said = REPORTS.get(why, f"the agent reports {why or 'nothing that is known'}")
                raise Missed(said, step=Step.LOGIN)
            mended.add(why)
            if why == UNKNOWN_ENGINE:
                _engines.pop(self._key, None)

    def _private(self, number: int, user: User, engine: bytes, data: bytes) -> Pdu | None:
        """The answer, protected as it must be; or a report, which need not be. None for anything else."""
        came = usm.envelope(data)
        if came.number != number:
            return None
        reports = came.flags & user.flags != user.flags
        known = (usm.without_privacy(user) if came.flags & usm.AUTHENTIC else None) if reports else user
        inside = usm.opened(came, known).said
        found = message.pdu(inside, 0, len(inside))
        if found.kind == message.REPORT:
            if _reported(found) == NOT_IN_TIME and came.engine.id:
                self._keep(came.engine)
            return found
        if reports or found.kind != message.RESPONSE or found.number != number or came.engine.id != engine:
            return None
        self._keep(came.engine)
        return found

    async def _discover(self) -> Engine:
        """Ask for the agent's engine, by a question without a user (RFC 3414, 4)."""
        number = secrets.randbelow(message.NUMBER_END)
        body = message.request(message.GET, number, ())
        datagram = usm.sealed(number, usm.REPORTABLE, Engine(), None, body)

        def read(data: bytes) -> Pdu | None:
            came = usm.envelope(data)
            if came.number != number or not came.engine.id:
                return None
            inside = usm.opened(came, None).said
            found = message.pdu(inside, 0, len(inside))
            if found.kind != message.REPORT:
                return None
            self._keep(came.engine)
            return found

        self._visit.tell(">", "who are you?")
        await self._answered(datagram, read)
        engine = self._engine()
        assert engine is not None
        self._visit.tell("<", f"engine {engine.id.hex()}, started {engine.boots} times")
        return engine

    def _keep(self, engine: Engine) -> None:
        _engines[self._key] = engine, self._visit.surroundings.monotonic_us()
        _engines.move_to_end(self._key)
        while len(_engines) > ENGINES_KEPT:
            _engines.popitem(last=False)

    def _engine(self) -> Engine | None:
        """The agent's engine, with its clock as it should be now."""
        known = _engines.get(self._key)
        if known is None:
            return None
        engine, at_us = known
        passed_s = (self._visit.surroundings.monotonic_us() - at_us) // 1_000_000
        return engine._replace(time_s=min(engine.time_s + passed_s, message.NUMBER_END - 1))

    async def _answered(self, datagram: bytes, read: _Read) -> Pdu:
        """Send, wait, send again. Raises `Missed` when nothing came that fits, and `OSError`."""
        loop = asyncio.get_running_loop()
        for again in range(self._tries):
            if again:
                self._visit.tell(">", "the same again")
            try:
                async with asyncio.timeout(self._patience_s):
                    await loop.sock_sendall(self._sock, datagram)
                    return await self._hear(read)
            except TimeoutError:
                continue
        raise self._visit.known or Missed("no answer any more")

    async def _hear(self, read: _Read) -> Pdu:
        loop = asyncio.get_running_loop()
        for _ in range(STRAY_MAX):
            data = await loop.sock_recv(self._sock, DATAGRAM_BYTES)
            self._visit.count(len(data))
            try:
                found = read(data)
            except (BadBer, NotAuthentic) as error:
                self._visit.tell("<", f"something that is not believed: {error}")
                found = None
            if found is not None:
                return found
            await asyncio.sleep(0)  # the next one may be here already: it must not keep all others waiting
        raise Missed(f"{STRAY_MAX} datagrams came, and none is an answer to the question")

    def _tell(self, came: Pdu) -> None:
        for name, value in came.variables[:SHOWN_MAX]:
            self._visit.tell("<", f"{ber.shown(name)} = {shown(value)}")
        if len(came.variables) > SHOWN_MAX:
            self._visit.tell("*", f"and {len(came.variables) - SHOWN_MAX} more")


def _rows(
    came: Pdu, asked: list[str], last: dict[str, tuple[int, ...]]
) -> Iterator[tuple[str, tuple[int, ...], Value]]:
    """What an answer says of each column: row by row, until a column is at its end. Moves `last` on."""
    for place, (name, value) in enumerate(came.variables):
        column = asked[place % len(asked)]
        if column not in last:
            continue
        prefix = ber.name(column)
        if value is None or not name.startswith(prefix) or len(name) == len(prefix):
            del last[column]
            continue
        index = ber.tail(name[len(prefix) :])
        if index <= last[column]:
            raise Missed("the agent's table goes round in circles")
        last[column] = index
        yield column, index, value


def _check_error(came: Pdu) -> None:
    if came.error:
        raise Missed(ERRORS.get(came.error, f"the agent answers with error {came.error}"))


def _reported(came: Pdu) -> str:
    """What a report is about."""
    return ber.shown(came.variables[0][0]) if came.variables else ""


def _few(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def text(value: Value, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Octets as text that may be shown and kept; empty for anything else."""
    return printable(value.rstrip(b"\0 "), chars_max) if isinstance(value, bytes) else ""


def shown(value: Value) -> str:
    """Any value in a transcript: text as text, other octets in hexadecimal."""
    match value:
        case None:
            return "nothing"
        case bytes():
            is_text = all(0x20 <= byte < 0x7F for byte in value)
            return f'"{text(value)}"' if is_text else f"0x{value[: TEXT_CHARS_MAX // 2].hex()}"
        case tuple():
            return ".".join(map(str, value))
    return str(value)
