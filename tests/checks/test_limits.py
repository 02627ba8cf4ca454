"""Everything that a check could do without end has an end, and stands in the table of limits."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Final

import pytest

import hostwatch.checks
from hostwatch.checks import (
    _certificate,
    _content,
    _delivery,
    _finding,
    _ftp,
    _http,
    _imap,
    _line,
    _mail,
    _posts,
    _question,
    _sentence,
    _smtp,
    _ssh,
    _tls,
    _url,
    _visit,
    _web,
    base,
    dns,
    ftp,
    http,
    pop3,
    smtp,
    ssh,
    tcp,
)
from hostwatch.configuration.duration import shown

MIB, KIB = 1024 * 1024, 1024
PAGE: Final = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")

LIMITS: dict[str, tuple[str, set[str]]] = {
    "a push: its head, headers, body, points": (
        f"{_posts.HEAD_BYTES_MAX // KIB} KiB, {_posts.HEADERS_MAX}, {_posts.BODY_BYTES_MAX // KIB} KiB",
        {"_posts.HEAD_BYTES_MAX", "_posts.HEADERS_MAX", "_posts.BODY_BYTES_MAX"},
    ),
    "pushes at one time; of one address at one time, at once, in a second": (
        f"{_posts.CONNECTIONS_MAX}; {_posts.OF_ONE_ADDRESS_MAX}, {_posts.BURST_MAX}, {_posts.RATE_MAX}",
        {"_posts.CONNECTIONS_MAX", "_posts.OF_ONE_ADDRESS_MAX", "_posts.BURST_MAX", "_posts.RATE_MAX"},
    ),
    "the time of one check": (f"({shown(base.TIMEOUT_DEFAULT)})", set()),
    "the time of a delivery of mail": (f"({shown(smtp.WITHOUT_DELIVERY)})", set()),
    "lines of a reply by SMTP": (str(_smtp.REPLY_LINES_MAX), {"_smtp.REPLY_LINES_MAX"}),
    "pauses between two looks into a mailbox": (
        f"{_delivery.PAUSE_FIRST_S:g} s … {_delivery.PAUSE_MAX_S:g} s",
        set(),
    ),
    "what one check reads over all its connections; connections that it makes": (
        f"{_visit.BYTES_MAX // MIB} MiB; {_visit.CONNECTIONS_MAX}",
        {"_visit.BYTES_MAX", "_visit.CONNECTIONS_MAX"},
    ),
    "a line that a server says to a check": (f"{_line.LINE_BYTES_MAX // KIB} KiB", {"_line.LINE_BYTES_MAX"}),
    "what a check by TCP searches for what it expects": (
        f"{tcp.ANSWER_BYTES_MAX // KIB} KiB",
        {"tcp.ANSWER_BYTES_MAX"},
    ),
    "a transcript of a check; a line in it": (
        f"{_finding.TRANSCRIPT_LINES_MAX} lines; {_finding.SAID_CHARS_MAX} characters",
        {"_finding.TRANSCRIPT_LINES_MAX", "_finding.SAID_CHARS_MAX"},
    ),
    "a reason, an expectation, what came instead; notes of a check": (
        f"{_finding.WHY_CHARS_MAX} characters; {_finding.NOTES_MAX}",
        {"_finding.WHY_CHARS_MAX", "_finding.NOTES_MAX"},
    ),
    "a value that a look brings back": (
        f"{_finding.VALUE_CHARS_MAX // KIB} KiB",
        {"_finding.VALUE_CHARS_MAX"},
    ),
    "a value in the sentence of a finding": (
        f"{_sentence.VALUE_CHARS_MAX} characters",
        {"_sentence.VALUE_CHARS_MAX"},
    ),
    "what a check by TCP sends or expects": (f"{tcp.TEXT_CHARS_MAX:,} characters", {"tcp.TEXT_CHARS_MAX"}),
    "records that a check by DNS may expect; how often it sends a question by UDP": (
        f"{dns.ANSWERS_MAX}; {dns.SENDINGS_MAX}",
        {"dns.ANSWERS_MAX", "dns.SENDINGS_MAX"},
    ),
    "lines of a reply of FTP; a listing; a file that may be expected": (
        f"{_ftp.REPLY_LINES_MAX}; {ftp.LISTING_BYTES_MAX // MIB} MiB; {ftp.FILE_BYTES_MAX // MIB} MiB",
        {"_ftp.REPLY_LINES_MAX", "ftp.LISTING_BYTES_MAX", "ftp.FILE_BYTES_MAX"},
    ),
    "lines before a server of SSH says who it is; packets passed over; a packet": (
        f"{_ssh.LINES_BEFORE_MAX}; {_ssh.PACKETS_PASSED_MAX}; {_ssh.PACKET_BYTES_MAX:,} bytes",
        {"_ssh.LINES_BEFORE_MAX", "_ssh.PACKETS_PASSED_MAX", "_ssh.PACKET_BYTES_MAX"},
    ),
    "a host key of type rsa; host keys of which one must come": (
        f"{_ssh.RSA_BITS_MAX:,} bits; {ssh.HOST_KEYS_MAX}",
        {"_ssh.RSA_BITS_MAX", "ssh.HOST_KEYS_MAX"},
    ),
    "messages that are no answer to a question; records of one answer": (
        f"{_question.STRAY_MAX}; {_question.RECORDS_MAX}",
        {"_question.STRAY_MAX", "_question.RECORDS_MAX"},
    ),
    "lines of an answer by IMAP; bytes of it; a literal in it": (
        f"{_imap.ANSWER_LINES_MAX:,}; {_imap.ANSWER_BYTES_MAX // KIB} KiB;"
        f" {_imap.LITERAL_BYTES_MAX // KIB} KiB",
        {"_imap.ANSWER_LINES_MAX", "_imap.ANSWER_BYTES_MAX", "_imap.LITERAL_BYTES_MAX"},
    ),
    "messages of ours that one check clears away": (str(_imap.FOUND_MAX), {"_imap.FOUND_MAX"}),
    "capabilities that a server of POP3 lists": (str(pop3.CAPABILITIES_MAX), {"pop3.CAPABILITIES_MAX"}),
    "extensions that a check of mail expects; the name of a mailbox": (
        f"{_mail.WORDS_MAX}; {_imap.FOLDER_CHARS_MAX} characters",
        {"_mail.WORDS_MAX", "_imap.FOLDER_CHARS_MAX"},
    ),
    "the answer to a goodbye": (f"{_mail.GOODBYE_S:g} s", set()),
    "an answer of the web, as it comes and unpacked; one that is read as JSON": (
        f"{_content.DECODED_BYTES_MAX // MIB} MiB; {_content.JSON_BYTES_MAX // KIB} KiB",
        {"_content.DECODED_BYTES_MAX", "_content.JSON_BYTES_MAX"},
    ),
    "headers of an answer of the web; answers that only announce one; pieces of one": (
        f"{_http.HEADERS_MAX}; {_http.INTERIM_MAX}; {_http.CHUNKS_MAX:,}",
        {"_http.HEADERS_MAX", "_http.INTERIM_MAX", "_http.CHUNKS_MAX"},
    ),
    "redirects that are followed": (str(http.REDIRECTS_MAX), {"http.REDIRECTS_MAX"}),
    "a web address; a body that is sent": (
        f"{_url.URL_CHARS_MAX:,}; {_web.BODY_CHARS_MAX:,} characters",
        {"_url.URL_CHARS_MAX", "_web.BODY_CHARS_MAX"},
    ),
    "headers that are sent; texts and names that are expected; values in JSON, and steps to one": (
        f"{_web.SENT_HEADERS_MAX}; {_web.TEXTS_MAX}; {_web.VALUES_MAX}, {_content.PATH_STEPS_MAX}",
        {"_web.SENT_HEADERS_MAX", "_web.TEXTS_MAX", "_web.VALUES_MAX", "_content.PATH_STEPS_MAX"},
    ),
    "time to see what is wrong with a certificate": (f"{_line.EXPLAINED_WITHIN_S:g} s", set()),
    "certificates that are remembered as they were read; how large": (
        f"{_certificate.CERTIFICATES_CACHED}; {_certificate.REMEMBERED_BYTES_MAX // KIB} KiB",
        {"_certificate.REMEMBERED_BYTES_MAX"},
    ),
    "contexts of TLS that are kept": (str(_tls.CONTEXTS_CACHED), set()),
}
"""What each line of the page says, and the constants of the room that it tells of."""

NO_LIMITS: Final = {
    "_ssh.IDENTIFICATION_BYTES_MAX",
    "_certificate.NAME_CHARS_MAX",
    "_tls.DAYS_LEFT_MAX",
}
"""Constants that bound how something is written, or nothing: they need no line."""


def constants() -> set[str]:
    found = set()
    for module in pkgutil.iter_modules(hostwatch.checks.__path__):
        path = Path(hostwatch.checks.__path__[0]) / f"{module.name}.py"
        importlib.import_module(f"hostwatch.checks.{module.name}")
        names = re.findall(r"^([A-Z_]+_MAX)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
        found |= {f"{module.name}.{name}" for name in names}
    return found


@pytest.mark.parametrize("what", LIMITS)
def test_the_table_tells_the_truth(what: str) -> None:
    (row,) = re.findall(rf"^\| {re.escape(what)} \|(.+)\|$", PAGE, re.MULTILINE)

    assert LIMITS[what][0] in row


def test_the_table_tells_of_all() -> None:
    told = NO_LIMITS.union(*(names for _, names in LIMITS.values()))

    assert constants() == told, "write a line in docs/limits.md, and one here"
