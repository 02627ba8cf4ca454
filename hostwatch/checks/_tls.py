"""TLS as checks need it: verified by default, and what is wrong with a certificate in plain words."""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import Final

from hostwatch.checks._finding import Fault, Missed
from hostwatch.configuration.fields import FilePath, Text
from hostwatch.configuration.strict import Section

CONTEXTS_CACHED: Final = 256


class Tls(Section):
    """How TLS is spoken, and what the certificate must be."""

    verify: bool = True
    """Whether the chain and the name of the certificate are verified."""

    name: Text | None = None
    """The name that is asked for (SNI) and that the certificate must be for; the host's, if absent."""

    ca: FilePath | None = None
    """A file with the authorities that are trusted, in PEM; those of the machine if absent."""

    crl: FilePath | None = None
    """A file with lists of revoked certificates, in PEM; without one revocation is not checked."""


@lru_cache(CONTEXTS_CACHED)
def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if tls.ca is None else str(tls.ca))
    if tls.crl is not None:
        context.load_verify_locations(cafile=str(tls.crl))
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def prepared(tls: Tls, name: str) -> tuple[ssl.SSLContext, str | None]:
    """The context, shared by all that are set the same, and the name to ask for.

    Raises `Fault` when a file of the operator's cannot be used.
    """
    try:
        return _context(tls), tls.name or name or None
    except (OSError, ssl.SSLError) as error:
        raise Fault(f"cannot use the authorities for TLS: {error}") from error


def handshake_missed(error: OSError, tls: Tls) -> Missed:
    """What is wrong, in the words of whoever must mend it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Missed(f"the certificate is not valid: {error.verify_message}")
    return Missed(f"the handshake failed: {error.strerror or error}")
