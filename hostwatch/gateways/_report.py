"""What a mail that came back says: a report (RFC 3464), a bounce in plain words, a complaint, or nothing.

The mail is hostile. Nothing of it is believed but the token of a mail of ours: who knows it had that mail in
hand. The token says which mail is meant, and nothing else in it does. Bounded: bytes, parts, lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from enum import StrEnum
from typing import Final, NamedTuple

from hostwatch.checks.base import printable
from hostwatch.configuration.returns import TOKEN_CHARS

MAIL_BYTES_MAX: Final = 64 * 1024
"""Of one mail; what is behind is not read. Reports stand before what they give back."""

PARTS_MAX: Final = 50
"""Parts of one mail, at whatever depth."""

RECIPIENTS_MAX: Final = 50
"""Recipients of one report."""

HEADER_LINES_MAX: Final = 200
"""Lines of a header in one part."""

SAID_CHARS_MAX: Final = 200

TRY_HEADER: Final = "X-Hostwatch-Try"
"""The header that a mail of ours bears its token in."""

_TOKEN: Final = rf"[a-z2-7]{{{TOKEN_CHARS}}}"
_BARE = re.compile(_TOKEN)
_IN_ADDRESS = re.compile(rf"[+=-]({_TOKEN})@", re.IGNORECASE)
_IN_WORDS = re.compile(
    rf"(?:{TRY_HEADER}|Original-Envelope-Id):[ \t]*(?:\r?\n[ \t]+)?({_TOKEN})(?![a-z0-9])", re.IGNORECASE
)
_PART = re.compile(rb"content-type[ \t]*:", re.IGNORECASE)
_STATUS = re.compile(r"([245])\.\d{1,3}\.\d{1,3}")

ARRIVED_AT: Final = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
"""Headers that hold the address which a mail was sent to: the sender on the envelope of ours."""

DAEMONS: Final = ("mailer-daemon", "postmaster", "mail-daemon", "mdaemon")
"""Who sends bounces, by the part of the address before the @."""


class Said(StrEnum):
    """What a mail says of one of ours."""

    DELIVERED = "delivered"
    RETURNED = "returned"
    DELAYED = "delayed"
    RELAYED = "relayed"
    COMPLAINED = "complained"
    NOTHING = "nothing"


class Report(NamedTuple):
    """What one mail says."""

    said: Said
    token: str
    """Which mail of ours it is about; empty if it does not say."""

    words: str
    """As evidence, printable and bounded. They may name the person's address."""


NOTHING: Final = Report(Said.NOTHING, "", "")


def read(data: bytes) -> Report:
    """What a mail says. Never raises: what cannot be understood says nothing."""
    data = data[:MAIL_BYTES_MAX]
    if len(_PART.findall(data)) > PARTS_MAX:
        return NOTHING
    try:
        return _read(message_from_bytes(data, policy=compat32))
    except Exception:  # the parser of the library meets what nobody has thought of
        return NOTHING


def _read(mail: Message) -> Report:
    parts = [*mail.walk()]
    kinds = {part.get_content_type(): part for part in reversed(parts)}
    status = kinds.get("message/delivery-status")
    token = _token(mail, parts, status)
    if "message/feedback-report" in kinds:
        return Report(Said.COMPLAINED, token, _subject(mail))
    if status is not None:
        return Report(*_status(status, token))
    if "message/disposition-notification" in kinds or not _is_bounce(mail):
        return Report(Said.NOTHING, token, _subject(mail))
    return Report(Said.RETURNED, token, printable(f"reason unclear: {_subject(mail)}", SAID_CHARS_MAX))


def _is_bounce(mail: Message) -> bool:
    """Whether a mail that is no report is a bounce all the same: no answer of a machine or a person is."""
    if _one(mail, "X-Failed-Recipients"):
        return True
    how = re.match(r"[a-z-]*", _one(mail, "Auto-Submitted").lower())  # a comment may stand behind it
    who = re.search(r"<?([^<>@\s]{1,64})(?:@[^<>\s]*)?>?\s*$", _one(mail, "From"))
    is_answer = how is not None and how[0] == "auto-replied"
    return not is_answer and who is not None and who[1].lower() in DAEMONS


def _status(part: Message, token: str) -> tuple[Said, str, str]:
    """What a report says of all its recipients: who has it counts before who has not."""
    found = [(_meant(group), _evidence(group)) for group in _groups(part)[1 : RECIPIENTS_MAX + 1]]
    for said in (Said.DELIVERED, Said.RETURNED, Said.DELAYED, Said.RELAYED):
        for one, words in found:
            if one is said:
                return said, token, words
    return Said.RETURNED, token, "reason unclear: a report of no recipient"


def _meant(group: Message) -> Said:
    action = _one(group, "Action").partition(";")[0].strip().lower()
    known = {
        "failed": Said.RETURNED,
        "delayed": Said.DELAYED,
        "delivered": Said.DELIVERED,
        "relayed": Said.RELAYED,
        "expanded": Said.RELAYED,
    }
    if action in known:
        return known[action]
    status = _STATUS.match(_one(group, "Status"))
    return Said.DELAYED if status is not None and status[1] == "4" else Said.RETURNED


def _evidence(group: Message) -> str:
    shown = (_one(group, name) for name in ("Action", "Status", "Diagnostic-Code", "Remote-MTA"))
    return printable(", ".join(one for one in shown if one), SAID_CHARS_MAX)


def _groups(part: Message) -> list[Message]:
    """The fields of the message, and those of each recipient."""
    inside = part.get_payload()
    return [one for one in inside if isinstance(one, Message)] if isinstance(inside, list) else []


def _token(mail: Message, parts: list[Message], status: Message | None) -> str:
    """Of the address that it came to; else of the envelope that is named; else of what is given back."""
    for name in ARRIVED_AT:
        for value in mail.get_all(name, [])[:HEADER_LINES_MAX]:
            if (found := _IN_ADDRESS.search(str(value))) is not None:
                return found[1].lower()
    groups = _groups(status) if status is not None else []
    told = _one(groups[0], "Original-Envelope-Id").lower() if groups else ""
    if _BARE.fullmatch(told):
        return told
    return next(_given_back(parts), "")


def _given_back(parts: list[Message]) -> Iterator[str]:
    for part in parts[1:]:
        told = _one(part, TRY_HEADER).lower()
        if _BARE.fullmatch(told):
            yield told
    for part in parts:
        if part.is_multipart():
            continue
        body = part.get_payload(decode=True)
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else ""
        if (found := _IN_WORDS.search(text)) is not None:
            yield found[1].lower()


def _one(part: Message, name: str) -> str:
    return str(part.get(name, ""))[:1_000].strip()


def _subject(mail: Message) -> str:
    return printable(_one(mail, "Subject"), SAID_CHARS_MAX)
