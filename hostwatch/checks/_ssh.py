"""As much of SSH as it takes to have a server prove its host key: identification, key exchange, signature.

The keys that are agreed upon are thrown away: nothing is ever encrypted, and nobody logs in. What the server
signs holds a number and a key that we have made up, so that no old signature can stand for its own
(RFC 4253, 5656, 8332, 8709, 8731).
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hostwatch.checks._finding import Missed
from hostwatch.checks._line import Line
from hostwatch.checks._sentence import chinese
from hostwatch.checks._visit import Visit

OURS: Final = b"SSH-2.0-hostwatch"

LINES_BEFORE_MAX: Final = 50
"""Lines that a server may say before it says who it is."""

IDENTIFICATION_BYTES_MAX: Final = 255
PACKET_BYTES_MAX: Final = 35_000
PACKETS_PASSED_MAX: Final = 20
"""Packets without meaning for us, before the one that we wait for."""

RSA_BITS_MAX: Final = 8_192
RSA_BITS_WEAK: Final = 2_048

DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, KEXINIT, EXCHANGE, EXCHANGED = 1, 2, 3, 4, 20, 30, 31
BY_APPLICATION: Final = 11

_CURVES: Final[dict[str, tuple[ec.EllipticCurve, hashes.HashAlgorithm]]] = {
    "nistp256": (ec.SECP256R1(), hashes.SHA256()),
    "nistp384": (ec.SECP384R1(), hashes.SHA384()),
    "nistp521": (ec.SECP521R1(), hashes.SHA512()),
}

EXCHANGES: Final = {
    "curve25519-sha256": "sha256",
    "curve25519-sha256@libssh.org": "sha256",
    "ecdh-sha2-nistp256": "sha256",
    "ecdh-sha2-nistp384": "sha384",
    "ecdh-sha2-nistp521": "sha512",
}
"""How keys are exchanged, the best first, and by which hash."""

SIGNATURES: Final = {
    "ed25519": ("ssh-ed25519",),
    "ecdsa": tuple(f"ecdsa-sha2-{curve}" for curve in _CURVES),
    "rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""How a host key of each type signs, the best first."""

_CIPHERS: Final = "aes128-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com,aes128-cbc,3des-cbc"
_MACS: Final = "hmac-sha2-256,hmac-sha2-512,hmac-sha1"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key that the server has proven to have."""

    type: str
    fingerprint: str
    bits: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server says that it can."""

    exchanges: tuple[str, ...]
    signatures: tuple[str, ...]
    guesses: bool
    """Whether it has sent a packet in the belief that we agree."""

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its host keys."""
        return tuple(kind for kind, ways in SIGNATURES.items() if {*ways} & {*self.signatures})


class Unpacked:
    """The fields of a message, taken one after the other. Raises `Missed` for one that is cut short."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, many: int) -> bytes:
        """So many bytes."""
        found = self._data[self._at : self._at + many]
        if len(found) < many:
            raise Missed("a message of the server is cut short", came=self._data)
        self._at += many
        return found

    def number(self) -> int:
        """Four bytes."""
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        """A length and so many bytes."""
        return self.take(self.number())

    def names(self) -> tuple[str, ...]:
        """A list of names."""
        return tuple(self.string().decode("ascii", "replace").split(","))

    def integer(self) -> int:
        """A number of any length; negative ones have no place here."""
        return int.from_bytes(self.string(), "big")

    def end(self) -> None:
        """Nothing more may come."""
        if self._at != len(self._data):
            raise Missed("a message of the server is too long", came=self._data)


def string(data: bytes) -> bytes:
    """A length and the bytes."""
    return len(data).to_bytes(4, "big") + data


