"""What is wrong with a certificate or a handshake, in the words of whoever must mend it.

What is wrong with the files that the operator gave, such as a list of revoked certificates that has ended, is
our own fault and says nothing of the application.
"""

from __future__ import annotations

import _ssl
import re
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from hostwatch.checks._failed import failed
from hostwatch.checks._finding import Fault, Missed, Step, printable
from hostwatch.checks._sentence import chinese
from hostwatch.checks._tls import Tls
from hostwatch.checks._visit import Visit

CERTIFICATES_CACHED: Final = 512
"""Certificates that are remembered as they were read: most come again with the next check."""

REMEMBERED_BYTES_MAX: Final = 8_192
"""A larger one is read anew each time, so that nobody fills our memory with his."""

NAMES_SHOWN: Final = 5
NAME_CHARS_MAX: Final = 60

NOT_YET_VALID, EXPIRED, SELF_SIGNED, REVOKED = 9, 10, 18, 23
OTHER_NAMES: Final = frozenset({62, 64})
ISSUER_UNKNOWN: Final = frozenset({2, 19, 20, 21})
NO_LIST, LIST_EARLY, LIST_ENDED = 3, 11, 12
LIST_UNUSABLE: Final = frozenset({4, 8, 33, 35, 36, 44})
"""The codes of OpenSSL's `x509_vfy.h`."""

NOT_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"}
)
TOO_OLD: Final = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "VERSION_TOO_LOW"})
ENDED: Final = frozenset({"UNEXPECTED_EOF_WHILE_READING"})
REFUSED: Final = {
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the server refused the handshake: nothing that both of us can do",
    "TLSV1_ALERT_INTERNAL_ERROR": "the server broke the handshake off: it says that it has an internal error",
    "TLSV1_UNRECOGNIZED_NAME": "the server knows nobody of this name",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server wants a certificate of ours",
    "EE_KEY_TOO_SMALL": "the certificate's key is too small",
    "CA_KEY_TOO_SMALL": "the key of an authority of the certificate is too small",
    "CA_MD_TOO_WEAK": "the certificate is signed with too weak a digest",
    "DH_KEY_TOO_SMALL": "the server's Diffie-Hellman key is too small",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What people want to know of one."""

    begins: datetime
    ends: datetime
    until: str
    """The day on which it ends."""

    names: tuple[str, ...]
    subject: str
    issuer: str
    serial: int
    issuer_name: x509.Name

    @property
    def whose(self) -> str:
        """Its names, a few of them."""
        more = len(self.names) - NAMES_SHOWN
        shown = ", ".join(self.names[:NAMES_SHOWN])
        return (f"{shown} and {more} more" if more > 0 else shown) or "nobody"


def parsed(der: bytes | None) -> Certificate | None:
    """What stands in a certificate; None if it cannot be read. It may hold anything."""
    if not der:
        return None
    return _remembered(der) if len(der) <= REMEMBERED_BYTES_MAX else _parsed(der)


def _parsed(der: bytes) -> Certificate | None:
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            begins=found.not_valid_before_utc,
            ends=found.not_valid_after_utc,
            until=f"{found.not_valid_after_utc:%Y-%m-%d}",
            names=_names(found),
            subject=_shown(found.subject),
            issuer=_shown(found.issuer),
            serial=found.serial_number,
            issuer_name=found.issuer,
        )
    except (ValueError, TypeError, OverflowError, x509.DuplicateExtension, Warning):
        return None


_remembered = lru_cache(CERTIFICATES_CACHED)(_parsed)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [*listed.get_values_for_type(x509.DNSName)]
    names += [str(one) for one in listed.get_values_for_type(x509.IPAddress)]
    return tuple(printable(one, NAME_CHARS_MAX) for one in names)


def _shown(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for one in name.get_attributes_for_oid(kind):
            return printable(one.value, NAME_CHARS_MAX)
    return printable(name.rfc4514_string(), NAME_CHARS_MAX) or "nobody"


def examine(visit: Visit, tls: Tls, session: ssl.SSLObject) -> None:
    """After a handshake: what was agreed on, and how long the certificate and those above it are still valid.

    Raises `Missed` if that is less than is asked for. An authority whose own certificate ends first ends all
    that it has signed. The root does not count: it stands in a list of ours, and no server can renew it.
    """
    visit.tell("*", f"{session.version()}, {(session.cipher() or ('?',))[0]}")
    if not tls.verify:
        visit.note("the certificate was not verified")
    elif tls.crl is None:
        visit.note("whether the certificate was revoked was not checked")
    found = parsed(session.getpeercert(binary_form=True))
    if found is None:
        if tls.days_left is not None:
            raise Missed("the certificate cannot be read", expected=f"{_days(tls.days_left)} left")
        return
    visit.tell("*", f"the certificate is for {found.whose}, by {found.issuer}, until {found.until}")
    _ends(visit, tls, found)
    chain = _between(session) if tls.verify else ()
    above = [one for der in chain if (one := parsed(der)) is not None]
    first = min(above, key=lambda one: one.ends, default=found)
    if first.ends < found.ends:
        _ends(visit, tls, first, above=True)


def _ends(visit: Visit, tls: Tls, found: Certificate, *, above: bool = False) -> None:
    """Note until when a certificate is valid. Raises `Missed` if that is too soon."""
    left = (found.ends - _now(visit)) // timedelta(days=1)
    what = f"the certificate of the authority {found.subject}, above it," if above else "the certificate"
    if left >= 0:
        visit.note(f"{what} is valid until {found.until}: {_days(left)} left")
    if tls.days_left is not None and left < tls.days_left:
        raise Missed(
            "the certificate of the authority {text}, above it, ends on {date}"
            if above
            else "the certificate ends on {date}",
            text=found.subject,
            date=found.ends,
            expected=f"at least {_days(tls.days_left)} left",
            came=f"{_days(left)} left" if left >= 0 else "none left",
        )


def _between(session: ssl.SSLObject) -> list[bytes]:
    """The certificates between the server's and the trusted one, on the way by which it was verified.

    What the server sent beside that way does not count. A continued session has none. Only Python 3.13 has a
    public name for it.
    """
    told = getattr(session, "get_verified_chain", None)
    chain = told() if told is not None else getattr(session, "_sslobj").get_verified_chain()  # noqa: B009
    return [
        one if isinstance(one, bytes) else one.public_bytes(_ssl.ENCODING_DER) for one in (chain or ())[1:-1]
    ]


def handshake_failed(error: OSError, tls: Tls, name: str | None, visit: Visit) -> Missed | Fault:
    """What is wrong, as far as the handshake itself says it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificate_failed(error, tls, name, visit, None)
    if isinstance(error, ssl.SSLEOFError) or (isinstance(error, ssl.SSLError) and error.reason in ENDED):
        return _missed("the server closed the connection during the handshake")
    if not isinstance(error, ssl.SSLError):
        ended = isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError)
        return _missed("the server closed the connection during the handshake") if ended else failed(error)
    reason = error.reason or ""
    if reason in NOT_TLS:
        return _missed("what answers there does not speak TLS")
    if reason in TOO_OLD:
        return _missed("the server speaks no TLS that is new enough", expected=f"TLS {tls.minimum} or newer")
    if reason in REFUSED:
        return _missed(REFUSED[reason])
    return _missed("the handshake failed: {text}", text=reason.lower().replace("_", " ") or str(error))


