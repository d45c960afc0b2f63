"""A stand-in for an OpenTelemetry collector: takes whatever is posted, keeps its size, answers 200.

Run: `collector.py PORT`. `GET /` tells the bytes that came, so that a run can show that spans arrived.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Collector(BaseHTTPRequestHandler):
    """Counts the bytes of traces on its server object."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(str(getattr(self.server, "taken", 0)).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/traces"):
            self.server.taken = getattr(self.server, "taken", 0) + len(body)
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Collector).serve_forever()
