"""The words of a notice: what the first line must hold, both bounds, zones, marks and hostile names."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core.warned import What
from hostwatch.messages import catalogue, parted, spans, text, warning
from tests.messages.examples import (
    ALL_POWER_BACK,
    BACK,
    FIRST,
    NO_POWER,
    NOTICES,
    OTHER,
    SILENT,
    at,
    compose,
    payload,
)

LANGUAGES = ("en", "zh-CN")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("heading", NOTICES)
def test_the_first_line_is_the_subject_and_fits_a_pager(heading, language):
    kind, stories, options = NOTICES[heading]
    composed = compose(kind, stories, language=language, **options)

    assert composed.text.splitlines()[0] == composed.subject
    assert len(composed.subject) <= text.SUBJECT_MAX_CHARS
    for story in stories:
        for said in (story.reference, story.device, story.address):
            assert said in composed.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_emergency_says_who_since_when_and_what_to_quote_at_once(language):
    subject = compose("emergency", (SILENT,), language=language).subject
    for said in ("E-000042", "acme-web-1", "192.0.2.17", "2026-10-03 14:05:00 +08:00"):
        assert said in subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_bounds_are_told_in_the_zone_of_the_customer(language):
    written = compose("recovery", (BACK,), language=language, zone=ZoneInfo("America/St_Johns")).text
    for clock in ("03:30:00", "03:35:00", "04:00:00", "04:05:00", "03:40:00"):
        assert f"2026-10-03 {clock} -02:30" in written
    assert "America/St_Johns" in written


def test_a_length_over_a_change_of_clocks_is_the_true_one():
    berlin = ZoneInfo("Europe/Berlin")
    night = dataclasses.replace(
        BACK,
        last_answer=datetime(2026, 10, 24, 23, 55, tzinfo=UTC),
        first_miss=datetime(2026, 10, 25, 0, 0, tzinfo=UTC),
        verdict=datetime(2026, 10, 25, 0, 5, tzinfo=UTC),
        last_miss=datetime(2026, 10, 25, 1, 55, tzinfo=UTC),
        first_answer=datetime(2026, 10, 25, 2, 0, tzinfo=UTC),
    )
    written = compose("recovery", (night,), zone=berlin).text

    assert "by 2026-10-25 02:00:00 +02:00 (first miss)" in written
    assert "by 2026-10-25 03:00:00 +01:00 (first answer)" in written
    assert "Silent for: 2 h (at least 1 h 55 min, at most 2 h 5 min)" in written


@pytest.mark.parametrize(
    ("first_miss", "first_answer", "expected"),
    [
        ("00:00.900000", "00:01.100000", 1),
        ("00:00.100000", "00:00.900000", 0),
        ("00:00.000000", "59:59.999999", 3599),
    ],
)
def test_lengths_are_floored_as_the_accounting_floors(first_miss, first_answer, expected):
    def when(clock: str) -> datetime:
        return datetime.strptime(f"2026-10-03 06:{clock}+0000", "%Y-%m-%d %H:%M:%S.%f%z")

    story = dataclasses.replace(
        BACK, first_miss=when(first_miss), last_miss=when(first_miss), first_answer=when(first_answer)
    )
    length = spans.length(story)
    assert length is not None
    assert length.point_s == expected


@pytest.mark.parametrize(("language", "mark"), [("en", "[repeat] "), ("zh-CN", "【重复】")])
@pytest.mark.parametrize("heading", NOTICES)
def test_a_repeat_is_marked_at_once(heading, language, mark):
    kind, stories, _ = NOTICES[heading]
    composed = compose(kind, stories, language=language, repeat=True)
    first = {"en": "EXERCISE ", "zh-CN": "演练 "}[language] if kind == "exercise" else ""

    assert composed.subject.startswith(first + mark)
    assert composed.text.startswith(first + mark)
    assert len(composed.subject) <= text.SUBJECT_MAX_CHARS
    assert not compose(kind, stories, language=language).subject.startswith(mark)


def test_no_text_claims_more_than_a_ping_can_prove():
    for kind, stories, _ in NOTICES.values():
        written = compose(kind, stories, repeat=True, late=True).text.lower()
        for claim in ("broken", "down", "failed", "fault", "offline", "outage", "unavailable"):
            assert claim not in written


def test_intervals_of_a_lab_are_told_too():
    lab = dataclasses.replace(SILENT, interval=timedelta(milliseconds=300), misses=1)
    written = compose("emergency", (lab,)).text
    assert "1 ping missed (no answer); we ping every 300 ms" in written


def test_a_word_of_the_prober_that_is_new_is_shown_as_it_is():
    odd = dataclasses.replace(SILENT, why="source quench")
    assert "（source quench）" in compose("emergency", (odd,), language="zh-CN").text


def test_many_devices_are_counted_in_the_first_line_and_all_listed_below():
    many = tuple(dataclasses.replace(OTHER, reference=f"E-{n:06}", device=f"acme-{n}") for n in range(300))
    composed = compose("emergency", many)

    assert composed.subject.startswith("300 devices have not answered our pings, the first since ")
    assert " +" in composed.subject
    assert len(composed.subject) <= text.SUBJECT_MAX_CHARS
    for story in many:
        assert f"Device: {story.device}, " in composed.text


@pytest.mark.parametrize("kind", ["emergency", "recovery", "withdrawn"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_name_however_long_makes_the_first_line_longer(kind, language):
    long = dataclasses.replace(BACK, device="d" * 500, reference="r" * 500)
    for stories in ((long,), (long, long)):
        assert len(compose(kind, stories, language=language).subject) == text.SUBJECT_MAX_CHARS


@given(
    device=st.text(max_size=300),
    reference=st.text(max_size=150),
    address=st.sampled_from(["192.0.2.17", "2001:db8:1111:2222:3333:4444:5555:6666"]),
    kind=st.sampled_from(["emergency", "recovery", "withdrawn"]),
    language=st.sampled_from(LANGUAGES),
    count=st.integers(1, 3),
    repeat=st.booleans(),
)
def test_whatever_a_name_is_the_first_line_stays_one_short_line(
    device, reference, address, kind, language, count, repeat
):
    story = dataclasses.replace(BACK, device=device, reference=reference, address=address)
    composed = compose(kind, (story,) * count, language=language, repeat=repeat, customer_name=device)

    assert len(composed.subject) <= text.SUBJECT_MAX_CHARS
    assert composed.subject.isprintable()
    assert composed.text.split("\n", 1)[0] == composed.subject
    assert all(c.isprintable() or c == "\n" for c in composed.text)


def test_parts_with_the_same_dates_to_the_second_are_one():
    twin = dataclasses.replace(
        FIRST,
        on="ups-b",
        devices=("acme-web-3",),
        behind=1,
        first_miss=FIRST.first_miss + timedelta(milliseconds=900),
    )
    written = compose("emergency", (dataclasses.replace(NO_POWER, behind=3, parts=(FIRST, twin)),)).text

    assert written == compose("emergency", (dataclasses.replace(NO_POWER, behind=3),)).text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "15 more at other times"), ("zh-CN", "另有 15 台时间不同")]
)
def test_groups_beyond_the_first_are_counted(language, said):
    many = tuple(
        dataclasses.replace(FIRST, on=f"ups-{n}", first_miss=FIRST.first_miss + timedelta(seconds=n))
        for n in range(15)
    )
    story = dataclasses.replace(NO_POWER, behind=35, parts=many)
    written = compose("update", (story,), language=language).text

    assert written.count("acme-web-1") == 2 + parted.GROUPS_MAX
    assert said in written


def test_data_has_the_figures_of_each_part():
    (told,) = payload("recovery", (ALL_POWER_BACK,))["emergencies"]

    assert [(one["on"], one["devices"], one["silent_s"]) for one in told["parts"]] == [
        ("ups-a", ["acme-web-1", "acme-web-2"], 1500),
        ("any(ups-a,ups-b)", ["acme-web-3"], 420),
    ]
    assert told["parts"][1]["first_answer"] == "2026-10-03T06:21:00.000000Z"
    assert [(one["silent_least_s"], one["silent_most_s"]) for one in told["parts"]] == [
        (1440, 1560),
        (360, 480),
    ]


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "what hangs on this alone has no power"), ("zh-CN", "仅由此处供电的设备已没有电")],
)
def test_a_warning_of_power_that_is_lost_says_that_it_is_lost(language: str, said: str) -> None:
    """Nothing is interrupted by the wording; but who reads only that would think that all have power."""
    words = catalogue.words(catalogue.resolve(language))
    assert said in warning.next_steps(words, "warning", What.DISTRIBUTION)
    assert said not in warning.next_steps(words, "warning", What.ON_BATTERY)


@pytest.mark.parametrize(
    ("began", "ended", "said"),
    [
        ("06:05", "06:35", "since 2026-10-03 14:35:00 +08:00; it began 14:05:00"),
        ("15:55", "16:05", "since 2026-10-04 00:05:00 +08:00; it began 2026-10-03 23:55:00 +08:00"),
    ],
)
def test_the_date_of_a_beginning_is_left_out_beside_an_end_of_the_same_day(
    began: str, ended: str, said: str
) -> None:
    """The day of the reader: the second of these is one day in UTC."""
    story = dataclasses.replace(BACK, first_miss=at(began), first_answer=at(ended))
    assert compose("recovery", (story,), both=True).subject.endswith(said)
