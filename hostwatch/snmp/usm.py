"""The security of SNMP v3: who speaks, for whom alone it is, and how old it is (RFC 3414, 3826, 7860).

Keys are made from passwords, and again for each engine, as an agent is called there. What was made is kept,
since each password costs a megabyte of hashing. Privacy by DES and authentication by MD5 are weak, and all
that some cards have.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.decrepit.ciphers.modes import CFB
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from hostwatch.snmp import ber, message
from hostwatch.snmp.ber import BadBer

MODEL: Final = 3
"""The user-based one."""

AUTHENTIC: Final = 1
PRIVATE: Final = 2
REPORTABLE: Final = 4

BYTES_MAX: Final = 65_507
"""The longest datagram that we say that we take."""

ENGINE_BYTES_MAX: Final = 32
WINDOW_S: Final = 150
"""What is older is not believed (RFC 3414, 3.2)."""

KEYS_KEPT: Final = 4_096

DIGESTS: Final = {
    "md5": ("md5", 12),
    "sha-1": ("sha1", 12),
    "sha-224": ("sha224", 16),
    "sha-256": ("sha256", 24),
    "sha-384": ("sha384", 32),
    "sha-512": ("sha512", 48),
}
"""By the word for it: the hash, and the bytes of it that are sent."""

CIPHERS: Final = {
    "des": 16, "aes-128": 16, "aes-192": 24, "aes-256": 32, "aes-192-c": 24, "aes-256-c": 32
}  # fmt: skip
"""By the word for it: the bytes of the key. What ends with `-c` lengthens short keys as Cisco does."""

_MEGABYTE: Final = 1_048_576
_SALT_BYTES: Final = 8


class NotAuthentic(Exception):
    """It was not said by who knows the passwords, or not so that nobody else could read it."""


@dataclass(frozen=True, slots=True, repr=False)
class User:
    """Who asks, or tells. `privacy` is empty where everybody may read along."""

    name: bytes
    auth: str
    auth_password: bytes
    privacy: str = ""
    privacy_password: bytes = b""

    @property
    def flags(self) -> int:
        """What every message of this user must be."""
        return AUTHENTIC | (PRIVATE if self.privacy else 0)


class Engine(NamedTuple):
    """An agent by its own name, and its clock: how often it has started, and seconds since."""

    id: bytes = b""
    boots: int = 0
    time_s: int = 0


@lru_cache(KEYS_KEPT)
def _stretched(digest: str, password: bytes) -> bytes:
    """A password as a key: the hash of a megabyte of it (RFC 3414, A.2)."""
    many = _MEGABYTE // max(len(password), 1) + 1
    return hashlib.new(digest, (password * many)[:_MEGABYTE]).digest()


def _localised(digest: str, key: bytes, engine: bytes) -> bytes:
    """A key as it is used with one engine alone."""
    return hashlib.new(digest, key + engine + key).digest()


@lru_cache(KEYS_KEPT)
def _privacy_key(digest: str, privacy: str, password: bytes, engine: bytes) -> bytes:
    """The key of a cipher; where the hash is shorter than that, it is lengthened."""
    key = _localised(digest, _stretched(digest, password), engine)
    wanted = CIPHERS[privacy]
    piece = key
    while len(key) < wanted:
        if privacy.endswith("-c"):  # draft-reeder-snmpv3-usm-3desede: the key is the next password
            piece = _localised(digest, _stretched(digest, piece), engine)
        else:  # draft-blumenthal-aes-usm
            piece = hashlib.new(digest, key).digest()
        key += piece
    return key[:wanted]


def _signature(user: User, engine: bytes, whole: bytes) -> bytes:
    digest, size = DIGESTS[user.auth]
    key = _localised(digest, _stretched(digest, user.auth_password), engine)
    return hmac.digest(key, whole, digest)[:size]


def _cipher(user: User, engine: Engine, salt: bytes) -> Cipher[CBC] | Cipher[CFB]:
    key = _privacy_key(DIGESTS[user.auth][0], user.privacy, user.privacy_password, engine.id)
    if user.privacy == "des":
        mixed = bytes(one ^ other for one, other in zip(key[8:], salt, strict=True))
        return Cipher(TripleDES(key[:8] * 3), CBC(mixed))
    clock = engine.boots.to_bytes(4, "big") + engine.time_s.to_bytes(4, "big")
    return Cipher(AES(key), CFB(clock + salt))


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message of v3 as it came, before anything of it is believed."""

    whole: bytes
    number: int
    flags: int
    engine: Engine
    user: bytes
    signed_at: int
    """Where its signature stands."""

    signature: bytes
    salt: bytes
    body: bytes
    """A context and what is said in it; encrypted if the flags say so."""


