"""The desk tells of each device what the record tells, as Prometheus reads it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hostwatch import desk, samples, unprivileged
from hostwatch.core import latency
from hostwatch.core.population import Population
from hostwatch.core.reading import Outcome
from hostwatch.core.schedule import Turn
from hostwatch.core.service import Service, service_in
from hostwatch.core.world import World
from hostwatch.store.reader import Reader
from tests.store.evidence import Filled, population

Told = dict[tuple[str, str, str, str], float]
"""By metric, customer, device and address."""


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    store = Filled(tmp_path / "store.db")
    yield store
    store.ledger.close()


def told(text: bytes) -> Told:
    found: Told = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = sample.labels
            name = sample.name + (f" {labels['service']}" if "service" in labels else "")
            key = (name, labels["customer"], labels["device"], labels["instance"])
            assert key not in found
            found[key] = sample.value
    return found


def expected(world: World, rtts: dict[str, int], now: datetime) -> Told:
    """What is to be told, from the world that the watch itself would begin with."""
    values = {"up": 1, "silent": 0, "down": 0}
    found: Told = {}
    for name, device in world.population.watched():
        labels = (device.customer, device.id, device.address)
        service = service_in(name)
        of = f" {service}" if service else ""
        state = samples.state_of(world.signals[name], now)
        if state in values:
            found["probe_success" + of, *labels] = values[state]
        if name in rtts:
            took = "probe_duration_seconds" + of if of else "probe_icmp_duration_seconds"
            found[took, *labels] = rtts[name] / 1e6
    return found


class Fickle:
    """Each ping brings anything; in a dark time, nothing but our own failure."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.rtts: dict[str, int] = {}

    def __call__(self, turn: Turn) -> tuple[Outcome, int]:
        outcome = self._random.choices(tuple(Outcome), (8, 2, 1))[0]
        if outcome is not Outcome.ANSWERED:
            return outcome, latency.NO_FIGURE
        code = latency.code(self._random.randrange(1, 10**6), 0)
        self.rtts[turn.signal] = latency.rtt_us(code) or 0
        return outcome, code


def served(people: Population) -> Population:
    """Every third device has a service."""
    for device in [*people.devices.values()][::3]:
        people.devices[device.id] = replace(device, services=(Service(name="www"),))
    return people


def test_the_desk_tells_what_the_record_tells_step_by_step(filled: Filled) -> None:
    fickle = Fickle(1)
    going_on = desk.Desk(filled.path, lambda: filled.now)
    filled.enrol(
        served(population(acme={f"web-{n}": 60 for n in range(30)}, globex={f"b-{n}": 20 for n in range(9)}))
    )
    for step in range(40):
        if step == 15:
            filled.enrol(served(population(acme={f"web-{n}": 60 for n in range(10, 35)}, globex={"b-1": 60})))
        if step in (20, 25):
            filled.now += timedelta(seconds=75)  # nobody looked: what was known of them speaks no more
        if step != 20:
            filled.slices(1 + step % 4, fickle)

        text = going_on.text()

        with Reader(filled.path) as reader:
            world = reader.world()
        assert told(text) == expected(world, fickle.rtts, filled.now), step
        success = [line for line in text.splitlines() if line.startswith(b"probe_success")]
        fresh = desk.Desk(filled.path, lambda: filled.now).text()
        assert sorted(success) == sorted(x for x in fresh.splitlines() if x.startswith(b"probe_success"))


def test_a_slice_that_closes_late_is_not_overlooked(filled: Filled) -> None:
    going_on = desk.Desk(filled.path, lambda: filled.now)
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(30)}))
    filled.slices(12, lambda _: (Outcome.ANSWERED, latency.code(100, 0)))
    late = filled.now
    filled.now += timedelta(seconds=5)
    filled.slices(11, lambda _: (Outcome.ANSWERED, latency.code(200, 0)))
    before = told(going_on.text())
    filled.now, end = late, filled.now
    filled.slices(1, lambda _: (Outcome.ANSWERED, latency.code(300, 0)))
    filled.now = end

    after = told(going_on.text())

    assert set(after.values()) - set(before.values()) == {0.0003}
    assert 0.0001 in before.values()
    assert 0.0001 not in after.values()


def test_a_slice_that_closes_late_takes_nothing_back(filled: Filled) -> None:
    going_on = desk.Desk(filled.path, lambda: filled.now)
    filled.enrol(population(acme={"web-1": 60}))
    filled.slices(12, lambda _: (Outcome.ANSWERED, latency.code(100, 0)))
    late = filled.now
    filled.now += timedelta(seconds=60)
    filled.slices(12, lambda _: (Outcome.ANSWERED, latency.code(300, 0)))
    before = told(going_on.text())
    filled.now, end = late, filled.now
    filled.slices(12, lambda _: (Outcome.ANSWERED, latency.code(200, 0)))
    filled.now = end

    assert set(before.values()) == {1, 0.0003}
    assert told(going_on.text()) == before
    filled.now += timedelta(seconds=15)
    assert told(going_on.text()) == before


