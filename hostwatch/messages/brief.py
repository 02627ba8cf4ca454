"""The one line of a notice that a pager shows, in ASCII: the reference, the device and since when.

Few pagers know more letters than these, and none says so. Names give way, as in the first line of other
notices; what cannot be written in ASCII is a question mark, and the address beside it is surer anyway.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any
from zoneinfo import ZoneInfo

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import catalogue, text
from hostwatch.messages.fit import listed

BRIEF_MAX_CHARS = 160
"""What a pager takes at least."""

SINCE_LACKS = frozenset({"update", "withdrawn", "correction", "warning"})
"""The kinds whose first line does not always say since when."""

_WRITTEN = str.maketrans({"…": "...", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "、": ","})


def brief(
    stories: Sequence[Story],
    kind: Kind,
    *,
    zone: ZoneInfo,
    repeat: bool,
    late: bool = False,
    both: bool = False,
) -> str:
    """The line. Where it is about several emergencies it begins with their references."""
    plain = [_plain(story) for story in stories]
    line = text.first_line(
        plain, kind, language=catalogue.ENGLISH, zone=zone, repeat=repeat, late=late, both=both
    )
    line = ascii_line(line)
    if len(plain) > 1:
        room = BRIEF_MAX_CHARS - len(line) - len(": ")
        line = f"{ascii_line(listed([story.reference for story in plain], room))}: {line}"
    elif kind in SINCE_LACKS and (began := text.local(stories[0].first_miss, zone)) not in line:
        line = f"{line}; it began {began}"
    return line[:BRIEF_MAX_CHARS]


def ascii_line(value: str) -> str:
    """A text in ASCII, on one line: letters lose their accents, what is left over is one question mark."""
    decomposed = unicodedata.normalize("NFKD", value.translate(_WRITTEN))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    known = "".join(c if c.isascii() else "?" for c in bare if c.isprintable() or c.isspace())
    return " ".join(re.sub(r"\?{2,}", "?", known).split())


def _plain(story: Story) -> Story:
    """The story with all its words in ASCII, so that what is cut to fit has its true length."""
    found: dict[str, Any] = {}
    for field in fields(story):
        value = getattr(story, field.name)
        if not value:
            continue
        if isinstance(value, str):
            found[field.name] = ascii_line(value)
        elif isinstance(value, tuple):
            found[field.name] = tuple(ascii_line(one) if isinstance(one, str) else one for one in value)
    if story.contact is not None:
        care = story.contact
        found["contact"] = replace(
            care,
            person=ascii_line(care.person),
            site=ascii_line(care.site),
            address=ascii_line(care.address),
        )
    return replace(story, **found)
