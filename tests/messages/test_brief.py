"""The line on a pager: ASCII, short, and with what matters whatever names come from outside."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch import messages
from hostwatch.core.notice import Kind, Story
from hostwatch.messages.brief import BRIEF_MAX_CHARS, ascii_line
from tests.messages.examples import BACK, CARRIER, MORE_POWER, NO_POWER, ON_BATTERY, OTHER, SILENT, ZONE


def brief(kind: Kind, *stories: Story, **options: Any) -> str:
    return messages.brief(stories, kind, **{"zone": ZONE, "repeat": False, **options})


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("acme-web-1", "acme-web-1"),
        ("Zürich Straße", "Zurich Stra?e"),
        ("网关一（备用）", "?(?)"),
        ("ＡＣＭＥ：１", "ACME:1"),
        ("“a” – b…", '"a" - b...'),
        ("a\r\nSEND\x00", "a SEND"),
        ("‮evil", "evil"),
        ("①", "1"),
        ("", ""),
    ],
)
def test_what_is_not_ascii_is_folded_or_a_question_mark(written: str, shown: str) -> None:
    assert ascii_line(written) == shown


@pytest.mark.parametrize(
    ("kind", "story"), [("emergency", SILENT), ("update", MORE_POWER), ("emergency", NO_POWER)]
)
def test_the_reference_the_device_and_since_when_are_there(kind: Kind, story: Story) -> None:
    line = brief(kind, story)

    assert line.startswith(f"{story.reference}: ")
    assert "acme-web-1" in line
    assert "2026-10-03 14:05:00 +08:00" in line


def test_names_in_chinese_leave_the_reference_the_address_and_the_time() -> None:
    story = dataclasses.replace(SILENT, device="网关一")

    assert brief("emergency", story) == (
        "E-000042: ? (192.0.2.17) has not answered our pings since 2026-10-03 14:05:00 +08:00"
    )
    assert brief("emergency", dataclasses.replace(CARRIER, uplink="电信")).startswith("E-000044: ")


def test_several_emergencies_begin_with_their_references() -> None:
    stories = [dataclasses.replace(SILENT, reference=f"E-{number:06}") for number in range(1, 101)]

    assert brief("emergency", SILENT, OTHER).startswith("E-000042, E-000043: 2 devices have not answered")
    many = brief("emergency", *stories)
    assert many.startswith("E-000001, E-000002, E-000003, E-000004 +96: 100 devices have not answered")
    assert "2026-10-03 14:05:00 +08:00" in many
    assert len(many) <= BRIEF_MAX_CHARS


def test_marks_stand_at_the_beginning() -> None:
    assert brief("emergency", SILENT, repeat=True, late=True).startswith("[repeat] [late] E-000042: ")


@given(name=st.text(max_size=300), kind=st.sampled_from(("emergency", "update", "recovery", "withdrawn")))
def test_no_name_makes_it_long_or_takes_the_rest_away(name: str, kind: Kind) -> None:
    story = dataclasses.replace(BACK if kind == "recovery" else SILENT, device=name)
    line = brief(kind, story)

    assert len(line) <= BRIEF_MAX_CHARS
    assert line.isascii()
    assert line.isprintable()
    for said in ("E-000042: ", "(192.0.2.17)", " +08:00"):
        assert said in line


@given(names=st.lists(st.text("ⅷ㎯…½ﷺ網a ", min_size=1, max_size=120), min_size=1, max_size=20))
def test_nor_do_many_names_that_grow_when_they_are_folded(names: list[str]) -> None:
    power = dataclasses.replace(NO_POWER, devices=tuple(names), behind=len(names))
    warning = dataclasses.replace(ON_BATTERY, about=names[0])
    for line in (brief("update", power), brief("emergency", SILENT, *[power] * 5), brief("warning", warning)):
        assert len(line) <= BRIEF_MAX_CHARS
        assert line.isascii()
    assert brief("update", power).endswith("it began 2026-10-03 14:05:00 +08:00")
