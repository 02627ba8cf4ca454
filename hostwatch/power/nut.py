"""Network UPS Tools: an `upsd` that speaks for a UPS, a strip or a transfer switch (RFC 9271, TCP 3493).

All variables are asked for at once, and the outlets, if there are any, in a second go: reading costs two
round trips. Asking for a list would cost one wait for each variable. An `upsd` that has not heard from the
UPS, or whose driver does not run, knows nothing, and neither do we: that is never an absent utility.

Reading needs no login, and `upsd` compares no password before somebody logs in to a UPS. So who writes a
user and a password is logged in: the user must be `upsmon secondary` there, and for the time of the reading
`upsd` counts one client more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from hostwatch.configuration.fields import DeviceAddress, Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.core import upswords
from hostwatch.power import base
from hostwatch.power.base import Line, Missed, PowerReading, Step, Tls, Visit

EXAMPLE = """
nut:
  address: 192.0.2.5
  ups: ups1
"""

PORT: Final = 3493

OUTLETS_MAX: Final = 200
"""Outlets of one device that are asked for."""

OUTLETS_UNCOUNTED: Final = 8
"""Outlets that are asked for of a device that has some and counts none: a UPS with switched groups."""

INPUTS_MAX: Final = 4
"""Inputs of a transfer switch that are asked for."""

TRANSFER_SWITCH: Final = "ats"
"""What a transfer switch calls itself. It has two inputs, if it does not say how many."""

FIRST_OUTLET: Final = "outlet.1.status"

PIECE_BYTES_MAX: Final = 400
"""Of what is sent at once. upsd takes 512 bytes of a piece that came by TLS, and forgets the rest of it until
another one comes."""

SIDES: Final = ("input", "output")
VARIABLES: Final = (
    *("ups.status", "ups.alarm", "ups.load", "device.type", "outlet.count", FIRST_OUTLET, "input.count"),
    *("battery.charge", "battery.charge.low", "battery.runtime", "battery.runtime.low"),
    *(f"{side}.voltage" for side in SIDES),
    *(f"{side}.voltage.nominal" for side in SIDES),
    *(f"{side}.{phase}.voltage" for side in SIDES for phase in upswords.PHASES),
)
"""What every device is asked for. Most know a few of them."""

ERRORS: Final = {
    "DATA-STALE": "upsd has not heard from the UPS for too long",
    "DRIVER-NOT-CONNECTED": "the driver of the UPS does not run",
    "UNKNOWN-UPS": "upsd knows no UPS of that name",
    "ACCESS-DENIED": "upsd denies access: the user or the password is wrong, or the user is no upsmon there",
    "INVALID-USERNAME": "upsd does not take the user",
    "INVALID-PASSWORD": "upsd does not take the password",
    "FEATURE-NOT-CONFIGURED": "upsd is not set up for that",
    "FEATURE-NOT-SUPPORTED": "upsd cannot do that",
}
"""What upsd answers instead of what it was asked for."""

NOT_KNOWN: Final = "VAR-NOT-SUPPORTED"
"""The device has no such variable."""

_VARIABLE = re.compile(rb'VAR (\S+) (\S+) "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(rb"\\(.)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def _check_name(value: str) -> str:
    if _NAME.fullmatch(value):
        return value
    raise Wrong("is not the name of a UPS", "write the name that stands in brackets in ups.conf there")


def _check_password(value: Secret) -> Secret:
    if any(not sign.isprintable() for sign in value.reveal()):
        raise Wrong("the password holds a control character", "keep it as one line of text")
    return value


class Settings(base.Settings):
    """Where upsd is, and which of its devices is asked for."""

    address: DeviceAddress
    """The address of the machine on which upsd runs. Names are not looked up here."""

    port: base.Port = PORT
    """Its port."""

    ups: Annotated[str, AfterValidator(_check_name)]
    """The name of the device, as `upsc -l` lists it there."""

    outlets: Annotated[int, Field(ge=0, le=OUTLETS_MAX, strict=True)] | None = None
    """How many outlets are asked for; if absent, as many as the device says that it has (`outlet.count`), or
    8 if it counts none and says how the first one is."""

    starttls: Tls | None = None
    """TLS, begun by a command; without it all goes in plain text."""

    user: Text | None = None
    """Who logs in to the UPS; nobody needs to for reading."""

    password: Annotated[Secret, AfterValidator(_check_password)] | None = None
    """The password of the user."""

    unprotected_login: bool = False
    """Whether the password may go where it can be read on the way, or to whoever says that it is upsd."""

    @model_validator(mode="after")
    def _logs_in_well(self) -> Settings:
        if (self.user is None) is not (self.password is None):
            raise Wrong("has a user or a password, and not both", "write both, or neither")
        is_protected = self.starttls is not None and self.starttls.verify
        if self.password is not None and not is_protected and not self.unprotected_login:
            raise Wrong(
                "would send the password without TLS, or to whoever answers",
                "write starttls: {}, or unprotected_login: true if you must",
            )
        return self


async def read(settings: Settings, visit: Visit) -> PowerReading:
    """Ask upsd once."""
    line = await _connect(settings, visit)
    if settings.starttls is not None:
        await line.start_tls(settings.starttls, str(settings.address), lambda: _connect(settings, visit))
    if settings.user is not None and settings.password is not None:
        await _log_in(settings.user, settings.password, settings.ups, visit, line)
    with visit.at(Step.ANSWER):
        said = await _ask(settings.ups, VARIABLES, line)
        more = _numbered(settings, said)
        said |= await _ask(settings.ups, more, line) if more else {}
    return upswords.reading(said)


async def _connect(settings: Settings, visit: Visit) -> Line:
    """A connection on which TLS may begin, if it is to."""
    line = await base.connect(visit, str(settings.address), settings.port)
    if settings.starttls is not None:
        with visit.at(Step.TLS):
            await line.write(b"STARTTLS\n")
            _must_agree(await line.read_line(), "OK STARTTLS")
    return line


async def _log_in(user: str, password: Secret, ups: str, visit: Visit, line: Line) -> None:
    """Raises `Missed` if user and password do not open the UPS."""
    visit.conceal(password.reveal())
    with visit.at(Step.LOGIN):
        for command, word in (("USERNAME", user), ("PASSWORD", password.reveal()), ("LOGIN", ups)):
            shown = f"{command} ***" if command == "PASSWORD" else None
            await line.write(f"{command} {_quoted(word)}\n".encode(), shown)
            _must_agree(await line.read_line(), "OK")


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _must_agree(answer: bytes, wanted: str) -> None:
    if answer.split(b" ")[0] != b"OK":
        raise _refused(answer, wanted)


def _numbered(settings: Settings, said: dict[str, str]) -> list[str]:
    """The variables of the outlets and inputs that the device has, as far as it tells."""
    has_some = said.pop(FIRST_OUTLET, None) is not None
    outlets = _count(said.get("outlet.count"), OUTLETS_MAX, OUTLETS_UNCOUNTED if has_some else 0)
    outlets = outlets if settings.outlets is None else settings.outlets
    untold = 2 if said.get("device.type") == TRANSFER_SWITCH else 0
    inputs = _count(said.get("input.count"), INPUTS_MAX, untold)
    found = [f"outlet.{number}.status" for number in range(1, outlets + 1)]
    return found + [f"input.{number}.voltage" for number in range(1, inputs + 1)]


def _count(text: str | None, most: int, untold: int) -> int:
    """A number that a device says of itself, at most `most`; `untold` if it says none."""
    found = re.match(r"[0-9]{1,6}", text or "")
    return min(int(found[0]), most) if found else untold


async def _ask(ups: str, names: Sequence[str], line: Line) -> dict[str, str]:
    """What the device says of each variable that it knows, all asked for at once."""
    for piece in _pieces([f"GET VAR {ups} {name}\n".encode() for name in names]):
        await line.write(piece)
    said = {}
    for name in names:
        value = _value(await line.read_line(), ups, name)
        if value is not None:
            said[name] = value
    return said


def _pieces(commands: Sequence[bytes]) -> Iterator[bytes]:
    """Some commands at a time, none of them cut in two."""
    piece = b""
    for command in commands:
        if piece and len(piece) + len(command) > PIECE_BYTES_MAX:
            yield piece
            piece = b""
        piece += command
    yield piece


def _value(answer: bytes, ups: str, name: str) -> str | None:
    """The value in an answer; None if the device does not know the variable. Raises `Missed`."""
    found = _VARIABLE.fullmatch(answer)
    if found is None:
        if answer.split() == [b"ERR", NOT_KNOWN.encode()]:
            return None
        raise _refused(answer, f"VAR {ups} {name}")
    if (found[1], found[2]) != (ups.encode(), name.encode()):
        raise Missed("upsd answers another question", expected=f"VAR {ups} {name}", came=answer)
    return _ESCAPED.sub(rb"\1", found[3]).decode("utf-8", "replace")


def _refused(answer: bytes, wanted: str) -> Missed:
    """What it means that something else came."""
    first, _, rest = answer.partition(b" ")
    if first != b"ERR":
        return Missed("this is no answer of upsd", expected=wanted, came=answer)
    word = rest.split(b" ")[0].decode("ascii", "replace")
    return Missed(ERRORS.get(word, "upsd refuses"), expected=wanted, came=answer)
