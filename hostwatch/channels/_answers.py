"""What the answers of services prove: many say in a 200 that they did not take the message.

apprise looks at the code of an answer alone. So what came over the line is judged here once more, by what
each service documents. What is not known to mean that a message was taken is not called accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hostwatch.channels import _http, base
from hostwatch.channels._threads import Answered
from hostwatch.configuration import pointer

BUSY_FOR: Final = timedelta(minutes=1)
"""How long a service is left alone that says in its own words that it was asked too often."""

REFUSING: Final = frozenset({401, 403, 404, 410})
"""Codes by which a service of which we know no words refuses for good."""

BEFORE_SENDING = re.compile(
    r"NewConnectionError|ConnectTimeout|NameResolution|Max retries.*SSL|refused", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the words of a service mean."""

    places: tuple[str, ...] = ()
    """Where its word stands in the JSON of an answer; the first that has one. A `*` is each of a list."""

    accepted: frozenset[str] = frozenset()
    """Words by which it took the message; none are named: any."""

    refused: frozenset[str] = frozenset()
    """Words by which it never will."""

    busy: frozenset[str] = frozenset()
    """Words by which it was asked too often."""

    again: frozenset[str] = frozenset()
    """Words by which it may later."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LARK: Final = Means(
    places=("/code", "/StatusCode"),
    accepted=_words("0"),
    refused=_words("19001 19021 19022 19024"),
    busy=_words("11232"),
)
_VONAGE: Final = Means(
    places=("/messages/*/status",),
    accepted=_words("0"),
    refused=_words("2 3 4 6 7 8 9 12 15 22 23 29 33"),
    busy=_words("1"),
    again=_words("5"),
)
MEANS: Final[Mapping[str, Means]] = {
    "dingtalk": Means(
        places=("/errcode",),
        accepted=_words("0"),
        refused=_words("300001 310000 400101 400102 400106 430101 430102 430103 430104"),
        busy=_words("130101 410100 90030"),
        again=_words("-1"),
    ),
    "wecombot": Means(
        places=("/errcode",),
        accepted=_words("0"),
        refused=_words("40008 40058 44004 93000"),
        busy=_words("45009 45033"),
        again=_words("-1"),
    ),
    "feishu": _LARK,
    "lark": _LARK,
    "twilio": Means(
        places=("/status",),
        accepted=_words("accepted scheduled queued sending sent delivered initiated ringing in-progress"),
        refused=_words("failed undelivered canceled"),
    ),
    "vonage": _VONAGE,
    "nexmo": _VONAGE,
    "kavenegar": Means(places=("/return/status",), accepted=_words("200"), again=_words("409")),
    "pagerduty": Means(places=("/status",), accepted=_words("success")),
    "opsgenie": Means(places=("/requestId",)),
    "pagertree": Means(),
    "pover": Means(places=("/status",), accepted=_words("1"), refused=_words("0")),
}
"""Of the schemes whose answers are known word by word, and tested."""


def outcome(
    scheme: str, came: Sequence[Answered | Exception], now: datetime
) -> base.Failed | base.Refused | None:
    """What follows from all that came for one message; None: that it was taken.

    Where a part of it, or one of several people, was taken and another not, it has perhaps arrived.
    """
    means = MEANS.get(scheme)
    found = [_broken(one) if isinstance(one, Exception) else _judged(one, means, now) for one in came]
    worst = next((one for one in found if one is not None), None)
    if worst is None or None not in found:
        return worst
    pause = worst.retry_after if isinstance(worst, base.Failed) else None
    return base.Failed(str(worst), perhaps_arrived=True, retry_after=pause)


def proof(scheme: str, came: Sequence[Answered | Exception]) -> str:
    """The answer by which a message was taken, as evidence: no more of it than code and word."""
    means = MEANS[scheme]
    for one in reversed(came):
        if isinstance(one, Answered):
            place, words = _said(one, means)
            return f"{one.code}, {place.rpartition('/')[2]} {words[0]}" if words else str(one.code)
    return ""


def _judged(one: Answered, means: Means | None, now: datetime) -> base.Failed | base.Refused | None:
    said = base.printable(f"{one.code}: {base.printable(one.body)}")
    pause = _http.retry_after(one.headers.get("Retry-After"), now)
    refusal = _http.Answer(one.code, one.body, said, pause).refusal()
    if means is None:
        never = isinstance(refusal, base.Refused) and one.code not in REFUSING
        return base.Failed(said) if never else refusal
    _, words = _said(one, means)
    spoken = frozenset(words)
    if spoken & means.busy:
        return base.Failed(said, retry_after=pause or BUSY_FOR)
    if spoken & means.again:
        return base.Failed(said, retry_after=pause)
    if refusal is not None:
        return refusal
    if spoken & means.refused:
        return base.Refused(said)
    if means.places and not words:
        return base.Failed(f"no such answer is known: {said}", perhaps_arrived=True)
    if means.accepted and not spoken <= means.accepted:
        return base.Failed(said)
    return None


def _broken(error: Exception) -> base.Failed:
    said = base.printable(f"{type(error).__name__}: {error}")
    return base.Failed(said, perhaps_arrived=BEFORE_SENDING.search(repr(error)) is None)


def _said(one: Answered, means: Means) -> tuple[str, list[str]]:
    """The words of an answer, and where they stand."""
    data = pointer.read(one.body)
    for place in means.places:
        if words := [word for word in _each(data, place) if word]:
            return place, words
    return "", []


def _each(data: Any, place: str) -> Iterator[str]:
    before, star, after = place.partition("/*")
    if not star:
        yield pointer.word(data, place)
        return
    inside = pointer.at(data, before)
    for one in inside if isinstance(inside, list) else ():
        yield pointer.word(one, after)
