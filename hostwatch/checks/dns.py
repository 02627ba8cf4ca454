"""A name server: a question about one name, and what must be answered.

The server is asked itself, not our own resolver. Answers are compared as records and not as text: the case
of names, and how a text is cut into pieces, make no difference. What does not fit into a datagram is asked
for again over TCP, as every resolver does. A datagram that gets lost is sent anew.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Final, Literal

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from pydantic import AfterValidator, Field, model_validator

from hostwatch.checks import base
from hostwatch.checks._question import (
    RECORDS_AT_ONCE,
    Truncated,
    framed,
    over_datagrams,
    question,
    read,
)
from hostwatch.configuration.fields import Text
from hostwatch.configuration.mistake import Wrong

EXAMPLE = """
dns:
  name: www.example.com
  type: A
  protocol: tcp
  answers: [192.0.2.7]
"""

ANSWERS_MAX: Final = 100
"""Records that may be expected."""

RECORDS_SHOWN: Final = 20
"""Records of an answer that stand in the transcript."""

AGAIN_S: Final = 2.0
"""After this time without an answer a datagram is sent again: one may get lost."""

SENDINGS_MAX: Final = 3
"""How often a question is sent in all."""

WITHOUT_EDNS: Final = (dns.rcode.FORMERR, dns.rcode.NOTIMP)
"""What servers say that are older than the extensions of 1999."""


def _check_name(value: str) -> str:
    try:
        dns.name.from_text(value)
    except (dns.exception.DNSException, UnicodeError):
        raise Wrong("is not a name", "write a name such as www.example.com") from None
    return value


def _check_type(value: str) -> str:
    try:
        kind = dns.rdatatype.from_text(value.upper())
    except (dns.exception.DNSException, ValueError):
        kind = dns.rdatatype.ANY
    if dns.rdatatype.is_metatype(kind):
        raise Wrong("is not a type of records", "write one such as A, AAAA, MX, NS, SOA, TXT or SRV")
    return dns.rdatatype.to_text(kind)


class Settings(base.Settings):
    """What is asked, of whom, and what must be answered."""

    name: Annotated[Text, AfterValidator(_check_name)]
    """The name that is asked for; it is taken as it stands, and not completed."""

    type: Annotated[Text, AfterValidator(_check_type)] = "A"
    """The type of the records: A, AAAA, CNAME, MX, NS, SOA, TXT, SRV …"""

    server: Text | None = None
    """A name or an address; the device's own address if absent."""

    port: base.Port = 53
    """The port of the server."""

    protocol: Literal["udp", "tcp"] = "udp"
    """How it is asked."""

    answers: Annotated[tuple[Text, ...], Field(max_length=ANSWERS_MAX)] = ()
    """Records that must be answered, as they stand in a zone: `192.0.2.7`, `10 mail.example.com.`; any if
    absent. Names are complete, with or without the dot."""

    only: bool = True
    """Whether nothing beside `answers` may be answered, if there are any."""

    at_least: Annotated[int, Field(ge=0, le=ANSWERS_MAX, strict=True)] = 1
    """How many records must be answered at least; for NOERROR alone."""

    rcode: Literal["NOERROR", "NXDOMAIN", "REFUSED", "SERVFAIL", "NOTIMP", "FORMERR"] = "NOERROR"
    """What the server must say of the question; NXDOMAIN is: there is no such name."""

    authoritative: bool = False
    """Whether the server must answer of its own knowledge (AA)."""

    authenticated: bool = False
    """Whether the server must have verified the signatures (AD)."""

    recursion: bool = True
    """Whether the server is asked to look up for us what it does not know itself (RD)."""

    @property
    def kind(self) -> dns.rdatatype.RdataType:
        """The type, as a number."""
        return dns.rdatatype.from_text(self.type)

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.answers and self.rcode != "NOERROR":
            raise Wrong(f"expects answers, and {self.rcode}", "remove answers or rcode")
        for written in self.answers:
            self.record(written)
        return self

    def record(self, written: str) -> dns.rdata.Rdata:
        """A record that is expected. Raises `Wrong` for what is none of this type."""
        quoted = self.kind == dns.rdatatype.TXT and '"' not in written
        try:
            return dns.rdata.from_text(
                dns.rdataclass.IN,
                self.kind,
                '"' + written.replace("\\", "\\\\") + '"' if quoted else written,
                origin=dns.name.root,
                relativize=False,
            )
        except (dns.exception.DNSException, ValueError):
            raise Wrong(
                f'answers: "{written}" is not a record of type {self.type}', "write it as in a zone"
            ) from None


async def probe(settings: Settings, visit: base.Visit) -> None:
    """Ask, and hold the answer against what is expected."""
    came = await _ask(settings, visit, edns=True)
    if came.rcode() in WITHOUT_EDNS and dns.rcode.to_text(came.rcode()) != settings.rcode:
        visit.note("the server does not know EDNS: asked without it")
        came = await _ask(settings, visit, edns=False)
    with visit.at(base.Step.ANSWER):
        records = _records(visit, came)
        _check_answer(settings, came)
    with visit.at(base.Step.CONTENT):
        if len(records) > RECORDS_AT_ONCE:  # names of 127 parts take milliseconds to compare
            await asyncio.to_thread(_check_content, settings, records)
        else:
            _check_content(settings, records)


async def _ask(settings: Settings, visit: base.Visit, *, edns: bool) -> dns.message.QueryMessage:
    name = dns.name.from_text(settings.name)
    asked = question(name, settings.kind, edns=edns, recursion=settings.recursion)
    if settings.authenticated:
        asked.flags |= dns.flags.AD
    by = _over_tcp if settings.protocol == "tcp" else _over_udp
    return await by(settings, visit, asked)


