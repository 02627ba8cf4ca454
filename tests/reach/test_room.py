"""The room: a new method is a new file, and nothing else; and how a method is written."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from hostwatch import reach
from hostwatch.clock import SystemClock
from hostwatch.configuration.method import MethodLine
from hostwatch.core import canonical, instant
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Ask, Batch, Look, Manner
from hostwatch.reach import _frames, base
from hostwatch.switchboard import Switchboard

ROOT = Path(__file__).parents[2]
METHOD = TypeAdapter(MethodLine)

NEW = """
from hostwatch.core.reading import Outcome
from hostwatch.pinger import Look, Pinger
from hostwatch.reach import base

EXAMPLE = "method: {shout: hello}"

class Settings(base.Settings):
    shorthand = "word"
    word: str

def build(clock):
    return Shouter()

class Shouter(Pinger):
    async def probe(self, batch):
        yield tuple(Look(a.signal, a.address, a.at_us, a.at_us, Outcome.MISSED, a.method) for a in batch.asks)
    async def close(self):
        pass
"""


@pytest.fixture
def extended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(reach, "__path__", [*reach.__path__, str(tmp_path)])
    yield tmp_path
    for name in ("hostwatch.reach.shout", "hostwatch.reach.bare"):
        sys.modules.pop(name, None)


async def test_a_file_in_the_room_is_a_method(extended: Path) -> None:
    (extended / "shout.py").write_text(NEW)

    assert reach.kinds() == ("icmp", "neighbour", "shout", "tcp")
    line = METHOD.validate_python({"shout": "hello"})
    assert line == "shout word=hello"

    pinger = reach.room("shout").build(None)
    board = Switchboard(SystemClock(), pinger)
    batch = Batch(asks=(Ask("a/ping@main", "192.0.2.1", 0, line), Ask("b", "192.0.2.2", 0)), manner=Manner())
    looks = [look async for group in board.probe(batch) for look in group]
    assert {look.signal: look.why for look in looks} == {"a/ping@main": "shout word=hello", "b": "icmp"}


def test_a_room_without_furniture_is_named(extended: Path) -> None:
    (extended / "bare.py").write_text("Settings = 1\n")

    with pytest.raises(TypeError, match=r"bare\.py as a method: it lacks EXAMPLE, build"):
        reach.room("bare")


def test_what_is_no_method_is_refused_with_the_ones_there_are() -> None:
    for name in ("base", "_frames", "nothing", "../tcp", "tcp.Settings"):
        with pytest.raises(LookupError, match="the methods are icmp, neighbour, tcp"):
            reach.room(name)


@pytest.mark.parametrize("kind", reach.kinds())
def test_every_room_is_furnished_alike_and_told_of(kind: str) -> None:
    room = reach.room(kind)
    page = (ROOT / "docs/configuration.md").read_text()

    assert issubclass(room.Settings, base.Settings)
    assert room.Settings.model_config["frozen"]
    assert f"`{room.EXAMPLE}`" in page
    for name in room.Settings.model_fields:
        assert f"`{name}`" in page


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("icmp", "icmp"),
        ({"icmp": None}, "icmp"),
        ({"tcp": 443}, "tcp port=443"),
        ({"tcp": "443"}, "tcp port=443"),
        ({"tcp": {"port": 443}}, "tcp port=443"),
        ("tcp port=443", "tcp port=443"),
        ("  tcp   port=443 ", "tcp port=443"),
        ("neighbour", "neighbour"),
        ({"neighbour": "eth0"}, "neighbour link=eth0"),
        ({"neighbour": {}}, "neighbour"),
    ],
)
def test_a_method_has_one_line_however_it_is_written(written: object, line: str) -> None:
    found = METHOD.validate_python(written)

    assert found == line
    assert METHOD.validate_python(str(found)) == line
    assert METHOD.dump_python(found) == line
    assert reach.read(line).line == line
    assert reach.read(reach.known_by(line, "52:54:00:12:34:56")).mac == "52:54:00:12:34:56"
    assert reach.read(reach.known_by(line, "52:54:00:12:34:56")).line == f"{line} mac=52:54:00:12:34:56"


@pytest.mark.parametrize(
    "written",
    ["", "ping", "tcp", "tcp 443", "tcp port=0", "tcp port=65536", "tcp port=443 port=80", "icmp port=1", 7,
     None, {}, {"tcp": 443, "icmp": None}, {"tcp": True}, {"neighbour": "a/b"}, {"neighbour": "x" * 16},
     "icmp mac=52:54:00:12:34:56", ["icmp"]],
)  # fmt: skip
def test_what_is_no_method_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        METHOD.validate_python(written)


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        (" 52-54-00-AB-CD-EF ", "52:54:00:ab:cd:ef"),
        ("01:00:5e:00:00:01", None),
        ("ff:ff:ff:ff:ff:ff", None),
        ("00:00:00:00:00:00", None),
        ("52:54:00:12:34", None),
        ("52:54:00:12:34-56", None),
        ("52540012345g", None),
        ("", None),
    ],
)
def test_a_hardware_address_has_one_spelling(written: str, spelt: str | None) -> None:
    assert reach.mac_of(written) == spelt


def test_an_ask_goes_to_another_process_and_back() -> None:
    ask = Ask("a/ping@main", "192.0.2.1", instant.micros(instant.EPOCH), "tcp port=443")

    assert Ask(*canonical.plain(ask)) == ask or Ask(**canonical.plain(ask)) == ask


def test_no_bytes_break_the_parsers() -> None:
    """Whatever comes in was written by somebody else: any bytes give an answer or nothing."""
    chance = random.Random(4_711)
    models = [
        _frames.ARP_HEAD + b"\0\2" + bytes.fromhex("525400000001") + bytes(14),
        bytes([136, 0, 0, 0, 0x60, 0, 0, 0]) + bytes(16) + b"\x02\x01" + bytes.fromhex("525400000001"),
    ]
    found = 0
    for _ in range(50_000):
        packet = bytearray(chance.choice(models))
        for _ in range(chance.randrange(4)):
            packet[chance.randrange(len(packet))] = chance.randrange(256)
        cut = bytes(packet[: chance.randrange(len(packet) + 1)]) if chance.random() < 0.5 else bytes(packet)
        found += _frames.arp_reply(cut) is not None
        found += _frames.advertisement(cut) is not None
    assert found > 1_000, "right ones were among them"


def test_a_look_is_plain() -> None:
    look = Look("a", "192.0.2.1", 0, 0, Outcome.MISSED, "another machine answers (MAC 52:54:00:00:00:01)")

    assert canonical.plain(look)
