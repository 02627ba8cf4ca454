"""How a server of each kind begins well, before it turns bad."""

from __future__ import annotations

from tests.checks.hostile import Manners

IN_PLAIN_TEXT = {"implicit_tls": None, "starttls": None, "tls": None, "unprotected_login": True}

KINDS_OF_SSH = (
    b"curve25519-sha256",
    b"ssh-ed25519",
    *[b"aes128-ctr"] * 2,
    *[b"hmac-sha2-256"] * 2,
    *[b"none"] * 2,
)


def _opening_of_ssh() -> bytes:
    """The algorithms of a server, as a packet (RFC 4253, 6 and 7.1)."""
    lists = b"".join(len(one).to_bytes(4, "big") + one for one in (*KINDS_OF_SSH, b"", b""))
    message = b"\x14" + bytes(16) + lists + bytes(5)
    many = 12 - (len(message) + 1) % 8
    return (len(message) + 1 + many).to_bytes(4, "big") + bytes([many]) + message + bytes(many)


MANNERS: dict[str, Manners] = {
    "dns": Manners(ask_ends=b""),
    "ssh": Manners(says=(b"SSH-2.0-Friendly_1.0\r\n", _opening_of_ssh()), more=b"welcome\r\n", ask_ends=b""),
    "ftp": Manners(
        says=(b"220 ready\r\n", b"331 who?\r\n", b"230 in\r\n", b"200 done\r\n"),
        more=b"220-still here\r\n",
        written=IN_PLAIN_TEXT,
    ),
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
    "smtp": Manners(
        says=(b"220 ready\r\n", b"250-mx.example.test\r\n250 AUTH PLAIN\r\n"),
        more=b"250-and more\r\n",
        written={**IN_PLAIN_TEXT, "delivery": None},
    ),
    "http": Manners(more=b"X-More: yes\r\n", ask_ends=b"\r\n\r\n"),
}
"""Of the kinds that are more than a connection. A kind that is not here is attacked from its first byte."""