async def _over_udp(
    settings: Settings, visit: base.Visit, asked: dns.message.QueryMessage
) -> dns.message.QueryMessage:
    sock = await visit.open_datagrams(settings.server or "", settings.port)
    with visit.at(base.Step.ANSWER):
        visit.tell(">", f"{_shown(asked)} by UDP to {visit.connected}")
        for _ in range(SENDINGS_MAX - 1):
            try:
                async with asyncio.timeout(AGAIN_S):
                    return await over_datagrams(sock, asked)
            except Truncated:
                break
            except TimeoutError:
                visit.tell(">", "the same again")
        else:
            try:
                return await over_datagrams(sock, asked)
            except Truncated:
                pass
    visit.note("the answer does not fit into a datagram: asked for by TCP")
    return await _over_tcp(settings, visit, asked)


async def _over_tcp(
    settings: Settings, visit: base.Visit, asked: dns.message.QueryMessage
) -> dns.message.QueryMessage:
    line = await base.connect(visit, settings.server or "", settings.port)
    with visit.at(base.Step.ANSWER):
        await line.write(framed(asked), f"{_shown(asked)} by TCP to {visit.connected}")
        size = int.from_bytes(await line.read_exactly(2), "big")
        wire = await line.read_exactly(size)
        came = await read(asked, wire)
        if came is None:
            raise base.Missed("what came is no answer to the question", came=wire)
        return came


def _shown(asked: dns.message.QueryMessage) -> str:
    (rrset,) = asked.question
    return f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}?"


def _records(visit: base.Visit, came: dns.message.QueryMessage) -> list[dns.rdata.Rdata]:
    """What was answered to the question, past aliases."""
    visit.tell("<", f"{dns.rcode.to_text(came.rcode())}, {dns.flags.to_text(came.flags)}")
    told = [
        f"{rrset.name} {rrset.ttl} {rrset.rdtype.name} {record}" for rrset in came.answer for record in rrset
    ]
    for line in told[:RECORDS_SHOWN]:
        visit.tell("<", line)
    if len(told) > RECORDS_SHOWN:
        visit.tell("*", f"and {len(told) - RECORDS_SHOWN} more")
    if not came.question:
        return []  # a server that refuses need not repeat the question
    try:
        return [*(came.resolve_chaining().answer or ())]
    except dns.exception.DNSException:
        raise base.Missed("the answer contradicts itself, or is an alias of too many others") from None


def _check_answer(settings: Settings, came: dns.message.QueryMessage) -> None:
    said = dns.rcode.to_text(came.rcode())
    if said != settings.rcode:
        if said in _MEANT:
            raise base.Missed(_MEANT[said], expected=settings.rcode, came=said)
        raise base.Missed("the server answers {name}", name=said, expected=settings.rcode, came=said)
    for wanted, flag, why in (
        (settings.authoritative, dns.flags.AA, "the server does not answer of its own knowledge"),
        (settings.authenticated, dns.flags.AD, "the server has not verified the signatures"),
    ):
        if wanted and not came.flags & flag:
            expected = f"the flag {dns.flags.to_text(flag)}"
            raise base.Missed(why, expected=expected, came=dns.flags.to_text(came.flags) or "no flags")


_MEANT: Final = {
    "NXDOMAIN": "the server says that there is no such name",
    "SERVFAIL": "the server says that it has failed",
    "REFUSED": "the server refuses to answer",
    "NOERROR": "the server says that there is such a name",
}


def _check_content(settings: Settings, records: list[dns.rdata.Rdata]) -> None:
    if settings.rcode == "NOERROR" and len(records) < settings.at_least:
        came = _listed(records) or "no record"
        raise base.Missed(
            "fewer than {count} records of type {name}",
            count=settings.at_least,
            name=settings.type,
            came=came,
        )
    if not settings.answers:
        return
    wanted = {_form(record): record for record in map(settings.record, settings.answers)}
    found = {_form(record): record for record in records}
    expected, came = _listed(wanted.values()), _listed(records) or "no record"
    if missing := [record for form, record in wanted.items() if form not in found]:
        raise base.Missed("not answered: {text}", text=_listed(missing), expected=expected, came=came)
    if settings.only and (others := [record for form, record in found.items() if form not in wanted]):
        raise base.Missed("answered as well: {text}", text=_listed(others), expected=expected, came=came)


def _form(record: dns.rdata.Rdata) -> bytes:
    """What makes two records the same."""
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings)  # type: ignore[attr-defined]
    return record.to_digestable(dns.name.root)


def _listed(records: object) -> str:
    return ", ".join(sorted(str(record) for record in records))  # type: ignore[attr-defined]


base.chinese(
    """
    what came is no answer to the question
        收到的不是对该查询的应答
    the answer contradicts itself, or is an alias of too many others
        应答自相矛盾，或别名层数过多
    the server answers {name}
        服务器返回 {name}
    the server does not answer of its own knowledge
        服务器的应答不是权威应答
    the server has not verified the signatures
        服务器未验证签名
    the server says that there is no such name
        服务器称该域名不存在
    the server says that it has failed
        服务器称查询失败
    the server refuses to answer
        服务器拒绝应答
    the server says that there is such a name
        服务器称该域名存在
    fewer than {count} records of type {name}
        {name} 类型的记录少于 {count} 条
    not answered: {text}
        应答中缺少 {text}
    answered as well: {text}
        应答中多出 {text}
    """
)
