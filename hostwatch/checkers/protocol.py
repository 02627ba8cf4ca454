"""What the watch and the checkers say to each other: bounded messages of JSON, each after its length.

Times are delays and durations in microseconds, never readings of a monotonic clock, which means nothing on
another machine. The first message of each side names the version. A message that makes no sense is one side's
fault and never the other's end: reading one raises `BadMessage`, and the next can still be read.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hostwatch.checks.base import VALUE_CHARS_MAX
from hostwatch.core.reading import Outcome

VERSION: Final = 1
"""Of these messages. Who hears another one says so and ends."""

MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""One message: room for all findings of a service. What a longer one says is passed over unread."""

FINDING_CHARS_MAX: Final = 40 * 1024
"""One finding with its transcript, as JSON."""

ORDERS_MAX: Final = 1_000
"""Orders in one message."""

CHECKS_MAX: Final = 20
"""Checks of one service."""

WORDS_CHARS_MAX: Final = 500

_HEAD_BYTES: Final = 4
_PIECE_BYTES: Final = 64 * 1024

Key = Annotated[str, Field(min_length=1, max_length=128)]
Words = Annotated[str, Field(max_length=WORDS_CHARS_MAX)]
Name = Annotated[str, Field(max_length=64)]
Number = Annotated[int, Field(ge=0, lt=1 << 63)]
DELAY_US_END: Final = 1 << 40
"""No delay is longer: twelve days."""

Delay = Annotated[int, Field(ge=-DELAY_US_END, lt=DELAY_US_END)]


T = TypeVar("T")


