"""By which links this machine's default routes leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROUTES_4: Final = Path("/proc/thread-self/net/route")
_ROUTES_6: Final = Path("/proc/thread-self/net/ipv6_route")
_UP: Final = 0x0001
_REJECTS: Final = 0x0200


def default_links() -> dict[str, list[int]]:
    """The links of the default routes, each with the families that leave by it."""
    found: dict[str, list[int]] = {}
    for version, link in (*_defaults_4(), *_defaults_6()):
        families = found.setdefault(link, [])
        if version not in families:
            families.append(version)
    return found


def _lines(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    except OSError:
        return []  # a machine without that family


def _defaults_4() -> Iterator[tuple[int, str]]:
    for link, destination, _, flags, _, _, _, mask, *_ in _lines(_ROUTES_4)[1:]:
        if (int(destination, 16), int(mask, 16)) == (0, 0) and int(flags, 16) & (_UP | _REJECTS) == _UP:
            yield 4, link


def _defaults_6() -> Iterator[tuple[int, str]]:
    for destination, length, *_, flags, link in _lines(_ROUTES_6):
        if (int(destination, 16), int(length, 16)) == (0, 0) and int(flags, 16) & (_UP | _REJECTS) == _UP:
            yield 6, link
