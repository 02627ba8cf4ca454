"""A breach and its excuse, by the command line: a watch, a relay that is not there, and two people with sudo.

```
 a customer rings ── hostwatch emergency open ── nobody can be told ── 10 s: a breach, with why
    chen: hostwatch duty claim ── approve, refused ── li: approve ── kill -9, start ──▶ as it was
```
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.running import WITHIN_S, Running

CHEN, LI = 54_321, 54_322


def logged_in(user: int, watch: Running, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of ours from the login of a user who has become root since, as with sudo."""

    def log_in() -> None:
        Path("/proc/self/loginuid").write_text(str(user), encoding="ascii")

    return subprocess.run(
        [sys.executable, "-m", "hostwatch", *words, "--config", str(watch.path)],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        preexec_fn=log_in,
    )


def _logins() -> bool:
    """Whether this kernel knows of logins, and we come from none, so that we may say whose we are."""
    try:
        return Path("/proc/self/loginuid").read_text(encoding="ascii") == str(2**32 - 1)
    except OSError:
        return False


@pytest.mark.skipif(not _logins() or os.getuid() != 0, reason="needs a process that comes from no login")
def test_two_people_excuse_a_breach(start: Callable[..., Running], tmp_path: Path) -> None:
    proof = tmp_path / "typhoon.pdf"
    proof.write_bytes(b"typhoon")
    watch = start()
    watch.wait_for("device-proven")
    since = datetime.now(UTC).isoformat()
    words = ("--device", "web-1", "--since", since, "--told-by", "Li Na", "--because", "no shop")
    assert watch.command("emergency", "open", *words).returncode == 0
    watch.wait_for("customer-duty-breached")

    said = ("E-000001/acme", "--class", "force-majeure", "--because", "typhoon", "--evidence", str(proof))
    made = logged_in(CHEN, watch, "duty", "claim", *said)
    digest = hashlib.sha256(b"typhoon").hexdigest()
    assert made.stdout == (
        "C-000001: force-majeure is claimed for E-000001.customer.acme, which stays breached\n"
        "another person decides of it: hostwatch duty approve C-000001, or reject\n"
        f"evidence: typhoon.pdf, 7 bytes, SHA-256 {digest}: keep this file\n"
    ), made.stderr
    again = logged_in(CHEN, watch, "duty", "approve", "C-000001")
    assert (again.returncode, "that may be one person" in again.stderr) == (2, True), again.stderr
    nobody = watch.command("duty", "approve", "C-000001")
    assert (nobody.returncode, "that may be one person" in nobody.stderr) == (2, True), nobody.stderr
    approved = logged_in(LI, watch, "duty", "approve", "C-000001", "--because", "as the news say")
    assert approved.stdout == "C-000001 is approved: E-000001.customer.acme stays breached\n", approved.stderr

    watch.stop(signal.SIGKILL)
    told = watch.command("duties", "E-000001", "--json")
    (duty,) = json.loads(told.stdout)["duties"]
    assert (told.returncode, duty["standing"], duty["excused"]) == (1, "breached", True)
    (claim,) = duty["claims"]
    assert (f"login {CHEN}" in claim["actor"], f"login {LI}" in claim["decided_by"]) == (True, True)
    page = watch.command("duties").stdout
    assert "1 breaches, of them 1 excused" in page
    assert "excused, approved by root (uid 0" in page
    assert "× email to duty not accepted" in page
    told = watch.command("explain", "E-000001")
    assert "claims C-000001, force-majeure for customer/acme: typhoon" in told.stdout
    assert "C-000001 is approved: as the news say" in told.stdout
    withdrawn(start())


def withdrawn(watch: Running) -> None:
    """Of the watch that was started anew."""
    watch.wait_for("watch-started")
    bare = watch.command("duty", "withdraw", "C-000001")
    assert (bare.returncode, bare.stderr) == (2, "say why with --because\n")
    done = watch.command("duty", "withdraw", "C-000001", "--because", "another typhoon")
    assert done.stdout == "C-000001 is withdrawn: E-000001.customer.acme stays breached\n", done.stderr
    counts: dict[str, Any] = json.loads(watch.command("duties", "--json").stdout)["counts"]
    assert (counts["breaches"], counts["excused"]) == (1, 0)
    assert watch.stop() == 0


def test_what_makes_no_sense_is_refused_before_anybody_is_asked(start: Callable[..., Running]) -> None:
    watch = start()
    for words, why in [
        (("approve", "C-000001", "--class", "force-majeure"), "takes no more than --because"),
        (("claim", "E-000001", "--span", "yesterday"), "is no span"),
        (("claim", "E-000001", "--evidence", "/nowhere"), "cannot read /nowhere"),
    ]:
        told = watch.command("duty", *words)
        assert (told.returncode, why in told.stderr) == (2, True), told.stderr
