"""TLS as checks need it: verified by default, one context for all that are set the same."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator, model_validator

from hostwatch.checks._finding import Fault
from hostwatch.configuration.fields import FilePath, Text
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.secret import Places
from hostwatch.configuration.strict import Section

CONTEXTS_CACHED: Final = 64
"""Contexts that are kept, each with the authorities that it trusts."""

DAYS_LEFT_MAX: Final = 3_650

VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class Tls(Section):
    """How TLS is spoken, and what the certificate must be."""

    verify: bool = True
    """Whether the chain and the name of the certificate are verified."""

    name: Text | None = None
    """The name that is asked for (SNI) and that the certificate must be for; the host's, if absent."""

    ca: FilePath | None = None
    """A file with the authorities that are trusted, in PEM; those of the machine if absent."""

    crl: FilePath | None = None
    """A file with the lists of revoked certificates of all authorities of the chain, in PEM; without one
    revocation is not checked."""

    days_left: Annotated[int, Field(ge=1, le=DAYS_LEFT_MAX, strict=True)] | None = None
    """How many days the certificate, and those of the authorities between it and the root, must still be
    valid; if absent, that they are valid is enough."""

    minimum: Literal["1.2", "1.3"] = "1.2"
    """The oldest version of TLS that will do."""

    @field_validator("ca", "crl")
    @classmethod
    def _beside_the_configuration(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is None or not isinstance(info.context, Places):
            return path
        return str((info.context.folder / path).absolute())

    @model_validator(mode="after")
    def _verifies_what_it_lists(self) -> Tls:
        if not self.verify and (self.ca or self.crl):
            raise Wrong(
                "names authorities or revoked certificates, and nothing is verified",
                "remove verify: false, or the files",
            )
        return self


class _Key(NamedTuple):
    """What makes one context differ from another."""

    verify: bool
    ca: str | None
    crl: str | None
    minimum: str
    stamps: tuple[tuple[int, int, int], ...]
    """Of the files: another one stands in its place, or it was written anew."""


def prepared(tls: Tls, name: str) -> tuple[ssl.SSLContext, str | None]:
    """The context, shared by all that are set the same, and the name to ask for.

    Its files are read again when they have changed. Raises `Fault` when one cannot be used.
    """
    try:
        files = (_trusted(tls.ca), tls.crl) if tls.verify else ()
        stamps = tuple(_stamp(file) for file in files if file is not None)
        context = _context(_Key(tls.verify, tls.ca, tls.crl, tls.minimum, stamps))
    except (OSError, ssl.SSLError) as error:
        named = " or ".join(str(file) for file in (tls.ca, tls.crl) if file is not None)
        raise Fault(f"cannot use the authorities for TLS in {named or 'this machine'}: {error}") from error
    return context, tls.name or name.partition("%")[0] or None


def unverified() -> ssl.SSLContext:
    """A context that takes any certificate, to see what is wrong with one."""
    return _context(_Key(False, None, None, "1.2", ()))


def _trusted(ca: str | None) -> str | None:
    return ssl.get_default_verify_paths().cafile if ca is None else ca


def _stamp(path: str) -> tuple[int, int, int]:
    found = os.stat(path)  # noqa: PTH116 (a Path for each handshake costs more than asking)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _folder_has_any() -> bool:
    """Whether the machine keeps authorities in a folder as well: those are read when they are needed."""
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and any(Path(folder).glob("*.[0-9]"))


CIPHERS: Final = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"
"""For TLS 1.2, what Python offers but for exchanges over finite fields: there the server chooses how long we
reckon, nearly a second, with the loop held up. Those of TLS 1.3 are fixed."""


@lru_cache(CONTEXTS_CACHED)
def _context(key: _Key) -> ssl.SSLContext:
    if not key.verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context = ssl.create_default_context(cafile=key.ca)
        context.hostname_checks_common_name = False  # as browsers do
        if key.ca is None and not context.cert_store_stats()["x509_ca"] and not _folder_has_any():
            raise ssl.SSLError("it has none: install them, or name a file under tls.ca")
        if key.crl is not None:
            context.load_verify_locations(cafile=key.crl)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
    context.set_ciphers(CIPHERS)
    context.minimum_version = VERSIONS[key.minimum]
    return context
