"""A message that tells of a beginning and its end: it was over before we had told of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from gettext import NullTranslations

from hostwatch.core.notice import Story


def began(stories: Sequence[Story]) -> datetime:
    """When the first of them began."""
    return min(story.first_miss for story in stories)


def added(words: NullTranslations, since: str, many: bool) -> str:
    """What is added to a first line that tells of the end."""
    return (words.gettext("; the first since %s") if many else words.gettext("; it began %s")) % since


def mark(words: NullTranslations, count: int, repeat: bool) -> str:
    """Why the reader has not heard of the beginning before, or has."""
    if repeat:
        return words.gettext(
            "This notice tells of the beginning and the end:"
            " you may have received one of the beginning already."
        )
    return words.ngettext(
        "This notice tells of the beginning and the end: it was over before we had told you of it.",
        "This notice tells of the beginning and the end: they were over before we had told you of them.",
        count,
    )
