"""What the checks of a service found, worded for whoever reads a notice.

The record keeps it in English, as operators read it: `http: TLS: the certificate expired on 2026-11-01`.
A customer reads the same in his own language, with the step in words. What is kept from an older version, and
is of no sentence that is known now, is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hostwatch import checks
from hostwatch.checks.base import CHINESE, Step, Translate, told
from hostwatch.core.notice import Story
from hostwatch.messages import catalogue

STEPS: Final[Mapping[str, str]] = {
    Step.RESOLVE: "resolving the name",
    Step.CONNECT: "connecting",
    Step.TLS: "TLS handshake",
    Step.GREETING: "greeting",
    Step.LOGIN: "login",
    Step.ANSWER: "answer",
    Step.CONTENT: "content",
}
"""The steps of a check as people call them."""

_PARTS: Final = re.compile("(?:; )?((?:“[^“”]*”|(?!; ).)+)", re.DOTALL)
"""What one check found. What the other side said stands in quotation marks and separates nothing."""

_JOINTS: Final[Mapping[str, tuple[str, str, str]]] = {"zh-Hans": ("，", "：", "；")}
_KINDS: Final = frozenset(checks.kinds())


def for_reader(story: Story, language: str) -> Story:
    """A story as it is told in that language; one that is of no service has no finding."""
    return replace(story, why=worded(story.why, language)) if story.service else story


def worded(found: str, language: str) -> str:
    """What `checkers.services.combined` says, for readers of that language."""
    language = catalogue.resolve(language)
    translate = _translate(language)
    beside, before, between = _JOINTS.get(language, (", ", ": ", "; "))
    parts = []
    for part in split(found):
        kind, colon, rest = part.partition(": ")
        if kind not in _KINDS or not colon:
            parts.append(told(part, translate))
            continue
        checks.room(kind)  # with it come the sentences that it says
        step, _, why = rest.partition(": ")
        if step in STEPS:
            parts.append(f"{kind.upper()}{beside}{translate(STEPS[step])}{before}{told(why, translate)}")
        else:
            parts.append(f"{kind.upper()}{before}{told(rest, translate)}")
    return between.join(parts)


def split(found: str) -> list[str]:
    """What each check found."""
    return _PARTS.findall(found)


def _translate(language: str) -> Translate:
    if language == "zh-Hans":
        return lambda english: CHINESE.get(english, english)
    return catalogue.words(language).gettext
