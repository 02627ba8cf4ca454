"""Somebody has it, by the link in their mail.

```
 www is gone ── E-000001 ── mails to duty and boss, each with a link of their own
    mail scanner: GET, HEAD, prefetch, a POST of its own ──▶ nothing
    boss opens, presses            ──▶ has it; pressed again: since when
    duty opens                     ──▶ sees that boss has it
    boss takes it back             ──▶ nobody has it
    boss is taken out of the configuration ──▶ their link is refused, that of duty is not
    the service is back            ──▶ over
```
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from tests.checkers.servers import serving
from tests.daemon.running import Running
from tests.daemon.test_applications import greet
from tests.web.desk import REFERENCE, Answer, Desk, open_desk


def test_a_person_has_it_by_the_link_in_their_mail(start: Callable[..., Running], tmp_path: Path) -> None:
    with open_desk(start, tmp_path) as desk:
        boss, duty = desk.path("boss"), desk.path("duty")
        assert boss != duty
        looked_at(desk, boss)

        has = desk.press(boss, by="Chen  Wei\r\nX-Evil: 1")
        assert (has.code, has.title) == (200, f"You have {REFERENCE}")
        assert desk.known() == [("boss", "Chen Wei X-Evil: 1", "link")]
        again = desk.press(boss, by="Somebody Else")
        assert "Chen Wei X-Evil: 1 has it since" in again.text
        assert len(desk.known()) == 1
        other = desk.ask("GET", duty)
        assert "Chen Wei X-Evil: 1 has it since" in other.text
        assert f"{REFERENCE}: do you take care of it?" == other.title
        assert "has it (link, recorded by their link)" in desk.watch.command("explain", REFERENCE).stdout

        back = desk.press(boss, "withdraw")
        assert back.title == f"{REFERENCE}: do you take care of it?"
        assert desk.known() == []
        assert desk.press(boss, "withdraw").code == 200, "and again changes nothing"
        left(desk, boss, duty)


def looked_at(desk: Desk, path: str) -> None:
    """Whoever only looks acknowledges nothing, nor who presses without having looked."""
    page = desk.ask("GET", path)
    assert (page.code, page.title) == (200, f"{REFERENCE}: do you take care of it?")
    assert "www on web-1 (127.0.0.2) has not passed our checks" in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    told = {name: page.headers[name] for name in ("referrer-policy", "cache-control", "x-robots-tag")}
    assert [*told.values()] == ["no-referrer", "no-store", "noindex, nofollow"]
    assert desk.ask("HEAD", path).text == ""
    desk.ask("GET", path, Purpose="prefetch")
    assert [desk.ask(one, path).code for one in ("PUT", "DELETE", "OPTIONS")] == [405, 405, 405]
    pressed = urlencode({"form": page.form, "do": "acknowledge"})
    for body, headers in [
        ("", {}),
        (urlencode({"do": "acknowledge"}), {}),
        (urlencode({"form": "0" * 32, "do": "acknowledge"}), {}),
        (pressed, {"Sec_Fetch_Site": "cross-site"}),
        (pressed, {"Origin": "https://evil.example"}),
    ]:
        refused = desk.ask("POST", path, body, **headers)
        assert (refused.code, refused.title) == (403, "That was not pressed here")
    assert desk.known() == []


def left(desk: Desk, boss: str, duty: str) -> None:
    """Who is not told any more, and what is over."""
    desk.watch.rewrite("      - {id: boss, name: Boss, channels: [{email: boss@acme.example}]}\n", "")
    assert desk.watch.command("reload").returncode == 0
    refused = desk.ask("GET", boss)
    assert (refused.code, refused.title) == (403, "This link is no longer yours to use")
    assert desk.ask("GET", duty).code == 200
    text = desk.watch.path.read_text(encoding="utf-8")
    port = int(text.partition("tcp: {port: ")[2].partition(",")[0])
    with serving(greet, "127.0.0.2", port):
        over = ended(desk, duty)
        assert (over.code, over.title) == (200, f"{REFERENCE} is over")
        assert desk.ask("POST", duty, urlencode({"form": "x"})).code == 403


def ended(desk: Desk, path: str) -> Answer:
    """What a link says when its emergency is over."""
    found = desk.ask("GET", path)
    for _ in range(100):
        if "do you take care" not in found.title:
            break
        threading.Event().wait(0.1)
        found = desk.ask("GET", path)
    return found
