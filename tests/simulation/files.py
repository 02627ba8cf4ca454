"""Configuration files that are read again and again in one life after the other, read once.

What reading a file gives is a function of its bytes. A simulated day reads the same thousand devices at each
of dozens of starts; that reading them works is shown elsewhere.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hostwatch.configuration.source import Node, Reader

READ = Reader.read


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, the same bytes are parsed once. A file with mistakes is read as ever."""
    known: dict[tuple[str, bytes], tuple[bytes, int]] = {}

    def read(reader: Reader, name: str, data: bytes) -> Node | None:
        if (name, data) in known:
            kept, nodes = known[name, data]
            reader.nodes_left -= nodes
            found = pickle.loads(kept)
            assert isinstance(found, Node)
            return found
        mistakes, left = len(reader.mistakes), reader.nodes_left
        node = READ(reader, name, data)
        if node is not None and len(reader.mistakes) == mistakes:
            known[name, data] = pickle.dumps(node), left - reader.nodes_left
        return node

    with patch.object(Reader, "read", read):
        yield
