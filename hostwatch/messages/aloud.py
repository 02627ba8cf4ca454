"""A notice as it is read aloud: the first line, said twice, with times in words and the reference spelled.

A language of which the words for numbers are not known here says them in digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hostwatch.core.notice import Kind, Story
from hostwatch.messages import catalogue
from hostwatch.messages.fit import line
from hostwatch.messages.text import Speaker

LINE_CHARS_MAX: Final = 300
NAME_CHARS_MAX: Final = 60

SMALL: Final = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
TENS: Final = ("", "", "twenty", "thirty", "forty", "fifty")
ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
    "twenty": "twentieth",
    "thirty": "thirtieth",
}
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
CHINESE: Final = "零一二三四五六七八九"


def spoken(
    stories: Sequence[Story],
    kind: Kind,
    *,
    language: str,
    zone: ZoneInfo,
    site: str,
    repeat: bool,
    late: bool,
) -> Mapping[str, str]:
    """What is said, by name: `text`, whole; `press`, which asks for a key; and values for templates."""
    tag = catalogue.resolve(language)
    words, speaker = catalogue.words(tag), _Aloud(catalogue.words(tag), zone)
    speaker.tag = tag
    told = speaker.first_line([speaker.story(one) for one in stories], kind, repeat=False, late=False)
    twice = words.gettext("This is %(site)s. %(told)s. Once more: %(told)s.") % {
        "site": line(site),
        "told": told,
    }
    since = stories[0].first_answer if kind == "recovery" else stories[0].first_miss
    return {
        "text": " ".join([twice, *speaker.marks(repeat=repeat, late=late)]),
        "press": words.gettext("Press {key} if you have got this message."),
        "reference": spelled(stories[0].reference, tag),
        "since": moment((since or stories[0].verdict).astimezone(zone), tag),
        "what": _name(stories[0].device),
    }


class _Aloud(Speaker):
    """Says what others write."""

    room = LINE_CHARS_MAX
    tag = catalogue.ENGLISH

    def story(self, story: Story) -> Story:
        """With its reference spelled, also of what it is told under."""
        return replace(
            story, reference=spelled(story.reference, self.tag), under=spelled(story.under, self.tag)
        )

    def _time(self, when: datetime) -> str:
        return moment(when.astimezone(self._zone), self.tag)

    def _device(self, story: Story, room: int) -> str:
        """The name; an address only where there is none, since nobody remembers one that they heard."""
        return _name(story.device) or spelled(line(story.address), self.tag)


def _name(name: str) -> str:
    return line(name.replace("-", " ").replace("_", " "))[:NAME_CHARS_MAX]


def spelled(text: str, tag: str) -> str:
    """`E-000042` as it is read out, sign by sign."""
    signs = [c for c in text if c != "-"]
    if tag == "zh-Hans":
        return "".join(CHINESE[int(c)] if c in "0123456789" else "点" if c == "." else c for c in signs)
    if tag != catalogue.ENGLISH:
        return " ".join(signs)
    return " ".join(SMALL[int(c)] if c in "0123456789" else "dot" if c == "." else c for c in signs)


def moment(when: datetime, tag: str) -> str:
    """A time of a day in words; the second is of no use to a listener."""
    if tag == "zh-Hans":
        minute = f"{'零' if 0 < when.minute < 10 else ''}{_chinese(when.minute)}分" if when.minute else "整"
        return f"{_chinese(when.month)}月{_chinese(when.day)}日{_chinese(when.hour)}点{minute}"
    if tag != catalogue.ENGLISH:
        return f"{when:%H:%M}, {when:%Y-%m-%d}"
    oh = "oh " if 0 < when.minute < 10 else ""
    minute = f"{oh}{_english(when.minute)}" if when.minute else "hours"
    return f"{_english(when.hour)} {minute}, on the {_ordinal(when.day)} of {MONTHS[when.month - 1]}"


def _english(number: int) -> str:
    if number < len(SMALL):
        return SMALL[number]
    tens, ones = divmod(number, 10)
    return f"{TENS[tens]}-{SMALL[ones]}" if ones else TENS[tens]


def _ordinal(number: int) -> str:
    tens, dash, last = _english(number).rpartition("-")
    return f"{tens}{dash}{ORDINALS.get(last, last + 'th')}"


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not tens:
        return CHINESE[ones]
    return f"{CHINESE[tens] if tens > 1 else ''}十{CHINESE[ones] if ones else ''}"
