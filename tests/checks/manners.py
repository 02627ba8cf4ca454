"""How a server of each kind begins well, before it turns bad."""

from __future__ import annotations

from tests.checks.hostile import Manners

IN_PLAIN_TEXT = {"implicit_tls": None, "starttls": None, "tls": None, "unprotected_login": True}

MANNERS: dict[str, Manners] = {
    "dns": Manners(ask_ends=b""),
    "imap": Manners(
        says=(
            b"* OK ready\r\n",
            b"* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\na1 OK\r\n",
            b"+\r\n",
            b"a2 OK\r\n",
        ),
        more=b"* OK still here\r\n",
        written=IN_PLAIN_TEXT,
    ),
    "pop3": Manners(
        says=(b"+OK ready\r\n", b"+OK\r\nUIDL\r\n.\r\n", b"+OK\r\n", b"+OK\r\n"),
        more=b"+OK\r\n",
        written=IN_PLAIN_TEXT,
    ),
    "http": Manners(more=b"X-More: yes\r\n", ask_ends=b"\r\n\r\n"),
}
"""Of the kinds that are more than a connection. A kind that is not here is attacked from its first byte."""
