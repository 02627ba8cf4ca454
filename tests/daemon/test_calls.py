"""The call sheet by the command line: a watch, a service that goes away, and a telephone to ring.

```
 www is gone ── E-000001 ── the call is on the sheet, 15 minutes left
    hostwatch calls ── whom, the number, what to say
    hostwatch calls take --by "Li Na" ── hers; somebody else is refused
    kill -9, start ── still hers
    hostwatch calls end --outcome no-answer ── it is put there again after a minute (seen in the outbox story)
    hostwatch calls end --outcome spoke --to "Chen Wei" --has-it --reference PBX-4711 ── told, in time
```
"""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.checkers.servers import serving
from tests.daemon.running import CONFIGURATION, Running
from tests.daemon.test_acknowledgement import emergency, states
from tests.daemon.test_applications import DEVICE, greet

NUMBER = "+862800004711"
CALL = "E-000001/acme/duty#1"


def configure(folder: Path, service: int) -> None:
    text = CONFIGURATION.replace("within: 10s", "within: 15m, met_by: acknowledged")
    text = text.replace("[{email: ops@acme.example}]", '[{person: "+86 28 0000 4711"}]')
    check = f"{{www: {{checks: [tcp: {{port: {service}, expect: hello, timeout: 400ms}}]}}}}"
    text = text.replace("address: 127.0.0.2}", f"address: 127.0.0.2, services: {check}}}")
    text = text.replace("name: Acme Trading", "name: Acme Trading\n    language: zh-CN")
    (folder / "hostwatch.yaml").write_text(text, encoding="utf-8")


def sheet(watch: Running) -> list[dict[str, Any]]:
    told = watch.command("calls", "--json")
    assert told.returncode == 0, told.stderr
    found: list[dict[str, Any]] = json.loads(told.stdout)
    return found


def test_a_human_makes_the_call(start: Callable[..., Running], tmp_path: Path) -> None:
    with serving(greet, DEVICE) as service:
        configure(tmp_path, service)
        watch = start()
        watch.wait_for("device-proven", lambda seen: "www" in seen["signal"])
        assert "no call is to be made" in watch.command("calls").stdout
    watch.wait_for("attempt", lambda seen: seen["outcome"] == "attempted")

    (one,) = sheet(watch)
    assert (one["call"], one["number"], one["taken_by"]) == (CALL, NUMBER, None)
    assert 600 < one["left_s"] <= 900
    assert one["say"][0] == "您好，这里是Test site。请问是Acme Trading的Duty officer吗？"
    assert one["say"][1].startswith("E-000001：")
    shown = watch.command("calls").stdout
    assert "您好" in shown

    took(watch)
    watch.stop(signal.SIGKILL)
    watch = start()
    watch.wait_for("watch-started")
    assert sheet(watch)[0]["taken_by"] == "Li Na"

    ended = watch.command(
        "calls", "end", CALL, "--outcome", "spoke", "--to", "Chen Wei", "--has-it", "--reference", "PBX-4711"
    )
    assert (ended.returncode, ended.stdout) == (0, f"{CALL}: spoke\n"), ended.stderr
    watch.wait_for("duty-met")
    assert sheet(watch) == []
    assert states(watch) == {"duty": "acknowledged"}
    assert [has["by"] for has in emergency(watch)["acknowledged"]] == ["Chen Wei"]
    explained = watch.command("explain", "E-000001").stdout
    assert "Li Na takes the call" in explained
    assert "Li Na called: spoke to Chen Wei, who has it (independent: PBX-4711)" in explained
    assert watch.stop() == 0
    names_are_kept_apart(watch)


def took(watch: Running) -> None:
    """It is hers, and nobody else's; what makes no sense is refused."""
    taken = watch.command("calls", "take", "E-000001/duty", "--by", "Li Na")
    assert taken.stdout == f"{CALL} is yours for 2 min; then say what came of it\n", taken.stderr
    (one,) = sheet(watch)
    assert one["taken_by"] == "Li Na"
    for words, why in {
        ("take", CALL, "--by", "Wu"): "taken by somebody else",
        ("end", CALL, "--outcome", "spoke"): "say to whom with --to",
        ("end", CALL, "--outcome", "silence"): "no answer, fax sent",
        ("end", "E-000002/duty", "--outcome", "no-answer"): "did you mean E-000001/acme/duty#1?",
    }.items():
        told = watch.command("calls", *words)
        assert (told.returncode, why in told.stderr) == (2, True), (words, told.stderr)


def names_are_kept_apart(watch: Running) -> None:
    """No fact holds a name, a number or the reference: only the table that can be erased does."""
    with sqlite3.connect(watch.folder / "watch.db") as db:
        facts = "".join(body for (body,) in db.execute("SELECT body FROM facts"))
    for secret in ("Li Na", "Chen Wei", "PBX-4711", NUMBER):
        assert secret not in facts
