"""A server of SSH proves its host key: OpenSSH, and servers that hang, lie or stand in between."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hostwatch.checks import _ssh
from hostwatch.checks import ssh as kind
from hostwatch.checks.base import Missed, Step
from hostwatch.core.reading import Outcome
from tests.checks.conftest import look, serving
from tests.checks.openssh import Sshd, sshd

NOBODYS = "SHA256:" + "A" * 43


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as one:
        yield one


async def test_who_says_who_he_is_runs(server: Sshd) -> None:
    found = await look("ssh", server.port)
    assert (found.outcome, found.notes) == (Outcome.ANSWERED, ())
    assert any(said.who == "<" and said.text.startswith("SSH-2.0-OpenSSH_") for said in found.transcript)


@pytest.mark.parametrize("name", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("asked", [True, False])
async def test_it_proves_its_host_key(server: Sshd, name: str, asked: bool) -> None:
    written = {"port": server.port, "host_keys": server.fingerprints[name]}
    found = await look("ssh", {**written, "key_type": name} if asked else written)
    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")
    (note,) = found.notes
    assert note.startswith(f"host key {server.fingerprints[name]} ({name}, ")


@pytest.mark.parametrize("exchange", [*_ssh.EXCHANGES])
async def test_keys_are_exchanged_in_every_way(tmp_path: Path, exchange: str) -> None:
    with sshd(tmp_path, ("ed25519",), f"KexAlgorithms {exchange}") as one:
        found = await look("ssh", {"port": one.port, "host_keys": one.fingerprints["ed25519"]})
    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")
    assert any(said.text == f"our half of {exchange}" for said in found.transcript)


@pytest.mark.parametrize("name", ["ecdsa384", "ecdsa521"])
async def test_large_curves_sign_too(tmp_path: Path, name: str) -> None:
    with sshd(tmp_path, (name,)) as one:
        found = await look("ssh", {"port": one.port, "host_keys": one.fingerprints[name]})
    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")


async def test_both_hashes_of_rsa_sign(tmp_path: Path) -> None:
    with sshd(tmp_path, ("rsa",), "HostKeyAlgorithms rsa-sha2-256") as one:
        found = await look("ssh", {"port": one.port, "host_keys": one.fingerprints["rsa"]})
    assert (found.outcome, found.why) == (Outcome.ANSWERED, "")


async def test_another_host_key_is_told(server: Sshd) -> None:
    found = await look("ssh", {"port": server.port, "host_keys": NOBODYS, "key_type": "rsa"})
    assert found.sentence == "ssh: content: the server has another host key"
    assert found.outcome is Outcome.MISSED
    assert (found.expected, found.came) == (NOBODYS, f"{server.fingerprints['rsa']} (rsa)")


async def test_all_its_keys_are_told(server: Sshd) -> None:
    found = await look("ssh", {"port": server.port, "host_keys": [NOBODYS]})
    assert found.outcome is Outcome.MISSED
    connections = sum(said.text.startswith("connected") for said in found.transcript)
    assert connections == 3
    told = [said.text.split()[2] for said in found.transcript if said.text.startswith("host key")]
    assert told == [*server.fingerprints.values()]


async def test_a_type_that_it_has_not_is_told(tmp_path: Path) -> None:
    with sshd(tmp_path, ("ed25519",)) as one:
        found = await look("ssh", {"port": one.port, "host_keys": NOBODYS, "key_type": "rsa"})
    assert (found.outcome, found.why) == (Outcome.MISSED, "the server has no host key of type rsa")
    assert found.came == "ssh-ed25519"


async def test_no_common_exchange_is_told(tmp_path: Path) -> None:
    with sshd(tmp_path, ("ed25519",), "KexAlgorithms diffie-hellman-group16-sha512") as one:
        found = await look("ssh", {"port": one.port, "host_keys": NOBODYS})
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.ANSWER)
    assert found.why == "no way of exchanging keys is known to both"
    assert "diffie-hellman-group16-sha512" in found.came


async def test_another_software_is_told(server: Sshd) -> None:
    assert (await look("ssh", {"port": server.port, "software": "OpenSSH_"})).outcome is Outcome.ANSWERED
    found = await look("ssh", {"port": server.port, "software": "dropbear"})
    assert (found.outcome, found.step, found.why) == (
        Outcome.MISSED, Step.GREETING, "another software answers"
    )  # fmt: skip


async def test_a_server_that_dies_in_the_middle(tmp_path: Path) -> None:
    with sshd(tmp_path, ("ed25519",)) as one:
        one.process.send_signal(signal.SIGSTOP)
        visit = asyncio.create_task(look("ssh", {"port": one.port, "host_keys": NOBODYS}))
        await asyncio.sleep(0)
        one.process.kill()
        found = await visit
    assert found.outcome is Outcome.MISSED
    assert found.why in ("connection refused", "connection reset", "the server closed the connection")


# Servers of a few lines


async def _heard(*said: bytes) -> Any:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for one in said:
            writer.write(one)
        await writer.drain()
        await reader.read(1)
        await reader.readuntil(b"\n")
        writer.write_eof()
        await reader.read()

    async with serving(talk) as port:
        return await look("ssh", {"port": port, "host_keys": NOBODYS, "timeout": "5s"})


HELLO = b"SSH-2.0-test\r\n"
EMPTY = b"\0\0\0\x0c\x0a\x02" + bytes(10)
GONE = b"\0\0\0\x18\x06\x01\0\0\0\x02\0\0\0\x04gone\0\0\0\0" + bytes(6)


@pytest.mark.parametrize(
    ("said", "step", "why"),
    [
        ([b"hello\r\n"] * 50, Step.GREETING, "50 lines came, and none begins with SSH-"),
        ([b"SSH-1.5-old\r\n"], Step.GREETING, "the server speaks another version of SSH"),
        ([b"SSH-2.0-" + b"x" * 300 + b"\r\n"], Step.GREETING, "this does not say who the server is"),
        ([b"SSH-2.0-a\0b\r\n"], Step.GREETING, "this does not say who the server is"),
        ([b"SSH-2.0-\xff\r\n"], Step.GREETING, "this does not say who the server is"),
        ([HELLO], Step.ANSWER, "the server closed the connection"),
        ([b"welcome\r\n" * 49 + HELLO], Step.ANSWER, "the server closed the connection"),
        ([HELLO, b"\xff" * 16], Step.ANSWER, "this is no packet of SSH: it would have 4,294,967,295 bytes"),
        ([HELLO, bytes(16)], Step.ANSWER, "this is no packet of SSH: it would have 0 bytes"),
        ([HELLO, b"\0\0\0\x0c\x0a\x32" + bytes(10)], Step.ANSWER, "message 50 came instead of message 20"),
        ([HELLO, b"\0\0\0\x0c\xff\x14" + bytes(10)], Step.ANSWER, "a packet of the server holds nothing"),
        ([HELLO, b"\0\0\0\x0c\x04\x14" + bytes(10)], Step.ANSWER, "a message of the server is cut short"),
        ([HELLO, *[EMPTY] * 20], Step.ANSWER, "20 messages came, and not the one that is due"),
        ([HELLO, GONE], Step.ANSWER, "the server ended the talk (reason 2)"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
async def test_what_is_no_ssh_is_told(said: list[bytes], step: Step, why: str) -> None:
    found = await _heard(*said)
    assert (found.outcome, found.step, found.why) == (Outcome.MISSED, step, why)


@pytest.mark.parametrize("said", [b"", HELLO])
async def test_a_server_that_hangs_ends_with_the_time(said: bytes, ever: asyncio.Event) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await ever.wait()

    async with serving(talk) as port:
        found = await look("ssh", {"port": port, "host_keys": NOBODYS, "timeout": "200ms"})
    assert (found.outcome, found.why) == (Outcome.MISSED, "no answer within 200ms")
    assert found.step is (Step.ANSWER if said else Step.GREETING)


async def _between(server: Sshd, change: Callable[[bytes], bytes]) -> Any:
    """Somebody stands between us and the server, and changes what the server says after its first line."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(await there.readline())
            forward = asyncio.create_task(_copy(reader, back))
            while piece := await there.read(65_536):
                writer.write(change(piece))
            forward.cancel()
        finally:
            back.close()

    async with serving(relay) as port:
        return await look("ssh", {"port": port, "host_keys": server.fingerprints["ed25519"], "timeout": "5s"})


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)


