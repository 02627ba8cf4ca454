"""A notice as it is read aloud: the first line, said twice, with times in words and the reference spelled.

Signs that no voice can say are left out of names, and what stands in brackets is said after a pause.
A language of which the words for numbers are not known here says them in digits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hostwatch.core.dutyclock import customers_in
from hostwatch.core.notice import Kind, Story
from hostwatch.core.warned import OF_DUTIES
from hostwatch.messages import catalogue, exercise
from hostwatch.messages.fit import line
from hostwatch.messages.named import VALUE_CHARS_MAX, what
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
FURTHER_CHARS: Final = len(" and twenty-seven more") - len(" +27")
"""How much longer the words for how many more there are can be than the figure."""

PAUSES: Final = "/,;，；、"

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
    both: bool = False,
) -> Mapping[str, str]:
    """What is said, by name: `text`, whole; `press`, which asks for a key; and values for templates."""
    tag = catalogue.resolve(language)
    words, speaker = catalogue.words(tag), _Aloud(catalogue.words(tag), zone)
    speaker.tag = tag
    told = speaker.said([speaker.story(one) for one in stories], kind, both=both)
    twice = words.gettext("This is %(site)s. %(told)s. Once more: %(told)s.") % {
        "site": _name(site),
        "told": told,
    }
    if exercise.is_one(kind):
        twice = f"{exercise.mark(words)}. {twice}"
    since = stories[0].first_answer if kind == "recovery" else stories[0].first_miss
    return {
        "text": " ".join([twice, *speaker.marks(repeat=repeat, late=late, both=len(stories) if both else 0)]),
        "press": words.gettext("Press {key} if you have got this message."),
        "reference": spelled(stories[0].reference, tag),
        "since": moment((since or stories[0].verdict).astimezone(zone), tag),
        "what": exercise.mark(words) if exercise.is_one(kind) else speaker.what(stories),
    }


class _Aloud(Speaker):
    """Says what others write."""

    room = LINE_CHARS_MAX
    tag = catalogue.ENGLISH

    def story(self, story: Story) -> Story:
        """With its reference spelled, also of what it is told under, and with names that can be said."""
        if story.contact is not None:
            care = story.contact
            said = replace(
                care,
                code=spelled(care.code.replace(" ", ""), self.tag),
                address=care.address.partition(" ")[0],
            )
            return replace(story, contact=said)
        about, why = self._known(story.about), story.why
        if story.warning in OF_DUTIES:
            about, names = story.about, (one.partition(" ")[0] for one in customers_in(why))
            why = ", ".join(map(self._known, names))
        return replace(
            story,
            reference=spelled(story.reference, self.tag),
            under=spelled(story.under, self.tag),
            device=_name(story.device),
            service=self._known(story.service),
            uplink=self._known(story.uplink),
            about=about,
            why=why,
            devices=tuple(map(self._known, story.devices)),
            supplies=tuple(map(self._known, story.supplies)),
            switches=tuple(map(self._known, story.switches)),
            elements=tuple(map(self._known, story.elements)),
            failing=tuple(map(self._known, story.failing)),
        )

    def said(self, stories: Sequence[Story], kind: Kind, *, both: bool) -> str:
        """The first line, with its numbers in words."""
        found = self.first_line(stories, kind, repeat=False, late=False, both=both)
        if len(stories) > 1:
            count = len(stories) + stories[0].further
            found = re.sub(rf"\b{count}\b ?", self._number(count, " "), found, count=1)
        return self._more(found)

    def what(self, stories: Sequence[Story]) -> str:
        """What it is about, for a template."""
        told = [self.story(one) for one in stories]
        return self._more(what(told, VALUE_CHARS_MAX - FURTHER_CHARS))

    def _more(self, text: str) -> str:
        """Signs as people say them: brackets as a pause, and how many more there are in words."""
        paused = re.sub(r" *\(", ", ", text).replace("（", "，").replace("…", "")
        paused = paused.replace(")", "").replace("）", "")
        return re.sub(r" \+([0-9]+)", lambda found: self._further(int(found[1])), paused)

    def _further(self, count: int) -> str:
        return self.words.gettext(" and %(count)s more") % {"count": self._number(count)}

    def _number(self, number: int, after: str = "") -> str:
        """A number in words, if these are known."""
        if self.tag == "zh-Hans" and number < 100:
            return "两" if number == 2 else _chinese(number)
        return f"{_english(number) if self.tag == catalogue.ENGLISH and number < 60 else number}{after}"

    def _known(self, name: str) -> str:
        """A name that can be said, if there is one at all."""
        return name and (_name(name) or self.words.gettext("something whose name cannot be read aloud"))

    def _time(self, when: datetime) -> str:
        return moment(when.astimezone(self._zone), self.tag)

    def _time_beside(self, when: datetime, other: datetime) -> str:
        return self._time(when)

    def _device(self, story: Story, room: int) -> str:
        """The name; an address only where there is none, since nobody remembers one that they heard."""
        return _name(story.device) or spelled(line(story.address), self.tag)


def _name(name: str) -> str:
    """As much of a name as can be said: its letters and figures, with pauses where it lists something."""
    kept = "".join(
        c if c.isalnum() or unicodedata.combining(c) else "," if c in PAUSES else " " for c in line(name)
    )
    return line(re.sub(r"[ ,]*,[ ,]*", ", ", kept).strip(", "))[:NAME_CHARS_MAX]


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
