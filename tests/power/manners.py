"""How a server of each kind of source begins well, before it turns bad; and how it is asked."""

from __future__ import annotations

from hostwatch.power import nut
from tests.checks.hostile import Manners
from tests.checks.victim import Order

KNOWN = {"ups.status": "OL", "outlet.count": "2"}
ANSWERS_OF_UPSD = "".join(
    f'VAR ups1 {name} "{KNOWN[name]}"\n' if name in KNOWN else "ERR VAR-NOT-SUPPORTED\n"
    for name in nut.VARIABLES
).encode()

ROOT = b'{"Chassis": {"@odata.id": "/redfish/v1/Chassis"}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"

REGISTERS = [
    {"register": 0, "says": "output", "when": "== 1"},
    {"register": 9, "says": "utility", "when": "== 1"},
]
FIRST_OF_A_METER = bytes.fromhex("0001 0000 0005 01 03 02 0001")

MANNERS: dict[str, Manners] = {
    "modbus": Manners(
        says=(FIRST_OF_A_METER,),
        more=bytes.fromhex("0002 0000 00fe 01 03 02 0001"),
        ask_ends=b"\x00\x01",
        written={"registers": REGISTERS},
    ),
    "nut": Manners(
        says=(b"", ANSWERS_OF_UPSD),
        more=b'VAR ups1 ups.status "OL"\n',
        ask_ends=b"output.L3.voltage\n",  # so the first ask ends, and the one for outlets otherwise
        written={"ups": "ups1"},
    ),
    "redfish": Manners(
        says=(b"", HEAD % len(ROOT) + ROOT, HEAD % 200 + b'{"Members": ['),
        ask_ends=b"\r\n\r\n",
        written={"scheme": "http"},
    ),
}


def order(kind: str, port: int, timeout: str, **written: object) -> Order:
    """To ask a server of a kind of source at a port."""
    mine = {"address": "127.0.0.1", "port": port, "timeout": timeout}
    return Order(kind=f"power/{kind}", written={**mine, **MANNERS[kind].written, **written})
