"""What is written about the mailbox that relays report to, before a mail is sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from hostwatch.configuration.returns import TOKEN_CHARS, Returns, is_token, token_of
from hostwatch.configuration.secret import Places

LOGIN = {"user": "bounces", "password": {"env": "X"}}
IMAP = {"address": "192.0.2.25", "implicit_tls": True, "login": LOGIN}

WRONG = [
    ({}, "needs one mailbox"),
    ({"maildir": "box", "imap": IMAP}, "needs one mailbox"),
    ({"imap": {**IMAP, "host": "mail.dc.example"}}, "the server is named twice"),
    ({"imap": {"address": "192.0.2.25", "implicit_tls": True}}, "nobody logs in"),
    (
        {"imap": {"address": "192.0.2.25", "login": LOGIN}},
        "the password would go over the line in plain text",
    ),
    ({"imap": {**IMAP, "handled": "moved", "moved_to": "INBOX"}}, "would be moved to where it is"),
    ({"imap": {**IMAP, "handled": "moved", "moved_to": "x\r\ny"}}, "is not the name of a mailbox"),
    ({"imap": {**IMAP, "address": "mail.dc.example"}}, "is not an IP address"),
    ({"maildir": "box", "separator": "."}, "'+', '-', '=' or ''"),
    ({"maildir": "box", "to": "b" * 38 + "@dc.example"}, "leaves no room for the token"),
    ({"maildir": "box", "to": "bounces"}, "is not a mailbox address"),
]


@pytest.mark.parametrize(("written", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_mailbox_that_cannot_be_meant_so_is_a_mistake(written: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Returns.model_validate(written, context=Places(environment={"X": "secret of the mailbox"}))
    assert said in str(caught.value)
    assert "secret of the mailbox" not in str(caught.value)


@pytest.mark.parametrize(
    ("separator", "sender"),
    [
        ("+", "bounces+abc@dc.example"),
        ("-", "bounces-abc@dc.example"),
        ("=", "bounces=abc@dc.example"),
        ("", "bounces@dc.example"),
    ],
)
def test_the_sender_on_the_envelope(separator: str, sender: str) -> None:
    own = Returns.model_validate({"maildir": "box", "to": "bounces@dc.example", "separator": separator})
    assert own.sender("noc@dc.example", "abc") == sender
    plain = Returns.model_validate({"maildir": "box", "separator": separator})
    assert plain.sender("bounces@dc.example", "abc") == sender


SITE = """\
site: {{name: Lab, timezone: UTC}}
store: sqlite:///x.db
notices: {{met_by: delivered}}
mail: {{smtp: "smtp://127.0.0.1", from: {sender}@dc.example{more}}}
customers:
  - id: acme
    name: Acme
    contacts:
      - {{id: duty, name: Duty, channels: [{{email: ops@acme.example}}]}}
"""


def checked(folder: Path, more: str, sender: str = "noc") -> subprocess.CompletedProcess[str]:
    path = folder / "hostwatch.yaml"
    path.write_text(SITE.format(more=more, sender=sender), encoding="utf-8")
    words = ["check-config", "--without-secrets", "--json", str(path)]
    return subprocess.run([sys.executable, "-m", "hostwatch", *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("more", "is_enough"),
    [("", False), (", returns: {maildir: box}", True), (", dsn: false, returns: {maildir: box}", False)],
)
def test_a_mail_can_be_proven_to_be_delivered_where_reports_are_read(
    tmp_path: Path, more: str, is_enough: bool
) -> None:
    warnings = json.dumps(json.loads(checked(tmp_path, more).stdout)["warnings"])
    assert ("none can prove that a notice was delivered" not in warnings) is is_enough


def test_the_address_of_the_site_needs_room_too_if_it_is_the_mailbox(tmp_path: Path) -> None:
    found = checked(tmp_path, ", returns: {maildir: box}", sender="n" * 38)
    assert "leaves no room for the token of a mail" in found.stdout + found.stderr
    assert checked(tmp_path, ", returns: {maildir: box}", sender="n" * 37).returncode == 0


def test_a_token_is_told_from_a_forged_one_by_its_seal() -> None:
    made, other = token_of(b"k", b"one try"), token_of(b"k", b"another")
    assert len(made) == TOKEN_CHARS
    assert is_token(b"k", made)
    assert is_token(b"k", other)
    for forged in (made[:13] + other[13:], made[:-1], made + "a", made.upper(), "", "é" * 26, "a" * 26):
        assert not is_token(b"k", forged), forged
    assert not is_token(b"another key", made)
