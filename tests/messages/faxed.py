"""Pages as a fax machine prints them: python -m tests.messages.faxed [FOLDER] takes pictures of some.

Without a folder those that the pages of `docs/` show; with one, all that people look at before a change of
how they look.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from hostwatch import messages
from hostwatch.channels import _typesetter
from tests.messages.examples import NOTICES, at, compose

NUMBER: Final = "+862812345678"
COARSE: Final = ("-rx", "204", "-ry", "98")
"""What every fax machine prints, at its worst: dots an inch, across and down."""

DOCS: Final = Path(__file__).parents[2] / "docs" / "pictures"
KEPT: Final = (("A repeat that is late as well", "en"), ("Several emergencies in one notice", "zh-CN"))


def page_of(heading: str, language: str = "en") -> Mapping[str, Any]:
    """An example of `examples.NOTICES`."""
    kind, stories, options = NOTICES[heading]
    return laid_out(kind, stories, language, **options)


def laid_out(kind: Any, stories: Any, language: str = "en", **options: Any) -> Mapping[str, Any]:
    """What stands on the page of a notice."""
    return messages.page(
        compose(kind, stories, language=language, **options).sheet,
        references=[story.reference for story in stories],
        zone=ZoneInfo("Asia/Shanghai"),
        site="Chengdu 1",
        customer_name="Acme Trading",
        contact_name="Duty officer",
    )


def drawn(page: Mapping[str, Any]) -> bytes:
    """It as PDF."""
    return _typesetter.draw(_typesetter.filled(page, number=NUMBER, sender="+862800000000", at=at("06:31")))


def run(tool: str, *words: str, pdf: bytes) -> bytes:
    """What a tool of poppler says of a page."""
    return subprocess.run([tool, *words], input=pdf, stdout=subprocess.PIPE, check=True).stdout


def words_on(pdf: bytes) -> str:
    """All that stands on it, on one line."""
    return " ".join(run("pdftotext", "-layout", "-", "-", pdf=pdf).decode().split())


def pictures(pdf: bytes) -> Iterator[bytes]:
    """Each page in dots, black or white, as PNG. As dots are higher than wide, each is two."""
    left = run("pdftoppm", "-mono", *COARSE, "-", pdf=pdf)
    while left:
        _, size, dots = left.split(b"\n", 2)
        width, height = map(int, size.split())
        row = (width + 7) // 8
        rows = [bytes(255 - dot for dot in dots[y * row :][:row]) for y in range(height)]
        yield _png(width, 2 * height, b"".join(b"\0" + line for line in rows for _ in range(2)))
        left = dots[row * height :]


def _png(width: int, height: int, rows: bytes) -> bytes:
    def part(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = (part(b"IHDR", head), part(b"IDAT", zlib.compress(rows, 9)), part(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def name(heading: str, language: str, number: int = 1) -> str:
    """Of the picture of a page."""
    return f"fax-{'-'.join(heading.lower().replace(',', '').split())}-{language}-{number}.png"


def kept() -> Iterator[str]:
    """The pictures that the pages of `docs/` show."""
    return (name(*one) for one in KEPT)


def main(arguments: list[str]) -> None:
    every = [(heading, language) for heading in NOTICES for language in ("en", "zh-CN")]
    folder, wanted = (Path(arguments[0]), every) if arguments else (DOCS, KEPT)
    folder.mkdir(parents=True, exist_ok=True)
    for heading, language in wanted:
        for number, picture in enumerate(pictures(drawn(page_of(heading, language))), 1):
            (folder / name(heading, language, number)).write_bytes(picture)


if __name__ == "__main__":
    main(sys.argv[1:])
