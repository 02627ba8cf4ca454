"""What is read aloud, in both languages: as on the page, and numbers as people say them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch import messages
from hostwatch.messages import aloud
from hostwatch.messages.named import VALUE_CHARS_MAX
from tests.messages import examples
from tests.messages.test_hypertext import HOSTILE, everywhere

PAGE = (Path(__file__).parents[2] / "docs" / "gateways.md").read_text(encoding="utf-8")
ASIDE: Any = {"zone": ZoneInfo("Asia/Shanghai"), "site": "Chengdu 1", "repeat": False, "late": False}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_page_shows_what_is_said(language: str) -> None:
    said = messages.spoken([examples.SILENT], "emergency", language=language, **ASIDE)

    assert f"```text\n{said['text']} {said['press'].replace('{key}', '1')}\n```" in PAGE


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("name", examples.NOTICES)
def test_nothing_that_is_said_has_digits_of_ours(name: str, language: str) -> None:
    kind, stories, _ = examples.NOTICES[name]
    text = messages.spoken(stories, kind, language=language, **ASIDE)["text"]

    for known in ("Chengdu 1", "acme web 1", "acme web 2", "acme web 3", "Row 1", "r1 a"):
        text = text.replace(known, "")
    assert not re.search(r"[0-9]", text), text
    assert sayable(text), text


def sayable(text: str) -> bool:
    """Whether it is letters, figures and the pauses between them: no voice stumbles over a sign."""
    return re.fullmatch(r"[\w\s.,:;?!'’\-，。：；？！、]*", _without_marks(text)) is not None


def _without_marks(text: str) -> str:
    return "".join(c for c in text if not unicodedata.category(c).startswith("M"))


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("name", [*HOSTILE, "***", "a/b; c,,d", "acme_web+1 (old)", "网关一（备用）"])
def test_of_a_name_what_can_be_said_is_said(name: str, language: str) -> None:
    for kind, story in everywhere(name):
        said = messages.spoken(
            [story, replace(story, reference="E-1")], kind, language=language, **{**ASIDE, "site": name}
        )

        assert sayable(said["text"]), said["text"]
        assert sayable(said["what"])
        assert len(said["what"]) <= VALUE_CHARS_MAX


def test_what_is_listed_in_signs_is_said_in_words() -> None:
    power = replace(examples.NO_POWER, devices=(), supplies=("any(ups-a,ups-b)", "***"))
    text = messages.spoken([power], "emergency", language="en", **ASIDE)["text"]
    many = messages.spoken([examples.NO_POWER], "emergency", language="zh-CN", **ASIDE)["text"]
    two = messages.spoken([examples.SILENT, examples.OTHER], "emergency", language="zh-CN", **ASIDE)

    assert ": any ups a, ups b, something whose name cannot be read aloud." in text
    assert "acme web 3，以及另外二十个。" in many
    assert "两台设备未应答" in two["text"]
    assert two["what"] == "acme web 1，以及另外一个"


def test_a_value_of_a_template_says_how_many_are_not_named() -> None:
    aside = {"zone": ASIDE["zone"], "site": "Chengdu 1", "customer_name": "Acme"}
    spoken = messages.spoken([examples.NO_POWER], "emergency", language="en", **ASIDE)

    assert messages.named([examples.NO_POWER], "emergency", **aside)["what"] == "acme-web-1, acme-web-2 +21"
    assert spoken["what"] == "acme web 1 and twenty-two more"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("name", examples.NOTICES)
def test_every_notice_can_be_read_aloud_and_put_into_a_template(name: str, language: str) -> None:
    kind, stories, _ = examples.NOTICES[name]
    said = messages.spoken(stories, kind, language=language, **ASIDE)
    named = messages.named(stories, kind, zone=ASIDE["zone"], site="Chengdu 1", customer_name="Acme")

    assert said["text"].isprintable()
    assert tuple(named) == messages.NAMES
    assert all(len(value) <= VALUE_CHARS_MAX and value.isprintable() for value in named.values())
    assert named["what"], "it is always about something"


def test_marks_are_said_as_sentences() -> None:
    marked = {**ASIDE, "repeat": True, "late": True}
    text = messages.spoken([examples.SILENT], "emergency", language="en", **marked)["text"]

    assert "[" not in text
    assert "You may have received this notice already" in text
    assert "This notice is sent late" in text


@pytest.mark.parametrize(
    ("clock", "english", "chinese"),
    [
        ((2026, 1, 1, 0, 0), "zero hours, on the first of January", "一月一日零点整"),
        ((2026, 2, 12, 9, 5), "nine oh five, on the twelfth of February", "二月十二日九点零五分"),
        ((2026, 3, 20, 20, 20), "twenty twenty, on the twentieth of March", "三月二十日二十点二十分"),
        ((2026, 5, 22, 12, 10), "twelve ten, on the twenty-second of May", "五月二十二日十二点十分"),
        ((2026, 12, 31, 23, 59), "twenty-three fifty-nine, on the thirty-first of December",
         "十二月三十一日二十三点五十九分"),
    ],
)  # fmt: skip
def test_a_moment_in_words(clock: tuple[int, int, int, int, int], english: str, chinese: str) -> None:
    when = datetime(*clock, tzinfo=UTC)

    assert aloud.moment(when, "en") == english
    assert aloud.moment(when, "zh-Hans") == chinese
    assert aloud.moment(when, "fr") == f"{when:%H:%M}, {when:%Y-%m-%d}"


def test_what_comes_from_outside_is_one_bounded_line() -> None:
    odd = replace(examples.SILENT, device="a\r\nb" + "x" * 500)
    text = messages.spoken([odd], "emergency", language="en", **ASIDE)["text"]

    assert "\n" not in text
    assert len(text) < 2 * aloud.LINE_CHARS_MAX + 100