async def test_who_only_hands_on_is_not_seen(server: Sshd) -> None:
    assert (await _between(server, lambda piece: piece)).outcome is Outcome.ANSWERED


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("the random number of the server", lambda piece: _flip(piece, 6 + 5) if piece[5] == 20 else piece),
        ("the signature", lambda piece: _flip(piece, _end(piece) - 1) if piece[5] == 31 else piece),
        (
            "the half of the exchange",
            lambda piece: _flip(piece, 6 + 4 + 51 + 4 + 3) if piece[5] == 31 else piece,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_who_changes_anything_is_found_out(
    server: Sshd, where: str, change: Callable[[bytes], bytes]
) -> None:
    found = await _between(server, change)
    assert (found.outcome, found.step) == (Outcome.MISSED, Step.ANSWER), where
    assert found.why == "the server does not prove its host key: the signature is wrong"


def _flip(piece: bytes, place: int) -> bytes:
    return piece[:place] + bytes([piece[place] ^ 1]) + piece[place + 1 :]


def _end(piece: bytes) -> int:
    """Where the message of the first packet ends."""
    return 4 + int.from_bytes(piece[:4], "big") - piece[4]


async def _honest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, guesses: bool) -> None:
    """A server of a few lines. It may guess what we shall agree on, wrongly, and send a packet for that."""

    def packed(message: bytes) -> bytes:
        many = 12 - (len(message) + 1) % 8
        return (len(message) + 1 + many).to_bytes(4, "big") + bytes([many]) + message + bytes(many)

    async def heard() -> bytes:
        size = int.from_bytes(await reader.readexactly(4), "big")
        packet = await reader.readexactly(size)
        return packet[1 : size - packet[0]]

    key = ed25519.Ed25519PrivateKey.generate()
    blob = _ssh.string(b"ssh-ed25519") + _ssh.string(_raw(key.public_key()))
    lists = (
        b"ecdh-sha2-nistp256,curve25519-sha256",
        b"ssh-ed25519",
        *[b"aes128-ctr"] * 2,
        *[b"none"] * 4,
        b"",
        b"",
    )
    ours = b"\x14" + bytes(16) + b"".join(map(_ssh.string, lists)) + bytes([guesses]) + bytes(4)
    writer.write(b"SSH-2.0-honest\r\n" + packed(ours))
    if guesses:
        writer.write(packed(b"\x1f a guess"))
    who = (await reader.readline()).rstrip()
    theirs, half = await heard(), (await heard())[5:]
    mine = x25519.X25519PrivateKey.generate()
    secret = int.from_bytes(mine.exchange(x25519.X25519PublicKey.from_public_bytes(half)), "big")
    told = (who, b"SSH-2.0-honest", theirs, ours, blob, half, _raw(mine.public_key()))
    digest = hashlib.sha256(b"".join(map(_ssh.string, told)) + _ssh.integer(secret)).digest()
    signed = _ssh.string(b"ssh-ed25519") + _ssh.string(key.sign(digest))
    reply = b"\x1f" + _ssh.string(blob) + _ssh.string(_raw(mine.public_key())) + _ssh.string(signed)
    writer.write(packed(reply))
    await reader.read()


