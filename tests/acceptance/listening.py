"""Small HTTP servers of our own: one that says too much when it fails, one that collects telemetry."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, str, bytes]


@contextmanager
def listening(answer: Callable[[str, bytes], Answer]) -> Iterator[str]:
    """A server on loopback; `answer` gets path and body. Yields its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            status, kind, sent = answer(self.path, body)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def talkative(canary: str) -> Callable[[str, bytes], Answer]:
    """An upstream that puts the canary where it does not belong, as the prompt's last word asks."""

    def answer(_: str, body: bytes) -> Answer:
        asked = json.loads(body)
        how = asked["messages"][-1]["content"].split()[-1]
        message = {"role": "assistant", "content": f"well {canary}", "annotations": [canary]}
        whole = {
            "id": canary + "!",
            "object": canary,
            "model": canary,
            "system_fingerprint": f"fp {canary}",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "note": canary}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "x": canary},
            "debug": {"prompt": canary},
        }
        match how:
            case "error":
                error = json.dumps({"error": {"message": canary}}).encode()
                return 500, "application/json", error
            case "refuse":
                return 400, "application/json", json.dumps({"error": canary}).encode()
            case "garbage":
                return 200, "application/json", b'{"choices": "' + canary.encode()
            case "wrong":
                return 200, "application/json", json.dumps({"choices": canary}).encode()
            case "streamerror":
                event = json.dumps({"error": {"message": canary, "code": canary}})
                return 200, "text/event-stream", f"data: {event}\n\n".encode()
            case "badstream":
                return 200, "text/event-stream", f"data: {canary}\n\n".encode()
            case _:
                return 200, "application/json", json.dumps(whole).encode()

    return answer
