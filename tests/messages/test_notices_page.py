"""`docs/notices.md` shows exactly what is sent, and its recipes work as written."""

from __future__ import annotations

import json
import re
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hostwatch import messages
from hostwatch.channels import _http, apprise, base, email, pager, webhook
from tests.messages.examples import BACK, NOTICES, ZONE, compose, payload

PAGE = (Path(__file__).parents[2] / "docs" / "notices.md").read_text(encoding="utf-8")


def blocks(kind: str, page: str = PAGE) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("heading", NOTICES)
def test_each_text_is_what_is_sent(heading):
    kind, stories, options = NOTICES[heading]
    section = PAGE.split(f"### {heading}\n")[1].split("\n#")[0]

    assert blocks("text", section) == [
        compose(kind, stories, language=language, **options).text for language in ("en", "zh-CN")
    ]


def test_there_are_no_other_texts():
    assert len(blocks("text")) == 2 * len(NOTICES)


PAGED = (
    "An emergency", "A recovery", "A service does not pass", "After a service its device falls silent",
    "An uplink falls silent", "Power is interrupted", "More is without power", "A warning to operators",
    "Several emergencies in one notice", "A beginning and its end in one notice",
    "A repeat that is late as well",
)  # fmt: skip


def test_the_lines_for_pagers_are_what_is_sent():
    usual: dict[str, Any] = {"zone": ZONE, "repeat": False}
    told = [NOTICES[heading] for heading in PAGED]
    lines = [messages.brief(stories, kind, **{**usual, **options}) for kind, stories, options in told]

    assert blocks("pager") == ["".join(f"{line}\n" for line in lines)]


def test_the_json_is_what_is_posted():
    shown = json.loads(blocks("json")[0])
    data = payload("recovery", (BACK,))
    message = base.Message(
        key=shown["key"], subject=data["subject"], text=data["text"], payload=data, repeat=False
    )

    assert json.loads(webhook.written(message)) == shown
    assert list(json.loads(webhook.written(message))) == list(shown), "in the same order"


def test_the_format_of_alertmanager_is_what_is_posted():
    data = payload("recovery", (BACK,))
    message = base.Message(key="k", subject=data["subject"], text=data["text"], payload=data, repeat=False)
    posted = webhook.as_alertmanager(message, datetime.now(UTC))

    assert list(json.loads(posted)) == list(json.loads(blocks("json")[1])), "in the same order"
    assert json.loads(posted) == json.loads(blocks("json")[1])


def test_the_recipe_in_python_believes_us_and_nobody_else():
    room: dict[str, Any] = {}
    exec(blocks("python")[0], room)  # noqa: S102 - this is what the page tells receivers to run
    verify, body, now = room["verify"], b'{"a":1}', int(time.time())
    signature = webhook.sign(b"key!", now, body)

    assert verify(b"key!".hex(), str(now), body, signature)
    assert verify(b"key!".hex(), str(now), body, f"v2=other, {signature}")
    assert not verify(b"kez!".hex(), str(now), body, signature)
    assert not verify(b"key!".hex(), str(now - 301), body, webhook.sign(b"key!", now - 301, body))


@pytest.mark.parametrize(("body", "said"), [(b'{"a":1}\n', "genuine\n"), (b'{"a":2}\n', "")])
def test_the_recipe_for_the_shell_believes_us_and_nobody_else(tmp_path, body, said):
    (tmp_path / "body").write_bytes(body)
    signature = webhook.sign(bytes.fromhex("0123abcd"), 1_800_000_000, b'{"a":1}\n')
    ran = subprocess.run(
        ["sh", "-c", blocks("shell")[0]],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "KEY": "0123abcd", "TIMESTAMP": "1800000000", "SIGNATURE": signature},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.stdout == said
    assert ran.stderr == ""


def test_limits_on_the_page_are_those_of_the_code():
    for said, limit in (
        ("at most\n64 KiB is read", _http.ANSWER_MAX_BYTES == 64 * 1024),
        ("for at most 5 s", _http.ANSWER_SECONDS == 5),
        ("500 characters are kept", base.SAID_MAX_CHARS == 500),
        ("(25 s, at most 4 min)", email.Site.model_fields["timeout"].default.total_seconds() == 25),
        ("One try takes at most 25 s", apprise.Site().timeout.total_seconds() == 25),
        ("The whole conversation takes at most 20 s", pager.Site().timeout.total_seconds() == 20),
        ("One try takes at most 20 s", webhook.Site().timeout.total_seconds() == 20),
    ):
        assert said in PAGE
        assert limit
