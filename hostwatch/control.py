"""The control socket: how the command line, and people through it, speak to a running watch.

A request is one line of JSON, `{"do": "reload"}`; so is the answer, `{"ok": true, …}`. The kernel
says who asks (`SO_PEERCRED`), and that goes into the record as the author.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import pwd
import socket
import stat
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from hostwatch import log

REQUEST_MAX_BYTES = 64 * 1024
ANSWER_MAX_BYTES = 16 * 1024 * 1024
REQUEST_WITHIN_S = 10.0
CONNECTIONS_MAX = 16
NOBODY_LOGGED_IN = 2**32 - 1

Handler = Callable[[str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Does what was asked for the author that is named; gets the whole request; its answer is JSON types."""


class ControlError(Exception):
    """The watch cannot be spoken to."""


class ControlServer:
    """Listens for requests until closed."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler], *, leased: bool) -> None:
        """`leased`: the path belongs to our store, whose lease we hold, so nobody else may listen there."""
        self._path = path
        self._handlers = handlers
        self._open = 0
        self._server: asyncio.AbstractServer | None = None
        self._leased = leased
        self._ours: tuple[int, int] | None = None

    async def start(self) -> None:
        """Listen. A socket that a dead watch left behind is replaced.

        Raises `ControlError` when something else is there, or when somebody listens there already.
        """
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room()
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, path=self._path, limit=REQUEST_MAX_BYTES
            )
        finally:
            os.umask(before)
        self._ours = self._there()

    async def close(self) -> None:
        """Stop listening. A socket that another watch has put in our place is left alone."""
        if self._server is not None:
            self._server.close()
            if self._ours == self._there():
                self._path.unlink(missing_ok=True)

    def _make_room(self) -> None:
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise ControlError(
                f"cannot listen at {self._path}: a file that is no socket is there;"
                " move it away, or set `control:` to another path"
            )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
            if not self._leased and sock.connect_ex(str(self._path)) != errno.ECONNREFUSED:
                raise ControlError(
                    f"cannot listen at {self._path}: another watch does; set `control:` to another path"
                )
        self._path.unlink(missing_ok=True)

    def _there(self) -> tuple[int, int] | None:
        """Which file is at our path."""
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > CONNECTIONS_MAX:
                answer: Mapping[str, Any] = {"ok": False, "error": "too many connections"}
            else:
                answer = await self._answer(reader, author_of(writer.get_extra_info("socket")))
            writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            await asyncio.wait_for(writer.drain(), REQUEST_WITHIN_S)
        except (OSError, TimeoutError) as error:
            log.debug("control-lost", error=repr(error))
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, author: str) -> Mapping[str, Any]:
        try:
            line = await asyncio.wait_for(reader.readline(), REQUEST_WITHIN_S)
            request = json.loads(line)
            handler = self._handlers[request["do"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"ok": False, "error": f"cannot read the request; known: {', '.join(self._handlers)}"}
        except TimeoutError:
            return {"ok": False, "error": f"no request came within {REQUEST_WITHIN_S:g} s"}
        try:
            return {"ok": True, **await handler(author, request)}
        except Exception as error:  # a fault in a handler must not take the watch down
            log.error("control-broke", request=request["do"], error=repr(error))
            return {"ok": False, "error": f"the watch could not do it: {error!r}"}


def author_of(sock: socket.socket) -> str:
    """Who is at the other end, by the kernel's word: `root (uid 0, process 4711, login 1000 chen)`.

    Who logged in is said if the kernel knows it: `sudo` does not change that.
    """
    process, uid, _ = struct.unpack("=iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    login = login_of(process)
    more = "" if login is None else f", login {login} {user_name(login)}"
    return f"{user_name(uid)} (uid {uid}, process {process}{more})"


def login_of(process: int) -> int | None:
    """The user who logged in, and from whose login a process comes; None if the kernel knows of none."""
    try:
        login = int(Path(f"/proc/{process}/loginuid").read_bytes())
    except (OSError, ValueError):
        return None
    return None if login == NOBODY_LOGGED_IN else login


def user_name(uid: int) -> str:
    """The name of a user, or that there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "nameless"


def ask(path: Path, what: str, *, within_s: float = 60.0, **more: str) -> dict[str, Any]:
    """Ask a running watch, with more words if need be. Raises `ControlError` in words for a person."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(within_s)
            sock.connect(str(path))
            sock.sendall(json.dumps({"do": what, **more}).encode() + b"\n")
            with sock.makefile("rb") as answer:
                line = answer.readline(ANSWER_MAX_BYTES)
    except (FileNotFoundError, ConnectionRefusedError):
        raise ControlError(f"no watch is running here: nothing listens at {path}") from None
    except PermissionError:
        raise ControlError(f"cannot speak to the watch at {path}: only its user and root may") from None
    except TimeoutError:
        raise ControlError(f"the watch at {path} did not answer within {within_s:g} s") from None
    except OSError as error:
        raise ControlError(f"cannot speak to the watch at {path}: {error.strerror or error}") from None
    try:
        result = json.loads(line)
    except ValueError:
        raise ControlError(f"the watch at {path} broke off before it had answered") from None
    if not isinstance(result, dict):
        raise ControlError(f"what answers at {path} is no watch")
    return result
