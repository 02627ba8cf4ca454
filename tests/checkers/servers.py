"""Servers of a few lines, in threads, for tests of programs."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Speech = Callable[[socketserver.StreamRequestHandler], None]


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def serving(speech: Speech, address: str = "127.0.0.1") -> Iterator[int]:
    """A server on loopback; its port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                speech(self)
            except OSError:
                return  # the check has hung up

    with Server((address, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
