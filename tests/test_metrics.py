"""What Prometheus is told: right in form, and told of in `docs/metrics.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from hostwatch import metrics
from hostwatch.core.world import World
from hostwatch.gauges import Count, Figure, Gauge
from hostwatch.health import Health

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 10, 1, tzinfo=UTC)
WELL = Health(
    troubles=(),
    hangs=False,
    last_slice_age=timedelta(seconds=1),
    last_commit_age=timedelta(seconds=2),
    oldest_notice_age=None,
)


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
