"""The protocol of FTP (RFC 959, 2428, 4217): replies, the way to a data connection, and a transfer.

Where data are to be fetched from is the server's word, and only its port is believed: the connection always
goes to the address that the control connection goes to. TLS begins on it after the server has taken the
command, and continues the session of the control connection, which many servers demand.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, ip_address
from typing import Final, NamedTuple

from hostwatch.checks import base

REPLY_LINES_MAX: Final = 200
"""Lines of one reply."""

PIECE_BYTES: Final = 65_536
EXPLAINED_WITHIN_S: Final = 2.0
"""How long we wait for the server's own reason, when a data connection has failed."""

RESUME_DEMANDED: Final = 522

_REPLY: Final = re.compile(rb"([1-5][0-9]{2})(?:([ -]).*)?", re.DOTALL)
_PASV: Final = re.compile(rb"([0-9]{1,3}(?:,[0-9]{1,3}){5})")
_EPSV: Final = re.compile(rb"\(([!-~])\1\1([0-9]{1,5})\1\)")


class Reply(NamedTuple):
    """What the server says to a command."""

    code: int
    text: bytes
    """All its lines."""

    @property
    def agrees(self) -> bool:
        """Whether it is done, or goes on."""
        return self.code < 400


async def reply(line: base.Line) -> Reply:
    """The next reply, of one line or many. Raises `Missed` for what is none."""
    first = await line.read_line()
    found = _REPLY.fullmatch(first)
    if found is None:
        raise base.Missed("this is no reply of FTP", expected="three digits", came=first)
    lines, code = [first], found[1]
    while found[2] == b"-" and not lines[-1].startswith(code + b" "):
        if len(lines) >= REPLY_LINES_MAX:
            raise base.Missed("a reply of more than {count} lines came", count=REPLY_LINES_MAX)
        lines.append(await line.read_line())
    return Reply(int(code), b" ".join(lines))


async def said(line: base.Line, command: str, shown: str | None = None) -> Reply:
    """The reply to a command. Raises `Missed` if the server ends the talk instead."""
    await line.write(command.encode() + b"\r\n", shown)
    answer = await reply(line)
    if answer.code == 421:
        raise base.Missed("the server ends the talk", came=answer.text)
    return answer


async def must(line: base.Line, command: str, what: str, *codes: int, shown: str | None = None) -> Reply:
    """The same, where one of these codes must come. `what` is asked for."""
    answer = await said(line, command, shown)
    if answer.code not in codes:
        expected = " or ".join(map(str, codes))
        raise base.Missed("{what} was refused", what=what, expected=expected, came=answer.text)
    return answer


def port_of_epsv(text: bytes) -> int:
    """The port in a reply 229. Raises `Missed`."""
    found = _EPSV.search(text)
    if found is None or not 1 <= int(found[2]) <= 65_535:
        raise base.Missed("the server does not name a port for data", expected="(|||port|)", came=text)
    return int(found[2])


def place_of_pasv(text: bytes) -> tuple[str, int]:
    """The address and port in a reply 227. Raises `Missed`."""
    found = _PASV.search(text)
    numbers = [int(number) for number in found[1].split(b",")] if found else [256]
    port = numbers[-2] * 256 + numbers[-1] if len(numbers) == 6 else 0
    if max(numbers) > 255 or not port:
        raise base.Missed("the server does not name a port for data", expected="h,h,h,h,p,p", came=text)
    return str(IPv4Address(bytes(numbers[:4]))), port


class Data:
    """How data come over a connection of their own."""

    def __init__(self, visit: base.Visit, control: base.Line, tls: base.Tls, name: str) -> None:
        self._visit = visit
        self._control = control
        self._tls = tls
        self._name = name

    async def protect(self) -> None:
        """Have data protected as the control connection is. Raises `Missed` if the server does not."""
        if self._control.tls is not None:
            await must(self._control, "PBSZ 0", "PBSZ 0", 200)
            await must(self._control, "PROT P", "the protection of data", 200)

    async def fetch(self, command: str, what: str) -> AsyncIterator[bytes]:
        """What comes in answer to a command that fetches data, piece by piece. Raises `Missed`."""
        line = await self._connect()
        await must(self._control, command, what, 125, 150)
        try:
            if self._control.tls is not None:
                await line.start_tls(self._tls, self._name, beside=self._control)
            while piece := await line.read_some(PIECE_BYTES):
                yield piece
        except base.Missed as missed:
            if isinstance(missed.__cause__, OSError):
                raise await self._explained(missed) from missed
            raise
        line.close()
        answer = await reply(self._control)
        if not answer.agrees:
            raise refused(what, answer)

    async def _connect(self) -> base.Line:
        port = await self._port()
        # Filters let the control connection through and forget these: the commonest fault of all.
        known = base.Missed(
            "no data connection to port {code}: nobody answers", code=port, step=base.Step.CONNECT
        )
        before, self._visit.known = self._visit.known, known
        try:
            line = await base.connect_beside(self._visit, port)
        except base.Missed as missed:
            raise base.Missed(
                "no data connection to port {code}: {why}", code=port, why=missed, step=base.Step.CONNECT
            ) from missed
        self._visit.known = before
        return line

    async def _port(self) -> int:
        extended = await said(self._control, "EPSV")
        if extended.code == 229:
            return port_of_epsv(extended.text)
        peer = ip_address(self._visit.peer.partition("%")[0])
        if extended.code < 500 or peer.version == 6:
            raise base.Missed(
                "{what} was refused", what="the passive mode", expected="229", came=extended.text
            )
        answer = await must(self._control, "PASV", "the passive mode", 227)
        address, port = place_of_pasv(answer.text)
        if address != str(peer):
            self._visit.note(f"the server names another address for data, {address}: it is ignored")
        return port

    async def _explained(self, missed: base.Missed) -> base.Missed:
        """What the server says of a data connection that failed; what we have seen, if it says nothing."""
        with self._visit.aside(missed):
            try:
                async with asyncio.timeout(EXPLAINED_WITHIN_S):
                    answer = await reply(self._control)
            except (TimeoutError, base.Missed, base.Fault):
                return missed
        return missed if answer.agrees else refused("the data connection", answer)


def refused(what: str, answer: Reply) -> base.Missed:
    """What a refusal after the beginning of a transfer means."""
    if answer.code == RESUME_DEMANDED:
        return base.Missed(
            "{what} was refused: the server demands that data continue the TLS session of the control line",
            what=what,
            expected="226",
            came=answer.text,
        )
    return base.Missed("{what} was broken off", what=what, expected="226", came=answer.text)


base.chinese(
    """
    this is no reply of FTP
        应答不符合 FTP 协议
    the server ends the talk
        服务器结束了会话
    the server does not name a port for data
        服务器未说明数据连接的端口
    no data connection to port {code}: nobody answers
        无法建立到端口 {code} 的数据连接：没有应答
    no data connection to port {code}: {why}
        无法建立到端口 {code} 的数据连接：{why}
    {what} was refused: the server demands that data continue the TLS session of the control line
        {what}被拒绝：服务器要求数据连接沿用控制连接的 TLS 会话
    {what} was broken off
        {what}中断
    the passive mode
        被动模式
    the protection of data
        数据加密
    the data connection
        数据连接
    the listing
        目录列表
    the file
        文件
    """
)
