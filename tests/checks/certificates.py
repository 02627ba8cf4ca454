"""Certificates for tests, made on the fly: an authority, one below it, and what they and others have signed.

```
root ──┬── between ──┬── valid, expired, early, other_name, revoked, `issue(…)`
       │             ├── (ends in 20 days) ─── below_ending
       │             └── crl: revoked
       ├── withdrawn ─── below_withdrawn
       ├── (expired) ─── below_expired
       └── crl: withdrawn
stranger ── unknown          nobody: self_signed
```
All leaves but `other_name` are for `NAMES`: `localhost`, `*.example.test` and both addresses of loopback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES: Final = ("localhost", "*.example.test", "127.0.0.1", "::1")

DAYS: Final = 90
"""How long a certificate is valid that says nothing else."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a server needs: the file with its certificate and those between it and the root, and its key."""

    chain: Path
    key: Path

    @property
    def certificate(self) -> x509.Certificate:
        """The server's own."""
        return x509.load_pem_x509_certificate(self.chain.read_bytes())


class Authority:
    """Who signs: itself if nobody else does."""

    def __init__(self, name: str, by: Authority | None = None, *, days: float = 1_000) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.above: tuple[Authority, ...] = () if by is None else (self, *by.above)
        """Itself and those between it and the root."""
        now = datetime.now(UTC)
        self.certificate = (by or self).sign(
            self.name, self.key, now - timedelta(days=1_000), now + timedelta(days=days), authority=True
        )

    def sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        begins: datetime,
        ends: datetime,
        *,
        names: Iterable[str] = (),
        authority: bool = False,
    ) -> x509.Certificate:
        """A certificate for somebody's key."""
        builder = (
            x509.CertificateBuilder(self.name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .add_extension(_usage(authority), critical=True)
        )
        if not authority:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            ).add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
        return builder.sign(self.key, SHA256())

    def revoke(self, revoked: Iterable[x509.Certificate], ends: datetime) -> bytes:
        """A list of revoked certificates, in PEM, which says until when it holds."""
        began = datetime.now(UTC) - timedelta(days=30)
        builder = x509.CertificateRevocationListBuilder(self.name, began, ends)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        ).add_extension(x509.CRLNumber(1), critical=False)
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder(one.serial_number, began).build()
            )
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


class Papers:
    """All certificates of a session of tests, in files below a directory; each is made when asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.root = Authority("Test root")
        self.between = Authority("Test authority", self.root)
        self.withdrawn = Authority("Withdrawn authority", self.root)

    @cached_property
    def ca(self) -> Path:
        """The root, which tests trust."""
        return self._written("ca.pem", _pem(self.root.certificate))

    @cached_property
    def crl(self) -> Path:
        """The lists of root and authority: `revoked` and the withdrawn authority stand there."""
        return self._crl("crl.pem", datetime.now(UTC) + timedelta(days=30))

    @cached_property
    def crl_out_of_date(self) -> Path:
        """The same lists, which ended yesterday."""
        return self._crl("crl-out-of-date.pem", datetime.now(UTC) - timedelta(days=1))

    @cached_property
    def valid(self) -> Pair:
        """Nothing is wrong with it."""
        return self.issue("valid")

    @cached_property
    def expired(self) -> Pair:
        """It ended yesterday."""
        return self.issue("expired", days=-1)

    @cached_property
    def early(self) -> Pair:
        """It begins in ten days."""
        return self.issue("early", begins_in_days=10)

    @cached_property
    def other_name(self) -> Pair:
        """It is for other names."""
        return self.issue("other-name", names=("www.other.test", "other.test"))

    @cached_property
    def revoked(self) -> Pair:
        """It stands in the list of its authority."""
        return self.issue("revoked")

    @cached_property
    def below_withdrawn(self) -> Pair:
        """The authority between it and the root stands in the list of the root."""
        return self.issue("below-withdrawn", by=self.withdrawn)

    @cached_property
    def below_expired(self) -> Pair:
        """It is valid, and the authority between it and the root ended yesterday."""
        return self.issue("below-expired", by=Authority("Old authority", self.root, days=-1))

    @cached_property
    def below_ending(self) -> Pair:
        """It is valid, and the nearer one of two authorities between it and the root ends in twenty days."""
        return self.issue("below-ending", by=Authority("Ending authority", self.between, days=20))

    @cached_property
    def unknown(self) -> Pair:
        """Signed by an authority that nobody trusts."""
        return self.issue("unknown", by=Authority("Stranger", Authority("Strange root")))

    @cached_property
    def incomplete(self) -> Pair:
        """As valid, but the server does not send the certificate between it and the root."""
        return Pair(self._written("incomplete.pem", _pem(self.valid.certificate)), self.valid.key)

    @cached_property
    def self_signed(self) -> Pair:
        """Signed by nobody but itself."""
        name, key = _common("self-signed"), ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=DAYS))
            .not_valid_after(now + timedelta(days=DAYS))
            .add_extension(x509.SubjectAlternativeName([_name(one) for one in NAMES]), critical=False)
        )
        return self._pair("self-signed", key, _pem(builder.sign(key, SHA256())))

    def issue(
        self,
        name: str,
        *,
        names: Iterable[str] = NAMES,
        days: float = DAYS,
        begins_in_days: float = -DAYS,
        by: Authority | None = None,
    ) -> Pair:
        """A certificate that ends in so many days (less than none: it has expired), in files of that name."""
        by, key, now = by or self.between, ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        leaf = by.sign(
            _common(name),
            key,
            now + timedelta(days=begins_in_days),
            now + timedelta(days=days),
            names=names,
        )
        return self._pair(name, key, _pem(leaf, *(one.certificate for one in by.above)))

    def _crl(self, name: str, ends: datetime) -> Path:
        of_root = self.root.revoke([self.withdrawn.certificate], ends)
        of_between = self.between.revoke([self.revoked.certificate], ends)
        return self._written(name, of_root + of_between + self.withdrawn.revoke([], ends))

    def _pair(self, name: str, key: ec.EllipticCurvePrivateKey, chain: bytes) -> Pair:
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Pair(self._written(f"{name}.pem", chain), self._written(f"{name}.key", secret))

    def _written(self, name: str, what: bytes) -> Path:
        path = self.directory / name
        path.touch(mode=0o600 if name.endswith(".key") else 0o644)
        path.write_bytes(what)
        return path


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def _common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
