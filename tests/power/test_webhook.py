"""A building system that pushes: signed and not, again and too often; and what of it is believed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.checks import _posts
from hostwatch.checks._posts import Push
from hostwatch.checks.base import Fault
from hostwatch.configuration.fields import Listen
from hostwatch.configuration.power import Power
from hostwatch.configuration.secret import Secret
from hostwatch.core.power import Concern, Output, PowerReading, Ups, Utility, of_text
from hostwatch.core.reading import Outcome
from hostwatch.power import webhook
from hostwatch.power.webhook import Settings, signature
from tests.checks.posts import heard_at
from tests.checks.servers import free_port
from tests.power.sources import look, reading

KEY: Final = "0123456789abcdef0123456789abcdef"
STATE: Final = {"points": [{"utility": "present", "ups": "able", "output": "powered"}]}


class Ears:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, PowerReading]] = asyncio.Queue()

    def ask(self, name: str) -> None:
        raise AssertionError("whoever pushes is not asked")

    def said(self, name: str, found: PowerReading) -> None:
        self.told.put_nowait((name, found))


@pytest.fixture(autouse=True)
def _nobody_remembers() -> Iterator[None]:
    webhook.memory.cache_clear()
    yield
    webhook.memory.cache_clear()


@pytest.fixture
def port() -> int:
    return free_port()


def written(port: int, path: str = "/building", **others: Any) -> dict[str, Any]:
    return {"listen": f"127.0.0.1:{port}", "path": path, "key": Secret(KEY), **others}


@asynccontextmanager
async def listening(ears: Ears, **sources: dict[str, Any]) -> AsyncIterator[None]:
    """Sources are listened to, as the checkers do it."""
    settings = {name: Settings.model_validate(one) for name, one in sources.items()}
    async with heard_at([one.listen for one in settings.values()], webhook.listen(settings, ears)):
        yield


async def sent(port: int, data: bytes, *, ends: bool = False) -> bytes:
    """What is answered to these bytes."""
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            if ends:
                writer.write_eof()
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.transport.abort()


def request(
    body: bytes, path: str = "/building", headers: Mapping[str, str] | None = None, method: str = "POST"
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {said}" for name, said in (headers or {}).items()]
    return "\r\n".join((*lines, "", "")).encode() + body


def signed(
    body: bytes, path: str = "/building", *, at: int | Decimal | None = None, key: str = KEY
) -> dict[str, str]:
    stamp = str(Decimal(time.time_ns()).scaleb(-9) if at is None else at)
    return {"X-Hostwatch-Timestamp": stamp, "X-Hostwatch-Signature": signature(key, stamp, path, body)}


async def pushed(port: int, state: object, path: str = "/building", **others: Any) -> int:
    """Push; the code that comes back."""
    body = state if isinstance(state, bytes) else json.dumps(state).encode()
    answer = await sent(port, request(body, path, signed(body, path, **others)))
    return int(answer.split(b" ", 2)[1])


async def test_the_story_of_a_building(port: int) -> None:
    """It is heard at once; a reading brings what it said; when it is silent for too long, nobody knows."""
    ears, mine = Ears(), written(port)
    async with listening(ears, building=mine):
        early = await look("webhook", mine)
        assert (early.outcome, early.value) == (Outcome.MISSED, "")
        assert early.why == "nothing was pushed since the checkers began to listen"

        assert await pushed(port, STATE) == 204
        name, heard = ears.told.get_nowait()
        assert (name, heard.point("").utility) == ("building", Utility.PRESENT)
        assert await reading("webhook", mine) == heard

        gone = {
            "points": [
                {"utility": "absent", "ups": "able", "output": "powered", "said": "generator starts"},
                {"point": "riser 2", "output": "unpowered"},
            ],
            "concerns": ["on battery"],
            "runtime_s": 600,
        }
        assert await pushed(port, gone) == 204
        doubted = await look("webhook", mine)
        assert (doubted.outcome, doubted.value) == (Outcome.MISSED, "")
        assert await pushed(port, gone) == 204
        found = await reading("webhook", mine)
        assert (found.point("").utility, found.point("").ups) == (Utility.ABSENT, Ups.ABLE)
        assert (found.point("riser 2").output, found.runtime_s) == (Output.UNPOWERED, 600)
        assert found.concerns == (Concern.ON_BATTERY,)

        webhook.memory(Settings.model_validate(mine)).heard_s -= 61
        late = await look("webhook", mine)
        assert (late.outcome, late.value) == (Outcome.MISSED, "")
        assert late.why == "nothing was pushed for more than 1m"
        assert await pushed(port, STATE) == 204
        assert (await reading("webhook", mine)).point("").utility is Utility.PRESENT


WELL: Final = {"points": [{"utility": "present", "output": "powered"}, {"point": "riser 2"}]}
LOST: Final = {"points": [{"utility": "absent", "ups": "dead"}, {"point": "riser 2"}]}
BOTH: Final = {"points": [{"utility": "absent", "ups": "dead"}, {"point": "riser 2", "output": "unpowered"}]}
BATTERY: Final = {"points": [{"utility": "absent", "ups": "able", "output": "powered"}]}
RISER: Final = {"points": [{"utility": "present"}, {"point": "riser 2", "output": "unpowered"}]}
SPARE: Final = {"points": [{"utility": "present", "ups": "dead", "output": "powered"}]}
STEPS: Final = (WELL, LOST, BOTH, BATTERY, RISER, SPARE)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        # a number is a push of STEPS; `r` is a scheduled reading: what it brings, or ? for unknown
        ("0rrrr", "0000"),  # all is well between two heartbeats
        ("1rrrr", "????"),  # one word, however often it is read
        ("11rrrr", "????"),  # said twice in one breath
        ("1r1rrr", "?111"),  # said again since
        ("0r1rr0rr", "0??00"),  # one word that was wrong
        ("1r1r0r1rr1r", "?10??1"),  # power came back meanwhile: it begins anew
        ("1r1r2rr2rr", "?1??22"),  # another point is lost: the one that was known waits with it
        ("2r4r2r2r", "?4?2"),  # the riser twice, the whole once, then again
        ("3rr3rr", "??33"),  # on battery: more may hang on that utility
        ("5r5r", "?5"),
        ("1r2r2r1r", "??21"),  # less is lost than was known
    ],
)
async def test_a_loss_is_read_once_it_was_pushed_again(port: int, told: str, found: str) -> None:
    """One push never makes two readings of a loss, and what is well stays known between two heartbeats."""
    mine, steps, seen = written(port), [_of(one) for one in STEPS], ""
    async with listening(Ears(), building=mine):
        for step in told:
            if step != "r":
                assert await pushed(port, STEPS[int(step)]) == 204
                continue
            one = await look("webhook", mine)
            if one.outcome is Outcome.MISSED:
                assert one.why.endswith(", and not again since: it is believed when it is")
            seen += "?" if one.outcome is Outcome.MISSED else str(steps.index(of_text(one.value)))
    assert seen == found


def _of(state: object) -> PowerReading:
    return webhook.reading(Push("/", {}, json.dumps(state).encode()))


async def test_what_was_pushed_survives_that_others_come_and_go(port: int) -> None:
    """Whenever a source comes or goes, all are listened to anew."""
    mine = written(port)
    async with listening(Ears(), building=mine):
        await pushed(port, STATE)
    async with listening(Ears(), building=mine, other=written(port, "/other")):
        assert (await reading("webhook", mine)).point("").output is Output.POWERED


async def test_several_sources_share_one_address(port: int) -> None:
    other = "another-key-of-32-characters-yes"
    ears = Ears()
    sources = {"a": written(port, "/a"), "b": written(port, "/b", key=Secret(other))}
    async with listening(ears, **sources):
        assert await pushed(port, STATE, "/a") == 204
        assert await pushed(port, STATE, "/b") == 401, "signed by a"
        assert await pushed(port, STATE, "/b", key=other) == 204
        assert await pushed(port, STATE, "/c") == 401
        assert [ears.told.get_nowait()[0] for _ in range(2)] == ["a", "b"]
        body = json.dumps(STATE).encode()
        of_a = request(body, "/b", signed(body, "/a"))
        assert (await sent(port, of_a)).startswith(b"HTTP/1.1 401 ")
    assert ears.told.empty()


async def test_who_shares_a_key_does_not_speak_for_others(port: int) -> None:
    """What one source has signed is sent on to the path of another."""
    ears, body = Ears(), json.dumps(STATE).encode()
    async with listening(ears, a=written(port, "/a"), b=written(port, "/b")):
        answer = await sent(port, request(body, "/b", signed(body, "/a")))

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert ears.told.empty()


@pytest.mark.parametrize("stamp", ["soon", "NaN", "Infinity", "1e9", "-1", "", "1.", "1_0", "9" * 13])
async def test_a_timestamp_that_is_none_is_not_believed_though_it_is_signed(port: int, stamp: str) -> None:
    ears, body = Ears(), json.dumps(STATE).encode()
    told = {"X-Hostwatch-Timestamp": stamp, "X-Hostwatch-Signature": signature(KEY, stamp, "/building", body)}
    async with listening(ears, building=written(port)):
        answer = await sent(port, request(body, headers=told))

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert ears.told.empty()


UNSIGNED = {
    "nothing": {},
    "no signature": {"X-Hostwatch-Timestamp": "{now}"},
    "another key": {"X-Hostwatch-Timestamp": "{now}", "X-Hostwatch-Signature": "v1=" + "0" * 64},
    "no timestamp": {"X-Hostwatch-Signature": "{signature}"},
    "a timestamp that is none": {"X-Hostwatch-Timestamp": "soon", "X-Hostwatch-Signature": "{signature}"},
    "another timestamp": {"X-Hostwatch-Timestamp": "{later}", "X-Hostwatch-Signature": "{signature}"},
    "a token": {"Authorization": f"Bearer {KEY}"},
    "an empty token": {"Authorization": "Bearer "},
}


@pytest.mark.parametrize("headers", UNSIGNED.values(), ids=UNSIGNED)
async def test_what_is_not_signed_is_not_believed(port: int, headers: dict[str, str]) -> None:
    ears, body, now = Ears(), json.dumps(STATE).encode(), int(time.time())
    mine = signature(KEY, str(now), "/building", body)
    told = {name: said.format(now=now, later=now + 1, signature=mine) for name, said in headers.items()}
    async with listening(ears, building=written(port)):
        answer = await sent(port, request(body, headers=told))

    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert answer.endswith(b"\r\n\r\n"), "and nothing is told why"
    assert ears.told.empty()


async def test_a_token_instead_of_a_key(port: int) -> None:
    ears, body = Ears(), json.dumps(STATE).encode()
    async with listening(ears, building=written(port, key=None, token=Secret(KEY))):
        for token, code in ((KEY, 204), (KEY[:-1], 401), (KEY + "0", 401), ("", 401)):
            answer = await sent(port, request(body, headers={"Authorization": f"Bearer {token}"}))
            assert answer.startswith(f"HTTP/1.1 {code} ".encode())
    assert ears.told.qsize() == 1


async def test_what_is_said_again_is_not_believed(port: int) -> None:
    """Somebody has heard that all is well, and says it again while the utility is absent."""
    ears, mine = Ears(), written(port)
    async with listening(ears, building=mine):
        since = math.ceil(webhook.memory(Settings.model_validate(mine)).since)
        well, ill = json.dumps(STATE).encode(), b'{"points": [{"utility": "absent"}]}'
        first = request(well, headers=signed(well, at=since + 1))
        assert (await sent(port, first)).startswith(b"HTTP/1.1 204 ")
        again = await sent(port, first)
        assert again.startswith(b"HTTP/1.1 409 ")
        assert again.endswith(b"this was pushed already\n")
        assert await pushed(port, ill, at=since + 1) == 204, "another word of the same second"
        assert (await sent(port, first)).startswith(b"HTTP/1.1 409 ")
        assert (await look("webhook", mine)).outcome is Outcome.MISSED, "a loss, said twice before a reading"
        assert await pushed(port, ill, at=since + 2) == 204
        assert b"older than what was pushed last" in await sent(port, first)
        assert (await reading("webhook", mine)).point("").utility is Utility.ABSENT


@pytest.mark.parametrize("seconds", [-301, 301, 10**9])
async def test_a_clock_that_is_far_from_ours_is_not_believed(port: int, seconds: int) -> None:
    ears, body = Ears(), json.dumps(STATE).encode()
    async with listening(ears, building=written(port)):
        answer = await sent(port, request(body, headers=signed(body, at=int(time.time()) + seconds)))

    assert answer.startswith(b"HTTP/1.1 409 ")
    assert b"from our clock" in answer
    assert ears.told.empty()


async def test_after_a_restart_nothing_of_before_is_believed(port: int) -> None:
    """The checkers start anew and have forgotten what they heard: it may be said again now."""
    ears, body = Ears(), json.dumps(STATE).encode()
    before = request(body, headers=signed(body, at=int(time.time()) - 2))
    async with listening(ears, building=written(port)):
        answer = await sent(port, before)

    assert b"signed before we began to listen" in answer
    assert ears.told.empty()


async def test_who_pushes_too_often_is_told_so(port: int) -> None:
    ears, mine = Ears(), written(port)
    async with listening(ears, building=mine):
        codes = [await pushed(port, STATE) for _ in range(webhook.BURST_MAX + 3)]
        assert codes[: webhook.BURST_MAX] == [204] * webhook.BURST_MAX
        assert codes[-1] == 429
        (post,) = _posts._posts.values()
        answers = [await sent(port, request(b"")) for _ in range(_posts.BURST_MAX)]
        assert answers[-1] == b"", "the address itself is not heard for a while"
        assert post.counts["not heard"] > 0


RAW = [
    (b"GET / HTTP/1.1\r\n\r\n", 405),
    (b"\r\n\r\n", 400),
    (b"nonsense\r\n\r\n", 400),
    (b"POST /building HTTP/2\r\n\r\n", 400),
    (b"POST http://elsewhere/building HTTP/1.1\r\n\r\n", 400),
    (b"POST /a b HTTP/1.1\r\n\r\n", 400),
    (b"POST /building HTTP/1.1\r\n\r\n", 411),
    (b"POST /building HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0", 411),
    (b"POST /building HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /building HTTP/1.1\r\nContent-Length: 1 \r\nno colon\r\n\r\n", 400),
    (b"POST /building HTTP/1.1\r\n folded: x\r\n\r\n", 400),
    (b"POST /building HTTP/1.1\r\nname : x\r\n\r\n", 400),
    ("POST /building HTTP/1.1\r\nname: ü\r\n\r\n".encode(), 400),
    (b"POST /building HTTP/1.1\r\n" + b"a: b\r\n" * 51 + b"\r\n", 400),
    (b"POST /building HTTP/1.1\r\nContent-Length: 16385\r\n\r\n", 413),
    (b"POST /building HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n" + b"x" * 100_000, 413),
    (b"POST /building HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", 400),
    (b"POST /" + b"x" * 20_000, 431),
    (b"\0" * 20_000, 431),
    (b"POST /building HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 401),
]


@pytest.mark.parametrize(("data", "code"), RAW)
async def test_what_is_no_push_is_refused(port: int, data: bytes, code: int) -> None:
    ears = Ears()
    async with listening(ears, building=written(port)):
        answer = await sent(port, data)
        assert answer.startswith(f"HTTP/1.1 {code} ".encode()), answer[:100]
        assert await pushed(port, STATE) == 204, "others are heard"


@pytest.mark.parametrize(
    "data",
    [b"", b"POST /buil", b"POST /building HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"],
    ids=["a", "b", "c"],
)
async def test_who_hangs_up_in_the_middle_is_not_heard(port: int, data: bytes) -> None:
    ears = Ears()
    async with listening(ears, building=written(port)):
        assert await sent(port, data, ends=True) == b""
    assert ears.told.empty()


async def test_who_says_nothing_or_drips_keeps_nobody_else_away(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One address may hold so many connections, each for so long."""
    monkeypatch.setattr(_posts, "WITHIN_S", 0.5)
    ears = Ears()
    async with listening(ears, building=written(port)):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(_posts.OF_ONE_ADDRESS_MAX)]
        assert await sent(port, request(b"{}")) == b"", "not heard"
        async with asyncio.timeout(30):
            for reader, writer in held:
                assert await reader.read() == b""
                writer.transport.abort()
        assert await pushed(port, STATE) == 204


