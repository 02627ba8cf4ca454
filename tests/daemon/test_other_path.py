"""The mail relay is dead, and the operator's people have a webhook beside their mailbox: it comes first."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.daemon.running import CONFIGURATION, Running


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes whatever comes."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def test_operators_hear_of_it_though_no_mail_leaves(start: Callable[..., Running], tmp_path: Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        hook = f"http://127.0.0.1:{server.server_port}/"
        operator = (
            "  - id: dc\n    name: Data centre\n    contacts:\n"
            f"      - {{id: noc, name: NOC, channels: [{{email: noc@dc.example}}, {{webhook: '{hook}'}}]}}\n"
        )
        (tmp_path / "hostwatch.yaml").write_text(f"operator: dc\n{CONFIGURATION}{operator}", encoding="utf-8")
        watch = start()
        watch.wait_for("device-proven")
        since = datetime.now(UTC).isoformat()
        words = ("--device", "web-1", "--since", since, "--told-by", "Li Na", "--because", "no shop")
        assert watch.command("emergency", "open", *words).returncode == 0

        first = watch.wait_for("attempt", lambda seen: seen["notice"].startswith("W-"))
        assert (first["channel"], first["outcome"]) == ("webhook", "accepted")
        assert watch.stop() == 0
    finally:
        server.shutdown()
        server.server_close()
