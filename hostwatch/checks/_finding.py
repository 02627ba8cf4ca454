"""What one run of a check found: the outcome, the step that failed, what was expected and what came.

All of it may have been said by a hostile server: texts are bounded and printable before they stand here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from hostwatch.checks._sentence import CHINESE, Shown, filled
from hostwatch.core.reading import Outcome

WHY_CHARS_MAX: Final = 200
"""The longest reason, expectation or quotation that a finding keeps."""

SAID_CHARS_MAX: Final = 300
"""The longest line of a transcript."""

TRANSCRIPT_LINES_MAX: Final = 100
"""Lines of a transcript; of a longer one the beginning and the end are kept."""

NOTES_MAX: Final = 10

VALUE_CHARS_MAX: Final = 64 * 1024
"""The longest value that a look brings back."""


class Step(StrEnum):
    """The steps of a check, in their order. Not every kind has all of them."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "TLS"
    GREETING = "greeting"
    LOGIN = "login"
    ANSWER = "answer"
    CONTENT = "content"


class Missed(Exception):
    """The application does not do what it should, and it is not our own failure."""

    def __init__(
        self,
        pattern: str,
        *,
        expected: str = "",
        came: str | bytes = "",
        step: Step | None = None,
        **values: object,
    ) -> None:
        """`pattern` is a sentence that is said in Chinese too; what varies in it are `values` (`_sentence`).

        `step` is the one that the visit is at, if it is not given.
        """
        self._pattern = pattern
        self._values = values
        self.said = (expected, came)
        """As it was said. Only the visit knows what is secret in it; its finding hides that."""
        self.why = self.told(printable)
        self.expected = printable(expected, WHY_CHARS_MAX)
        self.came = printable(came, WHY_CHARS_MAX)
        self.step = step
        super().__init__(self.why)

    def told(self, shown: Shown) -> str:
        """What is wrong, in English. `shown` makes each value printable, and hides what is secret in it.

        A sentence that is none of ours may hold anything.
        """
        said = filled(self._pattern, self._values, shown)
        return printable(said, WHY_CHARS_MAX) if self._pattern in CHINESE else shown(said, WHY_CHARS_MAX)


class Fault(Exception):
    """We could not look, and it is our own failure: UNKNOWN, with this word."""


class Phase(NamedTuple):
    """How long a step took."""

    step: Step
    took_us: int


class Said(NamedTuple):
    """One line of a transcript."""

    at_us: int
    """Since the beginning of the run."""

    who: str
    """`>` is what we sent, `<` what came, `*` what we tell of it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One run of one check."""

    kind: str
    outcome: Outcome
    step: Step | None = None
    """Where it failed; None if it did not."""

    why: str = ""
    """What is wrong, in a few words."""

    expected: str = ""
    came: str = ""
    """What came instead: quoted, bounded, without secrets."""

    address: str = ""
    """The address that was connected to, and the port: `192.0.2.7:443`, `[2001:db8::7]:443`."""

    took_us: int = 0
    phases: tuple[Phase, ...] = ()
    transcript: tuple[Said, ...] = ()
    notes: tuple[str, ...] = ()
    """What is worth knowing and decides nothing: days that a certificate is still valid, say."""

    value: str = ""
    """What a look at a source of readings brought back; empty for a check, which says only how it went."""

    @property
    def sentence(self) -> str:
        """What is wrong and where: `http: TLS: the certificate expired on 2026-11-01`; empty if nothing."""
        if self.outcome is Outcome.ANSWERED:
            return ""
        return ": ".join(part for part in (self.kind, self.step or "", self.why) if part)

    def as_data(self) -> dict[str, Any]:
        """As what JSON is made of, to be sent to another process. `of_data` reads it."""
        data: dict[str, Any] = {
            "kind": self.kind,
            "outcome": self.outcome.value,
            "step": self.step.value if self.step else None,
            "why": self.why,
            "expected": self.expected,
            "came": self.came,
            "address": self.address,
            "took_us": self.took_us,
            "phases": self.phases,
            "transcript": self.transcript,
            "notes": self.notes,
        }
        return {**data, "value": self.value} if self.value else data


def of_data(data: dict[str, Any]) -> Finding:
    """The finding that `as_data` wrote. Raises `ValueError`, `KeyError` or `TypeError` for anything else."""
    try:
        return _of_data(data)
    except OverflowError:
        raise ValueError("a number without end") from None


def _of_data(data: dict[str, Any]) -> Finding:
    return Finding(
        kind=str(data["kind"]),
        outcome=Outcome(data["outcome"]),
        step=None if data["step"] is None else Step(data["step"]),
        why=_text(data["why"], WHY_CHARS_MAX),
        expected=_text(data["expected"], WHY_CHARS_MAX),
        came=_text(data["came"], WHY_CHARS_MAX),
        address=_text(data["address"], WHY_CHARS_MAX),
        took_us=int(data["took_us"]),
        phases=tuple(Phase(Step(step), int(took_us)) for step, took_us in data["phases"]),
        transcript=tuple(
            Said(int(at_us), str(who)[:1], _text(text, SAID_CHARS_MAX))
            for at_us, who, text in data["transcript"][:TRANSCRIPT_LINES_MAX]
        ),
        notes=tuple(_text(note, WHY_CHARS_MAX) for note in data["notes"][:NOTES_MAX]),
        value=_value(data.get("value", "")),
    )


def _value(text: object) -> str:
    if not isinstance(text, str) or len(text) > VALUE_CHARS_MAX:
        raise ValueError("a value that is none, or too long")
    return text


def _text(said: Any, chars_max: int) -> str:
    if not isinstance(said, str):
        raise TypeError("no text")
    return printable(said, chars_max)


_ODD = re.compile(r"[^\x20-\x7e]")
"""What may have to be escaped. Most of what servers say is plain, and many of their lines are kept."""


def printable(said: str | bytes, chars_max: int) -> str:
    """Text that may be shown and kept: no control characters, nothing that turns the writing round."""
    if len(said) <= chars_max and said.isascii():  # nearly all that is said
        plain = said.decode("ascii") if isinstance(said, bytes) else said
        if plain.isprintable():
            return plain
    text = said[: 4 * chars_max + 4].decode("utf-8", "replace") if isinstance(said, bytes) else said
    shown = _ODD.sub(_shown, text[: chars_max + 1])
    return shown if len(shown) <= chars_max else shown[: chars_max - 1] + "…"


def _shown(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else _escaped(found[0])


def _escaped(letter: str) -> str:
    known = {"\r": "\\r", "\n": "\\n", "\t": "\\t"}
    if letter in known:
        return known[letter]
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