def integer(value: int) -> bytes:
    """A number of any length that is not negative."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


async def identified(line: Line) -> bytes:
    """Who the server says it is: the line that begins with `SSH-`; lines before it are passed over."""
    for _ in range(LINES_BEFORE_MAX):
        said = await line.read_line()
        if said.startswith(b"SSH-"):
            break
    else:
        raise Missed(
            "{count} lines came, and none begins with SSH-", count=LINES_BEFORE_MAX, expected="SSH-2.0-…"
        )
    if len(said) > IDENTIFICATION_BYTES_MAX or not said.isascii() or b"\0" in said:
        raise Missed("this does not say who the server is", expected="SSH-2.0-…", came=said)
    if not said.startswith((b"SSH-2.0-", b"SSH-1.99-")):
        raise Missed("the server speaks another version of SSH", expected="SSH-2.0-…", came=said)
    return said


class Exchange:
    """One key exchange with a server that has said who it is."""

    def __init__(self, visit: Visit, line: Line, theirs: bytes) -> None:
        self._visit = visit
        self._line = line
        self._theirs = theirs

    async def host_key(self, types: Sequence[str]) -> tuple[HostKey | None, Offer]:
        """A host key of one of these types, proven, and what else the server has.

        None if it has no key of these types.
        """
        signatures = [one for kind in types for one in SIGNATURES[kind]]
        opening = self._opening(signatures)
        await self._send(opening, "our algorithms")
        answered = await self._receive(KEXINIT)
        offer = offered(answered)
        exchange = next((one for one in EXCHANGES if one in offer.exchanges), None)
        if exchange is None:
            came = ", ".join(offer.exchanges)
            raise Missed(
                "no way of exchanging keys is known to both", expected=", ".join(EXCHANGES), came=came
            )
        signature = next((one for one in signatures if one in offer.signatures), None)
        if signature is None:
            return None, offer
        if offer.guesses and (offer.exchanges[0], offer.signatures[0]) != (
            next(iter(EXCHANGES)),
            signatures[0],
        ):
            await self._packet()  # it guessed wrong: that one is not meant
        return await self._exchanged(exchange, signature, opening, answered), offer

    async def _exchanged(self, exchange: str, signature: str, opening: bytes, answered: bytes) -> HostKey:
        public, agree = _key_pair(exchange)
        await self._send(bytes([EXCHANGE]) + string(public), f"our half of {exchange}")
        reply = Unpacked(await self._receive(EXCHANGED))
        reply.take(1)
        blob, half, signed = reply.string(), reply.string(), reply.string()
        reply.end()
        try:
            secret = agree(half)
        except ValueError:
            raise Missed("the server's half of the key exchange is no key", came=half) from None
        told = (OURS, self._theirs, opening, answered, blob, public, half)
        digest = hashlib.new(EXCHANGES[exchange], b"".join(map(string, told)) + integer(secret)).digest()
        key = proven(signature, blob, signed, digest)
        self._visit.tell(
            "<", f"host key {key.fingerprint} ({key.type}, {key.bits} bits), proven by {signature}"
        )
        await self._send(
            bytes([DISCONNECT]) + BY_APPLICATION.to_bytes(4, "big") + string(b"checked") + string(b""),
            "goodbye",
        )
        return key

    def _opening(self, signatures: Sequence[str]) -> bytes:
        lists = (
            ",".join(EXCHANGES),
            ",".join(signatures),
            *[_CIPHERS] * 2,
            *[_MACS] * 2,
            *["none"] * 2,
            "",
            "",
        )
        body = b"".join(string(one.encode()) for one in lists)
        return bytes([KEXINIT]) + os.urandom(16) + body + b"\0" + bytes(4)

    async def _send(self, message: bytes, shown: str) -> None:
        many = 8 - (len(message) + 5) % 8
        many += 8 if many < 4 else 0
        packet = bytes([many]) + message + bytes(many)
        await self._line.write(string(packet), shown)

    async def _receive(self, wanted: int) -> bytes:
        """The next message of a kind; what may come in between is passed over."""
        for _ in range(PACKETS_PASSED_MAX):
            message = await self._packet()
            if message[0] == wanted:
                return message
            if message[0] == DISCONNECT:
                why = Unpacked(message[1:])
                code = why.number()
                raise Missed("the server ended the talk (reason {code})", code=code, came=why.string())
            if message[0] not in (IGNORE, UNIMPLEMENTED, DEBUG):
                raise Missed(
                    "message {code} came instead of message {other}",
                    code=message[0],
                    other=wanted,
                    came=message,
                )
        raise Missed("{count} messages came, and not the one that is due", count=PACKETS_PASSED_MAX)

    async def _packet(self) -> bytes:
        size = int.from_bytes(await self._line.read_exactly(4), "big")
        if not 2 <= size <= PACKET_BYTES_MAX:
            raise Missed("this is no packet of SSH: it would have {count} bytes", count=size)
        packet = await self._line.read_exactly(size)
        message = packet[1 : size - packet[0]]
        if not message:
            raise Missed("a packet of the server holds nothing", came=packet)
        return message


def offered(message: bytes) -> Offer:
    """What a server offers in its opening message."""
    fields = Unpacked(message)
    fields.take(17)
    exchanges, signatures = fields.names(), fields.names()
    for _ in range(8):
        fields.names()
    guesses = fields.take(1) != b"\0"
    fields.take(4)
    fields.end()
    return Offer(exchanges, signatures, guesses)


def _key_pair(exchange: str) -> tuple[bytes, Callable[[bytes], int]]:
    """Our half of an exchange, and what makes a secret of the other half."""
    if exchange.startswith("curve25519"):
        own = x25519.X25519PrivateKey.generate()

        def agree(half: bytes) -> int:
            return int.from_bytes(own.exchange(x25519.X25519PublicKey.from_public_bytes(half)), "big")

        return own.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), agree
    curve, _ = _CURVES[exchange.rpartition("-")[2]]
    mine = ec.generate_private_key(curve)

    def agree_on_curve(half: bytes) -> int:
        point = ec.EllipticCurvePublicKey.from_encoded_point(curve, half)
        return int.from_bytes(mine.exchange(ec.ECDH(), point), "big")

    return mine.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint), agree_on_curve


def proven(signature: str, blob: bytes, signed: bytes, digest: bytes) -> HostKey:
    """The key in a blob, if it has made this signature. Raises `Missed`."""
    fields = Unpacked(signed)
    made, value = fields.string().decode("ascii", "replace"), fields.string()
    fields.end()
    if made != signature:
        raise Missed("the server signs in another way than was agreed", expected=signature, came=made)
    key = Unpacked(blob)
    kind = key.string().decode("ascii", "replace")
    if kind != ("ssh-rsa" if signature.startswith("rsa-") else signature):
        raise Missed("the host key is of another type than was agreed", expected=signature, came=kind)
    try:
        bits = _verify(signature, key, value, digest)
    except InvalidSignature:
        raise Missed("the server does not prove its host key: the signature is wrong") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Missed("the host key or its signature is malformed", came=blob) from None
    return HostKey(_type(signature), fingerprint(blob), bits)


def _verify(signature: str, key: Unpacked, value: bytes, digest: bytes) -> int:
    """The bits of the key. Raises `InvalidSignature`, `ValueError`, `Missed`."""
    if signature == "ssh-ed25519":
        public = ed25519.Ed25519PublicKey.from_public_bytes(key.string())
        key.end()
        public.verify(value, digest)
        return 256
    if signature.startswith("rsa-"):
        exponent, modulus = key.integer(), key.integer()
        key.end()
        if modulus.bit_length() > RSA_BITS_MAX or exponent.bit_length() > 64:
            raise ValueError
        hash_of = hashes.SHA512() if signature.endswith("512") else hashes.SHA256()
        rsa.RSAPublicNumbers(exponent, modulus).public_key().verify(
            value, digest, padding.PKCS1v15(), hash_of
        )
        return modulus.bit_length()
    name = signature.rpartition("-")[2]
    curve, digested_by = _CURVES[name]
    if key.string().decode("ascii", "replace") != name:
        raise ValueError
    point = ec.EllipticCurvePublicKey.from_encoded_point(curve, key.string())
    key.end()
    fields = Unpacked(value)
    both = encode_dss_signature(fields.integer(), fields.integer())
    fields.end()
    point.verify(both, digest, ec.ECDSA(digested_by))
    return point.key_size


def _type(signature: str) -> str:
    return next(kind for kind, signatures in SIGNATURES.items() if signature in signatures)


def fingerprint(blob: bytes) -> str:
    """As `ssh-keygen -l` writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


