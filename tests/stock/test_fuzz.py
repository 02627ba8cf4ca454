"""Any bytes are devices or mistakes, never a crash."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hostwatch.stock.check import check
from tests.stock.site import order

CELLS = st.sampled_from(
    ["acme", "a", "b", "192.0.2.1", "", '"', '""', "\r", "\n", "\r\n", ",", ";", "\t",
     "=1+1", "\ufeff", "\u2028", "é"]
)  # fmt: skip
TABLES = st.lists(CELLS, max_size=60).map(lambda parts: ("customer,id,address\n" + "".join(parts)).encode())
PIECES = st.sampled_from(
    ["devices", ":", " ", "\n", "- ", "  ", "{", "}", "[", "]", "id: a", "customer: acme", "address: ::1",
     "&x", "*x", "!!str", "---", "...", '"', "'", "|", "#", "\t", "? ", "<<: ", "\\", "%YAML 1.2"]
)  # fmt: skip
LISTS = st.lists(PIECES, max_size=60).map(lambda parts: "".join(parts).encode())


@settings(deadline=None)
@given(name=st.sampled_from(["d.csv", "d.yaml"]), data=st.one_of(st.binary(max_size=300), TABLES, LISTS))
@example(name="d.csv", data=b"customer,id,address\n" + b'"' * 20_000)
@example(name="d.csv", data=b"\xff\xfec\x00u\x00")
@example(name="d.yaml", data=b"devices:\n" + b"- [" * 5_000)
@example(name="d.yaml", data=b"devices: " + b"[" * 5_000)
@example(name="d.yaml", data=b"{devices: [" + b"{}," * 3_000 + b"]}")
@example(name="d.yaml", data=b"devices: [{? [a] : b}]")
@example(name="d.yaml", data=b"? {devices: [a]}\n: b")
def test_any_bytes_are_devices_or_mistakes(name: str, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        stock = check(order(Path(folder), name))

    for place in stock.index:
        stock.device(place)
    for mistake in stock.mistakes:
        assert mistake.line is None or 1 <= mistake.line <= data.count(b"\n") + data.count(b"\r") + 2