def envelope(data: bytes) -> Envelope:
    """What is written on it. Raises `BadBer`."""
    whole = ber.expect(data, 0, len(data), ber.SEQUENCE)
    found, at = ber.number(data, whole.start, whole.stop)
    if found != message.VERSION_3:
        raise BadBer(f"a message of version {found}")
    head = ber.expect(data, at, whole.stop, ber.SEQUENCE)
    number, at = ber.number(data, head.start, head.stop)
    _, at = ber.number(data, at, head.stop)
    flags, at = ber.octets(data, at, head.stop)
    model, _ = ber.number(data, at, head.stop)
    if model != MODEL or len(flags) != 1 or flags[0] & (AUTHENTIC | PRIVATE) == PRIVATE:
        raise BadBer("a message of another kind of security")
    outer = ber.expect(data, head.stop, whole.stop, ber.OCTETS)
    inner = ber.expect(data, outer.start, outer.stop, ber.SEQUENCE)
    engine, at = ber.octets(data, inner.start, inner.stop)
    boots, at = ber.number(data, at, inner.stop)
    time_s, at = ber.number(data, at, inner.stop)
    user, at = ber.octets(data, at, inner.stop)
    signed = ber.expect(data, at, inner.stop, ber.OCTETS)
    salt, _ = ber.octets(data, signed.stop, inner.stop)
    clock_is_one = 0 <= boots < message.NUMBER_END and 0 <= time_s < message.NUMBER_END
    if len(engine) > ENGINE_BYTES_MAX or not clock_is_one:
        raise BadBer("an engine that is none")
    return Envelope(
        data, number, flags[0], Engine(engine, boots, time_s), user,
        signed.start, data[signed.start : signed.stop], salt, data[outer.stop : whole.stop],
    )  # fmt: skip


class Opened(NamedTuple):
    """What was in a message."""

    said: bytes
    """As `message.pdu` reads it."""

    context: bytes
    """Which part of an agent it is about, as it is written: an answer repeats that."""


def opened(came: Envelope, user: User | None) -> Opened:
    """What is in it. Without a user only what is for everybody.

    Raises `NotAuthentic` for less than the user's flags ask for, and `BadBer`.
    """
    body = came.body
    if user is not None:
        if came.user != user.name or came.flags & user.flags != user.flags:
            raise NotAuthentic("it is not protected as it should be")
        _check_signature(came, user)
        if came.flags & PRIVATE:
            if not user.privacy:
                raise NotAuthentic("it is encrypted, and should not be")
            body = _decrypted(came, user)
    elif came.flags & (AUTHENTIC | PRIVATE):
        raise NotAuthentic("it is protected, and nobody knows how")
    scoped = ber.expect(body, 0, len(body), ber.SEQUENCE)
    _, at = ber.octets(body, scoped.start, scoped.stop)
    _, at = ber.octets(body, at, scoped.stop)
    return Opened(body[at : scoped.stop], body[scoped.start : at])


def _check_signature(came: Envelope, user: User) -> None:
    size = DIGESTS[user.auth][1]
    if len(came.signature) != size:
        raise NotAuthentic("its signature has another length")
    until = came.signed_at + size
    unsigned = came.whole[: came.signed_at] + bytes(size) + came.whole[until:]
    if not hmac.compare_digest(_signature(user, came.engine.id, unsigned), came.signature):
        raise NotAuthentic("its signature is wrong")


def _decrypted(came: Envelope, user: User) -> bytes:
    sealed, _ = ber.octets(came.body, 0, len(came.body))
    if len(came.salt) != _SALT_BYTES or (user.privacy == "des" and len(sealed) % 8):
        raise NotAuthentic("it cannot be decrypted")
    plain = _cipher(user, came.engine, came.salt).decryptor().update(sealed)
    found = ber.part(plain, 0, len(plain))
    return plain[: found.stop]  # what fills the last block is no part of it


def sealed(
    number: int, flags: int, engine: Engine, user: User | None, body: bytes, context: bytes = b""
) -> bytes:
    """A message of v3. `body` is what is said, as `message.request` writes it, in a question's context."""
    context = context or ber.wrapped(ber.OCTETS, engine.id) + ber.wrapped(ber.OCTETS, b"")
    inside = ber.wrapped(ber.SEQUENCE, context + body)
    salt = b""
    if user is not None and user.privacy:
        salt = secrets.token_bytes(_SALT_BYTES)
        if user.privacy == "des":
            inside += bytes(-len(inside) % 8)
        inside = ber.wrapped(ber.OCTETS, _cipher(user, engine, salt).encryptor().update(inside))
    size = DIGESTS[user.auth][1] if user is not None else 0
    flags |= user.flags if user is not None else 0
    head = ber.wrapped(
        ber.SEQUENCE,
        ber.written(number)
        + ber.written(BYTES_MAX)
        + ber.wrapped(ber.OCTETS, bytes((flags,)))
        + ber.written(MODEL),
    )
    security = ber.wrapped(
        ber.SEQUENCE,
        ber.wrapped(ber.OCTETS, engine.id)
        + ber.written(engine.boots)
        + ber.written(engine.time_s)
        + ber.wrapped(ber.OCTETS, user.name if user is not None else b"")
        + ber.wrapped(ber.OCTETS, bytes(size))
        + ber.wrapped(ber.OCTETS, salt),
    )
    start = ber.written(message.VERSION_3) + head + ber.wrapped(ber.OCTETS, security)
    whole = ber.wrapped(ber.SEQUENCE, start + inside)
    if user is None:
        return whole
    found = envelope(whole)
    until = found.signed_at + size
    return whole[: found.signed_at] + _signature(user, engine.id, whole) + whole[until:]


def without_privacy(user: User) -> User:
    """The same user in messages that everybody may read, as reports about the clock may be."""
    return replace(user, privacy="", privacy_password=b"")
