"""A file that did not change is not read again; whatever was kept and cannot be used is as good as absent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import hostwatch
from hostwatch import inventory
from hostwatch.core.service import Service
from hostwatch.core.terms import ServiceTerms
from hostwatch.inventory.base import Page
from hostwatch.stock.check import Order, Stock, check
from tests.stock.site import devices, order, said

TABLE = """\
customer,id,address,state,shared
acme,a,192.0.2.1,,
globex,b,192.0.2.2,suspended,
acme,c,192.0.2.2,,yes
"""
LIST = "devices:\n- {customer: acme, id: d, address: '::1'}\n"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were read, as they are."""
    names: list[str] = []
    real = inventory.read

    def noting(kind: str, page: Page) -> object:
        names.append(page.name)
        return real(kind, page)

    monkeypatch.setattr(inventory, "read", noting)
    return names


def told(stock: Stock) -> object:
    return devices(stock), stock.lines, stock.warnings, stock.mistakes, stock.summaries


def written(folder: Path) -> Path:
    (folder / "a.csv").write_text(TABLE)
    (folder / "b.yaml").write_text(LIST)
    return folder


def test_only_what_changed_is_read_and_the_result_is_the_same(tmp_path: Path, read: list[str]) -> None:
    folder = written(tmp_path)
    first = check(order(folder, "a.csv", "b.yaml", shelf=True))
    again = check(order(folder, "a.csv", "b.yaml", shelf=True))

    assert read == [str(Path("a.csv")), str(Path("b.yaml"))]
    assert told(again) == told(first)

    (folder / "a.csv").write_text(TABLE + "acme,e,192.0.2.9,,\n")
    third = check(order(folder, "a.csv", "b.yaml", shelf=True))
    assert read[2:] == ["a.csv"]
    assert told(third) == told(check(order(folder, "a.csv", "b.yaml")))
    left = sorted(path.suffixes[-1] for path in (folder / "shelf").iterdir())
    assert left == [".json", ".json", ".read"], "what belongs to no present file is removed"


def test_a_service_that_is_otherwise_is_missed(tmp_path: Path, read: list[str]) -> None:
    (tmp_path / "a.csv").write_text("customer,id,address,services\nacme,a,192.0.2.1,www\n")

    def wanted(obliges: bool) -> Order:
        www = Service(name="www", terms=ServiceTerms(interval=timedelta(minutes=1), obliges=obliges))
        return replace(order(tmp_path, "a.csv", shelf=True), services={"acme": {"www": www}})

    assert told(check(wanted(True))) == told(check(wanted(True)))
    assert len(read) == 1
    (device,) = devices(check(wanted(False))).values()
    assert len(read) == 2
    assert [one.terms.obliges for one in device.services] == [False]


def test_a_customer_who_left_is_missed_with_the_line(tmp_path: Path) -> None:
    folder = written(tmp_path)
    check(order(folder, "a.csv", shelf=True))

    later = replace(order(folder, "a.csv", shelf=True), customers={"acme": None})

    assert said(check(later))[0].startswith("a.csv:3: devices[b].customer: is not a customer")


@pytest.mark.parametrize(
    "spoilt", [b"", b"{", b"[]", b'{"by": 3}', b'{"by": "BY", "like": [[{}, 1]]}', b"\xff"]
)
def test_what_cannot_be_used_is_read_anew(tmp_path: Path, read: list[str], spoilt: bytes) -> None:
    folder = written(tmp_path)
    first = check(order(folder, "a.csv", shelf=True))
    (file,) = (folder / "shelf").glob("*.json")
    by = file.read_bytes().partition(b'"by":"')[2].partition(b'"')[0]
    file.write_bytes(spoilt.replace(b"BY", by))

    assert told(check(order(folder, "a.csv", shelf=True))) == told(first)
    assert len(read) == 2


def test_another_version_reads_anew(tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path)
    check(order(folder, "a.csv", shelf=True))
    monkeypatch.setattr(hostwatch, "__version__", "0.0.0")

    check(order(folder, "a.csv", shelf=True))

    assert len(read) == 2


def test_a_shelf_that_cannot_be_written_refuses_nothing(tmp_path: Path) -> None:
    folder = written(tmp_path)
    (folder / "shelf").write_text("a file stands in the way")

    assert said(check(order(folder, "a.csv", shelf=True))) == []


def test_what_is_wrong_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(TABLE + "acme,e,nowhere,,\n")

    check(order(tmp_path, "a.csv", shelf=True))

    assert not (tmp_path / "shelf").exists()
