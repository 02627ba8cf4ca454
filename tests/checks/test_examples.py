"""Each example of the page runs, as it stands there, against a real server of its kind.

Only what differs from machine to machine is put in: where the server is, who logs in, whom we trust.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hostwatch import checks
from hostwatch.configuration.secret import Secret
from hostwatch.core.reading import Outcome
from tests.checks import bind, ftpds, mailroom, nginx, openssh
from tests.checks.aiming import example
from tests.checks.certificates import Papers
from tests.checks.conftest import look, serving

Here = dict[str, Any]
Serves = Callable[[Path, Papers], AbstractAsyncContextManager[Here]]

WEB = """
server {
    listen 127.0.0.1:$web ssl; listen [::1]:$web ssl; server_name www.example.com;
    ssl_certificate $folder/www.pem; ssl_certificate_key $folder/www.key;
    location = /status { return 200 "everything runs"; }
}
"""


@asynccontextmanager
async def web(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    certificates = Papers(folder)
    certificates.issue("www", names=("www.example.com",))
    with nginx.running(folder, ("web",), WEB) as server:
        port, trusted = server.ports["web"], str(certificates.ca)
        yield {"url": f"https://:{port}/status", "port": port, "tls": {"ca": trusted}, "ca": trusted}


@asynccontextmanager
async def http(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    async with web(folder, papers) as here:
        yield {"url": here["url"], "tls": here["tls"]}


@asynccontextmanager
async def tls(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    async with web(folder, papers) as here:
        yield {"port": here["port"], "ca": here["ca"]}


@asynccontextmanager
async def smtp(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    with mailroom.mailroom(papers) as both:
        where = {"host": "127.0.0.1", "tls": {"ca": str(papers.ca)}, "login": mailroom.login()["login"]}
        mailbox = {**where, "port": both.dovecot.imaps}
        delivery = {"from": mailroom.USER, "to": mailroom.USER, "mailbox": mailbox}
        yield {**where, "port": both.postfix.smtp, "delivery": delivery}


@asynccontextmanager
async def imap(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    async with _dovecot(papers) as (one, where):
        yield {**where, "port": one.imaps}


@asynccontextmanager
async def pop3(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    async with _dovecot(papers) as (one, where):
        yield {**where, "port": one.pop3}


@asynccontextmanager
async def _dovecot(papers: Papers) -> AsyncIterator[tuple[mailroom.Dovecot, Here]]:
    with mailroom.reading_room(papers) as one:
        yield one, {"host": "127.0.0.1", "tls": {"ca": str(papers.ca)}, "login": mailroom.login()["login"]}


@asynccontextmanager
async def ftp(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    with ftpds.pure_ftpd(folder, papers.valid) as server:
        file = folder / "root" / "pub" / "hostwatch.txt"
        file.write_text("all is well\n")
        file.chmod(0o644)
        login = {"user": ftpds.USER, "password": Secret(ftpds.PASSWORD)}
        yield {"host": "127.0.0.1", "port": server.port, "login": login, "tls": {"ca": str(papers.ca)}}


@asynccontextmanager
async def ssh(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    with openssh.sshd(folder) as server:
        yield {"port": server.port, "host_keys": [server.fingerprints["ed25519"]]}


@asynccontextmanager
async def dns(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    with bind.named(folder) as port:
        yield {"port": port, "name": "www.example.test", "answers": ["127.0.0.2"]}


@asynccontextmanager
async def tcp(folder: Path, papers: Papers) -> AsyncIterator[Here]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, _, what = (await reader.readline()).partition(b" ")
        writer.write(b"PONG " + what)
        await reader.read()

    async with serving(answer) as port:
        yield {"port": port}


SERVERS: dict[str, Serves] = {
    "dns": dns,
    "ftp": ftp,
    "http": http,
    "imap": imap,
    "pop3": pop3,
    "smtp": smtp,
    "ssh": ssh,
    "tcp": tcp,
    "tls": tls,
}


def test_there_is_a_server_for_each_kind() -> None:
    assert set(SERVERS) == set(checks.kinds())


@pytest.mark.parametrize("kind", checks.kinds())
async def test_its_example_runs(kind: str, tmp_path_factory: pytest.TempPathFactory, papers: Papers) -> None:
    folder = tmp_path_factory.mktemp(kind)
    with ExitStack() as opened:
        for place in (folder, *folder.parents):
            if place.stat().st_uid == os.geteuid() and place != Path("/"):
                opened.callback(place.chmod, place.stat().st_mode)
                place.chmod(place.stat().st_mode | 0o011)  # servers give up their rights, and must get there
        async with SERVERS[kind](folder, papers) as here:
            found = await look(kind, _joined(example(kind), here))

    assert (found.outcome, found.sentence) == (Outcome.ANSWERED, "")


def _joined(written: Any, here: Any) -> Any:
    """What is written, with what is known of this machine put in."""
    if not isinstance(written, dict) or not isinstance(here, dict) or {*written} <= {"credential", "env"}:
        return here
    both = {**written, **here}
    return {
        name: _joined(written[name], here[name]) if name in written and name in here else value
        for name, value in both.items()
    }
