"""The key that webhooks are signed with: made on first start, for this user's eyes only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

KEY_BYTES = 32
KEY_FILE_MAX_BYTES = 1024


class BadKey(Exception):
    """The key file cannot be used."""


def path_for(store: Path) -> Path:
    """Where the key of a store lies."""
    return store.with_name(store.name + ".webhook-key")


def read(path: Path) -> bytes:
    """The key. Raises `BadKey` in words for an operator."""
    try:
        found = path.stat()
        text = path.read_bytes()[:KEY_FILE_MAX_BYTES]
    except FileNotFoundError:
        raise BadKey(f"there is no webhook key at {path} yet: it is made when hostwatch first runs") from None
    except OSError as error:
        raise BadKey(f"cannot read the webhook key {path}: {error.strerror}") from None
    if found.st_mode & 0o077:
        raise BadKey(f"cannot use the webhook key {path}: others may read it; run chmod 600 {path}")
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        raise BadKey(f"cannot use the webhook key {path}: it is not hexadecimal") from None
    if len(key) < KEY_BYTES // 2:
        raise BadKey(f"cannot use the webhook key {path}: it is shorter than {KEY_BYTES // 2} bytes")
    return key


def read_or_make(path: Path) -> bytes:
    """The key, made and made durable if there is none. For the holder of the lease.

    It comes into its place whole or not at all: half a key would keep every later start from succeeding.
    """
    if not path.exists():
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        _keep_names(path.parent)
    return read(path)


def _keep_names(folder: Path) -> None:
    """Make durable which files are in a folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