def test_labels_are_written_as_the_format_wants_them() -> None:
    strange = 'a "b" \\ c\nd'
    entry = samples.Entry("x/ping@main", strange, "x", "::1", timedelta(seconds=60))
    table = samples.Samples([entry])
    now = datetime.fromisoformat("2026-10-01T00:00:00+00:00")
    table.rest([("x/ping@main", int(now.timestamp()) * 1_000_000)])

    assert told(table.text(now)) == {("probe_success", strange, "x", "::1"): 1}


def test_nobody_is_told_of_before_there_are_devices(filled: Filled) -> None:
    assert told(desk.Desk(filled.path).text()) == {}


@pytest.fixture
def beside(filled: Filled) -> Iterator[desk.Beside]:
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(30)}))
    filled.slices(13, Fickle(2))
    one = desk.Beside(filled.path)
    yield one
    one.close()


def text_of(body: desk.Body) -> bytes:
    assert body.sheet is not None
    return os.pread(body.sheet.fileno(), body.size + 1, 0)


def test_a_desk_in_a_process_of_its_own_tells_the_same(filled: Filled, beside: desk.Beside) -> None:
    inside = desk.Inside(filled.path).body().text

    first, second = beside.body(), beside.body()

    assert b"probe_icmp_duration_seconds{" in inside
    assert text_of(first) == text_of(second) == inside


def test_it_is_started_anew_when_it_was_killed(beside: desk.Beside) -> None:
    whole = text_of(beside.body())
    process = beside._process
    assert process is not None
    process.send_signal(signal.SIGKILL)
    process.wait()

    with pytest.raises(desk.NoSamples, match="the process that reads the store for the metrics is gone"):
        beside.body()

    assert text_of(beside.body()) == whole


def test_it_says_why_it_cannot_read(tmp_path: Path) -> None:
    nowhere = desk.Beside(tmp_path / "nothing.db")
    try:
        with pytest.raises(desk.NoSamples, match="there is no store yet at"):
            nowhere.body()
    finally:
        nowhere.close()


def test_it_ends_with_who_asks(beside: desk.Beside) -> None:
    beside.body()
    process, ours = beside._process, beside._ours
    assert process is not None
    assert ours is not None

    ours.close()

    assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(
    ("count", "kind"), [(desk.DEVICES_INSIDE_MAX, None), (desk.DEVICES_INSIDE_MAX + 1, "sheet")]
)
def test_it_stands_beside_the_watch_when_there_are_many(
    filled: Filled, count: int, kind: str | None, request: pytest.FixtureRequest
) -> None:
    chosen = desk.Chosen(filled.path, lambda: count)
    request.addfinalizer(chosen.close)

    assert (chosen.body().sheet is not None) is (kind == "sheet")


@pytest.mark.lab
def test_it_has_none_of_our_privileges() -> None:
    """Started by nobody who has CAP_NET_RAW, as the unit has it; where nobody may read."""
    dropped = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
    ambient = ["--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"]
    python = shutil.which("python3", path="/usr/bin:/bin")
    assert python is not None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "hostwatch").mkdir()
        for name in ("__init__.py", "unprivileged.py"):
            shutil.copy(Path(unprivileged.__file__).with_name(name), Path(folder) / "hostwatch")

        def capabilities(*words: str) -> dict[str, str]:
            done = subprocess.run(
                [*dropped, *ambient, python, *words, "code", "-q"],
                input="print(open('/proc/self/status').read())\n",
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
                cwd=folder,
            )
            held = dict(line.split(":\t") for line in done.stdout.splitlines() if line.startswith("Cap"))
            return {name: held[name] for name in ("CapEff", "CapPrm", "CapAmb")}

        before, after = capabilities("-m"), capabilities(*unprivileged.command("x")[1:-1])

    assert set(before.values()) == {f"{1 << 13:016x}"}
    assert set(after.values()) == {"0" * 16}


def test_more_slices_than_one_transaction_reads(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hostwatch.store.evidence.SLICES_AT_ONCE", 4)
    fickle = Fickle(3)
    filled.enrol(population(acme={f"web-{n}": 60 for n in range(30)}))
    filled.slices(27, fickle)

    text = desk.Desk(filled.path, lambda: filled.now).text()

    assert told(text) == expected(filled.world, fickle.rtts, filled.now)
