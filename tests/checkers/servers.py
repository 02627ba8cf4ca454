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
def serving(speech: Speech, address: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A server on loopback; its port, any that is free if none is given."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                speech(self)
            except OSError:
                return  # the check has hung up

    with Server((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
