"""Draws a notice as a page: a program of its own, so that neither its time nor its memory is the watch's.

`python -m hostwatch.channels._typesetter` reads what stands on the page as JSON and writes it as PDF. It
opens nothing but the template and the fonts, and reaches for no network. The same page is the same bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import resource
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from hostwatch import unprivileged

DRAWS_MAX_SECONDS: Final = 10.0
"""How long one page may take, also in seconds of the processor; it takes about half a second."""

PAGE_MAX_BYTES: Final = 4 * 1024 * 1024
"""The largest PDF."""

AT_ONCE: Final = 2
"""Pages of one gateway that are drawn at one time: each needs some 200 MB."""

TEMPLATE: Final = Path(__file__).with_name("_page.typ")

FONTS: Final = "Noto Sans CJK SC"
"""What all is set in: it writes Latin, Chinese and what else stands in names."""

FONT_FILES: Final = "NotoSansCJK*"
PLACES: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))

WORDS_MAX_CHARS: Final = 300


class Undrawn(Exception):
    """There is no page, and why."""


def lacks() -> tuple[str, str]:
    """What is missing here to draw pages, and the line that brings it; both empty if nothing is."""
    if importlib.util.find_spec("typst") is None:
        return "pages cannot be drawn: typst is not installed", f"run scripts/install {sys.prefix} fax"
    if font_folder() is None:
        return f"pages cannot be drawn: there is no font {FONTS}", "run apt-get install fonts-noto-cjk"
    return "", ""


def font_folder() -> Path | None:
    """Where the fonts lie."""
    found = (path.parent for place in PLACES for path in sorted(place.glob(f"*/*/{FONT_FILES}")))
    return next(found, None)


def filled(page: Mapping[str, Any], *, number: str, sender: str, at: datetime) -> dict[str, Any]:
    """What stands on a page, with what only its sender knows: to which number, from whom and when."""
    words = page["words"]
    local = at.astimezone(ZoneInfo(page["zone"])).isoformat(sep=" ", timespec="seconds")
    sent = f"{local[:19]} {local[19:]} ({page['zone']})"
    head = [
        (words["to"], page["to"]),
        (words["number"], number),
        (words["from"], ", ".join(one for one in (page["from"], sender) if one)),
        (words["sent"], sent),
        (words["reference"], page["references"]),
    ]
    footer = " · ".join(one for one in (page["from"], page["references"][:60], sent) if one)
    return {
        **page,
        "head": [{"label": label, "value": value} for label, value in head if value],
        "footer": footer,
    }


async def drawn(page: Mapping[str, Any]) -> bytes:
    """The page as PDF. Raises `Undrawn`."""
    said, error = b"", b""
    process = await asyncio.create_subprocess_exec(
        *unprivileged.command("hostwatch.channels._typesetter"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": unprivileged.python_path(), "PATH": os.defpath},
    )
    try:
        async with asyncio.timeout(DRAWS_MAX_SECONDS):
            said, error = await process.communicate(json.dumps(page, ensure_ascii=False).encode())
    except TimeoutError:
        raise Undrawn(f"the page was not drawn within {DRAWS_MAX_SECONDS:.0f} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        transport: asyncio.SubprocessTransport = getattr(process, "_transport")  # noqa: B009 - there is no other
        transport.close()  # lets go of the pipes
    if process.returncode != 0 or not said.startswith(b"%PDF"):
        lines = error.decode("utf-8", "replace").strip().splitlines() or [f"code {process.returncode}"]
        raise Undrawn(f"the page could not be drawn: {lines[-1][:WORDS_MAX_CHARS]}")
    if len(said) > PAGE_MAX_BYTES:
        raise Undrawn(f"the page is larger than {PAGE_MAX_BYTES:,} bytes")
    return said


def draw(page: Mapping[str, Any]) -> bytes:
    """The page as PDF, here and now. Raises `Undrawn`."""
    import typst  # an extra: only who draws needs it

    folder = font_folder()
    if folder is None:
        raise Undrawn(lacks()[0])
    language = "zh" if page["language"].startswith("zh") else page["language"]
    notice = {**page, "fonts": [FONTS], "lang": language, "region": "cn" if language == "zh" else None}
    made, warnings = typst.compile_with_warnings(
        TEMPLATE,
        root=TEMPLATE.parent,
        format="pdf",
        sys_inputs={"notice": json.dumps(notice, ensure_ascii=False)},
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=[folder]),
        timestamp=0,
    )
    if warnings or not isinstance(made, bytes):  # a font that is missing would be no error
        raise Undrawn("; ".join(warning.message for warning in warnings) or "there are no bytes")
    return made


def main() -> None:
    """Read, draw, write."""
    seconds = int(DRAWS_MAX_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    sys.stdout.buffer.write(draw(json.load(sys.stdin.buffer)))


if __name__ == "__main__":
    main()