SHAPES = [
    (b"", "no object of JSON"),
    (b"[]", "no object of JSON"),
    (b"\0" * 1_000, "no object of JSON"),
    (b"[" * 16_000, "no object of JSON"),
    (b'{"points": ' + b"[" * 10_000, "no object of JSON"),
    (b"{}", "there are no points"),
    (b'{"points": {}}', "points is not a list"),
    (b'{"points": [7]}', "a point is an object"),
    (b'{"points": [{"utilty": "absent"}]}', "a point is an object"),
    (b'{"points": [{"utility": "off"}]}', "utility is one of present, absent, unknown"),
    (b'{"points": [{"utility": []}]}', "utility is one of present, absent, unknown"),
    (b'{"points": [{}, {}]}', "a point stands there twice"),
    (b'{"points": [{"said": "a\\u0000b"}]}', "point and said are texts"),
    (b'{"points": [{"point": 7}]}', "point and said are texts"),
    (b'{"points": [{}], "concerns": ["fire"]}', "concerns is one of"),
    (b'{"points": [{}], "runtime_s": -1}', "runtime_s is a whole number"),
    (b'{"points": [{}], "runtime_s": 1e400}', "runtime_s is a whole number"),
    (b'{"points": [{}], "when": 1}', "this is not known: when"),
    (
        json.dumps({"points": [{"point": str(place)} for place in range(201)]}).encode(),
        "points is not a list",
    ),
]


