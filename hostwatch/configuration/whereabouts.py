"""Where a configuration says that its watch is to be found, without checking the rest of it.

Nothing of the model is needed for that, which takes longer to load than a running watch takes to answer.
"""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

from hostwatch.configuration import files
from hostwatch.configuration.mistake import Wrong
from hostwatch.configuration.source import FILE_BYTES_MAX, Node, Reader

STORE_PREFIX = "sqlite:///"


def control_of(path: Path) -> Path | None:
    """The control socket that a configuration names, even if the rest of it is wrong; None if it does not."""
    root = _read(path)
    store, control = (root and root.get(key) for key in ("store", "control"))
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - links are not to be resolved
    if control is not None and isinstance(control.value, str):
        return folder / control.value
    if store is None or not isinstance(store.value, str) or not store.value.startswith(STORE_PREFIX):
        return None
    file = folder / store.value.removeprefix(STORE_PREFIX)
    return file.with_name(f"{file.name}.sock")


def zone_of(path: Path) -> ZoneInfo | None:
    """The time zone of the site that a configuration names, in the same way."""
    site = (root := _read(path)) and root.get("site")
    zone = site and site.get("timezone")
    try:
        return ZoneInfo(str(zone.value)) if zone else None
    except (ValueError, OSError, KeyError):  # no name, a folder, or unknown
        return None


def _read(path: Path) -> Node | None:
    try:
        return Reader().read(str(path), files.read(path, bytes_max=FILE_BYTES_MAX).data)
    except Wrong:
        return None
