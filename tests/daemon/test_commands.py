"""The command line: help, exit codes, the key of the webhooks, and one look at some addresses."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable

import pytest

from hostwatch import commands
from tests.daemon.running import Running, command


def test_each_command_explains_itself() -> None:
    told = command("--help").stdout

    for verb in commands.verbs():
        assert f"\n    {verb}" in told
        own = command(verb, "--help")
        assert own.returncode == 0
        assert own.stdout.startswith(f"usage: hostwatch {verb}")


def test_an_unknown_command_is_no_traceback() -> None:
    done = command("wacht")

    assert done.returncode == 2
    assert "invalid choice: 'wacht'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_webhook_key_is_made_once_for_its_user_alone(start: Callable[..., Running]) -> None:
    first = start()
    first.wait_for("device-proven")
    key = first.command("webhook-key")
    path = first.folder / "watch.db.webhook-key"

    assert key.returncode == 0
    assert len(bytes.fromhex(key.stdout.strip())) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.stop() == 0

    second = start()
    second.wait_for("watch-started")
    assert second.command("webhook-key").stdout == key.stdout


def test_a_key_that_others_may_read_is_refused(start: Callable[..., Running]) -> None:
    first = start()
    first.wait_for("device-proven")
    first.stop()
    path = first.folder / "watch.db.webhook-key"
    path.chmod(0o640)

    second = start()
    told = second.wait_for("stopped")

    assert told["error"] == f"cannot use the webhook key {path}: others may read it; run chmod 600 {path}"
    assert second.process.wait(timeout=10) == 1


def test_ping_shows_what_it_saw() -> None:
    done = command("ping", "127.0.0.1", "::1", "--json")

    assert done.returncode == 0, done.stderr
    looks = json.loads(done.stdout)
    assert [look["address"] for look in looks] == ["127.0.0.1", "::1"]
    assert all(look["outcome"] == "answered" and look["rtt_us"] >= 0 for look in looks)
    table = command("ping", "127.0.0.9")
    assert "127.0.0.9" in table.stdout
    assert "answered" in table.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["www.acme.example"], "is not an IP address; names are not resolved"),
        (["127.0.0.1", "--attempts", "0"], "is not a number from 1 to 100"),
        (["127.0.0.1", "--timeout", "5"], "5"),
    ],
)
def test_ping_says_what_it_cannot_take(words: list[str], told: str) -> None:
    done = command("ping", *words)

    assert done.returncode == 2
    assert told in done.stderr


def test_run_prints_all_mistakes_and_does_not_start(start: Callable[..., Running]) -> None:
    watch = start()
    watch.wait_for("device-proven")
    watch.stop()
    watch.rewrite("misses: 2", "misses: none")
    watch.rewrite("address: 127.0.0.2", "address: somewhere")

    again = start()
    lines = [again.wait_for("raw")["line"]]
    again.forget()
    lines.append(again.wait_for("raw")["line"])

    assert again.process.wait(timeout=10) == 1
    assert "schedule.misses" in lines[0]
    assert "address" in lines[1]
