"""Codes of two bytes for latency and loss, and the histograms that are made of them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostwatch.core import latency
from hostwatch.core.latency import Brought, Histogram, by_span, code, lost, pack, rtt_us, total, unpack
from hostwatch.core.reading import Outcome
from hostwatch.core.timeline import Span

TIMES = st.integers(1, latency.RTT_MAX_US)
ANY_TIMES = st.one_of(
    TIMES, st.integers(0, 2**64), st.sampled_from([2**n + d for n in range(26) for d in (-1, 0, 1)])
)
CODES = st.integers(0, 65535)
HISTOGRAMS = st.builds(
    lambda codes, missed, unknown: Histogram.of(codes, missed=missed, unknown=unknown),
    st.lists(CODES, max_size=20),
    st.integers(0, 9),
    st.integers(0, 9),
)

GOLDEN = {
    (0, 0): 1,
    (1, 0): 1,
    (400, 0): 400,
    (2_047, 0): 2_047,
    (2_048, 0): 2_048,
    (20_000, 0): 5_346,
    (20_000, 1): 21_730,
    (250_000, 2): 41_889,
    (10_000_000, 3): 63_684,
    (33_554_431, 3): 65_535,
    (10**12, 99): 65_535,
}
"""What stands in stores. It must never change."""


@pytest.mark.parametrize("ping", GOLDEN)
def test_a_code_that_stands_in_a_store_keeps_its_meaning(ping: tuple[int, int]) -> None:
    assert code(*ping) == GOLDEN[ping]


@given(TIMES, st.integers(0, 3))
def test_the_time_is_wrong_by_one_part_in_two_thousand_at_most(time: int, packets: int) -> None:
    found = rtt_us(code(time, packets))

    assert found is not None
    assert abs(found - time) * 2048 <= time
    assert time >= 2048 or found == time


@given(ANY_TIMES, ANY_TIMES, st.integers(0, 9))
def test_codes_grow_with_the_time(one: int, other: int, packets: int) -> None:
    shorter, longer = sorted((one, other))

    assert code(shorter, packets) <= code(longer, packets)


@given(ANY_TIMES, st.integers(0, 9))
def test_every_answer_has_a_code_that_says_how_many_packets_were_lost(time: int, packets: int) -> None:
    found = code(time, packets)

    assert 1 <= found <= 65535
    assert lost(found) == min(packets, latency.LOST_MAX)


def test_every_code_is_the_code_of_what_it_stands_for() -> None:
    wrong = [c for c in range(65536) if (time := rtt_us(c)) is not None and code(time, lost(c)) != c]

    assert wrong == []
    assert [c for c in range(65536) if rtt_us(c) is None] == [0, 1 << 14, 2 << 14, 3 << 14]


@given(st.lists(CODES))
def test_stored_codes_come_back(codes: list[int]) -> None:
    assert unpack(pack(codes)).tolist() == codes


def test_stored_codes_begin_with_the_low_byte() -> None:
    assert pack([1, 0x0203]) == b"\x01\x00\x03\x02"


def test_a_code_that_was_cut_in_two_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        unpack(b"\x01\x00\x03")


@given(HISTOGRAMS, HISTOGRAMS, HISTOGRAMS)
def test_histograms_merge_in_any_order(one: Histogram, two: Histogram, three: Histogram) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three) == total([three, one, two])
    assert one + Histogram() == one


@given(st.lists(CODES), st.lists(CODES))
def test_a_merged_histogram_is_that_of_all_codes(one: list[int], other: list[int]) -> None:
    assert Histogram.of(one) + Histogram.of(other) == Histogram.of(one + other)


@given(st.lists(TIMES, min_size=1), st.integers(0, 1000))
def test_a_quantile_is_the_answer_of_that_rank(times: list[int], permille: int) -> None:
    found = Histogram.of(code(time, 0) for time in times).quantile(permille)

    rank = max(-(-len(times) * permille // 1000), 1)
    assert found == rtt_us(code(sorted(times)[rank - 1], 0))


def test_the_shortest_and_the_longest_time() -> None:
    seen = Histogram.of([code(300, 0), code(100, 2), code(200, 1)])

    assert (seen.least_us, seen.quantile(500), seen.most_us) == (100, 200, 300)


def test_times_that_differ_only_in_lost_packets_are_one_time() -> None:
    seen = Histogram.of([code(300, 0), code(300, 2), code(100, 0)])

    assert list(seen.times()) == [(100, 1), (300, 2)]


def test_loss_counts_first_packets() -> None:
    seen = Histogram.of([code(300, 0)] * 7 + [code(300, 1), code(300, 3)] + [0, 0], missed=1, unknown=5)

    assert seen.answered == 9
    assert seen.first_lost == 3
    assert seen.loss == Fraction(3, 10)


def test_nothing_seen_is_no_figure() -> None:
    nothing = Histogram.of([0, 0], unknown=2)

    assert (nothing.loss, nothing.quantile(500), nothing.least_us, nothing.answered) == (None, None, None, 0)


def test_pings_fall_into_the_spans_in_which_they_were_due() -> None:
    spans = [Span(100, 200), Span(200, 300), Span(400, 500)]
    brought = [
        Brought(99_999_999, Outcome.ANSWERED, code(1, 0)),
        Brought(100_000_000, Outcome.ANSWERED, code(10, 0)),
        Brought(199_999_999, Outcome.MISSED),
        Brought(250_000_000, Outcome.UNKNOWN),
        Brought(200_000_000, Outcome.ANSWERED, code(20, 1)),
        Brought(300_000_000, Outcome.MISSED),
        Brought(400_000_000, Outcome.ANSWERED),
        Brought(500_000_000, Outcome.MISSED),
    ]

    assert by_span(brought, spans) == [
        Histogram(counts={code(10, 0): 1}, missed=1),
        Histogram(counts={code(20, 1): 1}, unknown=1),
        Histogram(),
    ]


@given(st.lists(st.builds(Brought, st.integers(0, 399_999_999), st.sampled_from(Outcome), CODES)))
def test_the_spans_of_a_whole_add_up_to_it(brought: list[Brought]) -> None:
    parts = [Span(0, 7), Span(7, 120), Span(120, 400)]

    assert [total(by_span(brought, parts))] == by_span(brought, [Span(0, 400)])