def _raw(key: x25519.X25519PublicKey | ed25519.Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


@pytest.mark.parametrize("guesses", [False, True])
async def test_a_packet_sent_on_a_wrong_guess_is_passed_over(guesses: bool) -> None:
    async with serving(partial(_honest, guesses=guesses)) as port:
        found = await look("ssh", {"port": port, "host_keys": NOBODYS})
    assert (found.step, found.why) == (Step.CONTENT, "the server has another host key"), "it was proven"


# The proof itself


def _ed25519(digest: bytes) -> tuple[str, bytes, bytes]:
    key = ed25519.Ed25519PrivateKey.generate()
    blob = _ssh.string(b"ssh-ed25519") + _ssh.string(
        key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    return "ssh-ed25519", blob, key.sign(digest)


def _ecdsa(digest: bytes) -> tuple[str, bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    name = "ecdsa-sha2-nistp256"
    blob = _ssh.string(name.encode()) + _ssh.string(b"nistp256") + _ssh.string(point)
    both = decode_dss_signature(key.sign(digest, ec.ECDSA(hashes.SHA256())))
    return name, blob, b"".join(map(_ssh.integer, both))


RSA_KEY = rsa.generate_private_key(65_537, 2_048)


def _rsa(digest: bytes) -> tuple[str, bytes, bytes]:
    numbers = RSA_KEY.public_key().public_numbers()
    blob = _ssh.string(b"ssh-rsa") + _ssh.integer(numbers.e) + _ssh.integer(numbers.n)
    return "rsa-sha2-256", blob, RSA_KEY.sign(digest, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("make", [_ed25519, _ecdsa, _rsa])
@given(data=st.data())
def test_one_bit_is_enough_to_break_a_proof(
    make: Callable[[bytes], tuple[str, bytes, bytes]], data: st.DataObject
) -> None:
    digest = data.draw(st.binary(min_size=32, max_size=32))
    signature, blob, value = make(digest)
    signed = _ssh.string(signature.encode()) + _ssh.string(value)
    assert _ssh.proven(signature, blob, signed, digest).fingerprint == _ssh.fingerprint(blob)

    parts = [blob, signed, digest]
    which = data.draw(st.integers(0, 2))
    place = data.draw(st.integers(0, 10_000)) % len(parts[which])  # signatures differ in length
    parts[which] = _flip(parts[which], place)
    with pytest.raises(Missed):
        _ssh.proven(signature, *parts)


@given(
    blob=st.binary(max_size=80),
    signed=st.binary(max_size=80),
    way=st.sampled_from(["ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp521"]),
)
def test_no_bytes_are_a_proof(blob: bytes, signed: bytes, way: str) -> None:
    kind_of = b"ssh-rsa" if way.startswith("rsa") else way.encode()
    for wrapped in (blob, _ssh.string(kind_of) + blob):
        for made in (signed, _ssh.string(way.encode()) + _ssh.string(signed)):
            with pytest.raises(Missed):
                _ssh.proven(way, wrapped, made, bytes(32))


@given(st.binary(max_size=300))
def test_any_opening_is_read_or_refused(message: bytes) -> None:
    try:
        offer = _ssh.offered(message)
    except Missed:
        return
    assert set(offer.types) <= {*_ssh.SIGNATURES}


def test_a_key_that_would_cost_us_dear_is_refused() -> None:
    blob = _ssh.string(b"ssh-rsa") + _ssh.integer(65_537) + _ssh.integer(2**9_000 + 1)
    signed = _ssh.string(b"rsa-sha2-256") + _ssh.string(bytes(1_126))
    with pytest.raises(Missed, match="malformed"):
        _ssh.proven("rsa-sha2-256", blob, signed, bytes(32))


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "00000000"), (0x80, "000000020080"), (0x9A378F9B2E332A7, "0000000809a378f9b2e332a7")],
)
def test_numbers_are_written_as_the_standard_shows(value: int, written: str) -> None:
    """The examples of RFC 4251, 5."""
    assert _ssh.integer(value).hex() == written


@pytest.mark.parametrize("written", ["SHA256:short", "MD5:" + "aa:" * 16, "sha256:" + "A" * 43, ""])
def test_what_is_no_fingerprint_is_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="is not a fingerprint"):
        kind.Settings.model_validate({"host_keys": written})
