"""Checks of applications beside blackbox_exporter: the same server, the same questions, by turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench import checking, tools
from tests.bench.bench import Bench
from tests.bench.checking import Exporter, Measured, Ours
from tests.bench.machine import core_for
from tests.bench.table import Line, at_most, missing, versus
from tests.checks import ftpds, mailroom, nginx
from tests.checks.certificates import Papers

RATE = 10_000 / 300
"""Ten thousand checks in five minutes."""

PAGE = "<title>everything runs</title>\n" + "<p>hello, this is a page of a few lines</p>\n" * 20
SITES = """
server { listen 127.0.0.1:$plain; listen [::1]:$plain; root $folder/www; }
server { listen 127.0.0.1:$tls ssl; listen [::1]:$tls ssl; root $folder/www;
    ssl_certificate $folder/valid.pem; ssl_certificate_key $folder/valid.key; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One application, as both are told to check it."""

    name: str
    kind: str
    written: dict[str, Any]
    target: str
    module: dict[str, Any]
    server: int
    """The first process of the server, whose time and whose children's is nobody's here."""

    goal: float | None = None
    """Ours divided by theirs, at most."""

    percent_max: float | None = None
    """Of one core, at 33 checks a second."""


@contextmanager
def web(folder: Path) -> Iterator[list[Subject]]:
    """The same pages by HTTP and HTTPS."""
    papers = Papers(folder)
    _ = papers.valid, papers.ca
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text(PAGE)
    found = {"fail_if_body_not_matches_regexp": ["everything runs"], "preferred_ip_protocol": "ip4"}
    with nginx.running(folder, ("plain", "tls"), SITES) as server:
        plain, tls = server.ports["plain"], server.ports["tls"]
        yield [
            Subject(
                name="HTTP",
                kind="http",
                written={"url": f"http://127.0.0.1:{plain}/", "contains": "everything runs"},
                target=f"http://127.0.0.1:{plain}/",
                module={"prober": "http", "timeout": "10s", "http": found},
                server=server.process.pid,
                goal=0.6,
                percent_max=3.0,
            ),
            Subject(
                name="HTTPS",
                kind="http",
                written={
                    "url": f"https://127.0.0.1:{tls}/",
                    "contains": "everything runs",
                    "tls": {"ca": str(papers.ca)},
                },
                target=f"https://127.0.0.1:{tls}/",
                module={
                    "prober": "http",
                    "timeout": "10s",
                    "http": {**found, "tls_config": {"ca_file": str(papers.ca)}},
                },
                server=server.process.pid,
                goal=1.15,
                percent_max=8.0,
            ),
        ]


def _talk(*lines: tuple[str, str], tls_from: int = -1, ca: Path | None = None) -> dict[str, Any]:
    """A talk line by line, as blackbox_exporter is told it: what is awaited, and what is said then."""
    steps: list[dict[str, Any]] = []
    for place, (awaited, said) in enumerate(lines):
        steps.append({"expect": awaited})
        if place == tls_from:
            steps.append({"starttls": True})
        if said:
            steps.append({"send": f"{said}\r"})
    more = {} if ca is None else {"tls_config": {"ca_file": str(ca)}}
    return {
        "prober": "tcp",
        "timeout": "10s",
        "tcp": {"query_response": steps, "preferred_ip_protocol": "ip4", **more},
    }


@contextmanager
def mail(folder: Path) -> Iterator[list[Subject]]:
    """Greeting, EHLO and QUIT, in plain text and by STARTTLS."""
    papers = Papers(folder)
    with mailroom.mailroom(papers) as both:
        server = both.postfix
        hello, plain = ("^250 ", "QUIT"), {"host": "127.0.0.1", "port": server.smtp, "hello": "bench.test"}
        target = f"127.0.0.1:{server.smtp}"
        yield [
            Subject(
                name="SMTP",
                kind="smtp",
                written=plain,
                target=target,
                module=_talk(("^220 ", "EHLO bench.test"), hello, ("^221 ", "")),
                server=server.process.pid,
            ),
            Subject(
                name="SMTP with STARTTLS",
                kind="smtp",
                written={**plain, "starttls": "required", "tls": {"ca": str(papers.ca)}},
                target=target,
                module=_talk(
                    ("^220 ", "EHLO bench.test"),
                    ("^250-STARTTLS", "STARTTLS"),
                    ("^220 ", "EHLO bench.test"),
                    hello,
                    ("^221 ", ""),
                    tls_from=2,
                    ca=papers.ca,
                ),
                server=server.process.pid,
            ),
        ]


@contextmanager
def files(folder: Path) -> Iterator[list[Subject]]:
    """Greeting, a login as anybody, QUIT."""
    with ftpds.vsftpd(folder, Papers(folder).valid) as server:
        yield [
            Subject(
                name="FTP",
                kind="ftp",
                written={"host": "127.0.0.1", "port": server.port, "anonymous": True},
                target=f"127.0.0.1:{server.port}",
                module=_talk(
                    ("^220 ", "USER anonymous"), ("^331 ", "PASS bench@"), ("^230 ", "QUIT"), ("^221 ", "")
                ),
                server=server.process.pid,
            )
        ]


SERVERS: tuple[Callable[[Path], AbstractContextManager[list[Subject]]], ...] = (web, mail, files)


def measure(bench: Bench) -> Iterator[Line]:
    """Each server in turn."""
    for place, serve in enumerate(SERVERS):
        folder = bench.scratch / f"server-{place}"
        folder.mkdir()
        with serve(folder) as subjects:
            for pid in checking.children(subjects[0].server):
                tools.hold_to(pid, core_for(1))
            for subject in subjects:
                yield from asyncio.run(_lines(bench, folder, subject))


async def _lines(bench: Bench, folder: Path, subject: Subject) -> list[Line]:
    return [line async for line in _compared(bench, folder, subject)]


async def _compared(bench: Bench, folder: Path, subject: Subject) -> AsyncIterator[Line]:
    bench.say(f"checks: {subject.name}")
    many, paced_s = (500, 10) if bench.quick else (2_000, 30)
    asked = f"{many:,} checks of {subject.name}, {checking.AT_ONCE} at a time"
    async with checking.ours() as our:
        our.define(subject.kind, subject.written)
        try:
            async with checking.exporter(folder, {"bench": subject.module}) as their:
                their.define("bench", subject.target)
                flat, paced = await _rounds(bench, [our, their], subject, many, paced_s)
        except tools.NotThere as error:
            yield missing(row="checks", measure="CPU a check", asked=asked, why=str(error))
            flat, paced = await _rounds(bench, [our], subject, many, paced_s)
    if len(flat) > 1:
        for one, what in ((flat, asked), (paced, f"{subject.name}, {RATE:.0f} checks/s, {paced_s} s")):
            yield versus(
                row="checks",
                measure="CPU a check",
                asked=what,
                ours=one[0].cpu_us,
                theirs=one[1].cpu_us,
                goal=subject.goal,
                whose=one[1].who.name,
                note=_noise(one),
            )
    note = "; ".join(
        [f"{paced[0].checks:,} checks, {paced[0].failed:,} failed", *filter(None, [_noise(paced)])]
    )
    share = at_most(
        row="checks",
        measure="share of a core",
        asked=f"{subject.name}, {RATE:.0f} checks/s",
        ours=paced[0].percent,
        goal=subject.percent_max or 100.0,
        unit="%",
        note=note,
    )
    yield share if subject.percent_max else replace(share, goal="–", reached=None)


async def _rounds(
    bench: Bench, who: list[Ours | Exporter], subject: Subject, many: int, paced_s: int
) -> tuple[list[Measured], list[Measured]]:
    flat, paced = [Measured(one) for one in who], [Measured(one) for one in who]
    for one in who:
        if await one.check(20, 0) != 20:
            raise RuntimeError(f"{one.name} finds {subject.name} broken")
    await checking.by_turns(flat, bench.rounds, many, 0, subject.server)
    await checking.by_turns(paced, bench.rounds, round(paced_s * RATE), RATE, subject.server)
    return flat, paced


def _noise(contestants: list[Measured]) -> str:
    noisy = [one for one in contestants if one.noisy]
    if not noisy:
        return ""
    others = max(run.others for one in noisy for run in one.runs)
    return f"other work took up to {others:.1f} cores meanwhile: compare only within a line"
