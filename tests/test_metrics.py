"""What Prometheus is told: right in form, and told of in `docs/metrics.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from hostwatch import metrics
from hostwatch.core.reading import Outcome
from hostwatch.core.signal import begin
from hostwatch.core.signals import Signals
from hostwatch.core.world import World
from hostwatch.gauges import Count, Figure, Gauge
from tests.store.evidence import Filled, population
from tests.well import NOW, WELL

ROOT = Path(__file__).parent.parent


def shown(figures: Iterable[Figure] = ()) -> str:
    return metrics.render(metrics.snapshot(World(), metrics.Tally(), WELL, 0.5, NOW, figures)).decode()


def test_every_metric_is_on_its_page_and_the_page_has_no_other() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `((?:hostwatch|probe)_\w+)` \|", page, re.MULTILINE))
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "hostwatch").rglob("*.py"))

    assert told == set(re.findall(r'"((?:hostwatch|probe)_[a-z0-9_]+)"', code))


def test_a_part_of_the_watch_contributes_figures() -> None:
    text = shown(
        [
            Gauge("hostwatch_lag_seconds", "How late.", 0.25),
            Gauge("hostwatch_unheard_of", "Nobody knows.", None),
            Count(
                "hostwatch_packets_total", "Packets, by what they were.", {"own": 7, 'a "foreign"': 2}, "of"
            ),
        ]
    )

    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert "hostwatch_unheard_of" not in families
    assert families["hostwatch_lag_seconds"].type == "gauge"
    assert families["hostwatch_lag_seconds"].samples[0].value == 0.25
    assert families["hostwatch_packets"].type == "counter"
    assert {s.labels["of"]: s.value for s in families["hostwatch_packets"].samples} == {
        "own": 7,
        'a "foreign"': 2,
    }


def test_a_scrape_of_the_figures_looks_at_nobody_who_is_well(tmp_path: Path) -> None:
    filled = Filled(tmp_path / "store.db")
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(40)}))
    filled.slices(13, lambda _: (Outcome.ANSWERED, 1))
    silent = set(sorted(filled.brought)[:7])
    filled.slices(12, lambda turn: (Outcome.MISSED if turn.signal in silent else Outcome.ANSWERED, 0))

    def states(now: datetime) -> dict[str, float]:
        text = metrics.render(metrics.snapshot(filled.world, metrics.Tally(), WELL, 0.5, now)).decode()
        return {
            sample.labels["state"]: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "hostwatch_signals"
        }

    filled.ledger.close()
    filled.world.signals.speaking = lambda name: pytest.fail(f"{name} was looked at")
    assert states(filled.now) == {"up": 33, "silent": 7, "down": 0, "unknown": 0, "not proven": 0}
    later = states(filled.now + timedelta(minutes=9))
    assert later == {"up": 0, "silent": 0, "down": 0, "unknown": 40, "not proven": 0}


@given(
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from(["rest", "put", "drop"]), st.integers(0, 40))
    )
)
def test_those_at_rest_are_counted_by_when_they_answered(deeds: list[tuple[str, str, int]]) -> None:
    signals = Signals(lambda _: timedelta(minutes=1))
    rested: dict[str, int] = {}
    fresh: set[str] = set()
    for name, deed, seconds in deeds:
        rested.pop(name, None)
        fresh.discard(name)
        match deed:
            case "rest":
                signals.rest(name, seconds * 1_000_000)
                rested[name] = seconds * 1_000_000
            case "put":
                signals.put(begin(name, NOW))
                fresh.add(name)
            case _:
                signals.drop(name)

    for second in range(0, 50, 5):
        before = sum(due_us < second * 1_000_000 for due_us in rested.values())
        assert signals.resting_since_before(second * 1_000_000) == before
    assert (signals.resting, signals.fresh, len(signals)) == (
        len(rested),
        len(fresh),
        len(rested) + len(fresh),
    )
    assert {name: signals.rested_us(name) for name in rested} == rested
    assert set(signals.never_looked_at()) == fresh == {name for name in "abcde" if signals.is_fresh(name)}
    assert len(signals._answered) <= len(rested)
