"""A watch that reads back what becomes of its mails, here from a Maildir."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hostwatch.configuration.returns import token_of
from tests.daemon.running import CONFIGURATION, Running
from tests.gateways.mails import FAILED, about


def test_a_mailbox_is_read_by_the_checkers_and_each_mail_there_is_said_once(
    tmp_path: Path, start: Callable[..., Running]
) -> None:
    key = tmp_path / "watch.db.webhook-key"
    key.write_text(b"k".hex() * 32)
    key.chmod(0o600)
    token = token_of(b"k" * 32, b"a mail of ours")
    for part in ("new", "cur", "tmp"):
        (tmp_path / "box" / part).mkdir(parents=True)
    (tmp_path / "box" / "new" / "1.delayed").write_bytes(
        about(FAILED, token).replace(b"Action: failed", b"Action: delayed")
    )
    (tmp_path / "box" / "new" / "2.forged").write_bytes(about(FAILED, "abcdefghijklmnopqrstuvwxyz"))
    returns = "from: noc@dc.example, returns: {maildir: box, every: 200ms}"
    text = CONFIGURATION.replace("from: noc@dc.example", returns)
    (tmp_path / "hostwatch.yaml").write_text(text, encoding="utf-8")
    watch = start()
    assert watch.wait_for("mailbox-read")["mailbox"] == "email/returns"
    said = watch.wait_for("mail-said")
    assert (said["word"], said["receipt"]) == ("delayed", f"email/{token}")

    (tmp_path / "box").rename(tmp_path / "elsewhere")
    assert watch.wait_for("mailbox-unread")["why"].endswith("box is no Maildir")
    watch.stop()
    assert [one["event"] for one in watch.events].count("mail-said") == 1, "put away, and not said again"
