"""What the reflector does with the requests to an address: plain data, so that a test can foretell from it.

A script says for each request in turn which answers it gets; an answer is right, or wrong in what is set.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

NONCE_BITS = 128
ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to one request. What is not set is as it must be."""

    kind: Literal["reply", "request", "error", "noise"] = "reply"
    """Noise is replies and errors that were changed at random, each copy in another way, none to be right."""

    delay_s: float = 0.0
    copies: int = 1
    source: str = ""
    """Who seems to send it, if not the address that was asked."""

    identifier: int = 0
    """Bits of the identifier that are changed; of the quoted request if it is an error."""

    sequence: int = 0
    """What is added to the sequence number; likewise."""

    flip: int | None = None
    """A bit of the payload that is changed; likewise."""

    cut: int | None = None
    """How many bytes of the payload come back; of an error, how many bytes of the request are quoted."""

    checksum: int = 0
    """Bits of the checksum that are changed."""

    old: bool = False
    """The answer is to the first request that came under the script before: a replay."""

    stranger: str = ""
    """The answer is to the last request that came to this other address; an error quotes a request to it."""

    code: tuple[int, int] = (3, 1)
    """Type and code of an error."""

    options: int = 0
    """Options before the ICMP message, in units of 8 bytes."""

    seed: int = 0
    """Noise is drawn from it."""

    @property
    def is_right(self) -> bool:
        """Whether it proves that whoever was asked is alive, if it comes in time."""
        changed = (
            self.source or self.identifier or self.sequence or self.checksum or self.old or self.stranger
        )
        whole = self.cut is None or self.cut * 8 >= NONCE_BITS
        same = self.flip is None or self.flip >= NONCE_BITS
        return self.kind == "reply" and not changed and whole and same

    @property
    def tells(self) -> bool:
        """Whether it is an error about the very request that it answers. Who sends it does not matter."""
        changed = self.identifier or self.sequence or self.checksum or self.old or self.stranger
        return (
            self.kind == "error" and not changed and self.flip is None and (self.cut is None or self.cut >= 8)
        )


Script = tuple[tuple[Answer, ...], ...]
"""The answers to the first request, to the second, …; the last entry is for all that follow."""

RIGHT: Script = ((Answer(),),)
SILENT: Script = ((),)
LATE_S = 0.8
TOO_LATE: Script = ((Answer(delay_s=LATE_S),),)


def losing(first: int, then: Script = RIGHT) -> Script:
    """The first requests get lost."""
    return ((),) * first + then


def entry(script: Script, number: int) -> tuple[Answer, ...]:
    """The answers to the request of that number, from 0."""
    return script[min(number, len(script) - 1)]


def to_json(script: Script) -> list[Any]:
    """For the pipe to the reflector."""
    return [[asdict(answer) for answer in answers] for answers in script]


def from_json(plain: list[Any]) -> Script:
    """What `to_json` made."""
    return tuple(
        tuple(Answer(**{**answer, "code": tuple(answer["code"])}) for answer in answers) for answers in plain
    )