def certificate_failed(
    error: ssl.SSLCertVerificationError, tls: Tls, name: str | None, visit: Visit, der: bytes | None
) -> Missed | Fault:
    """What is wrong with a certificate; more exactly if it is at hand."""
    code, found, now = error.verify_code, parsed(der), _now(visit)
    if code in OTHER_NAMES:
        came = f"it is for {found.whose}" if found else ""
        return _missed("the certificate is for another name", expected=name or "", came=came)
    if code == EXPIRED:
        return _expired(found, now)
    if code == NOT_YET_VALID:
        if found is not None and found.begins > now:
            return _missed("the certificate is not valid before {date}", date=found.begins)
        return _missed("the certificate, or an authority of its chain, is not valid yet")
    if code == SELF_SIGNED:
        return _missed(
            "the certificate is signed by nobody but itself", expected="one of a trusted authority"
        )
    if code in ISSUER_UNKNOWN:
        return _missed(
            "no trusted authority stands behind the certificate",
            expected="all certificates between it and a trusted authority, sent by the server",
            came=f"it is signed by {found.issuer}" if found else "",
        )
    if code == REVOKED:
        return _revoked(found, tls)
    return _unlisted(code, tls, found, now) or _missed(
        "the certificate is not valid: {text}", text=error.verify_message
    )


def _expired(found: Certificate | None, now: datetime) -> Missed:
    if found is None:
        return _missed("the certificate, or an authority of its chain, has expired")
    if found.ends <= now:
        return _missed("the certificate expired on {date}", date=found.ends)
    return _missed(
        "an authority between the certificate and the root has expired, its issuer is {text}",
        text=found.issuer,
    )


