"""The web server of a management controller: JSON over one connection, from one place and no other.

These servers are slow, their certificates are signed by nobody, and they take few logins at a time. So one
connection serves a whole reading, a certificate may be pinned by its fingerprint, and a session is kept.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, model_validator

import hostwatch
from hostwatch.checks._content import JSON_BYTES_MAX
from hostwatch.checks._http import Head, read_body, read_head
from hostwatch.checks._url import PORTS, authority
from hostwatch.configuration.fields import DeviceAddress, Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Secret
from hostwatch.power import base
from hostwatch.power.base import Line, Missed, Step, Tls, Visit

PATH_CHARS_MAX: Final = 500
"""The longest link that is followed."""

TOKEN_CHARS_MAX: Final = 1_000

REDIRECTS_MAX: Final = 2

REFUSED_FOR_US: Final = 300 * 10**6
"""How long nobody logs in again after a login was refused: many controllers lock an account after a few."""

WAITING: Final = "the server did not take the login; nobody tries for some minutes, lest it lock the user"

SESSIONS: Final = "/redfish/v1/SessionService/Sessions"

_FINGERPRINT = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_PATH = re.compile(r"/(?!/)[!-~]*")


def _check_fingerprint(value: str) -> str:
    found = _FINGERPRINT.fullmatch(value.lower().replace(":", "").replace("sha256", "sha256:", 1))
    if found is None:
        raise Wrong(
            "is no fingerprint of a certificate",
            "write the 64 digits that `openssl x509 -noout -fingerprint -sha256` shows",
        )
    return found[1]


class Access(base.Settings):
    """Where a controller is, who asks, and how it is known to be the right one."""

    address: DeviceAddress
    """The address of the management controller. Names are not looked up here."""

    port: base.Port | None = None
    """Its port; 443, or 80 without TLS, if absent."""

    scheme: Literal["https", "http"] = "https"
    """Whether TLS is spoken."""

    user: Text | None = None
    """Who asks. A user with no right but to read will do."""

    password: Secret | None = None
    """The password of the user."""

    login: Literal["basic", "session"] = "basic"
    """How: with each question, or once, by a session that is kept. A controller keeps few sessions."""

    tls: Tls = Tls()
    """How TLS is spoken."""

    fingerprint: Annotated[str, AfterValidator(_check_fingerprint)] | None = None
    """The SHA-256 fingerprint of the certificate: then it must be that very one, and nothing else of it
    counts: not who signed it, nor for what name, nor until when."""

    unprotected_login: bool = False
    """Allows that the password goes over a line without TLS, or to a server whose certificate nobody
    verified."""

    @model_validator(mode="after")
    def _is_protected(self) -> Access:
        if (self.user is None) is not (self.password is None):
            raise Wrong("needs both a user and a password, or neither", "write user: and password: {file: …}")
        if self.fingerprint is not None and (self.scheme == "http" or not self.tls.verify or self.tls.ca):
            raise Wrong(
                "pins a certificate, and says otherwise how it is verified",
                "remove the fingerprint, or scheme: http, verify: false and ca:",
            )
        if self.password is None or self.unprotected_login:
            return self
        if self.scheme == "http":
            raise Wrong(
                "a password would go over the line in plain text",
                "write scheme: https, or unprotected_login: true if it may",
            )
        if not self.tls.verify:
            raise Wrong(
                "a password would go to a server whose certificate nobody verified",
                "write fingerprint: instead of verify: false, or unprotected_login: true if it may",
            )
        return self

    @property
    def at(self) -> int:
        """The port."""
        return self.port or PORTS[self.scheme]


@dataclass(slots=True)
class Session:
    """What is remembered of a login between readings."""

    token: str = ""
    refused_until_us: int = 0
    """By our monotonic clock: no login is tried before."""


class Bmc:
    """A controller during one reading."""

    def __init__(self, access: Access, visit: Visit, session: Session) -> None:
        self._access = access
        self._visit = visit
        self._session = session
        self._line: Line | None = None
        self._answers = False
        """Whether the answer to the last question has begun."""

        if access.password is not None:
            visit.conceal(access.password.reveal())
            visit.conceal(f"{access.user}:{access.password.reveal()}")
        if session.token:
            visit.conceal(session.token)

    async def get(self, path: str) -> dict[str, Any] | None:
        """What stands at a path; None if nothing does (404). Raises `Missed`."""
        if self._access.login == "session" and self._access.password is not None and not self._session.token:
            await self._log_in()
        had_token = bool(self._session.token)
        head, body = await self._followed(path)
        if head.status == 401 and had_token:  # it is over: sessions end when nobody asks for a while
            self._session.token = ""
            await self._log_in()
            head, body = await self._followed(path)
        if head.status in (404, 410):
            return None
        if head.status == 401:
            raise self._refused("the server wants a login" if self._access.user is None else "")
        if head.status == 403:
            raise Missed("the user may not read this", came=head.said, step=Step.LOGIN)
        if head.status != 200:
            raise Missed(f"the server answered {head.status}: {path}", expected="200", came=head.said)
        return _object(body)

    async def _followed(self, path: str) -> tuple[Head, bytes]:
        """The answer, after redirects, which stay where we are."""
        head, body = await self._ask("GET", path)
        for _ in range(REDIRECTS_MAX):
            if head.status not in (301, 302, 307, 308):
                break
            head, body = await self._ask("GET", self._here(head.header(b"location")))
        return head, body

    def _here(self, location: bytes) -> str:
        """The path of a redirect. Raises `Missed` if it leads to another server."""
        said = location.decode("latin-1")
        address = str(self._access.address)
        own = f"{self._access.scheme}://{authority(address, self._access.at, self._access.scheme)}"
        path = said.removeprefix(own)
        if not is_path(path):
            raise Missed("redirected to where this source may not go", expected=f"{own}/…", came=location)
        return path

    async def _log_in(self) -> None:
        """Begin a session. Raises `Missed`."""
        assert self._access.password is not None
        with self._visit.at(Step.LOGIN):
            self._wait_after_a_refusal()
            asked = {"UserName": self._access.user, "Password": self._access.password.reveal()}
            head, _ = await self._ask("POST", SESSIONS, json.dumps(asked).encode())
            token = head.header(b"x-auth-token").decode("latin-1")
            if head.status in (400, 401, 403):
                raise self._refused()
            if head.status not in (200, 201) or not 0 < len(token) <= TOKEN_CHARS_MAX:
                raise Missed("the server gives no session", expected="201 and X-Auth-Token", came=head.said)
            self._visit.conceal(token)
            self._session.token = token

    def _wait_after_a_refusal(self) -> None:
        left_us = self._session.refused_until_us - self._visit.surroundings.monotonic_us()
        if left_us > 0:
            raise Missed(WAITING, step=Step.LOGIN)

    def _refused(self, why: str = "") -> Missed:
        """A login was not taken."""
        if self._access.user is not None:
            self._session.refused_until_us = self._visit.surroundings.monotonic_us() + REFUSED_FOR_US
        return Missed(why or "the server does not take the login", step=Step.LOGIN)

    async def _ask(self, method: str, path: str, body: bytes = b"") -> tuple[Head, bytes]:
        """One question and its answer: on the connection that is there, or a new one if it has ended."""
        if self._access.login == "basic" and self._access.password is not None:
            self._wait_after_a_refusal()
        if self._line is not None:
            try:
                return await self._exchange(self._line, method, path, body)
            except Missed:
                if self._answers or method != "GET":
                    raise
        self._line = await self._connected()
        return await self._exchange(self._line, method, path, body)

    async def _exchange(self, line: Line, method: str, path: str, body: bytes) -> tuple[Head, bytes]:
        self._line, self._answers = None, False
        with self._visit.at(self._visit.step if self._visit.step is Step.LOGIN else Step.ANSWER):
            shown = f"{method} {path} HTTP/1.1"
            lines = [shown, *self._headers()]
            if method == "POST":
                lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
            await line.write("\r\n".join((*lines, "", "")).encode() + body, shown=shown)
            head = await read_head(line)
            self._answers = True
            came = bytearray()

            def feed(piece: bytes) -> None:
                if len(came) + len(piece) > JSON_BYTES_MAX:
                    raise Missed(
                        "the answer is too long for JSON", expected=f"at most {JSON_BYTES_MAX:,} bytes"
                    )
                came.extend(piece)

            await read_body(line, head, method, feed)
            if _stays(head):
                self._line = line
            else:
                line.close()
            return head, bytes(came)

    def _headers(self) -> list[str]:
        access = self._access
        lines = [
            f"Host: {authority(str(access.address), access.at, access.scheme)}",
            f"User-Agent: hostwatch/{hostwatch.__version__}",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "OData-Version: 4.0",
        ]
        if self._session.token:
            lines.append(f"X-Auth-Token: {self._session.token}")
        elif access.login == "basic" and access.password is not None:
            pair = base64.b64encode(f"{access.user}:{access.password.reveal()}".encode()).decode()
            lines.append(f"Authorization: Basic {pair}")
        return lines

    async def _connected(self) -> Line:
        access = self._access
        tls = access.tls if access.scheme == "https" else None
        if tls is not None and access.fingerprint is not None:
            tls = tls.model_copy(update={"verify": False})
        line = await base.connect(self._visit, str(access.address), access.at, tls)
        if access.fingerprint is not None and line.tls is not None:
            came = hashlib.sha256(line.tls.getpeercert(True) or b"").hexdigest()
            if came != access.fingerprint:
                raise Missed(
                    "the certificate is another one than the configuration says",
                    expected=access.fingerprint,
                    came=came,
                    step=Step.TLS,
                )
        return line


def _stays(head: Head) -> bool:
    """Whether the connection can be asked again."""
    known_end = (
        b"content-length" in head.headers or b"transfer-encoding" in head.headers or head.status == 204
    )
    return known_end and b"close" not in head.header(b"connection").lower()


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Missed("the answer is no object of JSON", came=body[:200])
    return found


def is_path(link: object) -> bool:
    """Whether that is a path on the same server."""
    return isinstance(link, str) and len(link) <= PATH_CHARS_MAX and _PATH.fullmatch(link) is not None


def link(found: Mapping[str, Any], name: str) -> str:
    """Where a member of an object leads; empty if nowhere that we go."""
    inside = found.get(name)
    path = inside.get("@odata.id") if isinstance(inside, dict) else None
    return str(path).partition("#")[0] if is_path(path) else ""