@pytest.mark.parametrize(("body", "why"), SHAPES)
async def test_a_wrong_shape_is_told_to_who_signed_it(port: int, body: bytes, why: str) -> None:
    ears = Ears()
    async with listening(ears, building=written(port)):
        answer = await sent(port, request(body, headers=signed(body)))

    assert answer.startswith(b"HTTP/1.1 422 ")
    assert why in answer.decode()
    assert ears.told.empty()


async def test_who_still_talks_when_nobody_listens_any_more_is_hung_up_on(port: int) -> None:
    """The talk ends as what it is, cancelled; and nobody complains of that."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))
    async with listening(Ears(), building=written(port)):
        (post,) = _posts._posts.values()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /building HTTP/1.1\r\n")
        async with asyncio.timeout(30):
            while not post._talking:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
        (talk,) = post._talking

    assert talk.cancelled()
    assert post._talking == {}
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.transport.abort()
    assert complaints == []


async def test_what_is_closed_while_it_opens_stays_closed(port: int) -> None:
    """Though whoever closed it did not wait for that."""
    post = _posts.Post(Listen(ip_address("127.0.0.1"), port))
    opening = asyncio.create_task(post.open())
    await asyncio.sleep(0)
    closing = asyncio.create_task(post.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(opening, closing, return_exceptions=True)

    assert post._server is not None
    assert not post._server.is_serving()


async def test_an_address_that_is_taken_is_said() -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    at = taken.sockets[0].getsockname()[1]
    with pytest.raises(Fault, match=r"cannot hear what is pushed to 127\.0\.0\.1:"):
        await webhook.listen({"a": Settings.model_validate(written(at))}, Ears())
    taken.close()
    assert not _posts._posts


WRONG = [
    ({"listen": "off"}, "listens nowhere"),
    ({"listen": "everywhere"}, "is not an address and a port"),
    ({"path": "building"}, "is no path"),
    ({"path": "/a?b"}, "is no path"),
    ({"key": None}, "needs either a key or a token"),
    ({"token": Secret(KEY)}, "needs either a key or a token"),
    ({"key": Secret("short")}, "has less than 16 characters"),
    ({"key": None, "token": Secret(KEY), "listen": "192.0.2.1:8476"}, "in plain text"),
    ({"heartbeat": "1s"}, "5s"),
]


@pytest.mark.parametrize(("other", "why"), WRONG)
def test_wrong_settings_are_refused(other: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as found:
        Settings.model_validate({**written(1), **other})
    assert why in str(found.value)


def test_all_sources_are_heard_at_one_place_unless_they_say_otherwise() -> None:
    mine = {"path": "/a", "key": Secret(KEY)}
    sources = [{"id": "a", "webhook": mine}, {"id": "b", "webhook": {**mine, "listen": "127.0.0.1:1"}}]
    told = Power.model_validate({"sources": sources, "listen": "[::1]:8476"})
    assert [str(one.settings.listen) for one in told.sources] == ["[::1]:8476", "127.0.0.1:1"]
    with pytest.raises(ValidationError):
        Power.model_validate({"sources": sources})


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from([*Utility]),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.dictionaries(
            st.sampled_from(["points", "concerns", "point", "utility", "ups", "output", "said", "runtime_s"]),
            inside,
            max_size=5,
        )
    ),
    max_leaves=20,
)
bodies = anything.map(lambda found: json.dumps(found).encode()) | st.binary(max_size=300)


def read_or_refused(push: Push) -> tuple[PowerReading | None, str]:
    try:
        return webhook.reading(push), ""
    except ValueError as error:
        return None, str(error)


@given(bodies, st.sampled_from(["application/json", "text/plain"]))
def test_any_body_is_read_or_refused(body: bytes, kind: str) -> None:
    found, why = read_or_refused(Push("/", {"content-type": kind}, body))
    assert why.isprintable()
    assert found is None or of_text(found.text) == found


LINES = (
    *("ups.status: OL\n", "ups.status: OB LB\n", "battery.charge: 9e9\n", ": \n", "\n"),
    *("outlet.count: 9\n", "outlet.1.status: on\n", "ups.alarm: \x1b[2J\n", "input.voltage: nan\n"),
)


@given(st.lists(st.sampled_from(LINES), max_size=8))
def test_any_lines_of_upsc_are_read_or_refused(lines: list[str]) -> None:
    push = Push("/", {"content-type": "text/plain; charset=utf-8"}, "".join(lines).encode())
    found, why = read_or_refused(push)
    assert (found is None) is ("there is no ups.status" in why)
    assert (found is None) is not any(line.startswith("ups.status") for line in lines)
    assert found is None or of_text(found.text) == found


@given(st.binary(max_size=400))
async def test_any_bytes_are_a_push_or_refused(data: bytes) -> None:
    reader = asyncio.StreamReader(limit=_posts.HEAD_BYTES_MAX)
    reader.feed_data(b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n" + data + b"\r\n\r\nabc")
    reader.feed_eof()
    try:
        push = await _posts.read_push(reader)
    except (_posts.Wrong, asyncio.IncompleteReadError):
        return
    assert len(push.body) <= _posts.BODY_BYTES_MAX
