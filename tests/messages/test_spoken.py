"""What is read aloud, in both languages: as on the page, and numbers as people say them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hostwatch import messages
from hostwatch.core.notice import Kind, Story
from hostwatch.messages import aloud
from hostwatch.messages.named import VALUE_CHARS_MAX
from tests.messages import examples

PAGE = (Path(__file__).parents[2] / "docs" / "gateways.md").read_text(encoding="utf-8")
ASIDE: Any = {"zone": ZoneInfo("Asia/Shanghai"), "site": "Chengdu 1", "repeat": False, "late": False}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_page_shows_what_is_said(language: str) -> None:
    said = messages.spoken([examples.SILENT], "emergency", language=language, **ASIDE)

    assert f"```text\n{said['text']} {said['press'].replace('{key}', '1')}\n```" in PAGE


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(
    ("story", "kind"),
    [
        (examples.SILENT, "emergency"),
        (examples.BACK, "recovery"),
        (examples.CARRIER, "emergency"),
        (examples.WWW, "emergency"),
        (examples.GIVEN, "withdrawn"),
        (examples.OTHER, "update"),
    ],
)
def test_nothing_that_is_said_has_digits_of_ours(story: Story, kind: Kind, language: str) -> None:
    text = messages.spoken([story], kind, language=language, **ASIDE)["text"]

    for name in ("Chengdu 1", "acme web 1", "acme web 2", "acme-web-1"):
        text = text.replace(name, "")
    assert not re.search(r"[0-9]", text), text


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
