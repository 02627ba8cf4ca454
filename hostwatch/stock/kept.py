"""What was read of an inventory, kept beside the store by the digest of its file.

A file that did not change is so not read again, neither at a reload nor at the next start. Whatever
cannot be used (another version wrote it, or for other customers) is as good as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import hostwatch
from hostwatch.configuration.customer import Device as Written
from hostwatch.core import canonical
from hostwatch.core.device import Device
from hostwatch.stock.shape import Likes, Row

SUFFIX = ".devices.json"
RAW = ".read"
"""Ends the name of a file as it was when it was read."""

NOTE = "in-force.json"


@dataclass(slots=True)
class Kept:
    """The devices of one file and their lines in columns, in the order of the file."""

    names: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    likes: array[int] = field(default_factory=lambda: array("L"))
    lines: array[int] = field(default_factory=lambda: array("L"))

    def add(self, row: Row, line: int) -> None:
        """One more."""
        self.names.append(row.name)
        self.addresses.append(row.address)
        self.likes.append(row.like)
        self.lines.append(line)

    def rows(self) -> Iterator[Row]:
        """All of them."""
        return map(Row, self.names, self.addresses, self.likes)

    def __len__(self) -> int:
        return len(self.names)


class Shelf:
    """A folder with one file for each inventory; None is no folder."""

    def __init__(self, folder: Path | None, likes: Likes, context: object, inline: str = "") -> None:
        """`context`: what the rest of the configuration says that decides how a file is read.

        `inline`: a digest of the devices that stand in the configuration itself.
        """
        self._folder = folder
        self._likes = likes
        self._by = canonical.digest([hostwatch.__version__, _rules(), context])
        self._inline = inline
        self._in_force = self._noted()
        self._taken: dict[str, Kept] = {}
        """What was taken down of files that are no more as they were."""

    def in_force(self, configuration: str) -> tuple[str, ...] | None:
        """The digests of the files that the devices on record came from, if that configuration is in force.

        None when it is not known, or when they were read by other rules, or stood beside other devices.
        """
        found = self._in_force
        if (found.get("configuration"), found.get("by"), found.get("inline")) != (
            configuration,
            self._by,
            self._inline,
        ):
            return None
        return tuple(found["files"])

    def note(self, configuration: str, files: Sequence[str]) -> None:
        """Note from which files the devices on record came, now that a configuration is in force."""
        known = self._in_force
        self._in_force = {
            "configuration": configuration,
            "by": self._by,
            "inline": self._inline,
            "files": [*files],
        }
        if self._in_force != known:
            self._write(NOTE, _encoded(self._in_force))
        self.tidy({*files})

    def _noted(self) -> dict[str, Any]:
        try:
            found = {} if self._folder is None else json.loads((self._folder / NOTE).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        fits = isinstance(found, dict) and isinstance(found.get("files"), list)
        return found if fits and all(isinstance(name, str) for name in found["files"]) else {}

    def before(self, number: int, count: int) -> tuple[bytes, Kept] | None:
        """The text of the file that had this number among `count`, and what was kept of it, if that holds."""
        digests = self._in_force.get("files", [])
        if self._folder is None or len(digests) != count:
            return None
        kept = self.get(digests[number])
        if kept is None:
            return None
        self._taken[digests[number]] = kept
        try:
            raw = (self._folder / f"{digests[number]}{RAW}").read_bytes()
        except OSError:
            return None
        return (raw, kept) if hashlib.sha256(raw).hexdigest() == digests[number] else None

    def get(self, digest: str) -> Kept | None:
        """What was kept of the file with this digest, if it still holds."""
        if digest in self._taken:
            return self._taken[digest]
        if self._folder is None:
            return None
        try:
            found = json.loads((self._folder / f"{digest}{SUFFIX}").read_bytes())
            return self._unpacked(found) if found["by"] == self._by else None
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None

    def put(self, digest: str, kept: Kept, raw: bytes | None = None) -> None:
        """Keep what was read, and its text. A disk that is full is no reason to refuse an inventory."""
        if self._folder is not None:
            self._write(f"{digest}{SUFFIX}", _encoded(self._packed(kept)))
            if raw is not None:
                self._write(f"{digest}{RAW}", raw)

    def _write(self, name: str, content: bytes) -> None:
        if self._folder is None:
            return
        path = self._folder / name
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            try:
                beside.write_bytes(content)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)

    def tidy(self, wanted: set[str]) -> None:
        """Remove what belongs to no present file, nor to one that the devices on record came from."""
        if self._folder is None:
            return
        wanted = wanted.union(self._in_force.get("files", ()))
        with contextlib.suppress(OSError):
            for suffix in (SUFFIX, RAW):
                for path in self._folder.glob(f"*{suffix}"):
                    if path.name.removesuffix(suffix) not in wanted:
                        path.unlink(missing_ok=True)

    def _unpacked(self, found: dict[str, Any]) -> Kept | None:
        numbers = [
            self._likes.number(canonical.restore(Device, like), shared=shared)
            for like, shared in found["like"]
        ]
        kept = Kept(
            names=found["names"],
            addresses=found["addresses"],
            likes=array("L", [numbers[number] for number in found["likes"]]),
            lines=array("L", found["lines"]),
        )
        fits = len(kept.names) == len(kept.addresses) == len(kept.likes) == len(kept.lines)
        return kept if fits else None

    def _packed(self, kept: Kept) -> dict[str, Any]:
        """What devices share is written once."""
        numbers = {number: place for place, number in enumerate(dict.fromkeys(kept.likes))}
        return {
            "by": self._by,
            "names": kept.names,
            "addresses": kept.addresses,
            "likes": [numbers[number] for number in kept.likes],
            "lines": kept.lines.tolist(),
            "like": [
                (canonical.plain(self._likes[number].device), self._likes[number].shared)
                for number in numbers
            ],
        }


def _encoded(content: dict[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


@cache
def _rules() -> str:
    """The settings of a device, as a hash: another version may have others."""
    return canonical.digest(_whole(Written.model_json_schema()))


def _whole(value: Any) -> Any:
    """Without floating-point numbers, which have no canonical form."""
    match value:
        case dict():
            return {key: _whole(inside) for key, inside in value.items()}
        case list():
            return [_whole(inside) for inside in value]
        case float():
            return str(value)
    return value