class BadMessage(Exception):
    """Something came that is no message, in words that repeat nothing of it: it may hold a secret."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Begin(_Message):
    """The first word of the watch, and again when the surroundings are others: how to find names, and
    where checks may connect to."""

    say: Literal["begin"] = "begin"
    version: int = VERSION
    folder: Annotated[str, Field(max_length=4096)] = ""
    """Where relative paths of settings begin."""

    around: dict[str, Any] = Field(default_factory=dict)
    """The settings of the resolver and of the outbound policy."""


class Written(_Message):
    """A check as it is sent: its secrets are revealed here, and nowhere else."""

    kind: Name
    settings: dict[str, Any] = Field(repr=False)


class Define(_Message):
    """What a key stands for from now on."""

    say: Literal["define"] = "define"
    key: Key
    name: Annotated[str, Field(max_length=64)]
    require: Literal["all", "any"]
    checks: Annotated[tuple[Written, ...], Field(min_length=1, max_length=CHECKS_MAX)]


class Forget(_Message):
    """Definitions that are not needed any more."""

    say: Literal["forget"] = "forget"
    keys: Annotated[tuple[Key, ...], Field(max_length=ORDERS_MAX)]


class Order(NamedTuple):
    """One look at one service of one device. It is answered by exactly one `Found`."""

    number: Number
    key: Key
    address: Annotated[str, Field(max_length=100)]
    delay_us: Delay
    """When to begin, from now; in the past: at once."""

    latest_us: Delay
    """After that it must not begin any more, from now."""


class Look(_Message):
    """Orders."""

    say: Literal["look"] = "look"
    orders: Annotated[tuple[Order, ...], Field(max_length=ORDERS_MAX)]
    aloud: bool = False
    """Whether each line of the transcripts is told as it happens."""


class Withdraw(_Message):
    """Orders that nobody waits for any more. They are not answered."""

    say: Literal["withdraw"] = "withdraw"
    numbers: Annotated[tuple[Number, ...], Field(max_length=ORDERS_MAX)]


class Took(_Message):
    """What a source brought is on record, or is none of ours: it need not be brought again."""

    say: Literal["took"] = "took"
    key: Key
    names: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=ORDERS_MAX)]
    is_ours: bool = True


class Ask(_Message):
    """Is anybody there? Answered by `Alive` at once."""

    say: Literal["ask"] = "ask"


class Ready(_Message):
    """The first word of the checkers."""

    say: Literal["ready"] = "ready"
    version: int = VERSION
    kinds: Annotated[tuple[Name, ...], Field(max_length=100)]
    notes: Annotated[tuple[Words, ...], Field(max_length=10)] = ()
    """What this machine did not allow them to give up, for the log."""


class Seen(NamedTuple):
    """What one check of a service found."""

    kind: Name
    outcome: Outcome
    took_us: Number
    finding: Annotated[str, Field(max_length=FINDING_CHARS_MAX)]
    """All of it as JSON, for whoever shows it (`checks.base.of_data`)."""


class Found(_Message):
    """The answer to an order."""

    say: Literal["found"] = "found"
    number: Number
    outcome: Outcome
    why: Words
    at_us: Number
    """When the first check began, by the wall clock there; 0: none did."""

    took_us: Number
    checks: Annotated[tuple[Seen, ...], Field(max_length=CHECKS_MAX)] = ()
    said: Annotated[str, Field(max_length=VALUE_CHARS_MAX)] = ""
    """What a source said, if it answered."""


class Pushed(_Message):
    """A source spoke by itself, or was asked because something happened there (`checkers.ears`)."""

    say: Literal["pushed"] = "pushed"
    key: Key
    outcome: Outcome
    why: Words
    at_us: Number
    """When it was asked, or heard, by the wall clock there."""

    check: Seen
    said: Annotated[str, Field(max_length=VALUE_CHARS_MAX)] = ""


class Told(_Message):
    """A line of a transcript, or a step with its time, of an order aloud."""

    say: Literal["told"] = "told"
    number: Number
    check: Annotated[int, Field(ge=0, lt=CHECKS_MAX)]
    at_us: Number
    who: Annotated[str, Field(max_length=1)]
    """`>` sent, `<` came, `*` told, `=` a step that took so long."""

    text: Words


class Alive(_Message):
    """The answer to `Ask`."""

    say: Literal["alive"] = "alive"
    lag_us: Number
    """How late the loop was at most since the last one."""

    running: Number
    """Checks under way."""

    waiting: Number
    """Orders that have not begun."""

    traps: Annotated[dict[Name, Number], Field(max_length=20)] = Field(default_factory=dict)
    """What came since the last one where traps of SNMP come in, by what became of it."""

    pushes: Annotated[dict[Name, Number], Field(max_length=20)] = Field(default_factory=dict)
    """And where sources push to."""


class Complaint(_Message):
    """Something that the watch said made no sense; or a definition cannot be used here."""

    say: Literal["complaint"] = "complaint"
    why: Words
    key: Annotated[str, Field(max_length=128)] = ""
    """The definition, if it is about one."""


ToCheckers = Begin | Define | Forget | Look | Withdraw | Took | Ask
FromCheckers = Ready | Found | Pushed | Told | Alive | Complaint

_TO: Final[TypeAdapter[ToCheckers]] = TypeAdapter(Annotated[ToCheckers, Field(discriminator="say")])
_FROM: Final[TypeAdapter[FromCheckers]] = TypeAdapter(Annotated[FromCheckers, Field(discriminator="say")])


def to_checkers(body: bytes) -> ToCheckers:
    """A message of the watch. Raises `BadMessage`."""
    return _read(_TO, body)


def from_checkers(body: bytes) -> FromCheckers:
    """A message of the checkers. Raises `BadMessage`."""
    return _read(_FROM, body)


def _read(shape: TypeAdapter[T], body: bytes) -> T:
    try:
        return shape.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:6])
        raise BadMessage(f"a message makes no sense at {where or 'its beginning'}: {first['type']}") from None


def encoded(message: ToCheckers | FromCheckers) -> bytes:
    """A message as it is sent. Raises `BadMessage` for one that is too long."""
    body = message.model_dump_json().encode()
    if len(body) > MESSAGE_BYTES_MAX:
        raise BadMessage(f"a message of {len(body):,} bytes cannot be sent: at most {MESSAGE_BYTES_MAX:,}")
    return len(body).to_bytes(_HEAD_BYTES, "big") + body


async def receive(reader: asyncio.StreamReader, *, pass_over: bool = False) -> bytes:
    """The body of the next message. Raises `BadMessage` for a long one, `EOFError` at the end.

    `pass_over`: a long one is passed over first, so that the next can be read.
    """
    length = int.from_bytes(await reader.readexactly(_HEAD_BYTES), "big")
    if length <= MESSAGE_BYTES_MAX:
        return await reader.readexactly(length)
    left = length if pass_over else 0
    while left:
        piece = await reader.read(min(left, _PIECE_BYTES))
        if not piece:
            raise EOFError
        left -= len(piece)
    raise BadMessage(f"a message of {length:,} bytes came: at most {MESSAGE_BYTES_MAX:,}")