chinese(
    """
    a message of the server is cut short
        服务器的消息不完整
    a message of the server is too long
        服务器的消息过长
    {count} lines came, and none begins with SSH-
        收到 {count} 行，没有一行以 SSH- 开头
    this does not say who the server is
        无法识别服务器的身份
    the server speaks another version of SSH
        服务器使用其他版本的 SSH
    no way of exchanging keys is known to both
        没有双方都支持的密钥交换方式
    the server's half of the key exchange is no key
        服务器在密钥交换中发送的不是有效密钥
    the server ended the talk (reason {code})
        服务器结束了会话（原因代码 {code}）
    message {code} came instead of message {other}
        收到消息 {code}，应为消息 {other}
    {count} messages came, and not the one that is due
        收到 {count} 条消息，没有应有的那一条
    this is no packet of SSH: it would have {count} bytes
        收到的不是 SSH 数据包：长度将达 {count} 字节
    a packet of the server holds nothing
        服务器的数据包是空的
    the server signs in another way than was agreed
        服务器的签名方式与约定不符
    the host key is of another type than was agreed
        主机密钥的类型与约定不符
    the server does not prove its host key: the signature is wrong
        服务器未能证明其主机密钥：签名错误
    the host key or its signature is malformed
        主机密钥或其签名的格式有误
    """
)
