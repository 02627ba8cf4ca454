"""Agents that do not mean well: whatever they send, the look ends in time, in words; nothing is believed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable

import pytest

from hostwatch.configuration.secret import Secret
from hostwatch.core.reading import Outcome
from hostwatch.snmp import agent, ber, message, usm
from hostwatch.snmp.access import Access
from hostwatch.snmp.agent import Agent
from hostwatch.snmp.message import Pdu
from hostwatch.snmp.usm import Engine, User
from tests.snmp.asking import visited
from tests.snmp.fuzz import fuzz
from tests.snmp.wolves import Bite, by_2c, honest, said, wolf

ONE, TWO = "1.3.6.1.4.1.32473.1.1", "1.3.6.1.4.1.32473.1.2"


def access(port: int, **written: object) -> Access:
    asked = {"address": "127.0.0.1", "port": port, "timeout": "300ms", "retries": 0}
    lets = {} if "user" in written else {"community": Secret("wolf")}
    return Access.model_validate({**asked, **lets, **written})


def rows_without_end(asked: Pdu) -> Iterable[bytes]:
    start = ber.name(ONE)
    index = ber.tail(asked.variables[0][0][len(start) :]) or (0,)
    pairs = [(ber.below(start, (index[0] + more,)), ber.written(1)) for more in range(1, 51)]
    return [said(asked.number, pairs)]


def circles(asked: Pdu) -> Iterable[bytes]:
    return [said(asked.number, [(ber.below(ber.name(ONE), (7,)), ber.written(1))])]


WOLVES: dict[str, tuple[Bite, str]] = {
    "another number": (
        lambda asked: [said(asked.number ^ 1, [(ber.name(ONE), ber.written(1))])], agent.NO_ANSWER_2C
    ),
    "another community": (
        lambda asked: [said(asked.number, [(ber.name(ONE), ber.written(1))], b"lamb")], agent.NO_ANSWER_2C
    ),
    "a question": (
        lambda asked: [said(asked.number, [(ber.name(ONE), ber.written(1))], kind=message.GET)],
        agent.NO_ANSWER_2C,
    ),
    "garbage": (lambda asked: [b"\x30\x84\xff\xff\xff\xff" + b"\xff" * 40, b"", b"\0"], agent.NO_ANSWER_2C),
    "a flood": (
        lambda asked: [b"\x30\x00"] * 200,
        "64 datagrams came, and none is an answer to the question",
    ),
    "a huge one": (
        lambda asked: [said(asked.number, [(ber.name(ONE), ber.wrapped(ber.OCTETS, b"x" * 60_000))])],
        "",
    ),
    "thousands of variables": (
        lambda asked: [said(asked.number, [(ber.name("1.3"), ber.wrapped(ber.NULL, b""))] * 8_000)],
        agent.NO_ANSWER_2C,
    ),
    "other variables": (
        lambda asked: [said(asked.number, [(ber.name(TWO), ber.written(1))])],
        "the agent answers about other variables than it was asked for",
    ),
    "no variables": (
        lambda asked: [said(asked.number, [])],
        "the agent answers about other variables than it was asked for",
    ),
    "too big, always": (
        lambda asked: [said(asked.number, [], error=agent.TOO_BIG)], "the agent answers with error 1"
    ),
    "its own failure": (
        lambda asked: [said(asked.number, [], error=5)], "the agent could not read its own variables"
    ),
    "a number that is too long": (
        lambda asked: [said(asked.number, [(ber.name(ONE), ber.wrapped(ber.INTEGER, b"\x01" * 20))])],
        agent.NO_ANSWER_2C,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WOLVES)
async def test_what_a_wolf_says_is_a_miss_in_words(what: str) -> None:
    bite, why = WOLVES[what]
    async with wolf(by_2c(bite)) as port:
        finding, _ = await visited(access(port), lambda asked: asked.get(ONE))
    assert finding.why == why
    assert finding.outcome is (Outcome.MISSED if why else Outcome.ANSWERED)


@pytest.mark.parametrize(
    ("bite", "why"),
    [
        (rows_without_end, "the table has more than 1,000 rows"),
        (circles, "the agent's table goes round in circles"),
        (lambda asked: [said(asked.number, [])], "the agent leaves out what it was asked for"),
        (lambda asked: [said(asked.number, [], error=agent.TOO_BIG)], "the agent answers with error 1"),
    ],
)
async def test_tables_have_an_end(bite: Bite, why: str) -> None:
    async with wolf(by_2c(bite)) as port:
        look = access(port, timeout="20s")
        finding, _ = await visited(look, lambda asked: asked.walk(ONE, rows_max=1_000))
    assert (finding.outcome, finding.why) == (Outcome.MISSED, why)


async def test_an_answer_from_another_address_is_not_heard() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        sent: list[int] = []
        ports: list[int] = []

        def bite(data: bytes) -> Iterable[bytes]:
            _, body = message.unframed(data)
            sent.append(other.sendto(honest(message.pdu(body, 0, len(body)), 666), ("127.0.0.1", ports[0])))
            return []

        async with wolf(bite) as port:
            look = access(port, timeout="500ms")

            async def talk(asked: Agent) -> object:
                ports.append(asked._sock.getsockname()[1])
                return await asked.get(ONE)

            finding, found = await visited(look, talk)
    assert sent
    assert (finding.why, found) == (agent.NO_ANSWER_2C, None)


async def test_who_finds_a_question_too_big_is_asked_for_less() -> None:
    def bite(asked: Pdu) -> Iterable[bytes]:
        if len(asked.variables) > 2:
            return [said(asked.number, [], error=agent.TOO_BIG)]
        return [honest(asked)]

    names = [f"{ONE}.{number}" for number in range(7)]
    async with wolf(by_2c(bite)) as port:
        _, found = await visited(access(port, timeout="5s"), lambda asked: asked.get(*names))
    assert found == dict.fromkeys(names, 1)


async def test_who_has_no_such_name_as_in_v1_is_asked_for_the_others() -> None:
    def bite(asked: Pdu) -> Iterable[bytes]:
        wires = [name for name, _ in asked.variables]
        if ber.name(TWO) in wires:
            return [said(asked.number, [], error=agent.NO_SUCH_NAME, index=wires.index(ber.name(TWO)) + 1)]
        return [honest(asked)]

    async with wolf(by_2c(bite)) as port:
        _, found = await visited(access(port, timeout="5s"), lambda asked: asked.get(ONE, TWO))
    assert found == {ONE: 1}


# v3: what is not signed, or not encrypted as it should be, is not believed.

ENGINE = Engine(b"\x80\0\x7e\xd9\x04wolf", 3, 1_000)
USER = User(b"ups", "sha-256", b"signed-by-us", "aes-128", b"read-by-us-alone")
BY_USER = {
    "user": "ups",
    "auth_password": Secret("signed-by-us"),
    "privacy_password": Secret("read-by-us-alone"),
}


def answered(asked: usm.Envelope, user: User | None, flags: int = 0, number: int = 0) -> bytes:
    plain = usm.opened(asked, USER).said
    question = message.pdu(plain, 0, len(plain))
    body = said(number or question.number, [(name, ber.written(1)) for name, _ in question.variables])
    return usm.sealed(asked.number, flags, ENGINE, user, message.unframed(body)[1])


def tampered(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,))


def reported(asked: usm.Envelope, about: str, user: User | None = None) -> bytes:
    body = said(0, [(ber.name(about), ber.wrapped(ber.COUNTER, b"\1"))], kind=message.REPORT)
    return usm.sealed(asked.number, 0, ENGINE, user, message.unframed(body)[1])


def by_3(bite: Callable[[usm.Envelope], Iterable[bytes]]) -> Callable[[bytes], Iterable[bytes]]:
    """One that tells its engine, and then bites."""

    def bitten(data: bytes) -> Iterable[bytes]:
        asked = usm.envelope(data)
        return bite(asked) if asked.engine.id == ENGINE.id else [reported(asked, agent.UNKNOWN_ENGINE)]

    return bitten


PROTECTED: dict[str, tuple[Callable[[usm.Envelope], Iterable[bytes]], str]] = {
    "all as it should be": (lambda asked: [answered(asked, USER)], ""),
    "nothing is signed": (lambda asked: [answered(asked, None)], agent.NOT_READ),
    "nothing is encrypted": (
        lambda asked: [answered(asked, usm.without_privacy(USER))], agent.NOT_READ
    ),
    "it was changed on its way": (lambda asked: [tampered(answered(asked, USER))], agent.NOT_READ),
    "signed by who guesses": (
        lambda asked: [answered(asked, User(b"ups", "sha-256", b"a good guess", "aes-128", b"another one"))],
        agent.NOT_READ,
    ),
    "an old answer": (lambda asked: [answered(asked, USER, number=77)], agent.NOT_READ),
    "the clock is wrong, for ever": (
        lambda asked: [reported(asked, agent.NOT_IN_TIME, usm.without_privacy(USER))],
        agent.REPORTS[agent.NOT_IN_TIME],
    ),
    "the engine is another, for ever": (
        lambda asked: [reported(asked, agent.UNKNOWN_ENGINE)], agent.REPORTS[agent.UNKNOWN_ENGINE]
    ),
    "a report about nothing": (
        lambda asked: [reported(asked, "1.3.6.1.9.9")], "the agent reports 1.3.6.1.9.9"
    ),
    "flags of no meaning": (
        lambda asked: [answered(asked, USER).replace(b"\x04\x01\x03", b"\x04\x01\x02", 1)], agent.NOT_READ
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PROTECTED)
async def test_by_v3_nothing_is_believed_that_is_not_protected(what: str) -> None:
    bite, why = PROTECTED[what]
    async with wolf(by_3(bite)) as port:
        finding, found = await visited(access(port, **BY_USER), lambda asked: asked.get(ONE))
    assert (finding.why, found) == (why, None if why else {ONE: 1})


async def test_who_is_silent_about_its_engine() -> None:
    async with wolf(lambda data: []) as port:
        finding, _ = await visited(access(port, **BY_USER), lambda asked: asked.get(ONE))
    assert (finding.step, finding.why) == ("login", agent.NO_ANSWER_3)


def test_what_is_signed_is_not_read_without_knowing_by_whom() -> None:
    body = message.request(message.GET, 1, ())
    signed = usm.envelope(usm.sealed(1, 0, ENGINE, usm.without_privacy(USER), body))
    with pytest.raises(usm.NotAuthentic):
        usm.opened(signed, None)
    assert usm.opened(usm.envelope(usm.sealed(1, 0, ENGINE, None, body)), None).said == body


# Whatever comes.


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_is_read_or_refused(seed: int) -> None:
    """The readers raise what they say that they raise, and nothing else, and what is read can be told."""
    found = fuzz(1_000, seed)
    assert min(found[what] for what in ("a UPS told", "a UPS missed", "a strip told")) > 30
    assert found["read"] > 5
    assert found["refused"] > 300
