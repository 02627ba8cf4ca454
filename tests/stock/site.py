"""Inventories written for a test, and what was said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hostwatch.core.device import Device
from hostwatch.stock.check import Order, Stock, check

CUSTOMERS: dict[str, str | None] = {"acme": None, "globex": None}


def order(folder: Path, *names: str, shelf: bool = False, **house: Any) -> Order:
    """All files of a folder, or some; `house`: what devices may hang on."""
    files = names or tuple(sorted(path.name for path in folder.iterdir() if path.is_file()))
    kept = folder / "shelf" if shelf else None
    return Order(folder=folder, files=files, customers=CUSTOMERS, shelf=kept, **house)


def checked(folder: Path, text: str, name: str = "d.csv", **house: Any) -> Stock:
    """One inventory, read."""
    (folder / name).write_text(text, encoding="utf-8")
    return check(order(folder, name, **house))


def said(stock: Stock) -> list[str]:
    """The mistakes."""
    return [str(mistake) for mistake in stock.mistakes]


def devices(stock: Stock) -> dict[str, Device]:
    """The devices, by name."""
    return {name: stock.device(name) for name in stock.index}
