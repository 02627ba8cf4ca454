"""What YAML means here, and that no bytes can do more than be wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hostwatch.configuration.load import load
from hostwatch.configuration.mistake import BadConfiguration
from hostwatch.configuration.source import Reader


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no", "no"),
        ("off", "off"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0o17", 15),
        ("0x1f", 31),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("true", True),
        ("~", None),
        ("", None),
        ("'true'", "true"),
        ("'7'", "7"),
        ("2026-10-01", "2026-10-01"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("::1", "::1"),
    ],
)
def test_what_a_value_means(text: str, expected: object) -> None:
    reader = Reader()
    node = reader.read("x", f"key: {text}\n".encode())

    assert reader.mistakes == []
    assert node is not None
    assert node.plain() == {"key": expected}


def test_every_key_and_item_knows_its_line() -> None:
    node = Reader().read("x", b"a:\n  b: 1\n  c:\n    - d\n    -\n      e: 2\n")

    assert node is not None
    assert [found.line for _, found in node.way(("a", "c", 1, "e"))] == [1, 3, 5 + 1, 6]
    assert [found.line for _, found in node.way(("a", "missing"))] == [1]


@pytest.mark.parametrize(
    ("data", "mistake"),
    [
        (b"a: 1\nb: \xff\n", "x:2: this is not UTF-8, save the file in the encoding UTF-8"),
        ("a: 1".encode("utf-16"), "x:1: this is not UTF-8, save the file in the encoding UTF-8"),
        (b"a: 1\nb: \x07\n", "x:2: there is a control character (U+0007) in this line, remove it"),
        (b"a: &" + b"b" * 99, "x:1: a: anchors (&name) are not used here, write the value out each time"),
        (b"a: 1\na: 2\na: 3\n", "x:2: a: is written twice, first in line 1, remove one of the two"),
    ],
)
def test_text_that_cannot_be_used(data: bytes, mistake: str) -> None:
    reader = Reader()
    reader.read("x", data)

    assert str(reader.mistakes[0]) == mistake


def test_a_byte_order_mark_is_no_mistake() -> None:
    node = Reader().read("x", b"\xef\xbb\xbfa: 1\n")

    assert node is not None
    assert node.plain() == {"a": 1}


def test_a_syntax_mistake_does_not_repeat_the_line() -> None:
    reader = Reader()
    reader.read("x", b'password: "canary-7c1f\n')
    reader.read("x", b"password canary-7c1f\nb: 1\n")
    reader.read("x", b"password: @canary-7c1f\n")
    reader.read("x", b"password: *canary-7c1f\n")

    assert len(reader.mistakes) == 4
    assert "canary" not in "".join(str(mistake) for mistake in reader.mistakes)


SEEDS = (
    b"site: {name: Here, timezone: UTC}\nstore: sqlite:///h.db\n",
    b"include: [a, *b, &c d]\ncustomers: [{id: a, devices: [{id: a}]}]\n",
    b'mail: {password: {file: "\\0"}, smtp: "\\ud800"}\n? [x]\n: !!binary y\n',
    b"%YAML 1.1\n---\nchannels: {webhook: {}, email: {}, json: []}\n...\n",
)


PIECES = (
    *(b": ", b"- ", b"[", b"]", b"{", b"}", b"\n", b"  ", b"\t", b"'", b'"', b"&a ", b"*a", b"!t ", b"<<: "),
    *(b"? ", b"|\n", b">-\n", b"---\n", b"%", b"@", b"#", b"\xff", b"\x00", b"\\u", b"0x", b"9" * 30, b"::1"),
    *(b"\xed\xa0\x80", b"\xe2\x80\xa8", b"/dev/zero", b"id", b"customers", b"devices", b"terms", b"interval"),
    *(b"sight", b"include", b"control", b"listen", b"email", b"site", b"contacts", b"password", b"file"),
)


def whatever() -> st.SearchStrategy[bytes]:
    """Random bytes, and pieces of configurations with pieces of YAML among them."""
    piece = st.one_of(st.sampled_from(SEEDS), st.sampled_from(PIECES), st.binary(max_size=6))
    mixed = st.lists(piece, max_size=20).map(b"".join)
    return st.one_of(st.binary(max_size=200), mixed)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(whatever())
@example(b"[" * 5000)
@example(b"{a: " * 5000)
@example(b"- " * 5000)
@example(b'site: "\\ud800"\n"\\ud800": 1\n')
@example(b'site: {name: x, timezone: "\\0"}\n')
@example(b"include: ['" + b"x" * 5000 + b"', '[', '**/*', /dev/null]\n")
@example(b"control: " + b"x" * 5000 + b"\nsite: {name: a, timezone: Asia}\nstore: sqlite:///x\n")
@example(b"listen: 127.0.0.1:99999999999\nsight: [1.2.3.4.5, 01.2.3.4]\n")
def test_no_bytes_raise_anything_but_mistakes(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "h.yaml")
        path.write_bytes(data)
        try:
            said = str(load(path, environment={}))
        except BadConfiguration as bad:
            said = str(bad)

    assert said.encode()
