"""Segments of a text message, counted as networks count them, and texts cut to them."""

from __future__ import annotations

import pytest

from hostwatch.channels import _segments


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 6, 1),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("a" * 151 + "€" + "a" * 153, 2),
        ("字" * 70, 1),
        ("字" * 71, 2),
        ("字" * 134, 2),
        ("字" * 135, 3),
        ("😀" * 35, 1),
        ("字" * 66 + "😀" + "字" * 66, 3),
        ("字" * 65 + "😀" + "字" * 67, 2),
        ("", 1),
    ],
    ids=lambda value: str(value)[:4],
)
def test_segments_are_counted_as_networks_count_them(text: str, segments: int) -> None:
    """An escape with its sign, and two surrogates, stay together: the rest of the segment stays empty."""
    assert _segments.segments(text) == segments


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("E-000042: " + "word " * 80, " word word..."),
        ("E-000042: " + "w" * 400, "www..."),
        ("E-000042：" + "无应答" * 60, "无…"),
        ("E-000042: " + "{" * 200, "{{..."),
        ("E-000042：" + "😀" * 100, "😀…"),
    ],
)
def test_what_is_longer_is_cut_at_a_word_and_keeps_its_beginning(text: str, ends: str) -> None:
    cut = _segments.fitted(text)

    assert _segments.segments(cut) == 2
    assert cut.startswith("E-000042")
    assert cut.endswith(ends)
    assert _segments.is_gsm(cut) == _segments.is_gsm(text), "the mark makes no dearer text of it"
    if " " not in text[12:]:
        mark = 3 if cut.endswith("...") else 1
        assert _segments.segments(text[: len(cut) - mark + 1] + cut[-mark:]) == 3, "nothing is given away"


def test_what_fits_is_left_as_it_is() -> None:
    assert _segments.fitted("字" * 134) == "字" * 134
