"""Mails that come back, as relays write them. `TOKEN` stands where that of the mail that is meant stands."""

from __future__ import annotations

from typing import Final

MARK: Final = b"TOKEN"


def about(mail: bytes, token: str) -> bytes:
    """A mail about the one with that token."""
    return mail.replace(MARK, token.encode())


def report(action: str, code: str, *, envelope: str = "", given_back: str = "") -> bytes:
    """A report by RFC 3464; the token stands in the address that it comes to, unless it is said otherwise."""
    to = "bounces+TOKEN@dc.example" if not envelope and not given_back else "bounces@dc.example"
    names = f"Original-Envelope-Id: {envelope}\n" if envelope else ""
    returned = f"X-Hostwatch-Try: {given_back}\n" if given_back else ""
    return f"""\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="one/mx.example"

This is a MIME-encapsulated message.

--one/mx.example
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--one/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
{names}Arrival-Date: Mon,  5 Oct 2026 08:00:00 +0000 (UTC)

Final-Recipient: rfc822; ops@acme.example
Original-Recipient: rfc822;ops@acme.example
Action: {action}
Status: {code}
Diagnostic-Code: X-Postfix; what the other side said

--one/mx.example
Content-Type: text/rfc822-headers

From: noc@dc.example
{returned}Subject: E-000042

--one/mx.example--
""".encode()


FAILED: Final = report("failed", "5.1.1")
DELIVERED: Final = report("delivered", "2.0.0")
BY_ENVELOPE: Final = report("failed", "5.1.1", envelope="TOKEN")
BY_HEADERS: Final = report("failed", "5.1.1", given_back="TOKEN")

PLAIN: Final = b"""\
Return-Path: <>
Delivered-To: bounces+TOKEN@dc.example
From: MAILER-DAEMON@qmail.example
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ops@acme.example>:
Sorry, no mailbox here by that name.
"""

EXIM: Final = b"""\
Return-Path: <>
X-Failed-Recipients: ops@acme.example
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example>
To: bounces@dc.example
Subject: Mail delivery failed: returning message to sender

A message that you sent could not be delivered.

------ This is a copy of your message, including all the headers. ------

From: noc@dc.example
X-Hostwatch-Try: TOKEN
Subject: E-000042
"""

VACATION: Final = b"""\
Return-Path: <>
Delivered-To: bounces+TOKEN@dc.example
From: ops@acme.example
Auto-Submitted: auto-replied (vacation)
Subject: Out of office: E-000042

I am back on Monday.
"""

ROBOT: Final = VACATION.replace(b"From: ops@", b"From: postmaster@")

HUMAN: Final = b"""\
Return-Path: <ops@acme.example>
Delivered-To: bounces+TOKEN@dc.example
From: Chen Wei <ops@acme.example>
Subject: Re: E-000042

Thank you.
"""

COMPLAINT: Final = b"""\
From: fbl@provider.example
To: bounces+TOKEN@dc.example
Subject: complaint about message
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1

--b--
"""

READ: Final = b"""\
From: ops@acme.example
To: bounces+TOKEN@dc.example
Subject: Read: E-000042
Content-Type: multipart/report; report-type=disposition-notification; boundary="b"

--b
Content-Type: text/plain

It was displayed.

--b
Content-Type: message/disposition-notification

Disposition: manual-action/MDN-sent-manually; displayed

--b--
"""
