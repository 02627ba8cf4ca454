"""A management controller of a few lines, which serves pages in the shapes of DMTF's mock-ups.

Its pages are short forms of those of the public server and power strip there. It is our own, for no emulator
at hand has power supplies. `sushy-emulator`, which has systems, is asked as well.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from tests.checks.certificates import Pair
from tests.checks.conftest import serving

CHASSIS: Final = "/redfish/v1/Chassis/1U"
SUBSYSTEM: Final = f"{CHASSIS}/PowerSubsystem"
STRIP: Final = "/redfish/v1/PowerEquipment/RackPDUs/1"
PASSWORD: Final = "correct-horse"


def collection(path: str, *members: str) -> dict[str, Any]:
    return {"@odata.id": path, "Members": [{"@odata.id": f"{path}/{one}"} for one in members]}


def links(**paths: str) -> dict[str, Any]:
    return {name: {"@odata.id": path} for name, path in paths.items()}


def supply(own: str, line: str = "Normal", **others: Any) -> dict[str, Any]:
    """As `PowerSupply` has it since 2020."""
    return {"Id": own, "LineInputStatus": line, "Status": {"State": "Enabled", "Health": "OK"}, **others}


def server() -> dict[str, Any]:
    """A server with two supplies, by the newer way; the older one is there too, and says less."""
    return {
        "/redfish/v1/": links(Chassis="/redfish/v1/Chassis", Systems="/redfish/v1/Systems"),
        "/redfish/v1/Chassis": collection("/redfish/v1/Chassis", "1U"),
        CHASSIS: links(Power=f"{CHASSIS}/Power", PowerSubsystem=SUBSYSTEM),
        SUBSYSTEM: links(PowerSupplies=f"{SUBSYSTEM}/PowerSupplies"),
        f"{SUBSYSTEM}/PowerSupplies": collection(f"{SUBSYSTEM}/PowerSupplies", "Bay1", "Bay2"),
        f"{SUBSYSTEM}/PowerSupplies/Bay1": supply("Bay1"),
        f"{SUBSYSTEM}/PowerSupplies/Bay2": supply("Bay2"),
        "/redfish/v1/Systems": collection("/redfish/v1/Systems", "437XR1138R2"),
        "/redfish/v1/Systems/437XR1138R2": {"Id": "437XR1138R2", "PowerState": "On"},
    }


def older(*supplies: Mapping[str, Any]) -> dict[str, Any]:
    """A server that has its supplies in one page."""
    pages = server()
    pages[CHASSIS] = links(Power=f"{CHASSIS}/Power")
    pages[f"{CHASSIS}/Power"] = {"Id": "Power", "PowerSupplies": [*supplies]}
    return pages


def strip(**outlets: str) -> dict[str, Any]:
    """A power strip."""
    return {
        "/redfish/v1/": links(PowerEquipment="/redfish/v1/PowerEquipment"),
        "/redfish/v1/PowerEquipment": links(RackPDUs="/redfish/v1/PowerEquipment/RackPDUs"),
        "/redfish/v1/PowerEquipment/RackPDUs": collection("/redfish/v1/PowerEquipment/RackPDUs", "1"),
        STRIP: links(Outlets=f"{STRIP}/Outlets"),
        f"{STRIP}/Outlets": collection(f"{STRIP}/Outlets", *outlets),
        **{f"{STRIP}/Outlets/{own}": {"Id": own, "PowerState": word} for own, word in outlets.items()},
    }


@dataclass(slots=True)
class Bmc:
    """What it serves, and what it was asked."""

    pages: dict[str, Any]
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """`GET /redfish/v1/`."""

    connections: int = 0
    password: str = PASSWORD
    sessions: set[str] = field(default_factory=set)
    redirects: dict[str, str] = field(default_factory=dict)
    breaks_after: int = 1_000_000
    """So many answers on one connection, and then it closes, without having said so."""

    raw: dict[str, bytes] = field(default_factory=dict)
    """What is sent for a path instead of an answer."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        for _ in range(self.breaks_after):
            first, headers, body = await _request(reader)
            if not first:
                return
            self.asked.append(first)
            method, path = first.split(" ")
            if path in self.raw:
                writer.write(self.raw[path])
                await writer.drain()
                await reader.read()
                return
            writer.write(self._answer(method, path, headers, body))
            await writer.drain()

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        if method == "POST" and path == "/redfish/v1/SessionService/Sessions":
            said = json.loads(body)
            if said != {"UserName": "reader", "Password": self.password}:
                return _said(401, {})
            token = f"token-{len(self.asked)}"
            self.sessions.add(token)
            return _said(201, {}, f"X-Auth-Token: {token}\r\nLocation: {path}/1\r\n")
        pair = base64.b64encode(f"reader:{self.password}".encode()).decode()
        known = headers.get("authorization") == f"Basic {pair}"
        if self.password and not known and headers.get("x-auth-token") not in self.sessions:
            return _said(401, {}, 'WWW-Authenticate: Basic realm="bmc"\r\n')
        if path in self.redirects:
            return _said(308, {}, f"Location: {self.redirects[path]}\r\n")
        if path not in self.pages:
            return _said(404, {"error": {}})
        return _said(200, self.pages[path])


def _said(code: int, page: Any, headers: str = "") -> bytes:
    body = page if isinstance(page, bytes) else json.dumps(page).encode()
    return f"HTTP/1.1 {code} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return "", {}, b""
    pairs = (line.split(": ", 1) for line in lines[1:] if line)
    headers = {name.lower(): said for name, said in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return lines[0].removesuffix(" HTTP/1.1"), headers, body


@asynccontextmanager
async def bmc(pages: dict[str, Any], pair: Pair | None = None) -> AsyncIterator[Bmc]:
    """One on loopback; with TLS if it has a certificate."""
    one = Bmc(pages)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair.chain, pair.key)
            await writer.start_tls(context)
        await one.talk(reader, writer)

    async with serving(script) as one.port:
        yield one