def _revoked(found: Certificate | None, tls: Tls) -> Missed:
    if found is None:
        return _missed("the certificate, or an authority of its chain, was revoked")
    for crl in _lists(tls):
        entry = crl.get_revoked_certificate_by_serial_number(found.serial)
        if crl.issuer == found.issuer_name and entry is not None:
            return _missed("the certificate was revoked on {date}", date=entry.revocation_date_utc)
    return _missed(
        "an authority of the certificate's chain was revoked, its issuer is {text}", text=found.issuer
    )


def _unlisted(code: int, tls: Tls, found: Certificate | None, now: datetime) -> Fault | None:
    """What is wrong with the lists of revoked certificates that the operator gave; None if nothing."""
    if code == LIST_ENDED:
        for crl in _lists(tls):
            ends = crl.next_update_utc
            if ends is not None and ends <= now:
                whose = _shown(crl.issuer)
                return Fault(
                    f"the list of certificates revoked by {whose} ended on {ends:%Y-%m-%d}: renew {tls.crl}"
                )
        return Fault(f"a list of revoked certificates has ended: renew {tls.crl}")
    if code == NO_LIST:
        of = f", which {found.issuer} signed," if found else ""
        return Fault(
            f"a list of revoked certificates is missing for the chain of the certificate{of} in {tls.crl}"
        )
    if code == LIST_EARLY:
        return Fault(f"a list of revoked certificates in {tls.crl} does not hold yet")
    return (
        Fault(f"a list of revoked certificates in {tls.crl} cannot be used")
        if code in LIST_UNUSABLE
        else None
    )


def _lists(tls: Tls) -> Iterator[x509.CertificateRevocationList]:
    with suppress(OSError, ValueError):
        text = Path(tls.crl or "").read_bytes()
        for found in re.findall(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", text, re.DOTALL):
            yield x509.load_pem_x509_crl(found)


def _missed(pattern: str, *, expected: str = "", came: str = "", **values: object) -> Missed:
    return Missed(pattern, expected=expected, came=came, step=Step.TLS, **values)


def _now(visit: Visit) -> datetime:
    return datetime.fromtimestamp(visit.surroundings.now_us() / 1_000_000, UTC)


def _days(many: int) -> str:
    return f"{many} day" if many == 1 else f"{many} days"


chinese(
    """
    the certificate cannot be read
        无法读取证书
    the certificate of the authority {text}, above it, ends on {date}
        上级证书 {text} 于 {date} 到期
    the certificate ends on {date}
        证书于 {date} 到期
    the server closed the connection during the handshake
        服务器在握手过程中关闭了连接
    what answers there does not speak TLS
        该端口的应答方不使用 TLS
    the server speaks no TLS that is new enough
        服务器支持的 TLS 版本过旧
    the handshake failed: {text}
        握手失败：{text}
    the certificate is for another name
        证书与域名不符
    the certificate is not valid before {date}
        证书尚未生效，生效日期为 {date}
    the certificate, or an authority of its chain, is not valid yet
        证书或其证书链中的某个证书尚未生效
    the certificate is signed by nobody but itself
        证书为自签名证书
    no trusted authority stands behind the certificate
        证书不是由受信任的机构签发，或服务器缺少中间证书
    the certificate is not valid: {text}
        证书无效：{text}
    the certificate, or an authority of its chain, has expired
        证书或其证书链中的某个证书已过期
    the certificate expired on {date}
        证书已于 {date} 过期
    an authority between the certificate and the root has expired, its issuer is {text}
        证书链中的中间证书已过期，其签发者为 {text}
    the certificate, or an authority of its chain, was revoked
        证书或其证书链中的某个证书已被吊销
    the certificate was revoked on {date}
        证书已于 {date} 被吊销
    an authority of the certificate's chain was revoked, its issuer is {text}
        证书链中的中间证书已被吊销，其签发者为 {text}
    the server refused the handshake: nothing that both of us can do
        服务器拒绝握手：没有双方都支持的加密方式
    the server broke the handshake off: it says that it has an internal error
        服务器中断握手：服务器称其内部出错
    the server knows nobody of this name
        服务器不认识该域名
    the server wants a certificate of ours
        服务器要求客户端证书
    the certificate's key is too small
        证书的密钥过短
    the key of an authority of the certificate is too small
        签发证书的机构的密钥过短
    the certificate is signed with too weak a digest
        证书的签名算法过弱
    the server's Diffie-Hellman key is too small
        服务器的 Diffie-Hellman 密钥过短
    """
)
