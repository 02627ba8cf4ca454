"""The room: a new channel is a new file, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hostwatch import channels
from hostwatch.channels import base

NEW = """
from hostwatch.channels import base

class Settings(base.Entry):
    shorthand = "name"
    name: str

class Site(base.SiteEntry):
    pass

def build(settings, surroundings):
    return Shout(settings.name)

class Shout(base.Channel):
    kind = "shout"
    def __init__(self, name):
        self.name = name
    @property
    def shown(self):
        return self.name
    async def send(self, message):
        return base.Receipt(f"{self.name} heard {message.subject}")
"""


@pytest.fixture
def extended(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path)])
    yield tmp_path
    for name in [
        name for name in sys.modules if name in ("hostwatch.channels.shout", "hostwatch.channels.bare")
    ]:
        del sys.modules[name]


async def test_a_file_in_the_room_is_a_channel(extended, message, surroundings):
    (extended / "shout.py").write_text(NEW)

    assert "shout" in channels.kinds()
    room = channels.room("shout")
    receipt = await room.build(room.Settings.model_validate("bob"), surroundings()).send(message)
    assert receipt.said == f"bob heard {message.subject}"


def test_a_room_without_furniture_is_named(extended):
    (extended / "bare.py").write_text("Settings = 1\n")

    with pytest.raises(TypeError, match=r"bare\.py as a channel: it lacks Site, build"):
        channels.room("bare")


def test_what_is_no_channel_is_refused_with_the_ones_there_are():
    for name in ("base", "_threads", "nothing", "../email", "email.Site"):
        with pytest.raises(LookupError, match=f"the channels are {', '.join(channels.kinds())}$"):
            channels.room(name)


@pytest.mark.parametrize("kind", channels.kinds())
def test_every_room_is_furnished_alike(kind):
    room = channels.room(kind)

    assert issubclass(room.Settings, base.Entry)
    assert room.Settings.model_config["frozen"]
    assert room.Site.model_config["frozen"]
    schema = room.Settings.model_json_schema()
    assert {"type": "string"} in schema["anyOf"], "the shorthand is known to editors"


def test_evidence_is_one_printable_bounded_line():
    assert base.printable(b"a\r\nb\x00\xff") == "a b \ufffd"
    assert len(base.printable("x" * 10_000)) == base.SAID_MAX_CHARS
