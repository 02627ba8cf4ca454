"""Reading small regular files without being held up or flooded.

A configuration may name anything: a pipe, a device, a huge file. Each is refused in plain words, and
a file is never read beyond its limit.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from hostwatch.configuration.mistake import Wrong


class Contents(NamedTuple):
    """What a file holds, and who may read it."""

    data: bytes
    mode: int
    """The permission bits."""

    owner: int
    """The owner's user number."""


def read(path: Path, *, bytes_max: int) -> Contents:
    """The whole file. Raises `Wrong` when it cannot be read or is not a regular file of bounded size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise Wrong("there is no such file", "check the path") from None
    except PermissionError:
        raise Wrong("the file may not be read by this user", "check its owner and mode") from None
    except (OSError, ValueError) as error:
        raise Wrong(f"the file cannot be opened ({_reason(error)})", "check the path") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Wrong("this is not a regular file", "name a file with text in it")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise Wrong(f"the file cannot be read ({_reason(error)})", "check the disk") from None
    finally:
        os.close(descriptor)
    if len(data) > bytes_max:
        raise Wrong(f"the file is larger than {bytes_max // 1024} KiB", "split it or name another")
    return Contents(data, stat.S_IMODE(status.st_mode), status.st_uid)


def _reason(error: Exception) -> str:
    return os.strerror(error.errno).lower() if isinstance(error, OSError) and error.errno else "bad path"
