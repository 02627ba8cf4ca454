"""A configuration comes into force at a start and at a reload, with its author; a broken one never."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Callable

from hostwatch.core import facts
from hostwatch.store.reader import Reader
from tests.daemon.running import Running


def recorded(watch: Running, kind: type[facts.Fact]) -> list[facts.Fact]:
    with Reader(watch.folder / "watch.db") as reader:
        return list(reader.facts([kind]))


def me() -> str:
    return f"{pwd.getpwuid(os.getuid()).pw_name} (uid {os.getuid()}"


def test_a_reload_names_its_author_and_what_changed(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")
    watch.rewrite("address: 127.0.0.2", "address: 127.0.0.3")

    done = watch.command("reload")

    assert (done.returncode, done.stdout) == (0, "the new configuration is in force\n"), done.stderr
    _, applied = recorded(watch, facts.ConfigurationApplied)
    assert isinstance(applied, facts.ConfigurationApplied)
    assert applied.author.startswith(me())
    assert applied.difference == (
        {"path": "customers[acme].devices[web-1].address", "before": "127.0.0.2", "after": "127.0.0.3"},
    )
    assert watch.command("reload").stdout == "nothing has changed\n"
    assert len(recorded(watch, facts.ConfigurationApplied)) == 2


def test_a_hang_up_is_unattributed_and_shown_so(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")
    watch.rewrite("misses: 2", "misses: 3")

    watch.process.send_signal(signal.SIGHUP)

    watch.wait_for("configuration-applied", lambda event: event["author"] == "unattributed (SIGHUP)")


def test_a_broken_file_leaves_the_old_configuration_in_force_and_says_so(
    start: Callable[..., Running],
) -> None:
    watch = start()
    watch.wait_for("device-proven")
    watch.rewrite("address: 127.0.0.2", "adress: 127.0.0.2")

    done = watch.command("reload")

    assert done.returncode == 1
    assert "the old configuration stays in force" in done.stderr
    refused = watch.wait_for("configuration-refused")
    assert "did you mean address" in done.stderr
    places = [mistake.partition("hostwatch.yaml")[2] for mistake in refused["mistakes"]]
    assert places == [
        ":13: customers[acme].devices[web-1].address",
        ":13: customers[acme].devices[web-1].adress",
    ]
    (fact,) = recorded(watch, facts.ConfigurationRefused)
    assert isinstance(fact, facts.ConfigurationRefused)
    assert fact.author.startswith(me())
    assert len(recorded(watch, facts.ConfigurationApplied)) == 1


def test_a_change_made_while_nobody_watched_is_found_at_the_start(start: Callable[..., Running]) -> None:
    """The difference is to what was recorded, by another run with other salts."""
    first = start()
    first.wait_for("device-proven")
    assert first.stop() == 0
    first.rewrite("ops@acme.example", "noc@acme.example")
    first.rewrite("address: 127.0.0.2", "address: 127.0.0.4")

    second = start()
    second.wait_for("schedule-adopted")

    applied = recorded(second, facts.ConfigurationApplied)[-1]
    assert isinstance(applied, facts.ConfigurationApplied)
    assert applied.author == f"start by {me()})"
    paths = [change["path"] for change in applied.difference]
    assert paths == ["customers[acme].contacts[duty].channels", "customers[acme].devices[web-1].address"]
    assert "acme.example" not in str(applied)


def test_an_unchanged_configuration_is_no_new_fact_at_a_start(start: Callable[..., Running]) -> None:
    first = start()
    first.wait_for("device-proven")
    assert first.stop() == 0
    second = start()
    second.wait_for("watch-started")
    second.wait_for("blind-ended")

    assert len(recorded(second, facts.ConfigurationApplied)) == 1


def test_what_needs_a_restart_is_said(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")
    watch.rewrite("sqlite:///watch.db", "sqlite:///other.db\ncontrol: watch.db.sock")

    done = watch.command("reload")

    assert done.returncode == 0, done.stderr
    assert "store takes effect at the next start" in done.stderr


def test_devices_come_and_go_without_disturbing_the_others(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")
    watch.rewrite("      - {id: web-1", "      - {id: web-2, address: 127.0.0.5}\n      - {id: web-1")
    assert watch.command("reload").returncode == 0
    watch.wait_for("device-proven", lambda event: event["signal"] == "web-2/ping@main")
    watch.rewrite("      - {id: web-2, address: 127.0.0.5}\n", "")
    assert watch.command("reload").returncode == 0

    with Reader(watch.folder / "watch.db") as reader:
        assert set(reader.world().signals) == {"web-1/ping@main"}
        proven = list(reader.facts([facts.DeviceProven]))
    assert [fact.signal for fact in proven if isinstance(fact, facts.DeviceProven)] == [
        "web-1/ping@main",
        "web-2/ping@main",
    ]


def test_what_is_wrong_may_be_personal_and_is_not_recorded(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")
    watch.rewrite("ops@acme.example", "Duty Officer +00 5550100 at acme.example")

    done = watch.command("reload")

    assert "5550100" in done.stderr
    (fact,) = recorded(watch, facts.ConfigurationRefused)
    assert "5550100" not in str(fact)
