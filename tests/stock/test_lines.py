"""Of a table that changed only the new lines are read, and the result is as if all had been."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostwatch import inventory
from hostwatch.inventory.base import Page
from hostwatch.stock.check import Stock, check
from tests.stock.site import devices, order, said

WRONG = ("another first line", "a mistake", "no end", "no text")
HEAD = "customer,id,address,state\n"
TABLE = HEAD + "".join(f"acme,d{n},192.0.2.{n},\n" for n in range(1, 9))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The texts that were read."""
    texts: list[bytes] = []
    real = inventory.read

    def noting(kind: str, page: Page) -> object:
        texts.append(page.data)
        return real(kind, page)

    monkeypatch.setattr(inventory, "read", noting)
    return texts


def told(stock: Stock) -> object:
    return devices(stock), stock.lines, stock.mistakes, stock.warnings, stock.summaries


def in_force(folder: Path, text: str | bytes) -> Stock:
    """A table that was read, and is in force."""
    (folder / "a.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    stock = check(order(folder, "a.csv", shelf=True))
    stock.shelf.note("one", [summary.digest for summary in stock.summaries])
    return stock


def again(folder: Path, text: str | bytes) -> Stock:
    """The table as it is later, read by what was kept; the same as if all of it were read."""
    (folder / "a.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    found = check(order(folder, "a.csv", shelf=True))
    assert told(found) == told(check(order(folder, "a.csv")))
    return found


def test_only_the_new_lines_are_read(tmp_path: Path, read: list[bytes]) -> None:
    in_force(tmp_path, TABLE)
    later = TABLE.replace("acme,d3,192.0.2.3", "acme,d3,192.0.2.33").replace("acme,d5,192.0.2.5,\n", "")

    found = again(tmp_path, later + "acme,d9,192.0.2.9,\n")

    assert read[1].decode() == HEAD + "acme,d3,192.0.2.33,\nacme,d9,192.0.2.9,\n\n"
    assert [*found.lines] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert found.device("d3").address == "192.0.2.33"


@pytest.mark.parametrize(
    ("why", "before", "after"),
    [
        (
            "another first line",
            TABLE,
            TABLE.replace("customer,id", "id,customer").replace("acme,d", "d,acme"),
        ),
        ("a mistake", TABLE, TABLE + "nobody,d9,192.0.2.9,\n"),
        ("a quote", TABLE, TABLE + 'acme,"d9",192.0.2.9,\n'),
        ("a quote before", HEAD + 'acme,"d1",192.0.2.1,\n', TABLE),
        ("no end", TABLE, TABLE + "acme,d9,192.0.2.9,"),
        ("a lone carriage return", TABLE, TABLE + "acme,d9,192.0.2.9,\racme,d10,192.0.2.10,\n"),
        ("no text", TABLE, TABLE.encode() + b"acme,d9,192.0.2.9,\xff\n"),
        ("a note to itself", "sep=,\n" + TABLE, "sep=,\n" + TABLE + "acme,d9,192.0.2.9,\n"),
    ],
)
def test_what_is_not_plain_is_read_as_a_whole(
    tmp_path: Path, why: str, before: str, after: str | bytes, read: list[bytes]
) -> None:
    in_force(tmp_path, before)

    found = again(tmp_path, after)

    whole = after if isinstance(after, bytes) else after.encode()
    assert whole in read[1:-1]  # the last is the one that it is held against
    assert bool(said(found)) is (why in WRONG)


def test_a_name_that_stands_twice_is_a_mistake_still(tmp_path: Path) -> None:
    in_force(tmp_path, TABLE)

    assert said(again(tmp_path, TABLE + "acme,d8,192.0.2.8,\n"))[0].startswith("a.csv:10: devices[d8].id: ")


def test_a_text_that_is_not_what_was_read_is_not_believed(tmp_path: Path, read: list[bytes]) -> None:
    in_force(tmp_path, TABLE)
    (raw,) = (tmp_path / "shelf").glob("*.read")
    raw.write_text(HEAD)

    again(tmp_path, TABLE + "acme,d9,192.0.2.9,\n")

    assert read[1].decode() == TABLE + "acme,d9,192.0.2.9,\n"


ROW = st.tuples(
    st.sampled_from(["acme", "globex", "nobody", ""]),
    st.sampled_from([f"d{n}" for n in range(12)]),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "::1", "nowhere", ' "x"']),
    st.sampled_from(["", "suspended", "removed", "asleep"]),
    st.sampled_from(["\n", "\r\n", "\n\n", " \n", ",\n"]),
)
GOOD = st.tuples(
    st.sampled_from(["acme", "globex"]),
    st.just(""),
    st.sampled_from(["192.0.2.1", "192.0.2.2", "::1"]),
    st.sampled_from(["", "suspended"]),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
)


def table(rows: list[tuple[str, str, str, str, str]]) -> str:
    return HEAD + "".join(f"{c},{name},{address},{state}{end}" for c, name, address, state, end in rows)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(before=st.lists(GOOD, max_size=12), edits=st.lists(st.tuples(st.integers(0, 12), ROW), max_size=4))
def test_whatever_changes_the_result_is_as_if_all_were_read(
    before: list[tuple[str, str, str, str, str]], edits: list[tuple[int, tuple[str, str, str, str, str]]]
) -> None:
    rows = [(c, f"d{n}", address, state, end) for n, (c, _, address, state, end) in enumerate(before)]
    with TemporaryDirectory() as name:
        in_force(Path(name), table(rows))
        for place, row in edits:
            rows[place : place + 1] = [row]
        again(Path(name), table(rows))
