"""A stand-in for an OpenTelemetry collector: takes whatever is posted, keeps its size, answers 200.

Run: `collector.py PORT`. `GET /` tells the bytes that came, so that a run can show that spans arrived.
"""

from __future__ import annotations

import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class Collector(BaseHTTPRequestHandler):
    """Counts the bytes of traces in a counter of its process."""

    protocol_version = "HTTP/1.1"
    taken: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        self._answer(str(self.taken["bytes"]).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/traces"):
            self.taken["bytes"] += len(body)
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
